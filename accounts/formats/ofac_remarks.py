"""What the remarks of a sanctions entry say: birth dates, papers, wallets, nicknames (regulation T8-T12).

Remarks are one text, its parts separated by semicolons: "DOB 12 Oct 1972; Passport 0291622 (Belize); a.k.a. 'X'."
Parts that are not recognised stay in the text and are not lost.
"""

import re
from dataclasses import dataclass

_NICKNAME = re.compile(r"(?P<type>[afn])\.k\.a\. '(?P<name>.+)'\Z", re.DOTALL)
_WALLET = re.compile(r"Digital Currency Address - (?P<currency>[A-Z0-9]{2,10}) (?P<address>[^\s;]+)\Z")
_PREFIXES = {
    "DOB ": "birth_dates",
    "nationality ": "nationalities",
    "citizen ": "nationalities",
    "Email Address ": "emails",
    "Website ": "websites",
    "Gender ": "genders",
}
# Kinds of numbers as the list spells them. A longer kind wins over a shorter one with the same beginning.
IDENTIFIER_KINDS = tuple(
    sorted(
        (
            "Passport", "Diplomatic Passport", "Stateless Person Passport", "National ID No.", "SSN", "Cedula No.",
            "Cedula de Residencia", "Residency Number", "Birth Certificate Number", "Personal ID Card",
            "Identification Number", "Driver's License No.", "Electoral Registry No.", "Credencial electoral",
            "Tax ID No.", "NIT #", "RUC #", "RIF #", "RTN", "C.U.R.P.", "R.F.C.", "C.U.I.P.", "C.U.I.", "C.I.F.",
            "I.F.E.", "D.N.I.", "N.I.E.", "NIE", "L.E. Number", "LE Number", "CNP (Personal Numerical Code)",
            "Italian Fiscal Code", "Fiscal Code", "Numero Unico de Identificacao", "Turkish Identification Number",
            "Kenyan ID No.", "Moroccan Personal ID No.", "Bosnian Personal ID No.", "Bosnian Personal ID Card No.",
            "Travel Document Number", "Refugee ID Card", "Military Registration Number", "Permanent Resident Card",
            "Seafarer's Identification Document", "Pilot License Number", "Immigration No.", "SRE Permit No.",
            "Registration Number", "Registration ID", "Business Registration Number",
            "Business Registration Document #", "Business Number", "Company Number", "UK Company Number",
            "Commercial Registry Number", "Public Registration Number", "Registered Charity No.", "Trade License No.",
            "Matricula Mercantil No", "Matricula Mercantil No.", "Folio Mercantil No.", "C.R. No.", "License",
            "Chamber of Commerce Number", "Istanbul Chamber of Comm. No.", "Romanian C.R.",
            "Romanian Permanent Resident",
            "Dubai Chamber of Commerce Membership No.", "Central Registration System Number", "Trademark number",
            "Unified Social Credit Code (USCC)", "United Social Credit Code Certificate", "Organization Code",
            "Legal Entity Number", "D-U-N-S Number", "V.A.T. Number", "Government Gazette Number", "Enterprise Number",
            "SWIFT/BIC", "BIK (RU)", "Bank Identifier Code", "Branch Unit Number", "Global Intermediary Identification",
            "Phone Number", "Telephone No.", "Fax No.", "Telephone", "Fax",
            "Vessel Registration Identification", "Vessel Registration Number", "MMSI", "Other Vessel Call Sign",
            "National Foreign ID Number", "Chinese Commercial Code", "Numero de Identidad", "Tazkira National ID Card",
            "Certificate of Incorporation Number", "Citizen's Card Number", "US FEIN", "C.U.I.T.", "RFC", "Serial No.",
            "Cartilla de Servicio Militar Nacional", "VisaNumberID", "British National Overseas Passport", "Phone No.",
            "Stateless Person ID Card", "Aircraft Serial Identification",
            "Aircraft Tail Number", "Previous Aircraft Tail Number", "Aircraft Mode S Transponder Code",
            "Aircraft Manufacturer's Serial Number (MSN)",
            "Aircraft Construction Number (also called L/N or S/N or F/N)",
        ),
        key=len,
        reverse=True,
    )
)  # fmt: skip
_COUNTRY = re.compile(r"\(([^()]+)\)")


@dataclass(frozen=True)
class Remarks:
    """The recognised parts of one entry's remarks, each without repetition and in order."""

    birth_dates: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    websites: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()
    nicknames: tuple[tuple[str, str], ...] = ()
    wallets: tuple[tuple[str, str], ...] = ()
    identifiers: tuple[tuple[str, str, str], ...] = ()


def read_remarks(remarks: str) -> Remarks:
    """Take the remarks apart; `remarks` is the joined text of entry and comments."""
    found: dict[str, list] = {name: [] for name in Remarks.__dataclass_fields__}
    for part in _split(remarks):
        _read_part(part, found)
    return Remarks(**{name: tuple(dict.fromkeys(values)) for name, values in found.items()})


def _split(remarks: str) -> list[str]:
    """Cut at semicolons, but not inside a quoted nickname; the full stop at the very end is punctuation."""
    parts: list[str] = []
    for piece in remarks.removesuffix(".").split(";"):
        open_quote = parts and re.match(r"(?:alt\. )?[afn]\.k\.a\. '", parts[-1]) and not parts[-1].endswith("'")
        if open_quote:
            parts[-1] += ";" + piece
        else:
            parts.append(piece.strip())
    return [part.removeprefix("alt. ") for part in parts if part]


def _read_part(part: str, found: dict[str, list]) -> None:
    for prefix, name in _PREFIXES.items():
        if part.startswith(prefix):
            found[name].append(part.removeprefix(prefix).strip())
            return
    if nickname := _NICKNAME.match(part):
        found["nicknames"].append((nickname["name"], f"weak {nickname['type']}ka"))
    elif wallet := _WALLET.match(part):
        found["wallets"].append((wallet["currency"], wallet["address"]))
    elif identifier := _read_identifier(part):
        found["identifiers"].append(identifier)


def _read_identifier(part: str) -> tuple[str, str, str] | None:
    """Split "Passport A12 (Iran) issued 2010 expires 2015"; of several countries the last and widest counts."""
    kind = next((kind for kind in IDENTIFIER_KINDS if part.startswith((kind + " ", kind + ": "))), None)
    if kind is None:
        return None
    rest = part[len(kind) :].removeprefix(":").strip()
    for word in (" issued ", " expires "):
        rest = rest.partition(word)[0].strip()
    if kind.startswith(("Phone", "Tele", "Fax")):  # here the brackets hold area codes
        return (kind, rest, "") if any(character.isdigit() for character in rest) else None
    places = _COUNTRY.findall(rest)
    number = rest.partition(" (")[0].strip()
    return (kind, number, places[-1].strip() if places else "") if number else None

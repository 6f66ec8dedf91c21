"""Checks on documents: zone, validity, suitability, number, agreement with what was stated (R26, R27, R32, R34)."""

import re
from collections.abc import Iterator
from datetime import date

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from accounts.formats.mrz_misreadings import likely
from accounts.rules.answers import Answer, DocumentOnFile, OnFile, Outcome, joined, with_version
from accounts.rules.documents import document_kind, expired_on, suits, zone_differences
from accounts.rules.parties import INDIVIDUALS

PASSED, FAILED, COULD_NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_RUN
MOST_HINTS = 4
ICAO = "ICAO Doc 9303"
OWN = "own comparison"
STDNUM = with_version("python-stdnum")
# Fields that no check digit guards, by layout; of a visa the optional data as well.
UNGUARDED = ("document code", "issuing country", "names", "nationality", "sex")


def _answer(
    document: DocumentOnFile, outcome: Outcome, reason: str, source: str, matched: tuple[str, ...] = ()
) -> Answer:
    facts = document.facts
    looked_at = joined(
        facts.kind, facts.party_kind, facts.number, facts.country, facts.holder_name, facts.issued_on,
        facts.expires_on, facts.birth_on, document.zone,
    )  # fmt: skip
    return Answer(document.about, outcome, reason, source, matched, looked_at, document.file_sha256)


def check_zones(on_file: OnFile) -> tuple[Answer, ...]:
    """The check digits of each machine-readable zone, and which of its fields none guards (T1-T7)."""
    return tuple(
        _zone(document, on_file.on) for document in on_file.documents if document_kind(document.facts.kind).has_mrz
    )


def _zone(document: DocumentOnFile, on: date) -> Answer:
    reading = document.reading
    if document.unreadable:
        return _answer(document, FAILED, document.unreadable, ICAO)
    if reading is None:
        reason = "The machine-readable zone is not on file. Read it from the picture, or type it."
        return _answer(document, COULD_NOT_RUN, reason, ICAO)
    if reading.all_ok:
        fields = tuple(check.field for check in reading.checks)
        unguarded = [*UNGUARDED, *(["optional data"] if reading.format.startswith("MRV") else [])]
        reason = f"All {len(fields)} check digits fit ({reading.format}). None guards {', '.join(unguarded)}."
        return _answer(document, PASSED, reason, ICAO, fields)
    failed = ", ".join(name.replace("_", " ") for name in reading.failed)
    wrong = [f"The check digit is wrong of: {failed}."] if failed else []
    hints = [each.sentence for each in likely(document.zone, today=on)] or ["Compare the zone with the picture."]
    reason = " ".join([*wrong, *reading.faults, *hints[:MOST_HINTS]])
    good = tuple(check.field for check in reading.checks if check.ok)
    return _answer(document, FAILED, reason, ICAO, good)


def check_expiry(on_file: OnFile) -> tuple[Answer, ...]:
    """Whether each document is still valid, with the days of grace the regime gives (R26, R32)."""
    grace = on_file.figures.get("document_grace_days")
    answers = []
    for document in on_file.documents:
        expires_on = document.facts.expires_on
        if expires_on is None:
            if not document_kind(document.facts.kind).suits & INDIVIDUALS:
                continue  # a register's extract or articles have no last day
            reason = "The day of expiry is not on file. Add it, or another document."
            answers.append(_answer(document, COULD_NOT_RUN, reason, OWN))
        elif grace is None:
            reason = "The regime says nothing of expired documents. Add its figure “document grace days” under Policy."
            answers.append(_answer(document, COULD_NOT_RUN, reason, OWN))
        elif not expired_on(expires_on, on_file.on):
            answers.append(_answer(document, PASSED, "The document is still valid.", grace.citation, ("expires_on",)))
        elif (on_file.on - expires_on).days <= grace.value:
            reason = f"It expired, but within the {grace.value.normalize():f} days of grace the regime gives."
            answers.append(_answer(document, PASSED, reason, grace.citation, ("expires_on",)))
        else:
            reason = "The document has expired. Ask for one that is valid."
            answers.append(_answer(document, FAILED, reason, grace.citation))
    return tuple(answers)


def check_suitability(on_file: OnFile) -> tuple[Answer, ...]:
    """Whether the regime accepts each kind of document as proof, and for this kind of party (R26, R27, T4, T33)."""
    return tuple(_suitability(on_file, document) for document in on_file.documents)


def _suitability(on_file: OnFile, document: DocumentOnFile) -> Answer:
    kind = document_kind(document.facts.kind)
    figure = on_file.figures.get(f"accepts_{kind.code}")
    if figure is None:
        reason = f"{on_file.regime} does not say whether it accepts this kind of document. Add the figure under Policy."
        return _answer(document, COULD_NOT_RUN, reason, OWN)
    if not figure.value:
        reason = f"{kind.title}: not accepted as proof under {on_file.regime}. Ask for another document."
        return _answer(document, FAILED, reason, figure.citation)
    if not suits(kind.code, on_file.party_kind):
        reason = f"{kind.title}: does not prove the identity of this kind of party. Ask for one that does."
        return _answer(document, FAILED, reason, figure.citation)
    return _answer(document, PASSED, f"{kind.title}: accepted under {on_file.regime}.", figure.citation, ("kind",))


# Whose number on which document follows a published rule that python-stdnum knows, and whether it decides: where other
# numbers are printed beside it, one that does not fit may be one of those.
NUMBER_RULES = {
    ("identity_card", "AR"): ("dni", True),
    ("identity_card", "BE"): ("eid", True),
    ("identity_card", "CN"): ("ric", True),
    ("identity_card", "ES"): ("dni", False),
    ("identity_card", "ID"): ("nik", True),
    ("identity_card", "MY"): ("nric", True),
    ("identity_card", "NL"): ("identiteitskaartnummer", True),
    ("identity_card", "PK"): ("cnic", True),
    ("identity_card", "PT"): ("cc", False),
    ("identity_card", "TH"): ("pin", True),
    ("identity_card", "ZA"): ("idnr", False),
    ("passport", "NL"): ("identiteitskaartnummer", True),
    ("residence_permit", "ES"): ("nie", False),
}
LONGEST_IN_A_PASSPORT = 9  # the places its zone has for the number (ICAO Doc 9303 part 4)
PRINTED = re.compile(r"[A-Z0-9]+")


def check_document_numbers(on_file: OnFile) -> tuple[Answer, ...]:
    """The number of each document by its country's published rule, the places a passport has, or its zone (R32)."""
    return tuple(
        _number(document)
        for document in on_file.documents
        if document.facts.number and document_kind(document.facts.kind).suits & INDIVIDUALS
    )


def _number(document: DocumentOnFile) -> Answer:
    facts = document.facts
    plain = re.sub(r"[\s.\-/]", "", facts.number).upper()
    name, decides = NUMBER_RULES.get((facts.kind, facts.country), ("", False))
    if name:
        module = get_cc_module(facts.country.lower(), name)
        if _is_valid(module, facts.number):
            return _answer(document, PASSED, "The number has its country's published form.", STDNUM, ("number",))
        if decides:
            reason = "The number does not have its country's published form. Compare it with the document."
            return _answer(document, FAILED, reason, STDNUM)
    if facts.kind == "passport" and not PRINTED.fullmatch(plain):
        reason = "A passport's number has letters A to Z and digits only. Compare it with the document."
        return _answer(document, FAILED, reason, ICAO)
    if facts.kind == "passport" and len(plain) > LONGEST_IN_A_PASSPORT:
        reason = f"A passport's number has at most {LONGEST_IN_A_PASSPORT} places; this one has {len(plain)}."
        return _answer(document, FAILED, f"{reason} Compare it with the document.", ICAO)
    return _number_in_zone(document, plain)


def _is_valid(module, number: str) -> bool:
    try:
        module.validate(number)
    except ValidationError:
        return False
    return True


def _number_in_zone(document: DocumentOnFile, plain: str) -> Answer:
    reading = document.reading
    if reading is None:
        reason = "No published rule known here decides on such a number, and no zone is on file to compare it with."
        return _answer(document, COULD_NOT_RUN, reason, ICAO)
    if "number" in reading.failed:
        return _answer(document, FAILED, "The number's check digit in the zone is wrong. Compare both.", ICAO)
    if reading.number.replace("<", "") != plain:
        reason = "The zone carries another number. Settle which is right."
        return _answer(document, FAILED, reason, ICAO)
    return _answer(document, PASSED, "It is the number of the zone, whose check digit fits.", ICAO, ("number",))


def check_stated(on_file: OnFile) -> tuple[Answer, ...]:
    """Name, birth date, number, country and expiry in each zone against what was stated (R34).

    What differs is opened as a discrepancy with both values by the flow.
    """
    return tuple(_stated(document) for document in on_file.documents if document_kind(document.facts.kind).has_mrz)


def _stated(document: DocumentOnFile) -> Answer:
    if document.facts.zone is None:
        reason = "No readable zone is on file, so nothing on the document can be compared. Look at the picture."
        return _answer(document, COULD_NOT_RUN, reason, OWN)
    differing = [field for field, _, _ in zone_differences(document.facts)]
    agreeing = tuple(name for name in _compared(document) if name not in differing)
    if differing:
        reason = f"These differ between document and statement: {', '.join(differing)}. Settle each."
        return _answer(document, FAILED, reason, OWN, agreeing)
    if not agreeing:
        reason = "Nothing was stated that the zone could be compared with."
        return _answer(document, COULD_NOT_RUN, reason, OWN)
    return _answer(document, PASSED, f"The same in both: {', '.join(agreeing)}.", OWN, agreeing)


def _compared(document: DocumentOnFile) -> Iterator[str]:
    """The names of what both sides say, as zone_differences calls them."""
    facts, zone = document.facts, document.facts.zone
    pairs = (
        ("name", facts.holder_name, zone.surname),
        ("date of birth", facts.birth_on, zone.birth_on),
        ("number", facts.number, zone.number),
        ("country", facts.country, zone.issuer),
        ("date of expiry", facts.expires_on, zone.expires_on),
    )
    return (name for name, stated, read in pairs if stated and read)

"""Which document proves what, and what is wrong with one (requirements R26, R27, R32; T1-T7, T33)."""

from dataclasses import dataclass
from datetime import date

from anyascii import anyascii
from rigour.territories import get_territory

from accounts.rules.parties import BOTH, ENTITIES, INDIVIDUALS
from kyc_portal.refusal import Refusal

NATIONALITY, RESIDENCE, EXISTENCE = "nationality", "residence", "existence"


class UnknownDocumentKind(Refusal):
    """The document kind is not in the table."""


@dataclass(frozen=True)
class DocumentKind:
    """One row of the table: `proves` is empty for a document that proves nothing by itself."""

    code: str
    title: str
    suits: frozenset[str]
    proves: frozenset[str]
    has_mrz: bool = False
    has_photo: bool = False


PERSON, PLACE, BEING = frozenset({NATIONALITY}), frozenset({RESIDENCE}), frozenset({EXISTENCE})

DOCUMENT_KINDS = (
    DocumentKind("passport", "Passport", INDIVIDUALS, PERSON, has_mrz=True, has_photo=True),
    DocumentKind("identity_card", "National identity card", INDIVIDUALS, PERSON, has_mrz=True, has_photo=True),
    DocumentKind("driving_licence", "Driving licence", INDIVIDUALS, PLACE, has_photo=True),
    DocumentKind("residence_permit", "Residence permit", INDIVIDUALS, PLACE, has_mrz=True, has_photo=True),
    DocumentKind("visa", "Visa", INDIVIDUALS, frozenset(), has_mrz=True, has_photo=True),
    DocumentKind("articles", "Certified articles of incorporation", ENTITIES, BEING),
    DocumentKind("business_licence", "Government-issued business licence", ENTITIES, BEING),
    DocumentKind("partnership_agreement", "Partnership agreement", ENTITIES, BEING),
    DocumentKind("trust_instrument", "Trust instrument", ENTITIES, BEING),
    DocumentKind("register_extract", "Extract from a business register", ENTITIES, BEING),
)

BY_CODE = {kind.code: kind for kind in DOCUMENT_KINDS}


@dataclass(frozen=True)
class ZoneFacts:
    """What the machine-readable zone says; `failed_checks` names each check digit that is wrong, in words."""

    number: str = ""
    issuer: str = ""
    birth_on: date | None = None
    expires_on: date | None = None
    surname: str = ""
    given_names: str = ""
    failed_checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DocumentFacts:
    """What was typed about a document. Countries as ISO 3166 codes of two or three letters; empty when unknown."""

    kind: str
    party_kind: str
    number: str = ""
    country: str = ""
    holder_name: str = ""
    issued_on: date | None = None
    expires_on: date | None = None
    birth_on: date | None = None
    zone: ZoneFacts | None = None


def document_kind(code: str) -> DocumentKind:
    """Return the table's row for a code. Raises UnknownDocumentKind."""
    try:
        return BY_CODE[code]
    except KeyError:
        raise UnknownDocumentKind(
            f"There is no document kind {code[:60]!a}. Choose one of: {', '.join(sorted(BY_CODE))}."
        ) from None


def suits(code: str, party_kind: str) -> bool:
    """Say whether a document of this kind proves something about a party of this kind.

    A visa proves neither nationality nor residence by itself (T4). While the party's kind is undetermined,
    any document that proves something will do.
    """
    kind = document_kind(code)
    return bool(kind.proves) and (party_kind not in BOTH or party_kind in kind.suits)


def expired_on(expires_on: date | None, on: date) -> bool:
    """Say whether a document with that last day of validity has run out on the day `on`; no date never runs out."""
    return expires_on is not None and expires_on < on


def faults(document: DocumentFacts, on: date) -> tuple[str, ...]:
    """Return, as sentences, everything that keeps the document from proving an identity on the day `on`.

    Nothing is refused here: each sentence is a discrepancy that somebody settles (R34).
    Raises UnknownDocumentKind.
    """
    found = [*_kind_faults(document), *_date_faults(document, on)]
    if document.zone is not None:
        found += [*_check_faults(document.zone), *_zone_faults(document)]
    return tuple(found)


def _kind_faults(document: DocumentFacts) -> list[str]:
    kind = document_kind(document.kind)
    if not kind.proves:
        return [f"{kind.title}: proves neither nationality nor residence by itself. Ask for another document."]
    if not suits(document.kind, document.party_kind):
        return [f"{kind.title}: does not prove the identity of this kind of party. Ask for one that does."]
    return []


def _date_faults(document: DocumentFacts, on: date) -> list[str]:
    found = []
    if expired_on(document.expires_on, on):
        found.append(f"The document expired on {document.expires_on}. Ask for one that is valid.")
    found += _out_of_order("issue", document.issued_on, "expiry", document.expires_on)
    found += _out_of_order("birth", document.birth_on, "issue", document.issued_on)
    found += _out_of_order("birth", document.birth_on, "expiry", document.expires_on)
    for name, day in (("issue", document.issued_on), ("birth", document.birth_on)):
        if day is not None and day > on:
            found.append(f"The date of {name} {day} lies in the future. Correct it.")
    return found


def _out_of_order(first: str, earlier: date | None, second: str, later: date | None) -> list[str]:
    if earlier is None or later is None or earlier <= later:
        return []
    return [f"The date of {first} {earlier} lies after the date of {second} {later}. Correct the one that is wrong."]


def _check_faults(zone: ZoneFacts) -> list[str]:
    return [f"The machine-readable zone has a wrong check digit: {name}." for name in zone.failed_checks]


def zone_differences(document: DocumentFacts) -> tuple[tuple[str, str, str], ...]:
    """Return (field, what was typed, what the zone says) for each field that disagrees; none without a zone (R34)."""
    zone = document.zone
    if zone is None:
        return ()
    pairs = (
        ("number", document.number, zone.number, _plain(document.number) == _plain(zone.number)),
        ("date of birth", document.birth_on, zone.birth_on, document.birth_on == zone.birth_on),
        ("date of expiry", document.expires_on, zone.expires_on, document.expires_on == zone.expires_on),
        ("country", document.country, zone.issuer, _country(document.country) == _country(zone.issuer)),
    )
    found = [(name, str(typed), str(read)) for name, typed, read, agree in pairs if typed and read and not agree]
    if not _same_holder(document.holder_name, zone):
        found.append(("name", document.holder_name, f"{zone.surname} {zone.given_names}".strip()))
    return tuple(found)


def _zone_faults(document: DocumentFacts) -> list[str]:
    return [
        f"The {name} in the machine-readable zone differs from what was typed. Settle which is right."
        for name, _, _ in zone_differences(document)
    ]


def _plain(number: str) -> str:
    return "".join(letter for letter in number.upper() if letter.isalnum())


def _country(code: str) -> str:
    """Bring two- and three-letter codes to one form; what no list knows (UTO of the specimens) stays as it is."""
    code = code.strip("< ").upper()
    if code == "D":  # the one-letter code that German documents carry (ICAO 9303 part 3)
        return "DE"
    territory = get_territory(code) if code else None
    return territory.code.upper() if territory else code


# The spellings ICAO 9303 part 3 lets an issuer choose for letters that have no place in a zone.
ISSUERS_SPELLINGS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("å", "aa"), ("ø", "oe"), ("æ", "ae"), ("ñ", "nxx"))


def _same_holder(typed: str, zone: ZoneFacts) -> bool:
    """A zone may cut a long name short and may leave given names out; it may not say another name."""
    read = _words(f"{zone.surname} {zone.given_names}")
    if not typed.strip() or not read:
        return True
    spelt_out = typed.lower()
    for letter, letters in ISSUERS_SPELLINGS:
        spelt_out = spelt_out.replace(letter, letters)
    known = {*_words(typed), *_words(spelt_out)}
    return all(word in known for word in read[:-1]) and any(word.startswith(read[-1]) for word in known)


def _words(name: str) -> list[str]:
    plain = anyascii(name).lower().replace("<", " ").replace("-", " ").replace("'", "")
    return ["".join(filter(str.isalnum, word)) for word in plain.split()]

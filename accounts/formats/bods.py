"""Records of the Beneficial Ownership Data Standard 0.4 into parties and holdings (R21).

Pure reading: a statement becomes a StatedParty, a StatedRelationship or a BadStatement with the field that is to blame.
What cannot be kept but does no harm is told in `notes`.

How interests are read: those of SHARES give the percentage, the largest of one period counting once; those of CONTROL
say that control is exercised; all others say neither, and the statement is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from accounts.formats.bods_stream import BodsRefused, read_statements
from accounts.formats.text import find_fault, shown
from accounts.rules.new_parties import NewAddress, NewParty

__all__ = [
    "BadStatement", "BodsRefused", "Holding", "StatedParty", "StatedRelationship", "read_bods",
]  # fmt: skip

VERSION = "0.4"
LONGEST_ID = 200
SHARES = frozenset({
    "shareholding", "votingRights", "rightsToSurplusAssetsOnDissolution", "rightsToProfitOrIncome",
    "beneficiaryOfLegalArrangement", "rightToProfitOrIncomeFromAssets",
})  # fmt: skip
CONTROL = frozenset({
    "appointmentOfBoard", "otherInfluenceOrControl", "seniorManagingOfficial", "settlor", "trustee", "protector",
    "rightsGrantedByContract", "controlViaCompanyRulesOrArticles", "controlByLegalFramework", "boardChair",
})  # fmt: skip
NAMED_ENTITIES = {
    "registeredEntity": "entity", "legalEntity": "entity", "arrangement": "entity", "state": "entity",
    "stateBody": "entity", "unknownEntity": "undetermined",
}  # fmt: skip
NAME_KINDS = {
    "translation": "script", "transliteration": "script", "former": "former", "birth": "former", "legal": "alias",
    "alternative": "alias",
}  # fmt: skip
ADDRESS_KINDS = {"residence": "residence", "business": "business", "registered": "principal"}
_ID = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class BadStatement:
    """Why a statement cannot be taken in: its number from 1, the field, the reason as a sentence."""

    number: int
    field: str
    reason: str


@dataclass(frozen=True)
class Holding:
    """One period of an interest: what is held in percent, whether control is exercised, first and last day."""

    percent: Decimal
    control: bool
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True)
class _Stated:
    number: int
    statement_id: str
    record_id: str
    subject: str  # declarationSubject
    publisher: str
    on: date  # statementDate
    is_closed: bool
    notes: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)  # field, sentence


@dataclass(frozen=True)
class StatedParty(_Stated):
    """A person or an entity as stated."""

    new: NewParty


@dataclass(frozen=True)
class StatedRelationship(_Stated):
    """Who holds what in whom, by record identifiers; "" where nobody is named."""

    owned: str
    owner: str
    holdings: tuple[Holding, ...]


class _Bad(Exception):
    def __init__(self, place: str, reason: str):
        self.place, self.reason = place, reason


def read_bods(stream: BinaryIO) -> Iterator[StatedParty | StatedRelationship | BadStatement]:
    """Read statements one by one from a JSON array or JSON Lines. Raises BodsRefused for the file as a whole."""
    for number, value in read_statements(stream):
        try:
            yield _statement(number, value)
        except _Bad as bad:
            yield BadStatement(number, bad.place, bad.reason)


def _statement(number: int, value: Any) -> StatedParty | StatedRelationship:
    if not isinstance(value, dict):
        raise _Bad("", "The statement is no JSON object.")
    if "statementType" in value or "statementID" in value:
        raise _Bad("statementID", f"The statement is of an older version. Convert the file to version {VERSION}.")
    kind = _choice(value, "recordType", ("entity", "person", "relationship"))
    status = _choice(value, "recordStatus", ("new", "updated", "closed")) if "recordStatus" in value else "new"
    details = _object(value, "recordDetails")
    statement_id = _text(value, "statementId", 64)
    if len(statement_id) < 32:
        raise _Bad("statementId", "It must have 32 to 64 characters.")
    common = (
        number, statement_id, _identifier(value, "recordId"), _identifier(value, "declarationSubject"),
        _publisher(value), _day(value, "statementDate", with_time=True, required=True), status == "closed",
    )  # fmt: skip
    if not isinstance(details.get("isComponent"), bool):
        raise _Bad("recordDetails.isComponent", "It must be true or false.")
    if kind == "relationship":
        return _relationship(common, details)
    new, notes = _person(details) if kind == "person" else _entity(details)
    return StatedParty(*common, new, notes=tuple(notes))


def _publisher(value: dict) -> str:
    """The publisher's name, or address; and the version, which must be ours."""
    published = value.get("publicationDetails", {})
    if not isinstance(published, dict):
        raise _Bad("publicationDetails", "It must be an object.")
    version = published.get("bodsVersion", VERSION)
    if version != VERSION:
        raise _Bad("publicationDetails.bodsVersion", f"Only version {VERSION} is read. Convert the file.")
    publisher = published.get("publisher", {})
    names = [publisher.get(key) for key in ("name", "url")] if isinstance(publisher, dict) else []
    return next((name for name in names if isinstance(name, str)), "")[:LONGEST_ID]


# --- persons and entities ---------------------------------------------------------------------------------------------


def _person(details: dict) -> tuple[NewParty, list[tuple[str, str]]]:
    place, notes = "recordDetails", []
    kind = _choice(details, "personType", ("knownPerson", "anonymousPerson", "unknownPerson"), place)
    names = _list(details, "names", place)
    stated = [_name(name, f"{place}.names[{index}]") for index, name in enumerate(names)]
    if not stated:
        raise _Bad(f"{place}.names", f"Nobody is kept without a name ({kind}). Name the person or leave them out.")
    main = next((name for kind, name in stated if kind == "legal"), stated[0][1])
    others = {(NAME_KINDS[kind], name): None for kind, name in stated if name != main}
    nations = _list(details, "nationalities", place)
    if len(nations) > 1:
        notes.append((f"{place}.nationalities", "Only the first nationality is kept."))
    notes += _left_out(details, place, ("identifiers", "politicalExposure", "taxResidencies", "placeOfBirth"))
    addresses = _addresses(details, place, notes)
    return NewParty(
        kind="individual",
        legal_name=main,
        names=tuple(others),
        citizenship=_country(nations[0], f"{place}.nationalities[0]") if nations else "",
        birth_date=_birth(details, place, notes),
        addresses=addresses,
    ), notes


def _name(value: Any, place: str) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise _Bad(place, "It must be an object with fullName.")
    kind = _choice(value, "type", tuple(NAME_KINDS), place) if "type" in value else "legal"
    return kind, _text(value, "fullName", 300, place)


def _birth(details: dict, place: str, notes: list) -> date | None:
    stated = details.get("birthDate")
    if isinstance(stated, str) and re.fullmatch(r"\d{4}(-\d{2})?", stated):
        notes.append((f"{place}.birthDate", "Only whole dates of birth are kept; this one lacks its day."))
        return None
    return _day(details, "birthDate", place)


def _entity(details: dict) -> tuple[NewParty, list[tuple[str, str]]]:
    place, notes = "recordDetails", []
    types = _object(details, "entityType", place)
    kind = _choice(types, "type", (*NAMED_ENTITIES, "anonymousEntity"), f"{place}.entityType")
    if not details.get("name"):
        raise _Bad(f"{place}.name", f"Nothing is kept without a name ({kind}). Name the entity or leave it out.")
    alternates = _list(details, "alternateNames", place)
    names = [
        _text({"it": name}, "it", 300, f"{place}.alternateNames[{index}]") for index, name in enumerate(alternates)
    ]
    identifiers = _list(details, "identifiers", place)
    if len(identifiers) > 1:
        notes.append((f"{place}.identifiers", "Only the first identifier is kept."))
    register = identifiers[0] if identifiers else {}
    if not isinstance(register, dict):
        raise _Bad(f"{place}.identifiers[0]", "It must be an object.")
    where = details.get("jurisdiction")
    notes += _left_out(details, place, ("foundingDate", "dissolutionDate", "publicListing", "uri"))
    addresses = _addresses(details, place, notes)
    number = _text(register, "id", 100, f"{place}.identifiers[0]") if "id" in register else ""
    return NewParty(
        kind=NAMED_ENTITIES.get(kind, "undetermined"),
        legal_name=_text(details, "name", 300, place),
        names=tuple(dict.fromkeys(("alias", name) for name in names)),
        formation_country=_country(where, f"{place}.jurisdiction") if where is not None else "",
        entity_type=_text(types, "details", 60, f"{place}.entityType") if "details" in types else "",
        registration_number=number,
        addresses=addresses,
    ), notes


def _addresses(details: dict, place: str, notes: list) -> tuple[NewAddress, ...]:
    found = []
    for index, value in enumerate(_list(details, "addresses", place)):
        here = f"{place}.addresses[{index}]"
        if not isinstance(value, dict):
            raise _Bad(here, "It must be an object.")
        kind = ADDRESS_KINDS.get(str(value.get("type")), "")
        if not kind or not value.get("country") or not value.get("address"):
            notes.append((here, "An address is kept only with its kind, its lines and its country; this one is not."))
            continue
        lines = [_text(value, name, 500, here) for name in ("address", "postCode") if value.get(name)]
        found.append(NewAddress(kind, "\n".join(lines), "", _country(value["country"], f"{here}.country")))
    return tuple(found)


def _left_out(details: dict, place: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"{place}.{name}", "The portal keeps no such thing.") for name in names if details.get(name)]


def _country(value: Any, place: str) -> str:
    """The two letters of the country; of a region ("US-DE") those before the hyphen."""
    code = value.get("code") if isinstance(value, dict) else None
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?", code):
        raise _Bad(f"{place}.code", "It must be a country code of ISO 3166, such as DE or US-DE.")
    return code[:2].upper()


# --- relationships ----------------------------------------------------------------------------------------------------


def _relationship(common: tuple, details: dict) -> StatedRelationship:
    place, notes = "recordDetails", []
    owned, owner = _end(details, "subject", notes), _end(details, "interestedParty", notes)
    if owned and owned == owner:
        raise _Bad(f"{place}.interestedParty", "It is the subject itself. Nobody owns a part of themselves.")
    components = _list(details, "componentRecords", place)
    periods: dict[tuple[date | None, date | None], list] = {}
    for index, value in enumerate(_list(details, "interests", place)):
        here = f"{place}.interests[{index}]"
        if not isinstance(value, dict):
            raise _Bad(here, "It must be an object.")
        if _is_indirect(value, components, here):
            notes.append((here, "The portal reckons indirect interests from the relationships in between."))
            continue
        percent, control, period = _interest(value, here)
        held = periods.setdefault(period, [Decimal(0), False])
        held[0], held[1] = max(held[0], percent), held[1] or control
    holdings = (Holding(percent, control, *days) for days, (percent, control) in periods.items() if percent or control)
    return StatedRelationship(*common, owned, owner, tuple(holdings), notes=tuple(notes))


def _end(details: dict, name: str, notes: list) -> str:
    if isinstance(details.get(name), dict):
        notes.append((f"recordDetails.{name}", "Nobody is named, so that nothing is kept of this relationship."))
        return ""
    return _identifier(details, name, "recordDetails")


def _is_indirect(value: dict, components: list, here: str) -> bool:
    way = _choice({"directOrIndirect": "direct", **value}, "directOrIndirect", ("direct", "indirect", "unknown"), here)
    if way == "indirect" and not components:
        raise _Bad(
            f"{here}.directOrIndirect",
            "An indirect interest needs componentRecords, which name the parties in between. Add them with their "
            "relationships.",
        )
    return way == "indirect"


def _interest(value: dict, here: str) -> tuple[Decimal, bool, tuple[date | None, date | None]]:
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in SHARES | CONTROL:
        raise _Bad(
            f"{here}.type",
            f"{shown(str(kind))} says neither what share is held nor that control is exercised. State which it is, or "
            "leave the interest out.",
        )
    first, last = _day(value, "startDate", here), _day(value, "endDate", here)
    if first and last and last < first:
        raise _Bad(f"{here}.endDate", f"{last} lies before startDate {first}. Correct the one that is wrong.")
    percent = _share(value, here) if kind in SHARES else Decimal(0)
    return percent, kind in CONTROL, (first, last)


def _share(value: dict, here: str) -> Decimal:
    share = _object(value, "share", here)
    exact = share.get("exact")
    if exact is None and share.get("minimum") is not None and share.get("minimum") == share.get("maximum"):
        exact = share["minimum"]
    if exact is None:
        raise _Bad(f"{here}.share.exact", "Only a range is stated, and shares are multiplied along chains. State it.")
    if not isinstance(exact, Decimal) or not 0 <= exact <= 100 or exact != round(exact, 4):
        raise _Bad(f"{here}.share.exact", "It must be a number from 0 to 100 with at most four decimals.")
    return exact


# --- single values ----------------------------------------------------------------------------------------------------


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _object(value: dict, name: str, place: str = "") -> dict:
    if not isinstance(value.get(name), dict):
        raise _Bad(_at(place, name), "It is missing, or no object.")
    return value[name]


def _list(value: dict, name: str, place: str) -> list:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise _Bad(_at(place, name), "It must be a list.")
    return found


def _text(value: dict, name: str, limit: int, place: str = "") -> str:
    found, place = value.get(name), _at(place, name) if name != "it" else place
    if not isinstance(found, str) or not found.strip():
        raise _Bad(place, "It is missing, or no text.")
    if fault := find_fault(found, limit, one_line=name != "address"):
        raise _Bad(place, f"It {fault}.")
    return found


def _identifier(value: dict, name: str, place: str = "") -> str:
    found = _text(value, name, LONGEST_ID, place)
    if not _ID.fullmatch(found):
        raise _Bad(_at(place, name), "It holds a control character. Remove it.")
    return found


def _choice(value: dict, name: str, known: tuple[str, ...], place: str = "") -> str:
    if value.get(name) not in known:
        raise _Bad(_at(place, name), f"It must be one of: {', '.join(known)}.")
    return value[name]


def _day(value: dict, name: str, place: str = "", *, with_time: bool = False, required: bool = False) -> date | None:
    found = value.get(name)
    if found is None and not required:
        return None
    text = found[:10] if isinstance(found, str) and (len(found) == 10 or with_time) else ""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise _Bad(_at(place, name), "It must be a day, written as YYYY-MM-DD.") from None

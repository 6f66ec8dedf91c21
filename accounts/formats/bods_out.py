"""Parties and stakes as statements of the Beneficial Ownership Data Standard 0.4 (R21).

Sealed values (dates of birth, numbers, addresses) are not among them: the file is about who owns whom.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from accounts.formats.bods import VERSION
from accounts.rules.ownership import Stake

NAME_TYPES = {"alias": "alternative", "trade": "alternative", "former": "former", "script": "transliteration"}


@dataclass(frozen=True)
class PartyOut:
    """A party to be written: `key` is its record identifier, `names` are (kind, name), `country` (code, name)."""

    key: str
    kind: str
    name: str
    names: tuple[tuple[str, str], ...] = ()
    country: tuple[str, str] | None = None
    entity_type: str = ""
    is_registered: bool = False


@dataclass(frozen=True)
class Publication:
    """Of what the statements are: the record identifier of the declaration's subject, publisher, day."""

    subject: str
    publisher: str
    on: date


def statements(
    parties: Iterable[PartyOut], stakes: Iterable[Stake], of: Publication, beneficial: frozenset[str] = frozenset()
) -> Iterator[dict]:
    """Yield parties first, then one relationship for each pair of owner and owned with its interests, dated.

    `beneficial` are the keys of individuals who count as beneficial owners. The same input gives the same output.
    """
    for party in parties:
        yield _statement(party.key, *_record(party), of)
    pairs: dict[tuple[str, str], list[Stake]] = defaultdict(list)
    for stake in stakes:
        pairs[stake.owned, stake.owner].append(stake)
    for (owned, owner), held in pairs.items():
        interests = [interest for stake in held for interest in _interests(stake, owner in beneficial)]
        details = {"isComponent": False, "subject": owned, "interestedParty": owner, "interests": interests}
        yield _statement(f"{owned}-{owner}", "relationship", details, of)


def as_json(found: Iterable[dict]) -> Iterator[bytes]:
    """A JSON array in pieces, a statement each."""
    start = b"["
    for statement in found:
        yield start + b"\n" + _plain(statement)
        start = b","
    yield b"\n]\n" if start == b"," else b"[]\n"


def as_json_lines(found: Iterable[dict]) -> Iterator[bytes]:
    """JSON Lines, a statement each."""
    for statement in found:
        yield _plain(statement) + b"\n"


def _plain(statement: dict) -> bytes:
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()


def _statement(record_id: str, kind: str, details: dict, of: Publication) -> dict:
    seed = json.dumps([of.publisher, of.subject, record_id, str(of.on), details], sort_keys=True)
    return {
        "statementId": str(uuid5(NAMESPACE_URL, seed)),
        "declarationSubject": of.subject,
        "statementDate": of.on.isoformat(),
        "publicationDetails": {
            "publicationDate": of.on.isoformat(), "bodsVersion": VERSION, "publisher": {"name": of.publisher},
        },
        "recordId": record_id,
        "recordStatus": "new",
        "recordType": kind,
        "recordDetails": details,
    }  # fmt: skip


def _record(party: PartyOut) -> tuple[str, dict]:
    where = {"code": party.country[0], "name": party.country[1]} if party.country else None
    if party.kind == "individual":
        names = [{"type": "legal", "fullName": party.name}]
        names += [{"type": NAME_TYPES[kind], "fullName": name} for kind, name in party.names]
        nations = {"nationalities": [where]} if where else {}
        return "person", {"isComponent": False, "personType": "knownPerson", "names": names, **nations}
    kind = "registeredEntity" if party.is_registered else "legalEntity"
    entity_type = {"type": kind if party.kind == "entity" else "unknownEntity"}
    if party.entity_type:
        entity_type["details"] = party.entity_type
    details = {"isComponent": False, "entityType": entity_type, "name": party.name}
    if party.names:
        details["alternateNames"] = [name for _, name in party.names]
    return "entity", details | ({"jurisdiction": where} if where else {})


def _interests(stake: Stake, is_beneficial: bool) -> Iterator[dict]:
    days = {}
    if stake.from_on:
        days["startDate"] = stake.from_on.isoformat()
    if stake.to_on:
        days["endDate"] = stake.to_on.isoformat()
    common = {"directOrIndirect": "direct", "beneficialOwnershipOrControl": is_beneficial}
    if stake.percent or not stake.control:
        yield {"type": "shareholding", **common, "share": {"exact": _number(stake.percent)}, **days}
    if stake.control:
        yield {"type": "otherInfluenceOrControl", **common, **days}


def _number(percent: Decimal) -> int | float:
    return int(percent) if percent == int(percent) else float(percent)

"""Compare what a document says with what was typed (requirements R26, R27, R34)."""

from dataclasses import dataclass, replace
from datetime import date

from accounts.formats.mrz import MrzReading, UnreadableMrz, read_mrz
from accounts.models import IdentityDocument, Party
from accounts.rules.documents import DocumentFacts, ZoneFacts, expired_on, suits, zone_differences


@dataclass(frozen=True)
class Pair:
    """One fact as it was stated and as the zone says it, both in clear; `agrees` is None where one side is silent.

    `is_sealed` says that the stated value is one that stays masked until somebody asks for it.
    """

    label: str
    stated: str
    found: str
    agrees: bool | None
    is_sealed: bool = False


def facts_of(document: IdentityDocument, party: Party) -> DocumentFacts:
    """What was typed about a document and its holder, without the machine-readable zone."""
    return DocumentFacts(
        kind=document.kind,
        party_kind=party.kind,
        number=document.number.reveal() if document.number else "",
        country=document.country.code or "",
        holder_name=party.legal_name,
        issued_on=document.issued_on,
        expires_on=document.expires_on,
        birth_on=date.fromisoformat(party.birth_date.reveal()) if party.birth_date else None,
    )


def disagreements(document: IdentityDocument, party: Party, *, on: date) -> list[tuple[str, str, str]]:
    """(field, stated, found) for all that the zone says otherwise than was typed; each field names its document."""
    reading, unreadable = read_zone(document, on=on)
    if unreadable:
        return [(f"{document.reference}: machine-readable zone", "readable", unreadable)]
    if reading is None:
        return []
    found = [(f"check digit of {check.field}", check.expected, check.found) for check in reading.checks if not check.ok]
    found += zone_differences(replace(facts_of(document, party), zone=zone_of(reading)))
    return [(f"{document.reference}: {field}", stated, read) for field, stated, read in found]


def read_zone(document: IdentityDocument, *, on: date) -> tuple[MrzReading | None, str]:
    """The document's zone as read, or None and why it cannot be read; None and "" when none is on file."""
    if not document.mrz:
        return None, ""
    try:
        return read_mrz(document.mrz.reveal(), today=on), ""
    except UnreadableMrz as refusal:
        return None, str(refusal)


def zone_of(reading: MrzReading) -> ZoneFacts:
    """The facts of a zone that are compared with what was typed."""
    return ZoneFacts(
        number=reading.number,
        issuer=reading.issuer,
        birth_on=reading.birth_date,
        expires_on=reading.expires_on,
        surname=reading.surname,
        given_names=reading.given_names,
        failed_checks=reading.failed,
    )


def side_by_side(document: IdentityDocument, party: Party, *, on: date) -> list[Pair]:
    """What was stated beside what the zone says, for a reviewer to look at; a zone nobody can read says nothing."""
    facts, (reading, _) = facts_of(document, party), read_zone(document, on=on)
    differing = zone_differences(replace(facts, zone=zone_of(reading))) if reading else ()
    fields = {field for field, _, _ in differing}
    holder = f"{reading.given_names} {reading.surname}".strip() if reading else ""
    rows = (
        ("Name", "name", facts.holder_name, holder, False),
        ("Birth date", "date of birth", facts.birth_on, reading and reading.birth_date, True),
        ("Document number", "number", facts.number, reading and reading.number, True),
        ("Issuing country", "country", facts.country, reading and reading.issuer, False),
        ("Expires", "date of expiry", facts.expires_on, reading and reading.expires_on, False),
    )
    return [
        Pair(label, str(stated or ""), str(found or ""), field not in fields if stated and found else None, is_sealed)
        for label, field, stated, found, is_sealed in rows
    ]


def proves_identity(document: IdentityDocument, party: Party, *, on: date) -> bool:
    """Whether the document by itself proves who the party is on that day: of a fitting kind, with a number or a file,
    and not expired (R26)."""
    return document.shows_something and suits(document.kind, party.kind) and not expired_on(document.expires_on, on)

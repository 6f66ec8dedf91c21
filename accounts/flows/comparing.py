"""Compare what a document says with what was typed (requirements R26, R27, R34)."""

from dataclasses import replace
from datetime import date

from accounts.formats.mrz import UnreadableMrz, read_mrz
from accounts.models import IdentityDocument, Party
from accounts.rules.documents import DocumentFacts, ZoneFacts, expired_on, suits, zone_differences


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
    if not document.mrz:
        return []
    try:
        reading = read_mrz(document.mrz.reveal(), today=on)
    except UnreadableMrz as refusal:
        return [(f"{document.reference}: machine-readable zone", "readable", str(refusal))]

    zone = ZoneFacts(
        number=reading.number,
        issuer=reading.issuer,
        birth_on=reading.birth_date,
        expires_on=reading.expires_on,
        surname=reading.surname,
        given_names=reading.given_names,
        failed_checks=reading.failed,
    )
    found = [(f"check digit of {check.field}", check.expected, check.found) for check in reading.checks if not check.ok]
    found += zone_differences(replace(facts_of(document, party), zone=zone))
    return [(f"{document.reference}: {field}", stated, read) for field, stated, read in found]


def proves_identity(document: IdentityDocument, party: Party, *, on: date) -> bool:
    """Whether the document by itself proves who the party is on that day: of a fitting kind, and not expired (R26)."""
    return suits(document.kind, party.kind) and not expired_on(document.expires_on, on)

"""Tombstones are signed, and the event of their purge carries their hash: neither stands without the other (TH25).

They are signed with the key of the bundles, not with the audit key: that one signs checkpoints and nothing else, so
whoever takes one of the two cannot make both halves agree (docs/decisions/0004).
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC

from cryptography.exceptions import InvalidSignature
from django.db.models import Exists, OuterRef

from kyc_portal.records.canonical import facts_text
from kyc_portal.records.keys import signing_key
from kyc_portal.records.models import AuditEvent, Tombstone
from kyc_portal.records.verbs import Verb

VERSION = b"kyc-portal/tombstone 1\n"  # first, so that no other signature of this key can pass for one
PAGE = 2000


def statement(stone: Tombstone) -> bytes:
    """What is signed and hashed: every column but the signature and the link to the event, in one spelling."""
    told = {
        "id": str(stone.pk), "label": stone.label, "key": stone.key, "name": stone.name, "rule": stone.rule,
        "basis": stone.basis, "kept_through": stone.kept_through.isoformat(), "counts": stone.counts,
        "holds_looked_at": stone.holds_looked_at, "digest": stone.digest, "subjects": stone.subjects,
        "purged_at": stone.purged_at.astimezone(UTC).isoformat(timespec="microseconds"), "purged_by": stone.purged_by,
    }  # fmt: skip
    return VERSION + facts_text(told).encode()


def hash_of(stone: Tombstone) -> str:
    """SHA-256 of the statement, as the event of the purge carries it; 64 hex digits."""
    return hashlib.sha256(statement(stone)).hexdigest()


def sign(stone: Tombstone) -> None:
    """Put the signature into a tombstone that is not written yet. Raises KeyProblem without a signing key."""
    stone.key_id, key = signing_key()
    stone.signature = key.sign(statement(stone))


def is_signed(stone: Tombstone) -> bool | None:
    """Whether the signature fits; None when it is by another key than the present one, so that its hash must do."""
    key_id, key = signing_key()
    if stone.key_id != key_id:
        return None
    try:
        key.public_key().verify(bytes(stone.signature), statement(stone))
    except InvalidSignature:
        return False
    return True


def faults() -> Iterator[str]:
    """What is wrong between tombstones and the trail, as sentences; read a page at a time."""
    last = None
    while True:
        rows = Tombstone.objects.order_by("pk")
        page = list((rows if last is None else rows.filter(pk__gt=last))[:PAGE])
        if not page:
            break
        events = AuditEvent.objects.filter(verb=Verb.PURGED.code).in_bulk([stone.event_id for stone in page])
        for stone in page:
            if fault := _fault(stone, events.get(stone.event_id)):
                yield fault
        last = page[-1].pk
    stones = Tombstone.objects.filter(event_id=OuterRef("pk"))
    signed = AuditEvent.objects.filter(verb=Verb.PURGED.code, facts__has_key="sha256")  # older ones are unsigned
    alone = signed.exclude(Exists(stones)).order_by("pk").first()
    if alone is not None:
        yield f"The tombstone of {alone.about_name} is gone: the event {alone.pk} tells of its purge."


def _fault(stone: Tombstone, event: AuditEvent | None) -> str:
    if event is None or (event.about_label, event.about_key) != (stone.label, stone.key):
        return f"No event tells of the purge of {stone.name}: its tombstone was inserted, or the event removed."
    hashed = event.facts.get("sha256")
    if hashed is None and not stone.key_id:
        return ""  # made before tombstones were signed; the event still carries its digest
    if hashed != hash_of(stone):
        return f"The tombstone of {stone.name} was changed: it is not the one the event of its purge speaks of."
    if is_signed(stone) is False:
        return f"The signature of the tombstone of {stone.name} does not fit."
    return ""

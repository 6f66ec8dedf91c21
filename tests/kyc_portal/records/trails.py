"""Sealed trails for the tests, and what somebody with all rights on the database can do to them."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.db import connection, transaction

from kyc_portal.records import append_only, audit, checkpoints, merkle, sealing, triggers, verifying
from kyc_portal.records.canonical import canonical_bytes, digest_of_ids
from kyc_portal.records.models import AuditCheckpoint, AuditEvent, AuditLeaf
from kyc_portal.records.refs import SCHEDULER, RecordRef
from kyc_portal.records.verbs import Verb
from tests.conftest import NOON

ABOUT = RecordRef("accounts.account", "k1", "ACC-1111-2222")


def write(count: int = 1, *, subject: uuid.UUID | None = None) -> list[AuditEvent]:
    """So many events of one kind; with a subject each carries a sealed payload."""
    personal = {"note": "said in confidence"} if subject else None
    return [
        audit.record(
            Verb.HOLD_PLACED, ABOUT, by=SCHEDULER, at=NOON, hold=f"HLD-{number}", reason="order",
            personal=personal, subject=subject,
        )
        for number in range(count)
    ]  # fmt: skip


def purge(subject: uuid.UUID) -> AuditEvent:
    """What a purge does to the payloads of one person, and the event that tells of it."""
    gone = audit.destroy_payloads(subject)
    event = audit.record(
        Verb.PURGED, ABOUT, by=SCHEDULER, at=NOON, rule="tests", rows=1, payloads=len(gone), digest="d",
        destroyed=digest_of_ids(map(str, gone)),
    )  # fmt: skip
    audit.list_destroyed(gone, by_purge=event)
    return event


def sealed(*counts: int) -> list[AuditEvent]:
    """One checkpoint after each of these numbers of events."""
    events = []
    for count in counts:
        events += write(count)
        sealing.seal_pending()
    return events


def strip() -> None:
    """Take the triggers away that guard the trail. Those of other tables stay: to make all anew takes long."""
    at_table = " ON {}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for guard in append_only.guards(connection.vendor):
            cursor.execute(f"DROP TRIGGER {guard.name}{at_table.format(guard.table)}")


@contextlib.contextmanager
def spoiled() -> Iterator[None]:
    """Inside, no trigger guards the trail; afterwards all is as it was."""
    with transaction.atomic():
        strip()
        yield
        transaction.set_rollback(True)


@contextlib.contextmanager
def unguarded() -> Iterator[None]:
    strip()
    try:
        yield
    finally:
        triggers.create()


def rewrite(event: AuditEvent, **changes) -> AuditEvent:
    """Change columns and canonical bytes alike, as a careful forger would."""
    event = AuditEvent.objects.get(pk=event.pk)
    for name, value in changes.items():
        setattr(event, name, value)
    event.canonical = canonical_bytes(event)
    AuditEvent.objects.filter(pk=event.pk).update(canonical=event.canonical, **changes)
    return event


def rehash(event: AuditEvent) -> None:
    """Make the leaf fit its event again."""
    AuditLeaf.objects.filter(event_id=event.pk).update(leaf_hash=merkle.leaf_hash(bytes(event.canonical)))


def sign_again(key_id: str | None = None, key=None) -> None:
    """Make every checkpoint anew over the leaves as they are now, with the true key unless another is given."""
    if key is None:
        key_id, key = sealing.audit_key()
    leaves = [bytes(leaf) for leaf in AuditLeaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    for checkpoint in AuditCheckpoint.objects.all():
        edge = merkle.grow([], 0, leaves[: checkpoint.size])
        note = checkpoints.signed_note(checkpoint.size, merkle.root_of(edge), key_id=key_id, key=key)
        AuditCheckpoint.objects.filter(pk=checkpoint.pk).update(note=note, edge=merkle.join_edge(edge))


def code_of(witness: Path | None = None) -> int:
    """The exit code of a check of the database, whose triggers somebody who covers their tracks has put back."""
    triggers.create()
    return verifying.verify(witnesses={"w": witness} if witness else {}).code

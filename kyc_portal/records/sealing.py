"""Seal events into the tree and sign a checkpoint (trust.md section 5.2, 4 and 6).

One sealer at a time; writers of events only insert, so nobody waits for it. A round is one transaction: a sealer that
is killed has done nothing, and the next one does it again.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from kyc_portal.records import checkpoints, merkle
from kyc_portal.records.keys import parse_key
from kyc_portal.records.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditPending, WitnessedCheckpoint

BATCH = 10_000
_LOCK = 0x5EA1ED  # of the advisory lock on PostgreSQL; SQLite has one writer anyway
_PAUSE = 0.05  # seconds between two looks while another sealer is at work

# A pending id whose event is gone stays, so that the verifier can tell of it.
_TAKE = """
DELETE FROM records_auditpending WHERE event_id IN (
    SELECT waiting.event_id FROM records_auditpending AS waiting
    JOIN records_auditevent AS event ON event.id = waiting.event_id
    ORDER BY waiting.event_id LIMIT %s
) RETURNING event_id
"""


class TrailBroken(Exception):
    """The sealed part does not fit its last checkpoint; nothing is built upon it."""


@dataclass(frozen=True)
class Receipt:
    """Where an event stands in the sealed trail: its entry (counted from 1) and the first checkpoint above it."""

    entry: int
    size: int
    root: str


def audit_key(text: str | None = None) -> tuple[str, Ed25519PrivateKey]:
    """The id and the Ed25519 key that signs checkpoints (of KYC_AUDIT_KEY, or of another text of its form).

    Raises KeyProblem when it is missing or bad.
    """
    key_id, seed = parse_key(settings.AUDIT_KEY if text is None else text)
    return key_id, Ed25519PrivateKey.from_private_bytes(seed)


def seal_pending(*, most_rounds: int = 1000) -> int:
    """Seal what waits, unless another sealer is at work; returns how many events were sealed.

    It ends with the first round that is not full: what was written meanwhile waits for the next call. Under load there
    would be no end of small rounds otherwise, each with its own checkpoint.
    """
    sealed = 0
    for _ in range(most_rounds):
        before, checkpoint = seal_round(most=BATCH)
        if checkpoint is None:
            break
        sealed += checkpoint.size - before
        if checkpoint.size - before < BATCH:
            break
    return sealed


def seal_round(*, most: int = BATCH) -> tuple[int, AuditCheckpoint | None]:
    """Seal up to `most` waiting events under one new checkpoint; gives the size before and the checkpoint.

    The checkpoint is None when nothing waits or another sealer is at work. Raises TrailBroken and KeyProblem.
    """
    if not AuditPending.objects.exists():
        return 0, None
    key_id, key = audit_key()
    with transaction.atomic():
        if not _is_my_turn():
            return 0, None
        last, edge = _last()
        ids = _take(most)
        if not ids:
            return 0, None
        leaves = _append(ids, start=last.size)
        edge, size = merkle.grow(edge, last.size, leaves), last.size + len(leaves)
        note = checkpoints.signed_note(size, merkle.root_of(edge), key_id=key_id, key=key)
        checkpoint = AuditCheckpoint.objects.create(
            number=last.number + 1, size=size, edge=merkle.join_edge(edge), note=note
        )
        _ask_witnesses(size)
    return last.size, checkpoint


def _ask_witnesses(size: int) -> None:
    """One row per witness; a row of this size that is there already belongs to a past that was cut off."""
    WitnessedCheckpoint.objects.bulk_create(
        [WitnessedCheckpoint(size=size, witness=witness) for witness in dict.fromkeys(settings.WITNESSES)],
        update_conflicts=True,
        unique_fields=["size", "witness"],
        update_fields=["tried_at", "handed_at"],
    )


def _is_my_turn() -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]


def _last() -> tuple[AuditCheckpoint, list[bytes]]:
    """The newest checkpoint and its right edge, which must fit each other and the leaves."""
    last = AuditCheckpoint.objects.order_by("-number").first()
    newest = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
    if last is None:
        last = AuditCheckpoint(number=0, size=0, edge=b"")
    elif checkpoints.root_in(last.note) != merkle.root_of(merkle.split_edge(bytes(last.edge))):
        raise TrailBroken("The newest checkpoint does not fit its right edge.")
    if last.size != (-1 if newest is None else newest) + 1:
        raise TrailBroken("The newest checkpoint does not speak for exactly the sealed entries.")
    return last, merkle.split_edge(bytes(last.edge))


def _take(most: int) -> list[UUID]:
    """Take waiting ids out of the queue, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [most])
        return sorted(UUID(str(event_id)) for (event_id,) in cursor.fetchall())


def _append(ids: Sequence[UUID], *, start: int) -> list[bytes]:
    """Write the leaves of these events; returns their hashes."""
    canonical = dict(AuditEvent.objects.filter(pk__in=ids).values_list("pk", "canonical"))
    hashes = [merkle.leaf_hash(bytes(canonical[event_id])) for event_id in ids]
    rows = zip(ids, hashes, strict=True)
    AuditLeaf.objects.bulk_create(
        [AuditLeaf(index=index, event_id=each, leaf_hash=leaf) for index, (each, leaf) in enumerate(rows, start)],
        batch_size=1000,
    )
    return hashes


def receipts(event_ids: Sequence[UUID], *, timeout: float = 1.0) -> list[Receipt]:
    """Where these committed events stand in the sealed trail, in their order; seals by itself when no worker has.

    Call it after the commit. An empty list says that the seal was not there after `timeout` seconds; the worker's next
    round makes it. Raises KeyProblem and TrailBroken.
    """
    end = time.monotonic() + timeout
    while True:
        found = dict(AuditLeaf.objects.filter(event_id__in=event_ids).values_list("event_id", "index"))
        if len(found) == len(event_ids):
            break
        left = end - time.monotonic()
        if left <= 0:
            return []
        checkpoint = None
        with _patience(left):
            _, checkpoint = seal_round()
        if checkpoint is None:
            time.sleep(min(_PAUSE, left))
    above = AuditCheckpoint.objects.filter(size__gt=max(found.values(), default=0)).order_by("size").first()
    root = checkpoints.root_in(above.note).hex() if above else ""
    return [Receipt(found[each] + 1, above.size, root) for each in event_ids] if above else []


def receipt(event: AuditEvent, *, timeout: float = 1.0) -> Receipt | None:
    """Where one committed event stands in the sealed trail; None when its seal takes longer than `timeout` seconds."""
    return next(iter(receipts([event.pk], timeout=timeout)), None)


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """SQLite waits this long for other writers, and then gives up without an error; PostgreSQL does not wait at all."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {max(1, int(seconds * 1000))}")
    try:
        yield
    except DatabaseError as error:
        if "locked" not in str(error):
            raise
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")

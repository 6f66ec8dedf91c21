"""How one file is destroyed: at once when it is small; a large one is marked first and goes in batches (TH23, TH25).

The mark is written under the same locks a hold takes. A hold placed before it wins; one that comes after is refused,
although rows are still there. Each batch is a transaction with its own event, so whoever is killed goes on from there.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL

from kyc_portal.records import audit, destruction_ledger, tombstones
from kyc_portal.records.canonical import digest_of_ids
from kyc_portal.records.keys import destroy_key
from kyc_portal.records.models import Destruction, DoomedRecord, Tombstone
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import Verb

BATCH = 55_000


def begun(ref: RecordRef) -> Destruction | None:
    """The destruction of this file that is under way, if one is."""
    return Destruction.objects.filter(label=ref.label, key=ref.key).first()


def mark(file: Destruction, guarded: Sequence[models.Model]) -> Destruction:
    """Begin the destruction of a large file: from now on no hold is taken for any of its guarded records."""
    file.save(force_insert=True)
    DoomedRecord.objects.bulk_create(
        DoomedRecord(destruction=file, label=each.label, key=each.key) for each in map(RecordRef.of, guarded)
    )
    return file


def destroy_first(
    file: Destruction, waiting: Iterable[models.QuerySet], guarded: Sequence[models.Model], *, by: Actor, at: datetime
) -> bool:
    """Destroy what a file may have very much of; whether it is a large one, which is marked and goes in batches."""
    if not file._state.adding:  # marked before
        return destroy_batch(file, waiting, by=by, at=at) > 0
    gone = []
    for rows in waiting:
        gone.append((rows, _take_away(file, rows, most=BATCH)))
        if gone[-1][1] >= BATCH:
            mark(file, guarded)
            _tell_batch(file, gone, by=by, at=at)
            return True
    return False


def destroy_batch(file: Destruction, waiting: Iterable[models.QuerySet], *, by: Actor, at: datetime) -> int:
    """Destroy the next rows of a large file, with their event; returns how many went, 0 when no batch is left."""
    for rows in waiting:
        if count := _take_away(file, rows, most=BATCH):
            file.save(update_fields=["counts", "digest"])
            _tell_batch(file, [(rows, count)], by=by, at=at)
            return count
    return 0


def _tell_batch(file: Destruction, gone: list[tuple[models.QuerySet, int]], *, by: Actor, at: datetime) -> None:
    for rows, count in gone:
        audit.record(
            Verb.PURGE_BATCH, RecordRef(file.label, file.key, file.name), by=by, at=at, rule=file.rule,
            rows=count, kind=str(rows.model._meta.verbose_name), digest=file.digest,
        )  # fmt: skip


def destroy_rest(
    file: Destruction, contents: Iterable[models.QuerySet], subjects: Sequence, *, by: Actor, at: datetime
) -> Tombstone:
    """Destroy what is left with its keys and payloads; both the signed tombstone and the event say what went."""
    for rows in contents:
        _take_away(file, rows)
    payloads = []
    for subject in subjects:
        payloads += audit.destroy_payloads(subject)
        destroy_key(subject)
    destroyed = digest_of_ids(map(str, payloads))
    file.digest = hashlib.sha256(f"{file.digest}{destroyed}".encode()).hexdigest()

    stone = Tombstone(
        label=file.label, key=file.key, name=file.name, rule=file.rule, basis=file.basis,
        kept_through=file.kept_through, counts=file.counts, holds_looked_at=file.holds_looked_at, digest=file.digest,
        subjects=[str(subject) for subject in subjects], purged_at=at, purged_by=by.label,
    )  # fmt: skip
    tombstones.sign(stone)
    event = audit.record(
        Verb.PURGED, RecordRef(file.label, file.key, file.name), by=by, at=at, rule=file.rule,
        rows=sum(file.counts.values()), payloads=len(payloads), digest=file.digest, destroyed=destroyed,
        sha256=tombstones.hash_of(stone),
    )  # fmt: skip
    audit.list_destroyed(payloads, by_purge=event)
    stone.event_id = event.pk
    stone.save(force_insert=True)
    if not file._state.adding:  # a large one, marked before
        file.delete()
    transaction.on_commit(partial(destruction_ledger.append_soon, stone))
    return stone


def forget_old_pages() -> None:
    """SQLite keeps the pages of before in its write-ahead log until they are written back; take them out of it.

    Deleted rows themselves are overwritten with zeros (secure_delete). PostgreSQL does this by VACUUM, in its own time.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _take_away(file: Destruction, rows: models.QuerySet, most: int | None = None) -> int:
    """Delete these rows, or `most` of them, count them, and put their keys into the digest; returns how many went.

    Of mass data only the number is put into it: the files it came from go with their keys, and their hashes are in the
    trail. Reading the keys back would take longer than deleting the rows.
    """
    is_mass = getattr(rows.model, "recorded_in_bulk", False)
    delete = _delete_by_place if connection.vendor == "postgresql" else _delete_by_key
    count, keys = delete(rows, most, not is_mass)
    if count:
        label = rows.model._meta.label_lower
        told = json.dumps([file.digest, label, count if is_mass else keys], default=str)  # UUIDs as text
        file.digest = hashlib.sha256(told.encode()).hexdigest()
        file.counts[label] = file.counts.get(label, 0) + count
    return count


def _delete_by_place(rows: models.QuerySet, most: int | None, wants_keys: bool) -> tuple[int, list]:
    """On PostgreSQL: one statement that takes the rows where they lie, unsorted, and says how many or which they were.

    The places are of the statement's own snapshot. A row that somebody changes meanwhile goes as changed, or stays for
    the next batch: the last one is the one that finds nothing.
    """
    table, field = rows.model._meta.db_table, rows.model._meta.pk
    places = rows.order_by().annotate(place=RawSQL(f'"{table}".ctid', ())).values("place")[:most]  # noqa: S611 own name
    try:
        select, values = places.query.sql_with_params()
    except EmptyResultSet:
        return 0, []
    returning = f' RETURNING "{field.column}"' if wants_keys else ""
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{table}" WHERE ctid = ANY(ARRAY({select})){returning}', values)  # noqa: S608 own
        return cursor.rowcount, sorted(key for (key,) in cursor.fetchall()) if wants_keys else []


def _delete_by_key(rows: models.QuerySet, most: int | None, wants_keys: bool) -> tuple[int, list]:
    """On SQLite, which has one writer: the first keys in their order, and then everything from first to last."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:most])
    if keys:
        rows.filter(pk__range=(keys[0], keys[-1])).order_by()._raw_delete(rows.db)
    return len(keys), keys

"""Place and release legal holds (requirements R54, R80, R111). A held record cannot be destroyed.

A hold and a purge lock the same rows: whoever comes second reads what the first has done.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import models
from django.db.models import Q

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.models import DoomedRecord, HeldRecord, LegalHold
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal


class AlreadyDestroyed(Refusal):
    """The record was purged before the hold was placed."""


class StillHeld(Refusal):
    """What is to be destroyed is held: somebody has to release the hold first, or leave the record."""


class NotHoldable(Refusal):
    """Holds stand on files (a customer, an account, a case), not on single lines in them."""


class HoldNotInForce(Refusal):
    """The hold was released before."""


_HOLDABLE: set[str] = set()


def allow_holds_on(*models_: type[models.Model]) -> None:
    """Declare what a hold may be placed on; a purge locks exactly these rows before it looks for holds."""
    _HOLDABLE.update(model._meta.label_lower for model in models_)


def lock(record: models.Model) -> models.Model:
    """The row, locked until the transaction ends; raises AlreadyDestroyed when it is gone, or its destruction began."""
    found = type(record)._base_manager.select_for_update().filter(pk=record.pk).first()
    if found is None:
        raise AlreadyDestroyed(f"{RecordRef.of(record).name} was already destroyed. See its tombstone.")
    refuse_doomed(found)
    return found


def refuse_doomed(*records: models.Model) -> None:
    """Raise AlreadyDestroyed for a locked record whose destruction has begun: its access records are going already."""
    for ref in map(RecordRef.of, records):
        if DoomedRecord.objects.filter(label=ref.label, key=ref.key).exists():
            raise AlreadyDestroyed(f"The destruction of {ref.name} has begun, so nothing can be done with it any more.")


@flow
def place_hold(
    records: Sequence[models.Model],
    *,
    reason: str,
    ground: str,
    until: date | None = None,
    by: Actor,
    at: datetime,
) -> LegalHold:
    """Hold these records until somebody releases the hold; `until` only says when to look at it again.

    Raises AlreadyDestroyed when a record is gone and NotHoldable for a record that is only part of a file.
    """
    for record in sorted(records, key=lambda record: (record._meta.label_lower, str(record.pk))):  # the purge's order
        if record._meta.label_lower not in _HOLDABLE:
            raise NotHoldable(f"{RecordRef.of(record).name} is part of a file. Place the hold on the file itself.")
        lock(record)

    hold = LegalHold.objects.create(reason=reason, ground=ground, until=until, placed_at=at, placed_by=by.label)
    for ref in dict.fromkeys(map(RecordRef.of, records)):
        HeldRecord.objects.create(hold=hold, label=ref.label, key=ref.key, name=ref.name)
        audit.record(Verb.HOLD_PLACED, ref, by=by, at=at, within=hold, hold=hold.reference, reason=reason)
    return hold


@flow
def release_hold(hold: LegalHold, *, reason: str, by: Actor, at: datetime) -> LegalHold:
    """End a hold; retention runs on as if it had never been. Raises HoldNotInForce when it was released before."""
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if not hold.is_in_force:
        raise HoldNotInForce(f"{hold.reference} was already released by {hold.released_by}.")

    hold.released_at, hold.released_by, hold.release_reason = at, by.label, reason
    hold.save(update_fields=["released_at", "released_by", "release_reason"])
    for held in hold.records.all():
        audit.record(Verb.HOLD_RELEASED, held.ref, by=by, at=at, within=hold, hold=hold.reference)
    return hold


def held_records(records: Iterable[models.Model | RecordRef]) -> models.QuerySet[HeldRecord]:
    """The holds in force on any of these records."""
    wanted = Q(pk__in=[])
    for ref in map(RecordRef.of, records):
        wanted |= Q(label=ref.label, key=ref.key)
    return HeldRecord.objects.filter(wanted, hold__released_at__isnull=True).select_related("hold")


def why_held(records: Iterable[models.Model | RecordRef]) -> list[str]:
    """One sentence for each hold in force on any of these records; empty when nothing is held."""
    return [f"{row.hold.reference} holds {row.name}: {row.hold.ground}." for row in held_records(records)]

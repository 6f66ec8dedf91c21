"""Start and stop the clocks that the law or our own policy sets on a record (regulation.md 3.0)."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import models

from kyc_portal.calendars import add_business_days, add_days
from kyc_portal.policy.current import Regime
from kyc_portal.policy.models import Deadline, Holiday, RegimeNumber
from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor, RecordRef


@flow
def start_clock(
    kind: str,
    about: models.Model,
    *,
    figure: str,
    regime: Regime,
    on: date,
    by: Actor,
    at: datetime,
    due_on: date | None = None,
) -> Deadline:
    """Start the clock `kind` on a record; it is due `figure` days, or business days, after `on`.

    A running one of that kind is kept. `due_on` is given where the figure counts hours and the caller knows the day.
    """
    ref, source = RecordRef.of(about), regime.figure(figure)
    clock, is_new = Deadline.objects.get_or_create(
        kind=kind,
        label=ref.label,
        key=ref.key,
        stopped_at=None,
        defaults={
            "name": ref.name,
            "starts_on": on,
            "due_on": due_on or _due_day(source, on),
            "citation": source.citation,
        },
    )
    if is_new:
        audit.record(
            Verb.CLOCK_STARTED, about, by=by, at=at, kind=kind, due_on=clock.due_on, citation=str(source.citation)
        )
    return clock


def _due_day(figure: RegimeNumber, on: date) -> date:
    """The last day of the period; `on` is day 0. Holidays are looked up only where business days count."""
    if figure.unit == "business days":
        return add_business_days(on, int(figure.value), frozenset(Holiday.objects.values_list("day", flat=True)))
    return add_days(on, int(figure.value))


@flow
def stop_clock(kind: str, about: models.Model, *, by: Actor, at: datetime) -> int:
    """Stop the running clock of this kind on a record; returns how many ran (0 or 1)."""
    ref = RecordRef.of(about)
    stopped = Deadline.objects.running().filter(kind=kind, label=ref.label, key=ref.key).update(stopped_at=at)
    if stopped:
        audit.record(Verb.CLOCK_STOPPED, about, by=by, at=at, kind=kind)
    return stopped


@flow
def stop_clocks(kind: str, records: Sequence[models.Model], *, by: Actor, at: datetime) -> int:
    """Stop the running clocks of this kind on many records of one model; two queries and the events."""
    by_key = {RecordRef.of(record).key: record for record in records}
    if not by_key:
        return 0
    running = Deadline.objects.running().filter(kind=kind, label=RecordRef.of(records[0]).label, key__in=by_key)
    stopped = list(running.values_list("pk", "key"))
    Deadline.objects.filter(pk__in=[pk for pk, _ in stopped]).update(stopped_at=at)
    audit.write([audit.draft(Verb.CLOCK_STOPPED, by_key[key], by=by, at=at, kind=kind) for _, key in stopped])
    return len(stopped)


def clocks_of(about: models.Model) -> models.QuerySet[Deadline]:
    """The running clocks of a record, soonest first; with their citations."""
    ref = RecordRef.of(about)
    running = Deadline.objects.running().filter(label=ref.label, key=ref.key)
    return running.select_related("citation").order_by("due_on")


def forget_clocks(about: models.Model) -> int:
    """Remove the clocks of a record that is being purged; part of its retention rule."""
    ref = RecordRef.of(about)
    return Deadline.objects.filter(label=ref.label, key=ref.key).delete()[0]

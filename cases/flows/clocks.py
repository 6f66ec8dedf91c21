"""When a case is due in business hours, and from when it stands in the queue (requirements R4, R41; own policy)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Min

from cases.models import Case
from cases.models.case import CaseKind
from cases.rules.desks import Desk, hours_figure
from cases.verbs import Verb
from kyc_portal.calendars import BusinessHours, add_business_hours
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.policy.models import Deadline, Holiday
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor

TRIAGE = "triage"
LABEL = "cases.case"
BATCH = 500


@dataclass(frozen=True)
class Calendar:
    """The figures and holidays of a day, read once for many cases; three queries."""

    regime: Regime
    business: BusinessHours

    @classmethod
    def on(cls, day: date) -> "Calendar":
        """Raises BadBusinessHours when the figures are no hours of a day."""
        regime = regime_on(day)
        holidays = frozenset(Holiday.objects.values_list("day", flat=True))
        zone = ZoneInfo(settings.LEGAL_TIME_ZONE)
        opens, closes = regime.whole("business_opens"), regime.whole("business_closes")
        return cls(regime, BusinessHours(opens, closes, holidays, zone))

    def due(self, case: Case) -> datetime:
        """When the hours of the case's desk are over."""
        hours = self.regime.whole(hours_figure(case.kind, case.desk))
        return add_business_hours(case.due_from or case.opened_at, hours, self.business)


def begins(day: date) -> datetime:
    """The first moment of a day of the law."""
    return datetime.combine(day, time(), ZoneInfo(settings.LEGAL_TIME_ZONE))


def start(case: Case, *, by: Actor, at: datetime) -> None:
    """Count the desk's hours from now: sets the columns, saves nothing, and starts the clock anew."""
    calendar = Calendar.on(legal_day(at))
    case.due_from = at
    set_due(case, calendar.due(case))
    if case.snoozed_until is None:
        case.waits_from = at
    stop_clock(TRIAGE, case, by=by, at=at)
    start_clock(
        TRIAGE, case, figure=hours_figure(case.kind, case.desk), regime=calendar.regime, on=legal_day(at),
        due_on=case.due_on, by=by, at=at,
    )  # fmt: skip


def set_due(case: Case, due_at: datetime) -> None:
    case.due_at, case.due_on = due_at, legal_day(due_at)


def comes_back_at(case: Case, first_day: date | None) -> datetime:
    """When a snoozed case stands in the queue again: on its day, or sooner when one of its clocks falls due."""
    moments = [begins(case.snoozed_until), case.due_at]
    return min([*moments, begins(first_day)] if first_day else moments)


def first_days(cases: Iterable[Case]) -> dict[str, date]:
    """By the case's key the first day on which one of its other clocks is due; one query."""
    keys = [str(case.pk) for case in cases]
    running = Deadline.objects.running().filter(label=LABEL, key__in=keys).exclude(kind=TRIAGE)
    return dict(running.values_list("key").annotate(first=Min("due_on")).order_by())


@flow
def recompute(*, by: Actor, at: datetime) -> int:
    """Count every open case's hours anew by today's calendar and figures; returns how many moments changed.

    Runs each night, and when a holiday or a figure changes. Snoozed cases come back by what is due now.
    """
    calendar, changed, last = Calendar.on(legal_day(at)), 0, None
    rows = Case.objects.open().order_by("pk")
    while batch := list((rows.filter(pk__gt=last) if last else rows).select_for_update(of=("self",))[:BATCH]):
        last = batch[-1].pk
        changed += _recompute_batch(batch, calendar, by=by, at=at)
    return changed


def recompute_job(key: str, *, by: Actor, at: datetime) -> None:
    """The same, asked for by a change of the calendar; `key` says nothing."""
    recompute(by=by, at=at)


def _recompute_batch(batch: list[Case], calendar: Calendar, *, by: Actor, at: datetime) -> int:
    moved, days = [], first_days(case for case in batch if case.snoozed_until)
    for case in batch:
        before = (case.desk, case.due_at, case.due_on, case.waits_from)
        if case.kind == CaseKind.LEGAL:
            case.desk = Desk.LEGAL.value  # those from before there were desks
        set_due(case, calendar.due(case))
        if case.snoozed_until:
            case.waits_from = comes_back_at(case, days.get(str(case.pk)))
        if before != (case.desk, case.due_at, case.due_on, case.waits_from):
            moved.append(case)
    if not moved:
        return 0
    Case.objects.bulk_update(moved, ["desk", "due_at", "due_on", "waits_from"])
    by_key = {str(case.pk): case for case in moved}
    running = Deadline.objects.running().filter(kind=TRIAGE, label=LABEL, key__in=by_key)
    clocks = list(running.select_for_update(of=("self",)))
    for clock in clocks:
        clock.due_on = by_key[clock.key].due_on
    Deadline.objects.bulk_update(clocks, ["due_on"])
    audit.write([audit.draft(Verb.DUE_MOVED, case, by=by, at=at, case=case.reference, due_on=case.due_on)
                 for case in moved])  # fmt: skip
    return len(moved)


def idle_since(regime: Regime, at: datetime) -> datetime:
    """A lock last used before this moment has lapsed."""
    return at - timedelta(minutes=regime.whole("case_lock_minutes"))

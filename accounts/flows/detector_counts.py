"""How often each detector raises a flag and how often reviewers found it right, kept by day (R82, R85).

Added up each night, for the days that ended since: a counter raised together with each flag would be one row that every
account waits for, and counting flags when somebody looks would read them all. What is counted stays when the flags are
destroyed with their file.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate

from accounts.models import DetectorDay, RiskSignal
from accounts.rules.found import Found, found_of
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor

MONTHS = 12
COLUMNS = ("raised", *(found.value for found in Found))
NOTHING_COUNTED = dict.fromkeys(COLUMNS, 0)


@flow
def count_new_days(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """Each night: add up the flags raised and answered on days that are over and not counted; may be run twice.

    Days are those of the law. Returns how many rows are new.
    """
    today, begin = legal_day(at), _first_uncounted()
    if begin is None or begin >= today:
        return {"rows": 0}
    found = _counts(begin, today)
    rows = [DetectorDay(code=code, day=day, **counts) for (code, day), counts in sorted(found.items())]
    DetectorDay.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return {"rows": len(rows)}


def _first_uncounted() -> date | None:
    """The day after the last counted one; nothing is counted yet: the day of the first flag; None without any."""
    last = DetectorDay.objects.aggregate(last=Max("day"))["last"]
    if last is not None:
        return last + timedelta(days=1)
    first = RiskSignal.objects.aggregate(first=Min("known_at"))["first"]
    return legal_day(first) if first is not None else None


def _counts(begin: date, end: date) -> dict[tuple[str, date], Counter]:
    """By code and day what was raised and found from `begin` until before `end`; two queries by index."""
    zone, found = ZoneInfo(settings.LEGAL_TIME_ZONE), defaultdict(Counter)
    span = [datetime.combine(day, time.min, tzinfo=zone) for day in (begin, end)]
    flags = RiskSignal.objects.order_by()
    raised = flags.filter(known_at__gte=span[0], known_at__lt=span[1])
    by_day = raised.values_list("code", TruncDate("known_at", tzinfo=zone))
    for code, day, count in by_day.annotate(count=Count("pk")):
        found[code, day]["raised"] += count
    answered = flags.filter(answered_at__gte=span[0], answered_at__lt=span[1])
    by_day = answered.values_list("code", TruncDate("answered_at", tzinfo=zone), "answer", "found")
    for code, day, answer, kept, count in by_day.annotate(count=Count("pk")):
        found[code, day][kept or found_of(code, answer, "").value] += count  # older answers have nothing kept
    return found


# --- Asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Months:
    """The counts of one detector by month (its first day), oldest first, and their sum; and through when it is counted.

    Months without any flag stand there with noughts.
    """

    months: dict[date, dict[str, int]]
    counted_through: date | None
    total: dict[str, int] = field(default_factory=dict)


def last_months(code: str, *, on: date) -> Months:
    """Twelve months of one detector, the running one last; two queries over the small table."""
    firsts = list(_firsts(on))
    rows = DetectorDay.objects.filter(code=code, day__gte=firsts[0], day__lte=on)
    months = {first: dict(NOTHING_COUNTED) for first in firsts}
    for day, *counts in rows.values_list("day", *COLUMNS):
        for name, count in zip(COLUMNS, counts, strict=True):
            months[day.replace(day=1)][name] += count
    total = {name: sum(each[name] for each in months.values()) for name in COLUMNS}
    return Months(months, counted_through(), total)


def last_year(*, on: date) -> dict[str, dict[str, int]]:
    """The sums of the same twelve months by detector; one query."""
    since = next(_firsts(on))
    rows = DetectorDay.objects.filter(day__gte=since, day__lte=on).order_by().values_list("code")
    summed = rows.annotate(**{f"all_{name}": Sum(name) for name in COLUMNS})
    return {code: dict(zip(COLUMNS, counts, strict=True)) for code, *counts in summed}


def counted_through() -> date | None:
    """The last day on which anything was counted; None before the first count."""
    return DetectorDay.objects.aggregate(last=Max("day"))["last"]


def _firsts(on: date) -> Iterator[date]:
    """The first days of the twelve months that end with the month of `on`, oldest first."""
    for back in reversed(range(MONTHS)):
        month = on.year * 12 + on.month - 1 - back
        yield date(month // 12, month % 12 + 1, 1)

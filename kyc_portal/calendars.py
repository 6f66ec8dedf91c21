"""Count the days of the law: whole days, day 0 is the day of the event (requirements R4, R47, R59, R93, R109)."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kyc_portal.refusal import Refusal

SATURDAY = 5
HOURS_OF_DAY = 24


class BadBusinessHours(Refusal):
    """The hours of business are none."""


@dataclass(frozen=True)
class BusinessHours:
    """When people work: from the hour `opens` up to `closes` (0 to 24) of business days in `zone`.

    Raises BadBusinessHours when these are not two hours of a day, one after the other.
    """

    opens: int
    closes: int
    holidays: frozenset[date]
    zone: ZoneInfo

    def __post_init__(self):
        if not 0 <= self.opens < self.closes <= HOURS_OF_DAY:
            raise BadBusinessHours(
                f"Business from {self.opens} to {self.closes} o'clock is no time of a day. Correct the figures "
                "“business_opens” and “business_closes” of the regime."
            )

    def of(self, day: date) -> tuple[datetime, datetime] | None:
        """The moments (UTC) between which that day has business; None on a day without. A day of a clock change is as
        long as it really is."""
        if day.weekday() >= SATURDAY or day in self.holidays:
            return None
        return self._moment(day, self.opens), self._moment(day, self.closes)

    def _moment(self, day: date, hour: int) -> datetime:
        day, hour = (day + timedelta(days=1), 0) if hour == HOURS_OF_DAY else (day, hour)
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)


def add_business_hours(start: datetime, hours: int, business: BusinessHours) -> datetime:
    """Return the moment (UTC) at which `hours` hours of business have passed since `start`, an aware moment.

    Time outside of business does not count. Nought hours are over at once. Past the last day a calendar can write the
    answer is that day. Raises ValueError when `hours` is negative.
    """
    if hours < 0:
        raise ValueError("Business hours are counted forwards only.")
    left, moment, day = timedelta(hours=hours), start.astimezone(UTC), start.astimezone(business.zone).date()
    last = date.max - timedelta(days=2)
    while left and day < last:
        if open_between := business.of(day):
            opens, closes = max(open_between[0], moment), open_between[1]
            if closes > opens:
                if closes - opens >= left:
                    return opens + left
                left -= closes - opens
        day += timedelta(days=1)
    return moment if not left else datetime(last.year, last.month, last.day, tzinfo=UTC)


def add_days(start: date, days: int) -> date:
    """Return the day that lies `days` calendar days after `start`; `start` itself is day 0.

    Past the last day a calendar can write (9999-12-31, "no end") the answer stays that day.
    """
    return date.fromordinal(max(1, min(start.toordinal() + days, date.max.toordinal())))


def add_business_days(start: date, days: int, holidays: frozenset[date]) -> date:
    """Return the last day of a period of `days` business days after `start` (31 CFR 501.603, 501.604).

    `start` is day 0 whatever kind of day it is. Saturdays, Sundays and `holidays` do not count.
    Raises ValueError when `days` is negative: no clock of the law runs backwards.
    """
    if days < 0:
        raise ValueError("Business days are counted forwards only.")

    day = start
    while days and day < date.max:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and day not in holidays:
            days -= 1
    return day


def keep_through(start: date, *, years: int) -> date:
    """Return the last day on which a record must still be kept; it may be destroyed the day after.

    The anniversary of 29 February in a common year is 28 February. Past the year 9999 the answer is the
    last day a calendar can write. Raises ValueError when `years` is negative.
    """
    if years < 0:
        raise ValueError("A record is kept for a number of years that is not negative.")
    if start.year + years > date.max.year:
        return date.max

    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 2, 28)


def add_months(start: date, months: int) -> date:
    """Return the same day `months` months after `start`, or before it for a negative number.

    Where that month is shorter it is its last day; beyond what a calendar can write, the last or first day it can.
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if months > 0 else date.min
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def days_left(due: date, today: date) -> int:
    """Return how many days remain until `due`: 0 on the day itself, negative once it is past."""
    return (due - today).days

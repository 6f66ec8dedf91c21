"""How an account is used, from its days of access: places, networks, hours, quiet spells (R18, R46; regulation 3.12).

An address never shows who somebody is. What came through an anonymiser says nothing of a place and is only counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

HOURS = range(24)


@dataclass(frozen=True)
class AccessRow:
    """One day (UTC) of one kind of place: as the model AccessDay. Bit h of `hours` stands for the hour h, UTC."""

    day: date
    kind: str
    public: bool
    country: str
    network: str
    anonymiser: str
    count: int
    hours: int
    first_at: datetime
    last_at: datetime

    @property
    def is_located(self) -> bool:
        """Whether it says where: a public address of a known country that nobody hides behind."""
        return self.public and not self.anonymiser and bool(self.country)


@dataclass(frozen=True)
class AccessLimits:
    """The figures of our own policy for accesses; by what name each is in the regime stands in flows/profiles.py."""

    least_days: int
    least_records: int
    usual_percent: Decimal
    quiet_days: int
    speed_kmh: int
    tolerance_km: int
    clock_minutes: int
    admin_least_records: int
    burst_days: int
    burst_factor: Decimal
    burst_least_records: int
    elsewhere_percent: Decimal
    us_percent: Decimal


@dataclass(frozen=True)
class QuietSpell:
    """Whole days without any access between two days with some."""

    last_before: date
    woke_on: date

    @property
    def days(self) -> int:
        return (self.woke_on - self.last_before).days - 1


@dataclass(frozen=True)
class Profile:
    """What is usual of an account, and on how much that rests.

    `records` counts everything, `public` what came from public addresses, `anonymised` and `located` parts of that.
    Countries and networks are (name, share of what is located in percent), hours those of a usual day, UTC; all three
    are empty where it is too little to say (`is_enough`).
    """

    days: int
    records: int
    public: int
    anonymised: int
    located: int
    is_enough: bool
    countries: tuple[tuple[str, Decimal], ...] = ()
    networks: tuple[tuple[str, Decimal], ...] = ()
    hours: tuple[int, ...] = ()
    quiet: tuple[QuietSpell, ...] = ()

    @property
    def anonymised_percent(self) -> Decimal | None:
        """Of what came from public addresses; None where nothing did."""
        return percent_of(self.anonymised, self.public) if self.public else None


def profile_of(rows: Iterable[AccessRow], limits: AccessLimits) -> Profile:
    """What is usual in these days of access, in whatever order they come; every row counts once."""
    rows = list(rows)
    days, records = active_days(rows), sum(row.count for row in rows)
    public = sum(row.count for row in rows if row.public)
    located = [row for row in rows if row.is_located]
    is_enough = enough(rows, limits)
    usual = {
        "countries": _usual(((row.country, row.count) for row in located), limits),
        "networks": _usual(((row.network, row.count) for row in located if row.network), limits),
        "hours": _usual_hours(rows, limits),
    }
    return Profile(
        days=len(days),
        records=records,
        public=public,
        anonymised=sum(row.count for row in rows if row.public and row.anonymiser),
        located=sum(row.count for row in located),
        is_enough=is_enough,
        quiet=quiet_spells(days, limits.quiet_days),
        **(usual if is_enough else {}),
    )


def active_days(rows: Iterable[AccessRow]) -> list[date]:
    """The days with any access, in order."""
    return sorted({row.day for row in rows})


def quiet_spells(days: Sequence[date], least: int) -> tuple[QuietSpell, ...]:
    """The spells of at least `least` days without access between days in order."""
    pairs = (QuietSpell(one, other) for one, other in pairwise(days))
    return tuple(spell for spell in pairs if spell.days >= max(1, least))


def percent_of(part: int, whole: int) -> Decimal:
    """A share to one decimal place."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1"))


def enough(rows: Sequence[AccessRow], limits: AccessLimits) -> bool:
    """Whether these rows are so many days and accesses that a share of them says anything."""
    records = sum(row.count for row in rows)
    return len(active_days(rows)) >= limits.least_days and records >= max(1, limits.least_records)


def counted(rows: Iterable[AccessRow]) -> Counter[str]:
    """Located accesses by country."""
    found: Counter[str] = Counter()
    for row in rows:
        if row.is_located:
            found[row.country] += row.count
    return found


def _usual(counts: Iterable[tuple[str, int]], limits: AccessLimits) -> tuple[tuple[str, Decimal], ...]:
    found: Counter[str] = Counter()
    for name, count in counts:
        found[name] += count
    whole = found.total()
    if not whole:
        return ()
    shares = [(name, percent_of(count, whole)) for name, count in found.items()]
    usual = [(name, share) for name, share in shares if share >= limits.usual_percent]
    return tuple(sorted(usual, key=lambda pair: (-pair[1], pair[0])))


def _usual_hours(rows: Iterable[AccessRow], limits: AccessLimits) -> tuple[int, ...]:
    """The hours in which something was done on so many of the days."""
    masks: dict[date, int] = {}
    for row in rows:
        masks[row.day] = masks.get(row.day, 0) | row.hours
    on = {hour: sum(1 for mask in masks.values() if mask >> hour & 1) for hour in HOURS}
    return tuple(hour for hour in HOURS if masks and percent_of(on[hour], len(masks)) >= limits.usual_percent)


def window(on: date, days: int) -> tuple[date, date]:
    """First and last day of the days looked at; one day more than today, for clocks that run fast."""
    return on - timedelta(days=days - 1), on + timedelta(days=1)

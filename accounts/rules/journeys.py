"""Two places too far apart for the time between them (regulation 3.12; requirement R46).

Countries are all that is known of a place, so the way between two is the least there can be (country_places.py), less a
tolerance for addresses that databases place wrongly. Neighbours are no way apart.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.rules.country_places import least_km
from accounts.rules.profile import AccessLimits, AccessRow


@dataclass(frozen=True)
class Visit:
    """One access as its record says it; `key` is the record's. `anonymiser` names what it came through, or is ""."""

    key: int
    at: datetime
    principal: str
    country: str
    anonymiser: str = ""
    public: bool = True

    @property
    def is_located(self) -> bool:
        return self.public and not self.anonymiser and bool(self.country)


@dataclass(frozen=True)
class Jump:
    """Two visits by the same principal that nobody can have made: at least `km` apart in `minutes`."""

    earlier: Visit
    later: Visit
    km: int
    minutes: int

    @property
    def places(self) -> str:
        """Both countries in the order of the alphabet: the same pair whichever came first."""
        return "-".join(sorted((self.earlier.country, self.later.country)))


def hours_needed(one: str, other: str, limits: AccessLimits) -> float:
    """Hours that the least way between two countries takes at the policy's speed; 0 for neighbours and unknown ones."""
    return max(0, least_km(one, other) - limits.tolerance_km) / max(1, limits.speed_kmh)


def jumps(visits: Iterable[Visit], limits: AccessLimits) -> list[Jump]:
    """The impossible ways among visits, each principal by itself, in the order of their ends; any order comes in.

    Each visit is compared with the last one before it to every other country: whoever could make that way in time could
    make the earlier ones. Clocks of two systems may differ by the policy's minutes.
    """
    found, last = [], defaultdict(dict)
    for visit in sorted((each for each in visits if each.is_located), key=lambda each: (each.at, each.key)):
        before = last[visit.principal]
        for country in sorted(before):
            if (jump := _jump(before[country], visit, limits)) is not None:
                found.append(jump)
        before[visit.country] = visit
    return found


def _jump(earlier: Visit, later: Visit, limits: AccessLimits) -> Jump | None:
    needed = hours_needed(earlier.country, later.country, limits)
    taken = later.at - earlier.at
    if not needed or taken + timedelta(minutes=limits.clock_minutes) >= timedelta(hours=needed):
        return None
    km = least_km(earlier.country, later.country)
    return Jump(earlier, later, km, int(taken.total_seconds() // 60))


def span_to_read(rows: Iterable[AccessRow], limits: AccessLimits) -> tuple[datetime, datetime] | None:
    """From when until when the single accesses must be read, because the days alone do not rule out a jump.

    None for most accounts: then nothing is read. Rows are days of access in any order.
    """
    found: list[datetime] = []
    recent: dict[str, tuple[datetime, datetime]] = {}  # by country its last stay among those begun so far
    for (country, _), (begin, end) in sorted(_stays(rows).items(), key=lambda stay: (stay[1], stay[0])):
        for other, (since, until) in recent.items():
            needed = hours_needed(country, other, limits)
            if needed and begin - until < timedelta(hours=needed):
                found += [since, max(end, until)]
        recent[country] = begin, end
    return (min(found), max(found)) if found else None


def _stays(rows: Iterable[AccessRow]) -> dict[tuple, tuple[datetime, datetime]]:
    """By country and day the first and the last located access."""
    found: dict[tuple, tuple[datetime, datetime]] = {}
    for row in rows:
        if row.is_located:
            first, last = found.get((row.country, row.day), (row.first_at, row.last_at))
            found[row.country, row.day] = min(first, row.first_at), max(last, row.last_at)
    return found

"""What a number of accesses say by country and by day (requirement R18); an address does not show who somebody is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

UNKNOWN = "unknown"


@dataclass(frozen=True)
class AccessSummary:
    """`countries`: (code, accesses, of which anonymised), the most first; `days`: the same by day, oldest first.

    `public` counts the accesses from the public internet, which alone say anything of a place.
    """

    countries: tuple[tuple[str, int, int], ...]
    days: tuple[tuple[date, int, int], ...]
    total: int
    public: int


def summarise(accesses: Iterable[tuple[date, str, bool, bool, int]]) -> AccessSummary:
    """Sum up (day, country code or "", anonymised, from a public address, how many)."""
    by_country: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_day: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    total = public = 0
    for day, country, is_anonymised, is_public, count in accesses:
        hidden = count if is_anonymised else 0
        total += count
        by_day[day][0] += count
        by_day[day][1] += hidden
        if is_public:
            public += count
            by_country[country or UNKNOWN][0] += count
            by_country[country or UNKNOWN][1] += hidden
    countries = sorted(((code, *counts) for code, counts in by_country.items()), key=lambda row: (-row[1], row[0]))
    return AccessSummary(tuple(countries), tuple((day, *by_day[day]) for day in sorted(by_day)), total, public)

"""Dates and countries as sanctions lists spell them, brought to the form in which customers' are kept.

A list writes a birth date as "12 Oct 1972", "Feb 1949", "circa 1951" or "1958 to 1960", a country by its name.
"""

import re
from datetime import date
from functools import lru_cache

from rigour.territories import lookup_territory

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
WIDEST_SPAN = 10  # years; a wider span of possible births tells nothing

_DAY = re.compile(r"([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4})\Z")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_YEAR = re.compile(r"\b(1[89][0-9]{2}|20[0-9]{2})\b")


def read_birth(text: str) -> tuple[date | None, frozenset[int]]:
    """Return the exact day, when the text is one, or else the years it may mean; (None, none) when it says nothing."""
    if _ISO_DAY.match(text.strip()):
        try:
            return date.fromisoformat(text.strip()), frozenset()
        except ValueError:
            return None, frozenset({int(text.strip()[:4])})
    found = _DAY.match(text.strip())
    if found:
        try:
            return date(int(found[3]), MONTHS.get(found[2].lower(), 0), int(found[1])), frozenset()
        except ValueError:
            return None, frozenset({int(found[3])})
    years = [int(year) for year in _YEAR.findall(text)]
    if not years or max(years) - min(years) > WIDEST_SPAN:
        return None, frozenset(years)
    return None, frozenset(range(min(years), max(years) + 1))


@lru_cache(maxsize=1024)
def country_code(name: str) -> str:
    """Return the two-letter code of a country the list names in English; "" for what is none ("Region: Crimea")."""
    territory = lookup_territory(name) if name.strip() else None
    return territory.code.upper() if territory and len(territory.code) == 2 else ""

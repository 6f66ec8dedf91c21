"""How many customers resellers have in each country, verified and not, as of any day; counted anew each time (R64).

Nothing is stored: the rows of the rosters say from when to when each statement held. A customer that two resellers
state counts with each. A further measure (such as "certified") is added with `add_measure`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django_countries import countries

from accounts.formats.text import neutralised
from kyc_portal.calendars import add_days
from resellers.models import Reseller, RosterEntry


@dataclass(frozen=True)
class Measure:
    """A question asked of every customer; `condition(moment)` is a Q on RosterEntry that holds for those who count.

    The condition must not join rows that could repeat a customer: use Exists.
    """

    code: str
    label: str
    no_label: str
    condition: Callable[[datetime], models.Q]


VERIFIED = Measure(
    "verified", "verified by the reseller", "not verified",
    lambda moment: models.Q(verified_on__lte=moment.astimezone(ZoneInfo(settings.LEGAL_TIME_ZONE)).date()),
)  # fmt: skip
_MEASURES: list[Measure] = [VERIFIED]


def add_measure(measure: Measure) -> None:
    """Called by an app's ready(): count this as well, on every page and in every file of counts."""
    if measure.code not in {each.code for each in _MEASURES}:
        _MEASURES.append(measure)


def measures() -> tuple[Measure, ...]:
    """What is counted besides the customers themselves, in the order of the columns."""
    return tuple(_MEASURES)


@dataclass(frozen=True)
class CountryCount:
    """The customers of one country: how many, and for how many of them each measure holds, by its code."""

    country: str
    total: int
    holds: dict[str, int]

    def fails(self, code: str) -> int:
        """For how many a measure does not hold."""
        return self.total - self.holds[code]

    @property
    def name(self) -> str:
        """The country in words; its code where it is not known."""
        return countries.name(self.country) or self.country or "not stated"


def end_of(day: date) -> datetime:
    """The last moment of a legal day."""
    return datetime.combine(add_days(day, 1), time.min, ZoneInfo(settings.LEGAL_TIME_ZONE)) - timedelta(microseconds=1)


def counts_on(day: date, *, resellers: Iterable[Reseller] | models.QuerySet | None = None) -> list[CountryCount]:
    """What stood on the rosters at the end of a legal day, the most customers first; one query.

    Of all resellers, or of those given.
    """
    moment = end_of(day)
    rows = RosterEntry.objects.as_of(moment)
    if resellers is not None:
        rows = rows.filter(reseller__in=resellers)
    asked = {f"n_{each.code}": models.Count("pk", filter=each.condition(moment)) for each in measures()}
    found = rows.order_by().values("country").annotate(total=models.Count("pk"), **asked)
    told = [
        CountryCount(str(row["country"]), row["total"], {each.code: row[f"n_{each.code}"] for each in measures()})
        for row in found
    ]
    return sorted(told, key=lambda each: (-each.total, each.country))


def sum_of(counts: Iterable[CountryCount]) -> CountryCount:
    """All countries together."""
    counts = list(counts)
    holds = {each.code: sum(row.holds[each.code] for row in counts) for each in measures()}
    return CountryCount("", sum(row.total for row in counts), holds)


def head() -> list[str]:
    """The names of the columns of a table of counts."""
    labels = [label for each in measures() for label in (each.label, each.no_label)]
    return ["Country", "Customers", *labels]


def row_of(count: CountryCount, name: str = "") -> list:
    """One row of a table of counts."""
    numbers = [number for each in measures() for number in (count.holds[each.code], count.fails(each.code))]
    return [name or count.name, count.total, *numbers]


def csv_lines(counts: Iterable[CountryCount], *, day: date, whose: str) -> Iterator[str]:
    """The counts as CSV; text that a spreadsheet would run as a formula is neutralised."""
    yield _line(["Day", "Whose", "Code", *head()])
    for count in counts:
        yield _line([day.isoformat(), whose, count.country, *row_of(count)])


def _line(values: list) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([neutralised(each) if isinstance(each, str) else each for each in values])
    return out.getvalue()

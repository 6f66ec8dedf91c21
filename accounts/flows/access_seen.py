"""What the access page of an account shows: from where, when, by which network, read from the days of access (R18).

Four queries of a window, bounded by its days and places; never one of the access records, however many there are.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Max, Min, Q, QuerySet, Sum

from accounts.models import AccessDay, Account
from accounts.models.access import AccessKind

PUBLIC_HIDDEN = Q(public=True) & ~Q(anonymiser="")
MOST_NETWORKS = 15


@dataclass(frozen=True)
class Seen:
    """Accesses of one place: its code or name, how many, how many of them anonymised, the first and last day (UTC)."""

    name: str
    count: int
    hidden: int
    first: date
    last: date


@dataclass(frozen=True)
class DaySeen:
    """One day (UTC): accesses and administrative acts, of each how many anonymised; bit h of the mask is the hour h."""

    day: date
    accesses: int
    hidden: int
    acts: int
    acts_hidden: int
    hours: int


@dataclass(frozen=True)
class AccessPicture:
    """A window of an account's access. `since` is its first day, `until` the last day on which anything was seen.

    `countries` and `networks` count public addresses only ("" where the lists know none), the most first, of networks
    the first fifteen.
    """

    since: date
    until: date
    countries: list[Seen]
    networks: list[Seen]
    days: list[DaySeen]

    @property
    def total(self) -> int:
        return sum(day.accesses + day.acts for day in self.days)

    @property
    def public(self) -> int:
        return sum(country.count for country in self.countries)

    @property
    def hidden(self) -> int:
        return sum(country.hidden for country in self.countries)


def seen_of(account: Account, days: int | None = None) -> AccessPicture | None:
    """The last `days` days up to the last one with any access, or all of them, from the first one at the earliest.

    None when nothing was ever seen.
    """
    rows = AccessDay.objects.filter(account=account)
    span = rows.aggregate(first=Min("day"), last=Max("day"))
    if span["last"] is None:
        return None
    since = span["first"] if days is None else max(span["first"], span["last"] - timedelta(days=days - 1))
    window = rows.filter(day__gte=since)
    return AccessPicture(
        since=since, until=span["last"], countries=_places(window, "country"),
        networks=_places(window, "network", MOST_NETWORKS), days=_days(window),
    )  # fmt: skip


def _places(window: QuerySet[AccessDay], column: str, most: int | None = None) -> list[Seen]:
    counted = window.filter(public=True).values_list(column).annotate(
        total=Sum("count"), hidden=_sum(~Q(anonymiser="")), first=Min("day"), last=Max("day")
    )  # fmt: skip
    return [Seen(*row) for row in counted.order_by("-total", column)[:most]]


def _days(window: QuerySet[AccessDay]) -> list[DaySeen]:
    access, admin = Q(kind=AccessKind.ACCESS), Q(kind=AccessKind.ADMIN)
    bits = {f"hour_{hour}": Max(F("hours").bitand(1 << hour)) for hour in range(24)}
    counted = window.values("day").annotate(
        accesses=_sum(access), hidden=_sum(access & PUBLIC_HIDDEN),
        acts=_sum(admin), acts_hidden=_sum(admin & PUBLIC_HIDDEN), **bits,
    )  # fmt: skip
    return [
        DaySeen(
            row["day"], row["accesses"], row["hidden"], row["acts"], row["acts_hidden"], sum(row[name] for name in bits)
        )
        for row in counted.order_by("day")
    ]


def _sum(which: Q) -> Sum:
    return Sum("count", filter=which, default=0)

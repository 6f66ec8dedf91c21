"""Days of access for the tests of pages, written as the roll-up that they are."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import AccessDay, Account

LAST = date(2026, 2, 28)


def day_of(
    account: Account,
    day: date = LAST,
    *,
    kind="access",
    public=True,
    country="DE",
    network="AS64500 Example Net",
    anonymiser="",
    count=5,
    hours=(9, 17),
) -> AccessDay:
    """One row that is not written yet; `hours` are hours in UTC."""
    first = datetime.combine(day, time(min(hours)), UTC)
    return AccessDay(
        account=account, day=day, kind=kind, public=public, country=country if public else "",
        network=network if public else "", anonymiser=anonymiser, count=count, hours=sum(1 << hour for hour in hours),
        first_at=first, last_at=first + timedelta(minutes=30),
    )  # fmt: skip


def write(rows: Iterable[AccessDay]) -> None:
    AccessDay.objects.bulk_create(list(rows))


def a_year_of(account: Account, countries: Iterable[str] = ("DE", "CN", "US")) -> None:
    """Access on most days of a year from some countries, a gap of forty days, nights through a VPN, some acts."""
    codes = list(countries)
    rows = []
    for n in range(400):
        if 120 <= n < 160 or n % 10 == 0:
            continue
        code = codes[n % len(codes)]
        day = LAST - timedelta(days=n)
        hidden = "tor" if code == codes[1] else ""
        name = f"AS{64500 + n % 23} Net {n % 23}"
        rows.append(day_of(account, day, country=code, anonymiser=hidden, network=name, count=1 + n * n % 997))
        if n % 4 == 0:
            rows.append(day_of(account, day, country=code, anonymiser="vpn", count=1 + n * 13 % 400, hours=(1, 2, 3)))
        if n % 11 == 1:
            rows.append(day_of(account, day, kind="admin", country=codes[0], count=1 + n % 5, hours=(10,)))
        if n % 30 == 5:
            rows.append(day_of(account, day, public=False, count=3))
    write(rows)

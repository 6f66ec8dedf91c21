"""The roll-ups of access: what pages and detectors read instead of counting records, and how they are made (R18).

A roll-up says what one account did on one day (UTC) from one kind of place. It is added to in the transaction that
writes the records, and can be made anew from them at any time.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, models
from django.db.models import Q, Sum

from accounts.models import AccessDay, AccessRecord, Account
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor

HIDDEN = Sum("count", filter=~Q(anonymiser=""), default=0)


@dataclass(frozen=True)
class Totals:
    """Accesses in all, those from public addresses, and those of them through anonymisers."""

    all: int
    public: int
    anonymised: int


def _days(account: Account, since: date | None) -> models.QuerySet[AccessDay]:
    rows = AccessDay.objects.filter(account=account)
    return rows if since is None else rows.filter(day__gte=since)


def rows(account: Account, since: date | None = None) -> list[AccessDay]:
    """The roll-ups of an account from that day (UTC) on, oldest first; one query."""
    return list(_days(account, since).order_by("day", "pk"))


def by_country(account: Account, since: date | None = None) -> list[tuple[str, int, int]]:
    """(country or "", accesses, of which anonymised) from public addresses, the most first; one query."""
    found = _days(account, since).filter(public=True).values_list("country")
    return list(found.annotate(total=Sum("count"), hidden=HIDDEN).order_by("-total", "country"))


def by_day(account: Account, since: date | None = None) -> list[tuple[date, int, int]]:
    """(day in UTC, accesses, of which anonymised) of every kind of source, oldest first; one query."""
    found = _days(account, since).values_list("day").order_by("day")
    return list(found.annotate(total=Sum("count"), hidden=HIDDEN))


def by_place(account: Account, since: date | None = None) -> list[tuple[str, str, int]]:
    """(country or "", anonymiser or "", accesses) from public addresses; one query."""
    found = _days(account, since).filter(public=True).values_list("country", "anonymiser")
    return list(found.order_by("country", "anonymiser").annotate(total=Sum("count")))


def totals(account: Account, since: date | None = None) -> Totals:
    """How many accesses there are of which kind; one query."""
    found = _days(account, since).aggregate(
        total=Sum("count", default=0), seen=Sum("count", filter=Q(public=True), default=0),
        hidden=Sum("count", filter=Q(public=True) & ~Q(anonymiser=""), default=0),
    )  # fmt: skip
    return Totals(found["total"], found["seen"], found["hidden"])


# --- Making them ------------------------------------------------------------------------------------------------------

_COLUMNS = "account_id, day, kind, public, country, network, anonymiser, count, hours, first_at, last_at"
_KEY = "account_id, day, kind, public, country, network, anonymiser"
_ON_POSTGRESQL = {
    "day": "(r.at AT TIME ZONE 'UTC')::date",
    "hours": "bit_or(1 << extract(hour FROM r.at AT TIME ZONE 'UTC')::int)",
    "least": "LEAST", "greatest": "GREATEST",
}  # fmt: skip
_ON_SQLITE = {
    "day": "substr(r.at, 1, 10)",
    "hours": "SUM(DISTINCT 1 << CAST(substr(r.at, 12, 2) AS INTEGER))",  # distinct powers of two: their sum is their or
    "least": "MIN", "greatest": "MAX",
}  # fmt: skip
_ADD = """
INSERT INTO accounts_accessday AS d ({columns})
SELECT r.account_id, {day}, r.kind, (r.address IS NOT NULL AND r.special_use = ''), r.country,
    COALESCE(v.network, ''), r.anonymiser, COUNT(*), {hours}, MIN(r.at), MAX(r.at)
FROM accounts_accessrecord r
LEFT JOIN accounts_addressverdict v ON v.address = r.address AND v.edition_id = r.edition_id
WHERE {where}
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2
ON CONFLICT ({key}) DO UPDATE SET
    count = d.count + excluded.count, hours = d.hours | excluded.hours,
    first_at = {least}(d.first_at, excluded.first_at), last_at = {greatest}(d.last_at, excluded.last_at)
"""


def add_sql(vendor: str, where: str) -> str:
    """The statement that adds the records `r` of a condition to the roll-ups; each record once, by the caller."""
    words = _ON_POSTGRESQL if vendor == "postgresql" else _ON_SQLITE
    return _ADD.format(columns=_COLUMNS, key=_KEY, where=where, **words)


def add(where: str, values: list) -> None:
    """Add the records `r` of a condition, which must be new, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(add_sql(connection.vendor, where), values)


@flow
def recount(account: Account, *, by: Actor, at: datetime) -> int:
    """Make the roll-ups of one account anew from its records; may be called at any time. Returns how many there are."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    AccessDay.objects.filter(account=account)._raw_delete(AccessDay.objects.db)
    add("r.account_id = %s", [AccessRecord._meta.get_field("account").get_db_prep_value(account.pk, connection)])
    return AccessDay.objects.filter(account=account).count()

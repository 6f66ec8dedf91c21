"""The roll-ups of access: what pages and detectors read instead of counting records, and how they are made (R18).

A roll-up says what one account did on one day (UTC) from one kind of place. It is added to in the transaction that
writes the records, and can be made anew from them at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, models
from django.db.models import Max, Q, Sum

from accounts.flows.batches import BATCH
from accounts.models import AccessDay, AccessRecord, Account
from accounts.verbs import Verb
from kyc_portal.records import audit, deletion
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.refs import Actor, RecordRef

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


def last_access(account: Account) -> datetime | None:
    """The moment of the last access, also of one whose delivery was not followed up yet; one query."""
    newest = AccessDay.objects.filter(account=account).aggregate(newest=Max("last_at"))["newest"]
    return max(filter(None, (account.last_access_at, newest)), default=None)


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
_COUNTED = """
SELECT r.account_id, {day} AS day, r.kind, (r.address IS NOT NULL AND r.special_use = '') AS public, r.country,
    COALESCE(v.network, '') AS network, r.anonymiser, COUNT(*), {hours}, MIN(r.at), MAX(r.at)
FROM accounts_accessrecord r
{verdicts}
WHERE {where}
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_KEPT = "LEFT JOIN accounts_addressverdict v ON v.address = r.address AND v.edition_id = r.edition_id"
_NOTED = "LEFT JOIN network_noted v ON v.address = r.address"  # others may be writing verdicts: ours may come later
_PUT = (
    "INSERT INTO accounts_accessday AS d ({columns}) {counted} ORDER BY 1, 2 ON CONFLICT ({key}) DO UPDATE SET {sums}"
)
_ADDED = """
count = d.count + excluded.count, hours = d.hours | excluded.hours,
first_at = {least}(d.first_at, excluded.first_at), last_at = {greatest}(d.last_at, excluded.last_at)
"""
_PUT_ANEW = """
count = excluded.count, hours = excluded.hours, first_at = excluded.first_at, last_at = excluded.last_at
"""
_SURPLUS = """
SELECT d.id FROM accounts_accessday d LEFT JOIN ({counted}) c
    ON c.day = d.day AND c.kind = d.kind AND c.public = d.public AND c.country = d.country
    AND c.network = d.network AND c.anonymiser = d.anonymiser
WHERE d.account_id = %s AND c.day IS NULL
"""


def _words() -> dict[str, str]:
    return _ON_POSTGRESQL if connection.vendor == "postgresql" else _ON_SQLITE


def _put(where: str, values: list, sums: str, verdicts: str) -> None:
    counted = _COUNTED.format(where=where, verdicts=verdicts, **_words())
    statement = _PUT.format(columns=_COLUMNS, key=_KEY, counted=counted, sums=sums.format(**_words()))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def forget_networks() -> None:
    """Begin anew to note which networks addresses belong to."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS network_noted (address inet PRIMARY KEY, network text) "
                "ON COMMIT DROP"
            )
        cursor.execute("DELETE FROM network_noted")  # of SQLite see own_tables.py


def note_networks(networks: Iterable[tuple[str, str]]) -> None:
    """Note (address, network) for the records that are added in this transaction; "" need not be noted."""
    named = [pair for pair in networks if pair[1]]
    if named and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO network_noted SELECT unnest(%s::inet[]), unnest(%s::text[]) ON CONFLICT DO NOTHING",
                [list(column) for column in zip(*named, strict=True)],
            )
    elif named:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO network_noted VALUES (%s, %s) ON CONFLICT DO NOTHING", named)


def add(where: str, values: list) -> None:
    """Add the records `r` of a condition, which must be new, in the caller's transaction: each record once.

    The networks of their addresses were noted before (`forget_networks`, `note_networks`).
    """
    _put(where, values, _ADDED, _NOTED)


@flow
def recount(account: Account, *, by: Actor, at: datetime) -> None:
    """Make the roll-ups of one account anew from its records; may be called at any time, and again."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    key = AccessRecord._meta.get_field("account").get_db_prep_value(account.pk, connection)
    _put("r.account_id = %s", [key], _PUT_ANEW, _KEPT)
    with connection.cursor() as cursor:
        counted = _COUNTED.format(where="r.account_id = %s", verdicts=_KEPT, **_words())
        cursor.execute(_SURPLUS.format(counted=counted), [key, key])
        surplus = AccessDay.objects.filter(pk__in=[pk for (pk,) in cursor.fetchall()])
    if surplus.exists() and deletion.may_go(surplus):  # what a hold keeps stays, even a wrong sum
        surplus._raw_delete(surplus.db)


def recount_all(only: Account | None = None, *, by: Actor, at: datetime) -> int:
    """Make the roll-ups of every account that has any, or records, anew; each in its own transaction. How many."""
    has = models.Exists(AccessRecord.objects.filter(account=models.OuterRef("pk")))
    has |= models.Exists(AccessDay.objects.filter(account=models.OuterRef("pk")))
    rows, last, count = Account.objects.filter(has).order_by("pk"), None, 0
    if only is not None:
        rows = rows.filter(pk=only.pk)
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        last = batch[-1].pk
        for account in batch:
            recount(account, by=by, at=at)
        count += len(batch)
    with one_flow(by, at):
        about = only or RecordRef(AccessDay._meta.label_lower, "", "days of access")
        audit.record(Verb.DAYS_RECOUNTED, about, by=by, at=at, count=count)
    return count

"""Linking one new customer with everybody we shut out, beside a plain SQL self-join over the same fingerprints.

    make bench ARGS="linking --customers 1000000"

Each of the new customers holds values of its own, one that every tenth customer holds, an address that forty share, and
every tenth of them the device of somebody who was closed for cause. Looked for are ties, weighed and said in sentences;
the rival only counts equal values by party. The same is told at a tenth of the customers: what grows is the index.
"""

import argparse
import hashlib
import statistics
import uuid
from functools import partial

from django.db import connection
from django.utils import timezone

from tests.bench.queue import settle
from tests.bench.running import own_database, seconds

LOOKS = 200
RIVAL = """
SELECT other.party_id, count(*) FROM accounts_identifier mine
JOIN accounts_identifier other ON other.kind = mine.kind AND other.digest = mine.digest
WHERE mine.party_id = %s AND other.party_id <> mine.party_id GROUP BY other.party_id ORDER BY count(*) DESC
"""
OWN = ("card", "email", "email_root", "device", "document", "ssh_key")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=20_000)
    options = parser.parse_args(arguments)
    with own_database("linking"):
        prepare()
        there, medians = 0, []
        for many in (options.customers // 10, options.customers):
            fill(there, many)
            there = many
            newcomers = [newcomer(many, number) for number in range(LOOKS)]
            settle()
            tied = sum(bool(look(key)) for key in newcomers)  # once, so that nobody's first time counts
            assert tied == LOOKS // 10, tied
            ours = [seconds(partial(look, key)) for key in newcomers]
            theirs = [seconds(partial(join, key)) for key in newcomers]
            print(f"  {many:,} customers, {fingerprints():,} fingerprints, one value held by {many // 10:,}")
            print(f"    look-back    {told(ours)}")
            print(f"    self-join    {told(theirs)}")
            medians.append(statistics.median(ours))
        print(f"  look-back at {options.customers:,} to a tenth: {medians[1] / medians[0]:.2f}")


def told(times: list[float]) -> str:
    """Median, what 95 of a hundred stay within, and the slowest, in milliseconds."""
    most, last = statistics.quantiles(times, n=20)[-1], max(times)
    found = f"median {statistics.median(times) * 1000:.1f} ms, 95 of 100 within {most * 1000:.1f} ms"
    return f"{found}, slowest of {len(times)} {last * 1000:.1f} ms"


def look(key) -> dict:
    """The ties of one customer, as the work that follows every new value finds them."""
    from accounts.flows import links, ties_before

    today = timezone.now().date()
    return ties_before.find([key], links.figures_on(today), on=today)


def join(key) -> list:
    with connection.cursor() as cursor:
        cursor.execute(RIVAL, [str(key) if connection.vendor == "postgresql" else key.hex])
        return cursor.fetchall()


def fingerprints() -> int:
    from accounts.models import Identifier

    return Identifier.objects.count()


# --- the customers, made by the database itself: each a copy of a first one -------------------------------------------


def prepare() -> None:
    """Nothing is written down of what the bench fills in: a million changes of rows are nobody's time here."""
    from accounts.models import Account, Identifier, Party

    tables = [model._meta.db_table for model in (Party, Account, Identifier)]
    if connection.vendor == "sqlite":
        connection.connection.create_function("md5", 1, lambda text: hashlib.md5(text.encode()).hexdigest())  # noqa: S324
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                keys = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
                dropped = "ALTER TABLE {table} DROP CONSTRAINT {name}"
            else:
                keys, dropped = (
                    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
                    "DROP TRIGGER {name}",
                )
            cursor.execute(keys, [table])
            for (name,) in cursor.fetchall():
                cursor.execute(dropped.format(table=table, name=name))


def key_of(number: int, of: str) -> uuid.UUID:
    return uuid.UUID(hashlib.md5(f"{of}{number}".encode()).hexdigest())  # noqa: S324, a key, no secret


def digest_of(kind: str, number: int | str) -> str:
    return "".join(hashlib.md5(f"{kind}{part}{number}".encode()).hexdigest() for part in "ab")  # noqa: S324


def fill(first: int, last: int) -> None:
    """Customers number `first` to `last` - 1 with six values of their own, an address of forty and some the common one.

    One of a hundred was closed for cause.
    """
    from accounts.models import Account, Party

    now = timezone.now()
    party = Party(kind="individual", legal_name="Maria Muster", created_at=now, changed_at=now, look_back_due=False)
    account = Account(source="bench", created_at=now, opened_at=now, status="active")
    closed = "CASE WHEN n %% 100 = 0 THEN {} ELSE {} END"
    _copy(party, first, last, {"id": _key("p"), "reference": "'P' || n"})
    _copy(account, first, last, {
        "id": _key("a"), "reference": "'A' || n", "party_id": _key("p"), "external_key": "'K' || n",
        "status": closed.format("'closed'", "'active'"), "closing_reason": closed.format("'terms_broken'", "''"),
        "closed_at": closed.format(_quoted(now), "NULL"),
    })  # fmt: skip
    for kind in OWN:
        _identifiers(kind, "n", first, last)
    _identifiers("address", "(n / 40)", first, last)
    _identifiers("phone", "0", first, last, where="n %% 10 = 0")


def newcomer(customers: int, number: int):
    """One who came today: values of its own, the common one, and every tenth the device of one closed for cause."""
    from accounts.models import Account, Identifier, Party
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    now, own = timezone.now(), f"new {customers} {number}"
    held = {kind: digest_of(kind, own) for kind in OWN}
    held |= {"phone": digest_of("phone", 0), "address": digest_of("address", number)}
    if number % 10 == 0:
        held["device"] = digest_of("device", number * 10 % customers)
    with one_flow(SCHEDULER):
        party = Party.objects.create(kind="individual", legal_name="Max Muster", created_at=now, changed_at=now)
        Account.objects.create(party=party, source="bench", created_at=now)
        Identifier.objects.bulk_create(
            Identifier(party=party, kind=kind, digest=digest, made_at=now) for kind, digest in held.items()
        )
    return party.pk


def _key(of: str) -> str:
    return f"md5('{of}' || n){'::uuid' if connection.vendor == 'postgresql' else ''}"


def _quoted(moment) -> str:
    return f"'{moment:%Y-%m-%d %H:%M:%S}'" + ("::timestamptz" if connection.vendor == "postgresql" else "")


def _identifiers(kind: str, number: str, first: int, last: int, *, where: str = "1 = 1") -> None:
    digest = " || ".join(f"md5('{kind}{part}' || {number})" for part in "ab")
    columns = f"{_key('p')}, '{kind}', {digest}, '', '', {_quoted(timezone.now())}"
    _insert("accounts_identifier", "party_id, kind, digest, former, key_id, made_at", columns, first, last, where)


def _copy(row, first: int, last: int, changed: dict[str, str]) -> None:
    """So many rows like this one but for the columns given as SQL."""
    fields = row._meta.local_concrete_fields
    values = {each.column: changed.get(each.column, _literal(row, each)) for each in fields}
    _insert(row._meta.db_table, ", ".join(values), ", ".join(values.values()), first, last)


def _literal(row, field) -> str:
    value = field.get_db_prep_save(getattr(row, field.attname), connection)
    if value is None:
        return "NULL"
    if isinstance(value, bool) and connection.vendor == "postgresql":
        return str(value).upper()
    if isinstance(value, int):
        return str(int(value))
    return _quoted(value) if hasattr(value, "hour") else f"'{value}'"


def _insert(table: str, columns: str, values: str, first: int, last: int, where: str = "1 = 1") -> None:
    numbers = f"WITH RECURSIVE count(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM count WHERE n < {last - 1})"  # noqa: S608
    if connection.vendor == "postgresql":
        numbers = f"WITH count(n) AS (SELECT generate_series({first}, {last - 1}))"
    with connection.cursor() as cursor:
        statement = f"INSERT INTO {table} ({columns}) {numbers} SELECT {values} FROM count WHERE {where}"  # noqa: S608
        cursor.execute(statement.replace("%%", "%"))


if __name__ == "__main__":
    main()

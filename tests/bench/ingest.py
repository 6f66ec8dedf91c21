"""How fast deliveries of access records of many customers come in, beside a plain load of the same rows.

    make bench ARGS="ingest --rows 10000000 --customers 1000000"

Ours reads lines of JSON from a file, checks them, finds whose they are, judges each address by lists of ranges, writes
records, verdicts, daily roll-ups, last accesses and the trail, and commits. The rival gets the very rows that ours
wrote, ready made, and loads them into a table with the same columns and indexes, without foreign keys and triggers: by
COPY on PostgreSQL, by one executemany on SQLite. Both take turns, delivery by delivery, and both tables grow alike.

A delivery holds what happened in one stretch of time: each customer that is active acts some times from one address.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.bench.running import own_database, peak, seconds

CHUNK = 5_000
SESSION = 5  # acts of a customer in one delivery
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "cli/2.15 python/3.11", "terraform/1.7", "console")
ACTIONS = ("compute:StartInstance", "storage:GetObject", "network:AttachAddress", "Login", "storage:PutObject")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--customers", type=int, default=30_000)
    parser.add_argument("--part", type=int, default=100_000, help="lines of a delivery")
    parser.add_argument("--ranges", type=int, default=50_000, help="networks of the list that addresses are judged by")
    parser.add_argument("--one-account", type=int, default=1_000_000, help="records of the account whose page is asked")
    options = parser.parse_args(arguments)
    with own_database("ingest"), tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
        print(f"  {options.rows:,} records of {options.customers:,} customers, {options.part:,} a delivery")
        make_customers(options.customers)
        load_ranges(Path(folder), options.ranges)
        deliveries(Path(folder), options)
        summaries(Path(folder), options.one_account)
        print(f"  {peak():.0f} MB at most")


def make_customers(count: int) -> None:
    """Parties and accounts with numbers of the provider's, nothing else."""
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER, new_reference

    Account, Party = apps.get_model("accounts.Account"), apps.get_model("accounts.Party")
    for begin in range(0, count, CHUNK):
        numbers = range(begin, min(begin + CHUNK, count))
        with one_flow(SCHEDULER):
            parties = Party.objects.bulk_create(
                Party(
                    kind="individual", legal_name=f"Customer {n}", citizenship="DE", created_at=BEGIN, changed_at=BEGIN,
                    reference=new_reference("PTY", 12),
                )
                for n in numbers
            )  # fmt: skip
            Account.objects.bulk_create(
                Account(
                    party=party, external_key=f"cust-{n}", product="compute", source="bench", created_at=BEGIN,
                    reference=new_reference("ACC", 12),
                )
                for n, party in zip(numbers, parties, strict=True)
            )  # fmt: skip


def load_ranges(folder: Path, count: int) -> None:
    from accounts.flows import address_ranges
    from kyc_portal.records.refs import SCHEDULER

    path = folder / "vpn.txt"
    path.write_text("".join(f"{20 + n // 65536}.{n // 256 % 256}.{n % 256}.0/25\n" for n in range(count)))
    address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=BEGIN + timedelta(days=1))


def lines_of(begin: int, count: int, customers: int) -> Iterator[str]:
    """Events in the order of time; a customer's acts of a delivery come from one address."""
    for number in range(begin, begin + count):
        session = number // SESSION
        customer = session * 7919 % customers
        at = BEGIN + timedelta(seconds=session * 2, milliseconds=number % SESSION * 137)
        yield json.dumps({
            "event_id": f"evt-{number:012}", "at": at.isoformat().replace("+00:00", "Z"),
            "kind": "admin" if number % 7 == 0 else "access", "action": ACTIONS[number % 5],
            "principal": f"user/{customer}", "source": address_of(customer), "source_system": "console",
            "account": f"cust-{customer}", "user_agent": AGENTS[customer % 4],
        }) + "\n"  # fmt: skip


def address_of(customer: int) -> str:
    """Two customers share one."""
    number = customer // 2
    return f"{20 + number // 65536 % 60}.{number // 256 % 256}.{number % 256}.{1 + customer % 2 * 200}"


def deliveries(folder: Path, options: argparse.Namespace) -> None:
    from accounts.flows.access_log import import_access_lines
    from kyc_portal.records.refs import SCHEDULER

    rival = (_OnPostgresql if connection.vendor == "postgresql" else _OnSqlite)()
    ours, theirs, held, path = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0.0, folder / "part.jsonl"
    for begin in range(0, options.rows, options.part):
        count = min(options.part, options.rows - begin)
        with path.open("w") as file:
            file.writelines(lines_of(begin, count, options.customers))
        before = _clocks()
        batch = import_access_lines(
            None, path, format="jsonl", file_name=path.name, by=SCHEDULER, at=BEGIN + timedelta(days=3650)
        )  # fmt: skip
        ours = [sofar + now - then for sofar, now, then in zip(ours, _clocks(), before, strict=True)]
        assert (batch.new_count, batch.waiting_count) == (count, 0)
        load = rival.loader(batch)
        before = _clocks()
        load()
        theirs = [sofar + now - then for sofar, now, then in zip(theirs, _clocks(), before, strict=True)]
        held = held or peak()
    days = apps.get_model("accounts.AccessDay").objects.count()
    verdicts = apps.get_model("accounts.AddressVerdict").objects.count()
    for name, (wall, own, server) in (("ours", ours), (rival.name, theirs)):
        print(
            f"    {name:<12} {options.rows / wall:9,.0f} records a second by the clock ({wall:.1f} s); processor: "
            f"{own:.1f} s here, {server:.1f} s in the server"
        )
    print(f"    of the rival's speed {theirs[0] / ours[0]:.2f} by the clock, load {os.getloadavg()[0]:.1f} by now")
    busiest = [max(own, server) for _, own, server in (ours, theirs)]
    print(
        f"    of it where two processors are free {busiest[1] / busiest[0]:.2f}: the busier of both processes decides"
    )
    print(f"    beside the records {days:,} days of access and {verdicts:,} verdicts were written")
    print(f"    {held:.0f} MB after the first delivery, {peak():.0f} MB after the last")


def _clocks() -> tuple[float, float, float]:
    """Seconds by the clock, of this process's processor time, and of the server process's that works for us."""
    server = 0.0
    if connection.vendor == "postgresql":
        told = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
        server = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), server


class _OnPostgresql:
    """Plain COPY of the same rows."""

    name = "plain COPY"

    def __init__(self):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE rival (LIKE accounts_accessrecord INCLUDING DEFAULTS INCLUDING INDEXES)")

    def loader(self, batch) -> Callable[[], None]:
        with connection.cursor() as cursor:
            select = "COPY (SELECT * FROM accounts_accessrecord WHERE batch_id = %s ORDER BY at) TO STDOUT"
            with cursor.copy(select, [batch.pk]) as copy:
                rows = b"".join(copy)

        def act() -> None:
            with transaction.atomic(), connection.cursor() as cursor, cursor.copy("COPY rival FROM STDIN") as copy:
                copy.write(rows)

        return act


class _OnSqlite:
    """Plain executemany of the same rows."""

    name = "executemany"

    def __init__(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'accounts_accessrecord' AND sql IS NOT NULL")
            made = [sql for (sql,) in cursor.fetchall() if not sql.startswith("CREATE TRIGGER")]
            for number, sql in enumerate(sorted(made, key=lambda each: not each.startswith("CREATE TABLE"))):
                sql = sql.replace("accounts_accessrecord", "rival")
                if number:  # names of indexes are the database's
                    words = sql.split('"')
                    sql = '"'.join([words[0], f"rival_{number}", *words[2:]])
                else:
                    sql = _without_references(sql)
                cursor.execute(sql)

    def loader(self, batch) -> Callable[[], None]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_accessrecord WHERE batch_id = %s ORDER BY at", [batch.pk.hex])
            rows = cursor.fetchall()
        marks = ", ".join(["%s"] * len(rows[0]))

        def act() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO rival VALUES ({marks})", rows)  # noqa: S608 marks alone

        return act


def _without_references(sql: str) -> str:
    words, kept = sql.split(" REFERENCES "), []
    for number, part in enumerate(words):
        kept.append(part if not number else part[part.index("DEFERRED") + len("DEFERRED") :])
    return "".join(kept)


def summaries(folder: Path, most: int) -> None:
    """What an account's page asks of its accesses, of an account with a hundred records and of one with very many."""
    from accounts.flows import access_days
    from accounts.flows.access_log import import_access_lines
    from kyc_portal.records.refs import SCHEDULER

    accounts = list(apps.get_model("accounts.Account").objects.order_by("pk")[:2])
    path = folder / "own.jsonl"
    for account, count in zip(accounts, (100, most), strict=True):
        step = 90 * 86_400 / count
        with path.open("w") as file:
            for number in range(count):
                at = BEGIN + timedelta(days=400, seconds=int(number * step))
                file.write(json.dumps({
                    "event_id": f"own-{number}", "at": at.isoformat().replace("+00:00", "Z"), "kind": "access",
                    "action": "Login", "principal": "p", "source": address_of(number % 200), "source_system": "own",
                }) + "\n")  # fmt: skip
        import_access_lines(
            account, path, format="jsonl", file_name="own", by=SCHEDULER, at=BEGIN + timedelta(days=3650)
        )  # fmt: skip
        account.refresh_from_db()
        since = account.last_access_at.date() - timedelta(days=89)

        def ask(account=account, since=since) -> None:
            access_days.by_country(account), access_days.by_day(account, since), access_days.totals(account)

        ask()
        with CaptureQueriesContext(connection) as queries:
            ask()
        took = min(seconds(ask) for _ in range(9))
        told = access_days.totals(account).all
        print(f"  summary of an account with {told:9,} records: {1000 * took:.1f} ms, {len(queries)} queries")


if __name__ == "__main__":
    main()

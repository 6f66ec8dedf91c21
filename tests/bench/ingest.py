"""How fast deliveries of access records of many customers come in, beside a plain load of the same rows.

    make bench ARGS="ingest --rows 10000000 --customers 1000000"

Ours reads lines of JSON from a file, checks them, finds whose they are, judges each address by lists of ranges, writes
records, verdicts, daily roll-ups, last accesses and the trail, and commits. The rivals get the very rows that ours
wrote, ready made, and load them into a table of their own with the same columns and indexes: by COPY on PostgreSQL, by
one executemany on SQLite. One table has our foreign key too, as every load into our own table would meet it; the other
has none. They take turns, delivery by delivery, and all tables grow alike.

A delivery holds what happened in one stretch of time: each customer that is active acts some times from one address.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.bench.running import begin_peak, own_database, peak, seconds

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

    rivals = [
        (_OnPostgresql if connection.vendor == "postgresql" else _OnSqlite)(has_keys=has_keys)
        for has_keys in (True, False)
    ]
    spent, held, path = {name: [0.0] * 3 for name in ("ours", *(rival.name for rival in rivals))}, [], folder / "part"
    for begin in range(0, options.rows, options.part):
        count = min(options.part, options.rows - begin)
        with path.open("w") as file:
            file.writelines(lines_of(begin, count, options.customers))
        before = begin_peak()
        with _timed(spent["ours"]):
            batch = import_access_lines(
                None, path, format="jsonl", file_name=path.name, by=SCHEDULER, at=BEGIN + timedelta(days=3650)
            )
        assert (batch.new_count, batch.waiting_count) == (count, 0)
        held.append(round(peak() - before))
        for rival in rivals:
            load = rival.loader(batch)
            with _timed(spent[rival.name]):
                load()
    for name, (wall, own, server) in spent.items():
        print(
            f"    {name:<28} {options.rows / wall:9,.0f} records a second by the clock ({wall:.1f} s); processor: "
            f"{own:.1f} s here, {server:.1f} s in the server"
        )
    for rival in rivals:
        print(f"    of the speed of {rival.name:<28} {spent[rival.name][0] / spent['ours'][0]:.2f} by the clock")
    days = apps.get_model("accounts.AccessDay").objects.count()
    verdicts = apps.get_model("accounts.AddressVerdict").objects.count()
    print(f"    beside the records {days:,} days of access and {verdicts:,} verdicts were written")
    told = ", ".join(f"{held[max(len(held) * tenths // 10, 1) - 1]} MB after {tenths}" for tenths in (1, 2, 5, 10))
    print(
        f"    a delivery took, beside what was held before: {told} tenths of them; load {os.getloadavg()[0]:.1f} by now"
    )


@contextmanager
def _timed(spent: list[float]) -> Iterator[None]:
    before = _clocks()
    yield
    for number, (now, then) in enumerate(zip(_clocks(), before, strict=True)):
        spent[number] += now - then


def _clocks() -> tuple[float, float, float]:
    """Seconds by the clock, of this process's processor time, and of the server process's that works for us."""
    server = 0.0
    if connection.vendor == "postgresql":
        told = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
        server = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), server


class _OnPostgresql:
    """Plain COPY of the same rows."""

    def __init__(self, *, has_keys: bool):
        self.table = "rival_with_keys" if has_keys else "rival"
        self.name = "plain COPY, foreign key" if has_keys else "plain COPY, no foreign key"
        like = "LIKE accounts_accessrecord INCLUDING ALL EXCLUDING IDENTITY"
        reference = ", FOREIGN KEY (account_id) REFERENCES accounts_account (id) DEFERRABLE INITIALLY DEFERRED"
        key = reference if has_keys else ""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {self.table} ({like}{key})")

    def loader(self, batch) -> Callable[[], None]:
        with connection.cursor() as cursor:
            select = "COPY (SELECT * FROM accounts_accessrecord WHERE batch_id = %s ORDER BY at) TO STDOUT"
            with cursor.copy(select, [batch.pk]) as copy:
                rows = b"".join(copy)

        def act() -> None:
            with (
                transaction.atomic(),
                connection.cursor() as cursor,
                cursor.copy(f"COPY {self.table} FROM STDIN") as copy,
            ):
                copy.write(rows)

        return act


class _OnSqlite:
    """Plain executemany of the same rows."""

    def __init__(self, *, has_keys: bool):
        self.table = "rival_with_keys" if has_keys else "rival"
        self.name = "executemany, foreign key" if has_keys else "executemany, no foreign key"
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'accounts_accessrecord' AND sql IS NOT NULL")
            made = [sql for (sql,) in cursor.fetchall() if not sql.startswith("CREATE TRIGGER")]
            for number, sql in enumerate(sorted(made, key=lambda each: not each.startswith("CREATE TABLE"))):
                sql = sql.replace("accounts_accessrecord", self.table)
                if number:  # names of indexes are the database's
                    words = sql.split('"')
                    sql = '"'.join([words[0], f"{self.table}_{number}", *words[2:]])
                elif not has_keys:
                    sql = _without_references(sql)
                cursor.execute(sql)

    def loader(self, batch) -> Callable[[], None]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_accessrecord WHERE batch_id = %s ORDER BY at", [batch.pk.hex])
            rows = cursor.fetchall()
        marks = ", ".join(["%s"] * len(rows[0]))

        def act() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {self.table} VALUES ({marks})", rows)  # noqa: S608 marks alone

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

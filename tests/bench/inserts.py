"""How fast flows write many rows with the audit trail on, beside a bare bulk insert of the same rows.

    make bench ARGS="inserts --rows 20000"

Two flows: customers from a file (each with its party, names, addresses, contacts, fingerprints, keys, notice, events),
and an access log of one account. The rival writes only what a row must have: a party and an account, or an access
record; no checks, no sealing, no fingerprints, no notice, no trail.
"""

import argparse
import csv
import io
import itertools
import json
import tempfile
import time
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from tests.bench.running import median_ratio, own_database, paired, peak

CHUNK = 500
COLUMNS = (
    *("kind", "legal_name", "external_key", "product", "email", "phone", "birth_date", "citizenship", "national_id"),
    *("aliases", "address_lines", "address_country", "use_countries"),
)
_numbers = itertools.count(1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with own_database("inserts"), tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
        before = peak()
        for name, sides in (("customers", customers), ("access records", access_log)):
            written: list[int] = []
            told = paired(sides(Path(folder), options.rows, written), options.rounds)
            wall, processor = best(told["flow"]), min(processor for _, processor in told["flow"])
            print(f"  {name}: {options.rows:,} of them, {written[0]:,} rows of all tables")
            print(f"    the flow        {options.rows / wall:8,.0f} {name} a second")
            print(f"    of all tables   {written[0] / wall:8,.0f} rows a second")
            print(f"    of the processor it took {processor:.1f} s: {written[0] / processor:,.0f} rows a second")
            print(f"    bare bulk insert {options.rows / best(told['bare']):7,.0f} {name} a second")
            ours, theirs = [[processor for _, processor in told[side]] for side in ("flow", "bare")]
            print(f"    times the processor time of the bare insert: {median_ratio(ours, theirs)}")
        print(f"  {peak():.0f} MB at most, {before:.0f} at start")


def best(told: list[tuple[float, float]]) -> float:
    """Seconds by the clock of the round that was disturbed least."""
    return min(wall for wall, _ in told)


def timed(act) -> tuple[float, float]:
    """Seconds by the clock and seconds of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - processor


def rows_of_all_tables() -> int:
    return sum(model._base_manager.count() for model in apps.get_models())


def customers(folder: Path, rows: int, written: list[int]) -> dict:
    """Customers as a provider may have them: every value given, another name for each third one."""

    def path_of(mark: str) -> Path:
        path = folder / f"{mark}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for number in range(rows):
                writer.writerow([
                    "individual", f"Maria Muster {number}", f"{mark}-{number}", "compute",
                    f"m{number}@customer.example", f"+49 30 {901820000 + number}", "1985-05-17", "DE",
                    f"X{number:07}", f"Mary {number}" if number % 3 == 0 else "", f"{number} Long Street", "DE", "DE",
                ])  # fmt: skip
        return path

    def flow() -> tuple[float, float]:
        path, before = path_of(f"K{next(_numbers)}"), rows_of_all_tables()
        took = timed(lambda: call_command("import_customers", str(path), stdout=io.StringIO()))
        written.append(rows_of_all_tables() - before)
        return took

    def bare() -> tuple[float, float]:
        path = path_of(f"B{next(_numbers)}")
        return timed(lambda: insert_bare(path))

    return {"flow": flow, "bare": bare}


def insert_bare(path: Path) -> None:
    """The rival: the same parties and accounts in one transaction."""
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    Account, Party = apps.get_model("accounts.Account"), apps.get_model("accounts.Party")
    now = timezone.now()
    with path.open(newline="") as file, one_flow(SCHEDULER):
        reader = csv.DictReader(file)
        while chunk := list(itertools.islice(reader, CHUNK)):
            parties = [
                Party(
                    kind=row["kind"], legal_name=row["legal_name"], citizenship=row["citizenship"], created_at=now,
                    changed_at=now,
                )
                for row in chunk
            ]  # fmt: skip
            Party.objects.bulk_create(parties)
            Account.objects.bulk_create(
                Account(
                    party=party, external_key=row["external_key"], product=row["product"], source="bench",
                    created_at=now,
                )
                for party, row in zip(parties, chunk, strict=True)
            )  # fmt: skip


def access_log(folder: Path, rows: int, written: list[int]) -> dict:
    """An access log in lines of JSON, for one account whose earlier records are few."""
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from tests.accounts import logs
    from tests.faults.acts import make_files

    AccessRecord, AccessBatch = apps.get_model("accounts.AccessRecord"), apps.get_model("accounts.AccessBatch")

    def account_of():
        return make_files(1, closed_at=timezone.now(), is_full=False, by=SCHEDULER, at=timezone.now())[0]

    def flow() -> tuple[float, float]:
        account, path = account_of(), folder / f"log-{next(_numbers)}.jsonl"
        with path.open("w") as file:
            file.writelines(json.dumps(logs.event(number)) + "\n" for number in range(rows))
        before = rows_of_all_tables()
        wanted = ["import_access_log", str(path), "--account", account.reference, "--format", "jsonl"]
        took = timed(lambda: call_command(*wanted, stdout=io.StringIO()))
        written.append(rows_of_all_tables() - before)
        return took

    def bare() -> tuple[float, float]:
        account = account_of()

        def insert() -> None:
            with one_flow(SCHEDULER):
                batch = AccessBatch.objects.create(
                    account=account, format="jsonl", file_name="bench", sha256="0" * 64, read_count=0, new_count=0,
                    known_count=0, refused_count=0, imported_at=timezone.now(), imported_by="bench",
                )  # fmt: skip
                for begin in range(0, rows, CHUNK):
                    AccessRecord.objects.bulk_create(
                        AccessRecord(
                            account=account, batch=batch, at=batch.imported_at, kind="access", action="Login",
                            principal="user-1", address="8.8.8.8", source_system="console", event_id=f"e{number}",
                        )
                        for number in range(begin, min(begin + CHUNK, rows))
                    )  # fmt: skip

        return timed(insert)

    return {"flow": flow, "bare": bare}


if __name__ == "__main__":
    main()

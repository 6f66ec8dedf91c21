"""How fast customers are taken in from a file, beside a bare bulk insert of the same customers on the same machine.

    make bench ARGS="--rows 20000"

The rival writes a party and an account for each row and nothing else: no checks, no sealing, no fingerprints, no
notice, no trail. The ratio says what all these cost. It compares processor time, because on a busy machine the rows a
second say little.
"""

import argparse
import csv
import io
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

os.environ["DJANGO_SETTINGS_MODULE"] = "kyc_portal.settings.tests"
CHUNK = 500
COLUMNS = (
    *("kind", "legal_name", "external_key", "product", "email", "phone", "birth_date", "citizenship", "national_id"),
    *("aliases", "address_lines", "address_country", "use_countries"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    django.setup()
    own = connection.settings_dict["NAME"]
    # A database of its own, so that nobody's real customers get a thousand made-up neighbours.
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
            path = Path(folder, "customers.csv")
            write_file(path, rows)
            report(path, rows)
    finally:
        connection.creation.destroy_test_db(own, verbosity=0)


def write_file(path: Path, rows: int) -> None:
    """Customers as a provider may have them: every value given, another name for each third one."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            writer.writerow([
                "individual", f"Maria Muster {number}", f"K{number}", "compute", f"m{number}@customer.example",
                f"+49 30 {901820000 + number}", "1985-05-17", "DE", f"X{number:07}",
                f"Mary {number}" if number % 3 == 0 else "", f"{number} Long Street", "DE", "DE",
            ])  # fmt: skip


def report(path: Path, rows: int) -> None:
    before = peak()
    ours = Timing.of(lambda: call_command("import_customers", str(path), stdout=io.StringIO()))
    ours_peak = peak()
    theirs = Timing.of(lambda: insert_bare(path))
    print(f"{rows:,} rows on {connection.vendor}")
    print(
        f"import_customers  {rows / ours.wall:8,.0f} rows a second; {ours_peak:.0f} MB at most, {before:.0f} at start"
    )
    print(f"bare bulk_create  {rows / theirs.wall:8,.0f} rows a second")
    print(f"ratio             {ours.processor / theirs.processor:8.1f} times the processor time")


class Timing(NamedTuple):
    """Seconds on the clock and seconds of the processor."""

    wall: float
    processor: float

    @classmethod
    def of(cls, act: Callable[[], object]) -> "Timing":
        wall, processor = time.perf_counter(), time.process_time()
        act()
        return cls(time.perf_counter() - wall, time.process_time() - processor)


def peak() -> float:
    """The most memory this process ever held, in megabytes (Linux counts it in kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def insert_bare(path: Path) -> None:
    """The rival: the same parties and accounts in one transaction."""
    Account, Party = apps.get_model("accounts.Account"), apps.get_model("accounts.Party")
    now = timezone.now()
    with path.open(newline="") as file, transaction.atomic():
        for chunk in chunks(csv.DictReader(file)):
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
                    party=party, external_key=f"bare {row['external_key']}", product=row["product"], source="bench",
                    created_at=now,
                )
                for party, row in zip(parties, chunk, strict=True)
            )  # fmt: skip


def chunks(rows: csv.DictReader) -> Iterator[list[dict]]:
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


if __name__ == "__main__":
    main()

"""How fast a reseller's roster is read, checked and accepted, with the trail on, and how much memory it takes.

    make bench ARGS="roster --rows 200000"

The rival reads the same CSV with csv.DictReader and writes the same rows with bulk_create, in batches of the same size:
no checks, no sealing, no fingerprints, no versions, nobody ends. For workbooks the rival reads the same cells with
openpyxl in its read-only mode, where that is installed. Each side is a process of its own, so that its memory is told.
"""

import argparse
import csv
import importlib.util
import json
import tempfile
from itertools import count
from pathlib import Path

from tests.bench.running import in_a_process, median_ratio, own_database, paired

HEADER = (
    "customer_number", "name", "kind", "country", "customer_since", "parent_number", "email", "birth_date",
    "registration_number", "product", "verified_on", "method", "account",
)  # fmt: skip
_marks = count(1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    with own_database("roster"), tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
        accepted(Path(folder), options.rows, options.rounds)
        workbooks(Path(folder), options.rows)


def accepted(folder: Path, rows: int, rounds: int) -> None:
    """A first roster, and a second one of the same reseller in which every hundredth customer has changed."""
    told: dict[str, list[dict]] = {"flow": [], "bare": []}
    made = in_a_process(f"from tests.bench.roster import make; make({2 * rounds})")  # loads what a roster needs not
    resellers = iter(made.split())

    def side(name: str, code: str):
        def go() -> float:
            path = folder / "roster.csv"
            write_csv(path, rows, next(_marks))
            run = f"from tests.bench.roster import {code}; {code}({str(path)!r}, {next(resellers)!r})"
            told[name].append(json.loads(in_a_process(run)))
            return told[name][-1]["processor"]

        return go

    taken = paired({"flow": side("flow", "run_flow"), "bare": side("bare", "run_bare")}, rounds)
    best = min(told["flow"], key=lambda each: each["wall"])
    bare = min(told["bare"], key=lambda each: each["wall"])
    print(f"  a roster of {rows:,} customers in {best['size'] / 1e6:.0f} MB of CSV")
    for stage in ("received", "read", "accepted", "again"):
        print(f"    {stage:<9} {best[stage]:7.1f} s")
    print(f"    read, checked and accepted: {rows / best['wall']:,.0f} rows a second")
    print(f"    the same again with one in a hundred changed: {rows / best['again']:,.0f} rows a second")
    print(f"    bare csv and bulk_create:   {rows / bare['wall']:,.0f} rows a second")
    print(f"    of this process's processor time: {rows / min(taken['flow']):,.0f} rows a second")
    print(f"    times the processor time of the bare insert: {median_ratio(taken['flow'], taken['bare'])}")
    print(f"    {best['peak']:.0f} MB at most, {best['start']:.0f} at start; the bare insert {bare['peak']:.0f} MB")


def workbooks(folder: Path, rows: int) -> None:
    """The cells of a workbook read as text."""
    path = folder / "roster.xlsx"
    in_a_process(f"from tests.bench.roster import write_xlsx; write_xlsx({str(path)!r}, {rows})")
    sides = ["read_ours"] + (["read_openpyxl"] if importlib.util.find_spec("openpyxl") else [])
    for name in sides:
        told = json.loads(in_a_process(f"from tests.bench.roster import {name}; {name}({str(path)!r})"))
        print(f"    XLSX {name:<14} {rows / told['wall']:8,.0f} rows a second, {told['peak']:.0f} MB at most")


def line(number: int, mark: int = 0) -> list[str]:
    """A customer as a reseller may have it; every tenth sublets, every hundredth changes with the mark."""
    name = f"Customer Number {number} GmbH" + (f" {mark}" if number % 100 == 0 else "")
    return [
        f"C-{number:07}", name, "entity", "DE", "2024-03-01", f"C-{number - 1:07}" if number % 10 == 3 else "",
        f"c{number}@customer{number % 1000}.example", "", f"HRB {number}", "compute", "2024-03-02", "document", "",
    ]  # fmt: skip


def write_csv(path: Path, rows: int, mark: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(line(number, mark) for number in range(rows))


# --- in a process of its own ------------------------------------------------------------------------------------------


def make(number: int) -> None:
    """Some resellers; tells their references."""
    import django

    django.setup()
    from kyc_portal.records.acting import acting
    from kyc_portal.records.refs import SCHEDULER
    from tests.builders import make_reseller

    with acting(SCHEDULER, as_flow=True):
        print(*(make_reseller().reference for _ in range(number)))


def run_flow(path: str, reference: str) -> None:
    """Send, read, agree, accept; then the same file again with some rows changed. Tells seconds and megabytes."""
    import django

    django.setup()
    import io
    import time

    from django.utils import timezone

    from kyc_portal.records.refs import SCHEDULER
    from resellers.flows import roster_files, roster_taking
    from resellers.models import Reseller
    from tests.bench.running import peak

    reseller = Reseller.objects.get(reference=reference)
    told, began = {"start": peak(), "size": Path(path).stat().st_size}, time.process_time()

    def timed(stage: str, act):
        before = time.perf_counter()
        result = act()
        told[stage] = told.get(stage, 0) + time.perf_counter() - before
        return result

    def take(received: str, read: str, accepted: str, data: bytes) -> None:
        made = {"by": SCHEDULER, "at": timezone.now()}
        given = {"file": io.BytesIO(data), "file_name": "roster.csv", "extent": "complete"}
        upload = timed(received, lambda: roster_files.receive(reseller, **given, **made))
        timed(read, lambda: roster_files.read(upload.reference, **made))
        roster_taking.agree(upload, keeps_good_rows=False, **made)
        timed(accepted, lambda: roster_taking.accept(upload.reference, **made))
        upload.refresh_from_db()
        assert upload.state == "accepted", upload.problem

    take("received", "read", "accepted", Path(path).read_bytes())
    told["wall"] = told["received"] + told["read"] + told["accepted"]
    told["processor"] = time.process_time() - began
    told["peak"] = peak()
    write_csv(Path(path), Path(path).read_bytes().count(b"\n") - 1, 999)
    take("again", "again", "again", Path(path).read_bytes())
    told["peak"] = max(told["peak"], peak())
    print(json.dumps(told))


def run_bare(path: str, reference: str) -> None:
    """The rival: the same rows, unchecked."""
    import django

    django.setup()
    import itertools
    import time

    from django.utils import timezone

    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from resellers.models import Reseller, RosterEntry, RosterUpload
    from tests.bench.running import peak

    reseller, now = Reseller.objects.get(reference=reference), timezone.now()
    begun, processor = time.perf_counter(), time.process_time()
    with open(path, newline="") as file, one_flow(SCHEDULER):
        upload = RosterUpload.objects.create(
            reseller=reseller, file_name="bench", format="csv", sha256="0" * 64, size=0, extent="part",
            state="accepted", received_at=now,
        )  # fmt: skip
        rows = enumerate(csv.DictReader(file), 2)
        while chunk := list(itertools.islice(rows, 1_000)):
            RosterEntry.objects.bulk_create(
                RosterEntry(
                    reseller=reseller, upload=upload, line=place, number=row["customer_number"], name=row["name"],
                    parent_number=row["parent_number"], kind=row["kind"], country=row["country"],
                    product=row["product"], customer_since=row["customer_since"], verified_on=row["verified_on"],
                    method=row["method"], name_key="0" * 64, digest="0" * 64, from_at=now,
                )
                for place, row in chunk
            )  # fmt: skip
    told = {"wall": time.perf_counter() - begun, "processor": time.process_time() - processor, "peak": peak()}
    print(json.dumps(told))


def write_xlsx(path: str, rows: int) -> None:
    """The same customers as a workbook, its strings shared as spreadsheets do where a writer for that is installed."""
    if importlib.util.find_spec("openpyxl"):
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Roster")
        sheet.append(HEADER)
        for number in range(rows):
            sheet.append([value or None for value in line(number)])
        book.save(path)
        return
    from resellers.formats.roster import workbook

    Path(path).write_bytes(workbook([list(HEADER), *(line(number) for number in range(rows))]))


def read_ours(path: str) -> None:
    import time

    from resellers.formats.roster import read_roster
    from tests.bench.running import peak

    begun = time.perf_counter()
    with open(path, "rb") as file:
        rows = sum(1 for _ in read_roster(file, format="xlsx", most_rows=10**6, most_bytes=10**9))
    print(json.dumps({"wall": time.perf_counter() - begun, "rows": rows, "peak": peak()}))


def read_openpyxl(path: str) -> None:
    import time

    import openpyxl

    from tests.bench.running import peak

    begun = time.perf_counter()
    book = openpyxl.load_workbook(path, read_only=True)
    rows = sum(1 for row in book.active.iter_rows(values_only=True) if any(row))
    print(json.dumps({"wall": time.perf_counter() - begun, "rows": rows, "peak": peak()}))


if __name__ == "__main__":
    main()

"""Rosters for tests: rows as a reseller would type them, as CSV and as a workbook, sent and taken in."""

import csv
import io
from datetime import timedelta

from kyc_portal.records.refs import Actor
from kyc_portal.work import queue
from resellers.flows import roster_files, roster_taking
from resellers.formats.roster import workbook
from resellers.models import RosterUpload
from resellers.rules.roster_rows import COLUMNS
from tests.conftest import NOON

REMY = Actor("person", "key of remy", "remy")
NAMES = tuple(name for name, _, _ in COLUMNS)


def row(number: str = "C-1", **changes: str) -> dict[str, str]:
    """A customer with every required value."""
    given = {
        "customer_number": number, "name": f"Customer {number}", "kind": "entity", "country": "DE",
        "customer_since": "2025-01-31", "verified_on": "2025-02-01", "method": "document",
    }  # fmt: skip
    return {**dict.fromkeys(NAMES, ""), **given, **changes}


def cells(rows) -> list[list[str]]:
    return [list(NAMES), *([each[name] for name in NAMES] for each in rows)]


def as_csv(*rows, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(cells(rows))
    return text.getvalue().encode()


def as_xlsx(*rows) -> bytes:
    return workbook(cells(rows))


def send(reseller, data: bytes, *, name="roster.csv", extent="complete", at=NOON, by=REMY, **given) -> RosterUpload:
    return roster_files.receive(reseller, file=io.BytesIO(data), file_name=name, extent=extent, by=by, at=at, **given)


def run(at=NOON) -> None:
    """Do all jobs that wait."""
    while queue.run_due(at + timedelta(seconds=1))["done"]:
        pass


def read(reseller, *rows, at=NOON, **given) -> RosterUpload:
    """A file that was sent and looked through."""
    upload = send(reseller, as_csv(*rows), at=at, **given)
    run(at)
    upload.refresh_from_db()
    return upload


def agree(upload, *, at=NOON, keeps_good_rows=False, by=REMY, **given) -> RosterUpload:
    given.setdefault("lets_go", upload.gone_count)  # what a manager who knows it writes
    return roster_taking.agree(upload, keeps_good_rows=keeps_good_rows, by=by, at=at, **given)


def take_in(reseller, *rows, at=NOON, keeps_good_rows=False, **given) -> RosterUpload:
    """A file that was sent, looked through and accepted."""
    upload = read(reseller, *rows, at=at, **given)
    agree(upload, at=at, keeps_good_rows=keeps_good_rows)
    run(at)
    upload.refresh_from_db()
    return upload

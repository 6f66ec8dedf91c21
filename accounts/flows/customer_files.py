"""Take in customers from a file: looked through in full first, then all or nothing (trust.md section 3 A).

The file is read twice. The first reading finds every fault and every customer named twice, and touches no row of the
database; the second one takes the customers in.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from django.db import IntegrityError, reset_queries

from accounts.flows import intake, parties, texts
from accounts.flows.intake import KnownCustomer
from accounts.formats.customers import CustomerRow, read_customers
from accounts.formats.tables import BadRow
from accounts.models import Account, CustomerFile
from accounts.verbs import Verb
from kyc_portal.policy.privacy_notice import notice_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CHUNK = 1 << 16
BATCH = 500  # rows that are looked up and written at once
MOST_REPORTED = 1_000
SOURCE = "customer file"
MEANWHILE = "This file was taken in by somebody else at the same moment. Nothing was added; send it again to see."


class RowsRefused(Refusal):
    """The file has rows that cannot be taken in; `outcome` says which."""

    def __init__(self, sentence: str, outcome: "Outcome"):
        super().__init__(sentence)
        self.outcome = outcome


class TakenMeanwhile(Refusal):
    """Somebody else took in the very same file at the same moment."""


@dataclass
class Outcome:
    """What a file holds and what became of it; `bad_rows` are the first thousand, `refused` counts all."""

    sha256: str
    read: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    bad_lines: set[int] = field(default_factory=set)
    file: CustomerFile | None = None
    was_known: bool = False

    def refuse(self, row: BadRow) -> None:
        """Count a row that cannot be used; a line is counted once, whatever is wrong with it."""
        if row.line not in self.bad_lines:
            self.bad_lines.add(row.line)
            self.refused += 1
            if len(self.bad_rows) < MOST_REPORTED:
                self.bad_rows.append(row)


def take_in_file(
    stream: BinaryIO,
    *,
    most_rows: int,
    encoding: str | None = None,
    keep_good_rows: bool = False,
    dry_run: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome:
    """Take in the customers of a CSV file (columns in formats/customers.py) from a stream that can be rewound.

    Without `keep_good_rows` one bad row refuses the file and nothing is stored; with it, the good rows are taken in.
    A customer whose number is on file is counted as known and stays as it is, and so does a whole file that was taken
    in before. `dry_run` only looks. Raises TableRefused for the file as a whole, RowsRefused for its rows.
    """
    outcome = Outcome(sha256=_digest(stream))
    outcome.file = CustomerFile.objects.filter(sha256=outcome.sha256).first()
    if outcome.file is not None:
        outcome.was_known, outcome.read, outcome.known = True, outcome.file.read_count, outcome.file.read_count
        return outcome

    _look_through(stream, most_rows, encoding, legal_day(at), outcome)
    if outcome.refused and not (keep_good_rows or dry_run):
        raise RowsRefused(
            f"{outcome.refused:,} of {outcome.read:,} rows cannot be taken in, so none was. Correct them and send the "
            "file again, or keep the good rows.",
            outcome,
        )
    if dry_run:
        _count_known(stream, most_rows, encoding, outcome)
        return outcome
    _take_in(stream, most_rows, encoding, outcome, by=by, at=at)
    return outcome


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.hexdigest()


def _look_through(stream: BinaryIO, most_rows: int, encoding: str | None, today: date, outcome: Outcome) -> None:
    """Find every bad row and every customer named twice; a seen customer costs some hundred bytes of memory."""
    first_lines: dict[bytes, int] = {}
    for row in read_customers(stream, most_rows=most_rows, encoding=encoding):
        outcome.read += 1
        if isinstance(row, BadRow):
            outcome.refuse(row)
            continue
        if fault := _fault(row, today):
            outcome.refuse(BadRow(row.line, fault))
        first = first_lines.setdefault(row.key, row.line)
        if first != row.line:
            outcome.refuse(BadRow(first, f"The customer stands in line {row.line} as well. Keep one of the rows."))
            outcome.refuse(BadRow(row.line, f"The customer stands in line {first} as well. Keep one of the rows."))
    outcome.bad_rows.sort(key=lambda row: row.line)
    stream.seek(0)


def _fault(row: CustomerRow, today: date) -> str:
    """What the flow would refuse, found without touching the database."""
    try:
        parties.checked(row.new, today=today)
        texts.code("Customer number", row.external_key, 80)
        texts.code("Product", row.product, 80)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _good_batches(stream, most_rows, encoding, outcome: Outcome) -> Iterator[list[tuple[CustomerRow, bool]]]:
    """The good rows in batches, each row with whether its customer number is on file; one query a batch."""
    stream.seek(0)
    rows = read_customers(stream, most_rows=most_rows, encoding=encoding)
    good = (row for row in rows if isinstance(row, CustomerRow) and row.line not in outcome.bad_lines)
    while batch := list(itertools.islice(good, BATCH)):
        keys = [row.external_key for row in batch if row.external_key]
        there = set(Account.objects.filter(external_key__in=keys).values_list("external_key", flat=True))
        yield [(row, row.external_key in there) for row in batch]
        reset_queries()  # while developing, Django keeps the text of thousands of statements, and these are long


def _count_known(stream, most_rows, encoding, outcome: Outcome) -> None:
    for batch in _good_batches(stream, most_rows, encoding, outcome):
        known = sum(is_known for _, is_known in batch)
        outcome.known, outcome.new = outcome.known + known, outcome.new + len(batch) - known


@flow
def _take_in(stream, most_rows, encoding, outcome: Outcome, *, by: Actor, at: datetime) -> None:
    """One transaction for the whole file: a run that is killed leaves nothing behind and may be repeated."""
    if CustomerFile.objects.filter(sha256=outcome.sha256).exists():  # since we looked through the file
        raise TakenMeanwhile(MEANWHILE)
    for batch in _good_batches(stream, most_rows, encoding, outcome):
        taken = _open([_as_stated(row) for row, is_known in batch if not is_known], by=by, at=at)
        outcome.new, outcome.known = outcome.new + taken, outcome.known + len(batch) - taken
    _record(outcome, by=by, at=at)


def _as_stated(row: CustomerRow) -> dict:
    """What the flow is told of a row."""
    return {
        "new": row.new, "source": SOURCE, "product": row.product, "external_key": row.external_key,
        "is_reseller": row.is_reseller, "row": row.line,
    }  # fmt: skip


def _open(rows: list[dict], *, by: Actor, at: datetime) -> int:
    """Open a prospect for each row; returns how many there are now that were not there before."""
    shown = notice_on(legal_day(at))
    try:
        intake.write_prospects([intake.draft_prospect(**row, shown=shown, by=by, at=at) for row in rows])
    except IntegrityError:  # somebody else took a customer number since the batch was read: ask one by one which
        return sum(_open_one(row, by=by, at=at) for row in rows)
    return len(rows)


def _open_one(row: dict, *, by: Actor, at: datetime) -> bool:
    try:
        intake.open_prospect(**row, by=by, at=at)
    except KnownCustomer:
        return False
    return True


def _record(outcome: Outcome, *, by: Actor, at: datetime) -> None:
    try:
        outcome.file = CustomerFile.objects.create(
            sha256=outcome.sha256, read_count=outcome.read, new_count=outcome.new, known_count=outcome.known,
            refused_count=outcome.refused, taken_in_at=at, taken_in_by=by.label,
        )  # fmt: skip
    except IntegrityError:
        raise TakenMeanwhile(MEANWHILE) from None
    audit.record(
        Verb.CUSTOMERS_IMPORTED, outcome.file, by=by, at=at, file=outcome.file.reference, new=outcome.new,
        known=outcome.known, refused=outcome.refused, sha256=outcome.sha256,
    )  # fmt: skip

"""Take in which account held which addresses, and say who held one at a moment (regulation T24).

An address is one sign among others: whoever held it is looked at by people, and nothing is decided by it alone.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from django.conf import settings
from django.db import connection

from accounts.flows.batches import in_batches
from accounts.formats.addresses import parse_address, parse_network
from accounts.formats.moments import BadMoment, read_moment
from accounts.formats.tables import BadRow, Columns, Limits, Row, read_table
from accounts.formats.text import find_fault, shown
from accounts.models import AccessRecord, Account, AddressAllocation
from accounts.rules.allocations import Span, conflicts
from accounts.verbs import Verb
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal

COLUMNS = Columns(required=("account", "addresses", "from", "source"), optional=("to",), codes=("account",))
LONGEST_SOURCE = 80
LINES_SHOWN = 20
ALLOCATION, ACCESS = "allocation", "access"
_LOCK = 0xA110CA  # of the advisory lock on PostgreSQL: one file at a time is compared; SQLite has one writer anyway


class AllocationsRefused(Refusal):
    """The file is not taken in; the message names the lines."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file's rows: read = new + ended (their end was not known before) + known."""

    read: int
    new: int
    ended: int
    known: int


@dataclass(frozen=True)
class Holder:
    """An account that held an address at a moment, and what says so: "allocation" or "access"."""

    account: Account
    how: str
    moment: datetime


def holders_of(address: str, at: datetime, *, window: timedelta) -> list[Holder]:
    """Who held an address (canonical form) at that moment: by allocation; without one, by accesses within `window`.

    An access shows only that somebody came from there, so accesses count where nobody has said who held it. Each
    account once, the nearest access first.
    """
    rows = AddressAllocation.objects.holding(address, at).select_related("account__party").order_by("account_id")
    found = {row.account_id: Holder(row.account, ALLOCATION, row.from_at) for row in rows}
    if found:
        return list(found.values())
    near = AccessRecord.objects.filter(address=address, at__gte=at - window, at__lte=at + window)
    for record in near.select_related("account__party").order_by("at")[:1000]:
        there = found.get(record.account_id)
        if there is None or abs(record.at - at) < abs(there.moment - at):
            found[record.account_id] = Holder(record.account, ACCESS, record.at)
    return sorted(found.values(), key=lambda each: abs(each.moment - at))


def import_allocations(source: Path | BinaryIO, *, encoding: str | None = None, by: Actor, at: datetime) -> Outcome:
    """Take in a CSV table of allocations, all rows or none; what is on file already stays as it is.

    Columns: account (its reference), addresses (one, a network, or "first - last"), from and to (moments with a zone;
    no `to` while it lasts), source. A row on file without an end gets the one that is named. Raises TableRefused, and
    AllocationsRefused with the lines when rows cannot be used, or two accounts would hold an address at one moment.
    """
    with SpooledTemporaryFile(max_size=1 << 20) as copy:
        digest = hashlib.sha256()
        for chunk in _chunks(source):
            digest.update(chunk)
            copy.write(chunk)
        copy.seek(0)
        rows = list(read_table(copy, COLUMNS, Limits(rows=settings.IMPORT_MAX_ROWS), encoding))
    return _take_in(rows, digest.hexdigest(), by=by, at=at)


def _chunks(source: Path | BinaryIO):
    if not isinstance(source, Path):
        while chunk := source.read(1 << 20):
            yield chunk
        return
    try:
        with source.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                yield chunk
    except OSError as error:
        raise AllocationsRefused(f"{shown(source.name)} cannot be read. Check the file and its rights.") from error


@flow
def _take_in(rows: list[Row | BadRow], sha256: str, *, by: Actor, at: datetime) -> Outcome:
    _one_at_a_time()
    wanted = {row.values["account"].strip().upper() for row in rows if isinstance(row, Row)}
    accounts: dict[str, Account] = {}
    for references in in_batches(sorted(wanted)):
        accounts |= {each.reference: each for each in Account.objects.filter(reference__in=list(references))}
    spans, bad = _spans(rows, accounts)
    _refuse(bad)
    there = _on_file(spans)
    new, ended, known = _compared(spans, there, bad)
    _refuse(bad)
    _refuse_conflicts(spans, there, ended)
    for references in in_batches(sorted({span.holder for span in new})):
        locked = Account.objects.select_for_update(of=("self",)).filter(reference__in=references).order_by("pk")
        holds.refuse_doomed(*locked)
    for batch in in_batches(new):
        AddressAllocation.objects.bulk_create(
            AddressAllocation(
                account=accounts[span.holder], version=span.version, first=f"{span.first:032x}",
                last=f"{span.last:032x}", from_at=span.from_at, to_at=span.to_at, source=spans[span],
            )
            for span in batch
        )  # fmt: skip
    for row, to_at in ended:
        row.to_at = to_at
        row.save(update_fields=["to_at"])
    outcome = Outcome(len(spans), len(new), len(ended), known)
    if new or ended:
        about = RecordRef("accounts.addressallocation", sha256[:32], f"allocations {sha256[:8]}")
        audit.record(
            Verb.ALLOCATIONS_IMPORTED, about, by=by, at=at, new=len(new), changed=len(ended), known=known, sha256=sha256
        )
    return outcome


def _one_at_a_time() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _spans(rows: list[Row | BadRow], accounts: dict[str, Account]) -> tuple[dict[Span, str], list[BadRow]]:
    """Each row as a span with its source, and the rows that are none; a row that stands twice counts once."""
    spans, bad, seen = {}, [], set()
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        try:
            span, source = _span(row, accounts)
        except Refusal as refusal:
            bad.append(BadRow(row.line, str(refusal)))
            continue
        same = (span.holder, span.version, span.first, span.last, span.from_at, span.to_at)
        if same not in seen:
            seen.add(same)
            spans[span] = source
    return spans, bad


def _span(row: Row, accounts: dict[str, Account]) -> tuple[Span, str]:
    values = {name: value.strip() for name, value in row.values.items()}
    holder = values["account"].upper()
    if holder not in accounts:
        raise AllocationsRefused(f"no account has the reference “{shown(values['account'])}”.")
    version, first, last = _addresses(values["addresses"])
    moments = {}
    for name in ("from", "to"):
        try:
            moments[name] = read_moment(values[name]) if values[name] else None
        except BadMoment as refusal:
            raise AllocationsRefused(f"column {name}: {refusal}") from None
    if moments["from"] is None:
        raise AllocationsRefused("column from is empty.")
    if moments["to"] is not None and moments["to"] <= moments["from"]:
        raise AllocationsRefused("the allocation ends before it begins.")
    if not values["source"] or (fault := find_fault(values["source"], LONGEST_SOURCE, one_line=True)):
        raise AllocationsRefused(f"column source {fault if values['source'] else 'is empty'}.")
    return Span(version, first, last, moments["from"], moments["to"], holder, row.line), values["source"]


def _addresses(text: str) -> tuple[int, int, int]:
    """Version, first and last of "203.0.113.7", "203.0.113.0/24" or "203.0.113.7 - 203.0.113.9"."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        ends = [parse_address(each) for each in (first, last)]
        if all(ends):
            begin, end = (ip_address(each) for each in ends)
            if begin.version == end.version and begin <= end:
                return begin.version, int(begin), int(end)
    elif (network := parse_network(text)) is not None:
        return network.version, int(network.network_address), int(network.broadcast_address)
    raise AllocationsRefused(
        f"“{shown(text)}” names no addresses. Write one address, a network such as 203.0.113.0/24, or first - last."
    )


def _on_file(spans: dict[Span, str]) -> list[AddressAllocation]:
    """The allocations on file that the file's addresses could meet."""
    found = []
    for version in {span.version for span in spans}:
        own = [span for span in spans if span.version == version]
        first, last = min(span.first for span in own), max(span.last for span in own)
        found += AddressAllocation.objects.select_related("account").filter(
            version=version, first__lte=f"{last:032x}", last__gte=f"{first:032x}"
        )
    return found


def _compared(spans: dict[Span, str], there: list[AddressAllocation], bad: list[BadRow]):
    """(new spans, rows that end now with their end, how many are known); a different end on file is a bad row."""
    on_file = {
        (row.account.reference, row.version, int(row.first, 16), int(row.last, 16), row.from_at): row for row in there
    }
    new, ended, known, begun = [], [], 0, {}
    for span in spans:
        key = (span.holder, span.version, span.first, span.last, span.from_at)
        row = on_file.get(key)
        if key in begun:
            bad.append(BadRow(span.place, f"line {begun[key]} says the same with another end."))
        elif row is None:
            new.append(span)
        elif row.to_at == span.to_at or (span.to_at is None and row.to_at is not None):
            known += 1
        elif row.to_at is None:
            ended.append((row, span.to_at))
        else:
            bad.append(BadRow(span.place, f"it is on file with another end, {row.to_at:%Y-%m-%dT%H:%M:%SZ}."))
        begun[key] = span.place
    return new, ended, known


def _refuse_conflicts(spans: dict[Span, str], there: list[AddressAllocation], ended: list) -> None:
    """Compare the file with itself and with what is on file, as it will be once the ends of the file are known."""
    ends = {row.pk: to_at for row, to_at in ended}
    stored = [
        Span(
            row.version, int(row.first, 16), int(row.last, 16), row.from_at, ends.get(row.pk, row.to_at),
            row.account.reference, 0,
        )
        for row in there
    ]  # fmt: skip
    found = list(islice(conflicts([*_as_they_will_stand(spans, stored), *stored]), LINES_SHOWN))
    if not found:
        return
    told = [
        f"lines {min(one.place, two.place)} and {max(one.place, two.place)}"
        if one.place and two.place
        else f"line {one.place or two.place} and an allocation of {(one if not one.place else two).holder} on file"
        for one, two in found
    ]
    raise AllocationsRefused(
        f"Two accounts would hold an address at the same moment: {'; '.join(told)}. Correct the file and send it again."
    )


def _as_they_will_stand(spans: dict[Span, str], stored: list[Span]) -> list[Span]:
    """The file's spans but those on file, which would be compared twice; without their end they would reach too far."""
    known = {(span.holder, span.version, span.first, span.last, span.from_at) for span in stored}
    return [span for span in spans if (span.holder, span.version, span.first, span.last, span.from_at) not in known]


def _refuse(bad: list[BadRow]) -> None:
    if bad:
        bad.sort(key=lambda row: row.line)
        lines = ", ".join(str(row.line) for row in bad[:LINES_SHOWN])
        more = " and more" if len(bad) > LINES_SHOWN else ""
        rows = "row" if len(bad) == 1 else "rows"
        raise AllocationsRefused(
            f"{len(bad):,} {rows} cannot be used (line {lines}{more}). Line {bad[0].line}: {bad[0].reason}"
        )

"""Load lists of networks as dated snapshots; what they say of an address is asked in flows/verdicts.py (R18; T20-T22).

A new list makes a new edition of the lists, and the addresses seen lately are judged anew by it: no verdict changes.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from accounts.flows.batches import in_batches
from accounts.flows.editions import JUDGE_ANEW, current_snapshots, edition_of
from accounts.flows.range_book import copy_of
from accounts.formats.access_lines import BadLine
from accounts.formats.address_lists import AddressRanges, read_mmdb, read_networks
from accounts.formats.text import find_fault, make_controls_visible, shown
from accounts.models import AddressRange, AddressRangeSnapshot
from accounts.rules.verdicts import DATABASE_KINDS, LIST_KINDS
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

LONGEST_SOURCE = 200
EARLIEST = date(1990, 1, 1)
LINES_SHOWN = 20
CHUNK = 1 << 20


class UnknownRangeKind(Refusal):
    """No such kind of range list."""


class BadRangeFile(Refusal):
    """The file is missing, empty, or holds lines that are no networks."""


class BadSource(Refusal):
    """The name of the source cannot be kept."""


class BadDay(Refusal):
    """The day the data is said to speak of has not come, or lies before there was an Internet."""


@dataclass(frozen=True)
class RangeOutcome:
    """The snapshot that holds the file's content, and whether this call made it."""

    snapshot: AddressRangeSnapshot
    is_new: bool


# --- Loading ----------------------------------------------------------------------------------------------------------


@flow
def load_ranges(
    kind: str, path: Path, *, source: str = "", as_of: date | None = None, by: Actor, at: datetime
) -> RangeOutcome:
    """Load a file as the current list of its kind and source (default: the file's name); a repeat changes nothing.

    Text lists (LIST_KINDS) hold one network a line; country, asn and anonymous are databases in the MaxMind DB format,
    kept as a private copy. Raises UnknownRangeKind, BadSource, BadDay, BadRangeFile, MmdbRefused.
    """
    if kind not in LIST_KINDS + DATABASE_KINDS:
        known = ", ".join(LIST_KINDS + DATABASE_KINDS)
        raise UnknownRangeKind(f"There is no kind of range list “{shown(kind)}”. Known kinds: {known}.")
    source = _clean_source(source or make_controls_visible(path.name))
    _require_possible(as_of, at)
    sha256 = _sha256_of(path)
    versions = AddressRangeSnapshot.objects.select_for_update().filter(kind=kind, source=source)
    known = next((version for version in versions if version.sha256 == sha256), None)
    if known is not None:
        return RangeOutcome(_current_again(known, by, at), is_new=False)

    snapshot = AddressRangeSnapshot(
        kind=kind, source=source, sha256=sha256, loaded_at=at, loaded_by=by.label, is_current=False,
        as_of=as_of or legal_day(at), range_count=0, is_mmdb=kind in DATABASE_KINDS,
    )  # fmt: skip
    if snapshot.is_mmdb:
        _keep_database(snapshot, path, as_of)
    else:
        _keep_ranges(snapshot, path)
    _make_current(snapshot, by, at)
    return RangeOutcome(snapshot, is_new=True)


def _clean_source(source: str) -> str:
    if fault := find_fault(source, LONGEST_SOURCE, one_line=True):
        raise BadSource(f"The source's name {fault}. Give it another one with --source.")
    return source


def _require_possible(as_of: date | None, at: datetime) -> None:
    if as_of is not None and not EARLIEST <= as_of <= legal_day(at):
        raise BadDay(f"The data cannot speak of {as_of}. Give a day from {EARLIEST} until today with --as-of.")


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadRangeFile(f"{shown(path.name)} cannot be read. Check the file and its rights.") from error
    return digest.hexdigest()


def _current_again(known: AddressRangeSnapshot, by: Actor, at: datetime) -> AddressRangeSnapshot:
    """A file loaded before: nothing changes, unless a later one stood in its place until now."""
    if not known.is_current:
        _make_current(known, by, at)
    return known


def _make_current(snapshot: AddressRangeSnapshot, by: Actor, at: datetime) -> None:
    """Put the list in its predecessor's place; what is current now is an edition: addresses are judged anew by it."""
    others = AddressRangeSnapshot.objects.filter(kind=snapshot.kind, source=snapshot.source, is_current=True)
    others.update(is_current=False)
    snapshot.is_current = True
    snapshot.save()
    edition = edition_of(current_snapshots(), at)
    queue.ask(JUDGE_ANEW, key=str(edition.pk), due_at=at, at=at)
    _record(snapshot, by, at)


def _record(snapshot: AddressRangeSnapshot, by: Actor, at: datetime) -> None:
    audit.record(
        Verb.RANGES_LOADED, snapshot, by=by, at=at,
        kind=snapshot.kind, count=snapshot.range_count, sha256=snapshot.sha256, as_of=str(snapshot.as_of),
    )  # fmt: skip


def _keep_ranges(snapshot: AddressRangeSnapshot, path: Path) -> None:
    ranges = AddressRanges.from_networks(_networks(path))
    if not len(ranges):
        raise BadRangeFile(f"{shown(path.name)} names no network. Give a file with one network a line.")
    if (0, 2**32 - 1) in ranges.ipv4 or (0, 2**128 - 1) in ranges.ipv6:  # halves of the whole pass line by line
        raise BadRangeFile(f"The lines of {shown(path.name)} together cover every address there is. Check the file.")
    snapshot.range_count = len(ranges)
    snapshot.save(force_insert=True)
    pairs = [(4, pair) for pair in ranges.ipv4] + [(6, pair) for pair in ranges.ipv6]
    for batch in in_batches(pairs):
        AddressRange.objects.bulk_create(
            AddressRange(snapshot=snapshot, version=version, first=f"{first:032x}", last=f"{last:032x}")
            for version, (first, last) in batch
        )


def _networks(path: Path) -> Iterator:
    """The networks of a text list; all bad lines are named together, for a list with a gap says less than no list."""
    bad: list[BadLine] = []
    with path.open("rb") as stream:
        for entry in read_networks(stream):
            if isinstance(entry, BadLine):
                bad.append(entry)
            elif not bad:
                yield entry[1]
    if bad:
        lines = ", ".join(str(entry.line) for entry in bad[:LINES_SHOWN])
        more = " and more" if len(bad) > LINES_SHOWN else ""
        raise BadRangeFile(
            f"{len(bad):,} lines of {shown(path.name)} are no networks (line {lines}{more}). Line {bad[0].line}: "
            f"{bad[0].reason}"
        )


def _keep_database(snapshot: AddressRangeSnapshot, path: Path, as_of: date | None) -> None:
    """Copy the database to where only we write, under its hash; a half-written copy never has the final name."""
    with read_mmdb(path) as database:
        database.probe()
        snapshot.as_of = as_of or database.built_at.date()
    target = copy_of(snapshot)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as copy:
        part = Path(copy.name)
    try:
        shutil.copyfile(path, part)
        if _sha256_of(part) != snapshot.sha256:
            raise BadRangeFile(f"{shown(path.name)} changed while it was read. Load it again.")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    snapshot.save(force_insert=True)

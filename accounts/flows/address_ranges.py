"""Load lists of networks as dated snapshots, and say what an address meant by the lists of the day (R18; T20-T22).

An address never shows who somebody is: a verdict is one sign among others and decides nothing alone.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock

from django.conf import settings
from django.db import models

from accounts.flows.batches import in_batches
from accounts.formats.access_lines import BadLine
from accounts.formats.address_lists import AddressRanges, NetworkFacts, read_mmdb, read_networks
from accounts.formats.addresses import special_use
from accounts.formats.text import find_fault, make_controls_visible, shown
from accounts.models import AddressRange, AddressRangeSnapshot
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

LIST_KINDS = ("vpn", "hosting", "tor", "proxy", "relay")
DATABASE_KINDS = ("country", "asn", "anonymous")
LONGEST_SOURCE = 200
EARLIEST = date(1990, 1, 1)
LINES_SHOWN = 20
CHUNK = 1 << 20
GENERAL = "anonymous"  # a database's word for "of some kind": said only when no kind is known


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


@dataclass(frozen=True)
class Verdict:
    """What the lists of the day say of one address.

    `country` is an ISO 3166 alpha-2 code or ""; `anonymiser` names kinds, "tor, vpn", or is ""; `special_use` says why
    an address is not public, and then nothing else is said; `judged_by` are the references of the lists asked.
    """

    country: str = ""
    anonymiser: str = ""
    special_use: str = ""
    judged_by: tuple[str, ...] = ()
    network: str = ""


# --- Loading ----------------------------------------------------------------------------------------------------------


@flow
def load_ranges(
    kind: str, path: Path, *, source: str = "", as_of: date | None = None, by: Actor, at: datetime
) -> RangeOutcome:
    """Load a file as the current list of its kind and source (default: the file's name); a repeat changes nothing.

    Text lists (vpn, hosting, tor, proxy, relay) hold one network a line; country, asn and anonymous are databases in
    the MaxMind DB format, kept as a private copy. Raises UnknownRangeKind, BadSource, BadDay, BadRangeFile,
    MmdbRefused.
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
    _make_current(snapshot)
    _record(snapshot, by, at)
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
        _make_current(known)
        _record(known, by, at)
    return known


def _make_current(snapshot: AddressRangeSnapshot) -> None:
    others = AddressRangeSnapshot.objects.filter(kind=snapshot.kind, source=snapshot.source, is_current=True)
    others.update(is_current=False)
    snapshot.is_current = True
    snapshot.save()


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
    target = _copy_of(snapshot)
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


def _copy_of(snapshot: AddressRangeSnapshot) -> Path:
    return Path(settings.PRIVATE_DIR) / "ranges" / f"{snapshot.sha256}.mmdb"


# --- Asking -----------------------------------------------------------------------------------------------------------


class RangeBook:
    """The current lists in memory; never changes. Ask for it once per import with `current_ranges`."""

    def __init__(self, snapshots: list[AddressRangeSnapshot]):
        self._lists = [(snapshot.kind, _ranges_of(snapshot)) for snapshot in snapshots if not snapshot.is_mmdb]
        self._databases = [(one.kind, read_mmdb(_copy_of(one))) for one in snapshots if one.is_mmdb]
        self._references = tuple(snapshot.reference for snapshot in snapshots)
        self.verdict_on = lru_cache(maxsize=8192)(self._verdict_on)

    def _verdict_on(self, address: str) -> Verdict:
        """The verdict on an address in canonical form; what is not public is neither located nor called anonymous."""
        if special := special_use(address):
            return Verdict(special_use=special)
        kinds = {kind for kind, ranges in self._lists if ranges.covers(address)}
        country = network = ""
        for kind, database in self._databases:
            facts = database.lookup(address)
            kinds |= facts.kinds if kind == "anonymous" else frozenset()
            country = country or (facts.country if kind == "country" else "")
            network = network or (_network_name(facts) if kind == "asn" else "")
        kinds = kinds - {GENERAL} or kinds
        return Verdict(country, ", ".join(sorted(kinds)), "", self._references, network)


def _network_name(facts: NetworkFacts) -> str:
    return f"AS{facts.asn} {facts.network_name}".strip() if facts.asn else ""


def _ranges_of(snapshot: AddressRangeSnapshot) -> AddressRanges:
    pairs: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    rows = AddressRange.objects.filter(snapshot=snapshot).order_by("version", "first")
    for version, first, last in rows.values_list("version", "first", "last").iterator():
        pairs[version].append((int(first, 16), int(last, 16)))
    return AddressRanges(ipv4=tuple(pairs[4]), ipv6=tuple(pairs[6]))


_book: tuple[tuple, RangeBook] | None = None
_lock = Lock()


def current_snapshots() -> models.QuerySet[AddressRangeSnapshot]:
    """The lists in use, by kind and source."""
    return AddressRangeSnapshot.objects.filter(is_current=True).order_by("kind", "source")


def current_ranges() -> RangeBook:
    """The current lists, ready to be asked; one query, and they are read again only when the set has changed."""
    global _book
    snapshots = list(current_snapshots())
    key = tuple(snapshot.pk for snapshot in snapshots)
    with _lock:
        if _book is None or _book[0] != key:
            _book = (key, RangeBook(snapshots))
        return _book[1]


def verdict_on(address: str) -> Verdict:
    """What the current lists say of one address in canonical form; for many addresses take `current_ranges` once."""
    return current_ranges().verdict_on(address)

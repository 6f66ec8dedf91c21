"""Load watch lists as dated snapshots (requirement R35): all of a list or nothing, and never a list that was cut short.

A snapshot is never changed. A later load is another snapshot; hits keep the one they were found in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import models

from accounts import events
from accounts.flows.batches import in_batches
from accounts.formats import list_kind, list_tables, list_xml, ofac
from accounts.formats.list_files import ListFile, file_sha256
from accounts.formats.text import find_fault, shown
from accounts.models import ListChange, WatchlistEntry, WatchlistSnapshot
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

LONGEST_LIST_NAME = 60
LONGEST_NAME = 400


class UnknownListKind(Refusal):
    """No reader is known for this kind of list."""


class BadListName(Refusal):
    """The list's name cannot be kept."""


class OldVersion(Refusal):
    """The files are an earlier version that a later one has replaced."""


class ListShrank(Refusal):
    """The new version has so many entries fewer that it is more likely cut off than shortened."""


class EntryTooLong(Refusal):
    """An entry's name is longer than any name."""


@dataclass(frozen=True)
class ListKind:
    """How lists of one layout are read: `read` gives entries and fingerprint, `sha256_of` the fingerprint alone."""

    title: str
    read: Callable[[Path], ofac.SdnList | ListFile]
    sha256_of: Callable[[Path], str]


KINDS = {
    "ofac-sdn": ListKind("OFAC SDN", ofac.read_sdn_folder, ofac.folder_sha256),
    "ofac-consolidated": ListKind("OFAC Consolidated", ofac.read_consolidated_folder, ofac.consolidated_sha256),
    "ofac-xml": ListKind("OFAC SDN", list_xml.read_ofac_xml, file_sha256),
    "ofac-consolidated-xml": ListKind("OFAC Consolidated", list_xml.read_ofac_xml, file_sha256),
    "un-xml": ListKind("UN Security Council", list_xml.read_un_xml, file_sha256),
    "csl": ListKind("Consolidated Screening List", list_tables.read_screening_csv, file_sha256),
    "opensanctions": ListKind("OpenSanctions", list_tables.read_open_csv, file_sha256),
}


@dataclass(frozen=True)
class LoadOutcome:
    """The snapshot that holds the files' content, and whether this call made it."""

    snapshot: WatchlistSnapshot
    is_new: bool


def current_snapshots() -> models.QuerySet[WatchlistSnapshot]:
    """The version of each list against which everybody is screened, by the lists' names."""
    return WatchlistSnapshot.objects.filter(is_current=True).order_by("list_name")


@flow
def load_snapshot(
    kind: str, folder: Path, *, list_name: str = "", force: bool = False, by: Actor, at: datetime
) -> LoadOutcome:
    """Load the files of `folder` as the current version of a list; the same files again change nothing.

    `folder` may be the one file of the list; the kind "auto" is recognised by what stands in it.

    Raises UnknownListKind, BadListName, ListShrank, and OldVersion for files that a later version has replaced;
    `force` overrules the last two. A file that cannot be read raises the format's refusal, and nothing is stored.
    """
    layout = _layout(list_kind.recognised(folder) if kind == list_kind.AUTO else kind)
    name = _clean_name(list_name) or layout.title
    versions = list(WatchlistSnapshot.objects.select_for_update().filter(list_name=name))
    fingerprint = layout.sha256_of(folder)
    known = next((version for version in versions if version.sha256 == fingerprint), None)
    if known is not None:
        return _known_again(known, force, by, at)

    found = layout.read(folder)
    previous = next((version for version in versions if version.is_current), None)
    if previous is not None and not force:
        _refuse_shrunken(previous, len(found.entries), at)
    return _store(name, found, force, by, at)


def _layout(kind: str) -> ListKind:
    if kind not in KINDS:
        raise UnknownListKind(f"There is no list kind “{shown(kind)}”. Known kinds: {', '.join(sorted(KINDS))}.")
    return KINDS[kind]


def _clean_name(name: str) -> str:
    name = name.strip()
    if fault := find_fault(name, LONGEST_LIST_NAME, one_line=True):
        raise BadListName(f"The list's name {fault}. Give it another one with --list.")
    return name


def _known_again(known: WatchlistSnapshot, force: bool, by: Actor, at: datetime) -> LoadOutcome:
    """The same files again: nothing to do, or an old version that only `force` brings back."""
    if known.is_current:
        return LoadOutcome(known, is_new=False)
    if not force:
        raise OldVersion(
            f"These files are the version of “{known.list_name}” loaded on {known.loaded_at:%Y-%m-%d}, which a later "
            "one has replaced. Fetch the list again, or add --force to make the old version current."
        )
    _make_current(known, by, at)
    audit.record(Verb.WATCHLIST_RESTORED, known, by=by, at=at, list=known.list_name, sha256=known.sha256)
    return LoadOutcome(known, is_new=False)


def _refuse_shrunken(previous: WatchlistSnapshot, count: int, at: datetime) -> None:
    allowed = regime_on(legal_day(at)).number("watchlist_shrink_percent")
    if count * 100 < previous.entry_count * (100 - allowed):
        raise ListShrank(
            f"The files hold {count:,} entries, the current version of “{previous.list_name}” holds "
            f"{previous.entry_count:,}: more than {allowed.normalize():f} % fewer, so a file may be cut off. Fetch the "
            "list again, or add --force."
        )


def _store(name: str, found: ofac.SdnList | ListFile, force: bool, by: Actor, at: datetime) -> LoadOutcome:
    snapshot, is_mine = WatchlistSnapshot.objects.get_or_create(
        list_name=name,
        sha256=found.sha256,
        defaults={
            "loaded_at": at,
            "loaded_by": by.label,
            "entry_count": len(found.entries),
            "alias_count": sum(len(entry.aliases) for entry in found.entries),
            "is_current": False,
        },
    )
    if not is_mine:  # somebody loaded the very same first version at the same moment
        return LoadOutcome(snapshot, is_new=False)
    for batch in in_batches(_rows(snapshot, found)):
        WatchlistEntry.objects.bulk_create(batch)
    _make_current(snapshot, by, at)
    audit.record(
        Verb.WATCHLIST_LOADED, snapshot, by=by, at=at, list=name, entries=snapshot.entry_count,
        aliases=snapshot.alias_count, sha256=snapshot.sha256, forced=force,
    )  # fmt: skip
    return LoadOutcome(snapshot, is_new=True)


def _make_current(snapshot: WatchlistSnapshot, by: Actor, at: datetime) -> None:
    before = WatchlistSnapshot.objects.filter(list_name=snapshot.list_name, is_current=True).first()
    if before is not None:
        WatchlistSnapshot.objects.filter(pk=before.pk).update(is_current=False)
        ListChange.objects.create(list_name=snapshot.list_name, before=before, after=snapshot, at=at)
    snapshot.is_current = True
    snapshot.save(update_fields=["is_current"])
    events.list_changed.send(sender=WatchlistSnapshot, snapshot=snapshot, by=by, at=at)


def _rows(snapshot: WatchlistSnapshot, found: ofac.SdnList | ListFile) -> Iterator[WatchlistEntry]:
    for entry in found.entries:
        if len(entry.name) > LONGEST_NAME:
            raise EntryTooLong(f"Entry {entry.uid} has a name longer than {LONGEST_NAME} characters. Check the file.")
        yield WatchlistEntry(
            snapshot=snapshot,
            uid=entry.uid,
            name=entry.name,
            kind=entry.kind,
            programmes=list(entry.programmes),
            aliases=[list(alias) for alias in entry.aliases],
            details=_details(entry),
            remarks=entry.remarks,
        )


def _details(entry: ofac.ListEntry) -> dict:
    """What identifies the entry, as the list spells it; what is not there is left out."""
    found = {
        "title": entry.title,
        "addresses": [list(address) for address in entry.addresses],
        "birth_dates": list(entry.birth_dates),
        "nationalities": list(entry.nationalities),
        "identifiers": [list(identifier) for identifier in entry.identifiers],
        "wallets": [list(wallet) for wallet in entry.wallets],
        "emails": list(entry.emails),
        "websites": list(entry.websites),
        "genders": list(entry.genders),
    }
    return {name: value for name, value in found.items() if value}

"""A new version of a list: find the parties it may touch, and have only them screened again (requirement R35).

What decides is the entries that came, went or say something else. They touch whoever has a hit on one of them, and
whoever shares marks with what they say now. Everybody else would be found as before, because whether a party and an
entry are compared, and with what result, depends on the two of them alone.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import combinations
from uuid import UUID

from django.db import connection, models

from accounts.flows.batches import in_batches
from accounts.flows.list_index import ListIndex, digest_of
from accounts.flows.screening_marks import numbers_of, value_marks
from accounts.models import ListChange, Party, PartyName, ScreeningHit, ScreeningMark, WatchlistEntry, WatchlistSnapshot
from accounts.models.screening import HitStatus
from accounts.rules.name_keys import NameKeys, name_keys, single
from accounts.rules.names import Bands
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor

ASKED_AT_ONCE = 400
READ_AT_ONCE = 500
_LOCK = 0x115C8A  # of the advisory lock on PostgreSQL; SQLite has one writer anyway


def hold_off() -> None:
    """Until the transaction ends no change is looked at: what a screening reads stays the version of now.

    To be called before anything is locked. Without it a screening against the former version, committed after the
    change was looked at, would be taken for up to date. Screenings do not wait for each other.
    """
    _wait("pg_advisory_xact_lock_shared")


def _wait(lock: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}(%s)", [_LOCK])


@flow
def look_at_changes(snapshot: WatchlistSnapshot, *, by: Actor, at: datetime) -> int:
    """Have everybody screened again whom the changes up to this version may touch; returns how many that are.

    A change is looked at once, all or nothing; again, it does nothing. The screening itself is the sweep's work.
    """
    if not ListChange.objects.filter(list_name=snapshot.list_name, looked_at__isnull=True).exists():
        return 0
    _wait("pg_advisory_xact_lock")  # for the screenings under way, which may have read the former version
    waiting = ListChange.objects.select_for_update(of=("self",)).filter(list_name=snapshot.list_name)
    changes = list(waiting.filter(looked_at__isnull=True).select_related("before", "after").order_by("at", "pk"))
    if not changes:
        return 0
    changed = set().union(*(changed_entries(change.before, change.after) for change in changes))
    touched = _with_hits_on(changed, snapshot) | _resembling(changed, snapshot, bands_on(at))
    for keys in in_batches(sorted(touched, key=str), ASKED_AT_ONCE):
        Party.objects.filter(pk__in=keys).update(marked_with="")
    for change in changes:
        change.looked_at, change.entry_count, change.party_count = at, len(changed), len(touched)
        change.save(update_fields=["looked_at", "entry_count", "party_count"])
    audit.record(
        Verb.LIST_CHANGE_LOOKED_AT, snapshot, by=by, at=at,
        list=snapshot.list_name, entries=len(changed), count=len(touched),
    )  # fmt: skip
    return len(touched)


def bands_on(at: datetime) -> Bands:
    """The scores from which somebody looks at a likeness, by the rules in force then."""
    regime = regime_on(legal_day(at))
    return Bands(float(regime.number("screening_strong_score")), float(regime.number("screening_possible_score")))


def changed_entries(before: WatchlistSnapshot, after: WatchlistSnapshot) -> set[str]:
    """The keys of entries that only one version has, or that say something else in the other."""
    old, new = _digests(before), _digests(after)
    return {uid for uid in old.keys() | new.keys() if old.get(uid) != new.get(uid)}


def _digests(snapshot: WatchlistSnapshot) -> dict[str, str]:
    entries = WatchlistEntry.objects.filter(snapshot=snapshot).iterator(chunk_size=READ_AT_ONCE)
    return {entry.uid: digest_of(entry) for entry in entries}


def _with_hits_on(changed: set[str], snapshot: WatchlistSnapshot) -> set[UUID]:
    found: set[UUID] = set()
    hits = ScreeningHit.objects.filter(snapshot__list_name=snapshot.list_name).exclude(status=HitStatus.REPLACED)
    for uids in in_batches(sorted(changed), ASKED_AT_ONCE):
        found.update(hits.filter(entry_uid__in=uids).values_list("party_id", flat=True))
    return found


def _resembling(changed: set[str], snapshot: WatchlistSnapshot, bands: Bands) -> set[UUID]:
    """Parties that may resemble what the changed entries say now: found by their marks, then compared by name."""
    index = index_of_changed(changed, snapshot)
    if not len(index):
        return set()
    values = {mark for each in index for mark in value_marks(each.identifiers | each.wallets | each.emails)}
    touched = _with_any(values)
    named = _sharing_marks({name for each in index for name in each.names}) - touched
    return touched | {key for key, names, kind in _names_of(named) if index.may_match(names, kind, bands)}


def index_of_changed(changed: set[str], snapshot: WatchlistSnapshot) -> ListIndex:
    """The changed entries alone, as this version says them; those that went are not in it."""
    entries: list[WatchlistEntry] = []
    for uids in in_batches(sorted(changed), ASKED_AT_ONCE):
        entries += WatchlistEntry.objects.filter(snapshot=snapshot, uid__in=uids)
    return ListIndex(entries)


def _sharing_marks(names: Iterable[str]) -> set[UUID]:
    """Parties with a name worth comparing with one of these; a few more, because a party's names share its marks."""
    alone: set[str] = set()
    found: set[UUID] = set()
    pairs: set[tuple[frozenset[str], frozenset[str]]] = set()
    for name in names:
        keys = name_keys(name)
        alone |= _enough_alone(keys)
        pairs |= {(one.marks, other.marks) for one, other in combinations(keys.words, 2)}
    for one, other in pairs:
        too = ScreeningMark.objects.filter(party=models.OuterRef("party"), mark__in=numbers_of(other))
        both = ScreeningMark.objects.filter(models.Exists(too), mark__in=numbers_of(one))
        found.update(both.values_list("party_id", flat=True))
    return found | _with_any(alone)


def _enough_alone(keys: NameKeys) -> set[str]:
    """Marks of which one is enough: those of a single word, on either side, and of the ends of the whole name."""
    of_words = {mark for word in keys.words for mark in word.marks}
    return set(keys.closed_marks) | (of_words if keys.is_single else {single(mark) for mark in of_words})


def _with_any(marks: Iterable[str]) -> set[UUID]:
    found: set[UUID] = set()
    for numbers in in_batches(numbers_of(marks), ASKED_AT_ONCE):
        found.update(ScreeningMark.objects.filter(mark__in=numbers).values_list("party_id", flat=True))
    return found


def _names_of(parties: Iterable[UUID]) -> Iterator[tuple[UUID, list[str], str]]:
    for keys in in_batches(sorted(parties, key=str), ASKED_AT_ONCE):
        rows = Party.objects.filter(pk__in=keys).values_list("pk", "legal_name", "kind")
        names = {key: [name] for key, name, _ in rows}
        for key, name in PartyName.objects.filter(party__in=keys).values_list("party_id", "name"):
            names[key].append(name)
        for key, _, kind in rows:
            yield key, names[key], kind

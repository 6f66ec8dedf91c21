"""Compare every customer on a roster with every list ourselves, whatever the reseller says it did (R35, R64).

A file's customers are compared in full once they come in force. When a list changes, only the entries that came, went
or say something else are looked at: they are put into a small index, and the roster's names go past it once. Marks for
each customer, as parties have them, would be some fifteen rows a customer; a roster is stated anew too often for that.
What one pass costs grows with the roster, not with the list. Batches are transactions of their own, and a cursor says
where to go on.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from django.db import models

from accounts.flows import hit_values, list_changes, watchlists
from accounts.flows.list_index import ListIndex, Match, index_of
from accounts.models import Account, WatchlistSnapshot
from accounts.models.screening import HitStatus
from accounts.rules.names import ScreenedParty
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.keys import held
from kyc_portal.records.refs import Actor
from kyc_portal.work import queue
from resellers.models import RosterEntry, RosterHit, RosterScreening, RosterUpload
from resellers.rules.roster import UploadState
from resellers.verbs import Verb

SCREEN = "resellers.screen_roster"  # the job; its key is that of a RosterScreening
LOOK = "resellers.look_at_rosters"  # the job that finds what waits
BATCH = 200  # customers in one transaction
BATCHES_AT_ONCE = 10  # then other work has its turn


@dataclass(frozen=True)
class Compared:
    """One customer as compared, and the entries that resemble it."""

    entry: RosterEntry
    screened: ScreenedParty
    matches: tuple[Match, ...]


# --- What waits -------------------------------------------------------------------------------------------------------


def take_roster(sender, upload: RosterUpload, by: Actor, at: datetime, **signal) -> None:
    """The receiver of roster_changed: its new and changed customers are compared with every list."""
    for snapshot in watchlists.current_snapshots():
        _begin(upload, snapshot, by=by, at=at)


def take_list(sender, snapshot: WatchlistSnapshot, by: Actor, at: datetime, **signal) -> None:
    """The receiver of list_changed: somebody looks which rosters the new version may touch."""
    if RosterUpload.objects.exists():
        queue.ask(LOOK, due_at=at, at=at)


def look(key: str, *, by: Actor, at: datetime) -> None:
    """The job that asks for what waits."""
    ask_for_waiting(by=by, at=at)


def waiting(snapshot: WatchlistSnapshot) -> models.QuerySet[RosterUpload]:
    """Accepted files with customers in force that are not compared in full with this version."""
    done = RosterScreening.objects.filter(upload=models.OuterRef("pk"), snapshot=snapshot, finished_at__isnull=False)
    in_force = RosterEntry.objects.in_force().filter(upload=models.OuterRef("pk"))
    accepted = RosterUpload.objects.filter(state=UploadState.ACCEPTED.value)
    return accepted.filter(models.Exists(in_force)).exclude(models.Exists(done))


def ask_for_waiting(*, by: Actor, at: datetime) -> int:
    """Have done whatever was lost or became due; returns how many comparisons of a file with a list wait."""
    asked = 0
    for snapshot in watchlists.current_snapshots():
        for upload in waiting(snapshot).select_related("reseller").order_by("pk").iterator(chunk_size=500):
            asked += _begin(upload, snapshot, by=by, at=at)
    return asked


@flow
def _begin(upload: RosterUpload, snapshot: WatchlistSnapshot, *, by: Actor, at: datetime) -> bool:
    """Ask for one comparison; False when it is done. A newer version of the list takes the place of an older one."""
    row, is_new = RosterScreening.objects.select_for_update(of=("self",)).get_or_create(
        upload=upload, list_name=snapshot.list_name, defaults={"snapshot": snapshot, "begun_at": at}
    )
    is_changed = row.snapshot_id != snapshot.pk
    if is_changed:
        if row.finished_at is not None:
            row.before = row.snapshot
        elif row.cursor:  # half of it holds for a version that is gone: nothing to build upon
            row.before = None
        row.snapshot, row.cursor, row.done_count, row.hit_count = snapshot, "", 0, 0
        row.begun_at, row.finished_at = at, None
        row.save()
    elif row.finished_at is not None:
        return False
    queue.ask(SCREEN, key=str(row.pk), due_at=at, at=at)
    if is_new or is_changed:
        audit.record(
            Verb.ROSTER_TO_SCREEN, row, by=by, at=at, reseller=upload.reseller.reference, list=snapshot.list_name
        )
    return True


# --- The comparison ---------------------------------------------------------------------------------------------------


def carry_on(key: str, *, by: Actor, at: datetime) -> None:
    """The job: the next batches of one comparison; the rest is asked for again. Killed half-way, it goes on."""
    for _ in range(BATCHES_AT_ONCE):
        if not _next_batch(UUID(key), by=by, at=at):
            return
    queue.ask(SCREEN, key=key, due_at=at, at=at)


def _next_batch(key: UUID, *, by: Actor, at: datetime) -> bool:
    """Compare the next customers, without a lock; then store what was found. False once nothing is left."""
    rows = RosterScreening.objects.select_related("snapshot", "before", "upload__reseller__account")
    row = rows.filter(pk=key, finished_at__isnull=True).first()
    if row is None:
        return False
    reseller = row.upload.reseller
    index, changed = _compared_with(row)
    entries = RosterEntry.objects.in_force().filter(upload=row.upload, number__gt=row.cursor).order_by("number")
    batch = list(entries[:BATCH]) if changed is None or changed else []  # no entry says anything else: all is known
    for entry in batch:
        entry.reseller = reseller
    bands, found = list_changes.bands_on(at), []
    screened = _as_compared(batch, reseller.account.party_id) if len(index) else []
    for entry, clear in screened:
        if matches := index.matches(clear, bands):
            found.append(Compared(entry, clear, tuple(matches)))
    return _store(row, batch, found, changed, by=by, at=at)


def _compared_with(row: RosterScreening) -> tuple[ListIndex, frozenset[str] | None]:
    """The index to compare with, and which entries it stands for; None stands for all of the list."""
    if row.before is None:
        return index_of(row.snapshot), None
    return _changed_index(row.before, row.snapshot)


@lru_cache(maxsize=2)
def _changed_index(before: WatchlistSnapshot, after: WatchlistSnapshot) -> tuple[ListIndex, frozenset[str]]:
    """What changed between two versions; both are never changed, so it may be kept."""
    changed = list_changes.changed_entries(before, after)
    return list_changes.index_of_changed(changed, after), frozenset(changed)


def _as_compared(entries: Sequence[RosterEntry], subject: UUID) -> list[tuple[RosterEntry, ScreenedParty]]:
    """The customers with their sealed values in clear, in memory only; the key is read once."""
    with held([subject]):
        return [(entry, as_compared(entry)) for entry in entries]


def as_compared(entry: RosterEntry) -> ScreenedParty:
    """What is compared of a customer: name, kind, country, and birth, number and e-mail address where stated."""
    return ScreenedParty(
        names=(entry.name,),
        kind=entry.kind,
        birth_on=date.fromisoformat(entry.birth_date.reveal()) if entry.birth_date else None,
        countries=frozenset({str(entry.country)} - {""}),
        identifiers=_clear(entry.registration_number),
        emails=_clear(entry.email),
    )


def _clear(value) -> frozenset[str]:
    return frozenset({value.reveal()}) if value is not None else frozenset()


# --- What was found ---------------------------------------------------------------------------------------------------


@flow
def _store(
    row: RosterScreening, batch: Sequence[RosterEntry], found: Iterable[Compared], changed: frozenset[str] | None, *,
    by: Actor, at: datetime,
) -> bool:  # fmt: skip
    """Settle the hits of a batch and move the cursor; True while there may be more."""
    seen, row = row, RosterScreening.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if (row.snapshot_id, row.cursor, row.finished_at) != (seen.snapshot_id, seen.cursor, seen.finished_at):
        return row.finished_at is None  # another worker, or another version, was here: look again
    row.snapshot, reseller = seen.snapshot, seen.upload.reseller
    by_entry = {each.entry.pk: each for each in found}
    known = _known(reseller, row.list_name, [entry.number for entry in batch])
    touched = [entry for entry in batch if entry.pk in by_entry or known[entry.number]]
    keys = [entry.pk for entry in touched]
    present = set(RosterEntry.objects.in_force().filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    for entry in touched:
        if entry.pk in present:  # it may have been stated anew meanwhile
            each = by_entry.get(entry.pk)
            for match in each.matches if each else ():
                _settle(match, each, row, known[entry.number], by, at)
            matched = {match.listed.party.key for match in each.matches} if each else set()
            _set_aside(known[entry.number], matched, changed, by, at)
    row.done_count += len(batch)
    row.hit_count += sum(len(each.matches) for each in by_entry.values())
    row.cursor = batch[-1].number if batch else row.cursor
    is_over = len(batch) < BATCH
    row.finished_at = at if is_over else None
    row.save(update_fields=["done_count", "hit_count", "cursor", "finished_at"])
    audit.record(
        Verb.ROSTER_SCREENED, row, by=by, at=at, count=len(batch), reseller=reseller.reference,
        list=str(row.snapshot), hits=sum(len(each.matches) for each in by_entry.values()),
    )  # fmt: skip
    return not is_over


def _known(reseller, list_name: str, numbers: list[str]) -> dict[str, dict[str, list[RosterHit]]]:
    """Earlier hits of these customers on any version of the list, by number and listed entry, newest first."""
    known: dict = defaultdict(lambda: defaultdict(list))
    rows = RosterHit.objects.filter(reseller=reseller, number__in=numbers, snapshot__list_name=list_name)
    for hit in rows.order_by("-found_at", "pk"):
        known[hit.number][hit.entry_uid].append(hit)
    return known


def _settle(
    match: Match, each: Compared, row: RosterScreening, known: dict[str, list[RosterHit]], by: Actor, at: datetime
) -> None:
    """Keep the hit that stands for this very comparison, carry its judgement on, or open a new one."""
    entry = each.entry
    hit = RosterHit(
        reseller_id=entry.reseller_id, number=entry.number, entry=entry, snapshot=row.snapshot, found_at=at,
        **hit_values.values_of(match, each.screened),
    )  # fmt: skip
    former = hit_values.former_comparison(match, each.screened)
    earlier = [other for other in known[hit.entry_uid] if other.status != HitStatus.REPLACED]
    same = next((other for other in earlier if other.compared in (hit.compared, former)), None)
    if same is not None and (same.snapshot_id, same.entry_id) == (hit.snapshot_id, hit.entry_id):
        if same.compared != hit.compared:  # made under the key that is being given up
            RosterHit.objects.filter(pk=same.pk).update(compared=hit.compared)
        return
    place = (hit.entry_id, hit.snapshot_id, hit.compared)
    hit = next((o for o in known[hit.entry_uid] if (o.entry_id, o.snapshot_id, o.compared) == place), hit)
    _carry(same, hit, by, at) if same else _open(hit, entry, by, at)
    for other in earlier:
        if other.pk != hit.pk:
            RosterHit.objects.filter(pk=other.pk).update(status=HitStatus.REPLACED)
            audit.record(Verb.ROSTER_HIT_REPLACED, other, by=by, at=at, hit=hit.reference, earlier=other.reference)


def _open(hit: RosterHit, entry: RosterEntry, by: Actor, at: datetime) -> None:
    hit.status, hit.judged_at = HitStatus.OPEN, None
    hit.proposed_by = hit.proposed_by_key = hit.proposed_reason = hit.judged_by = ""
    hit.save()
    audit.record(
        Verb.ROSTER_HIT_FOUND, hit, by=by, at=at, hit=hit.reference, reseller=entry.reseller.reference,
        list=str(hit.snapshot), score=str(hit.score), strong=hit.is_strong,
    )  # fmt: skip


def _carry(earlier: RosterHit, hit: RosterHit, by: Actor, at: datetime) -> None:
    for name in ("status", "proposed_by", "proposed_by_key", "proposed_reason", "judged_at", "judged_by"):
        setattr(hit, name, getattr(earlier, name))
    hit.carried_from = earlier.carried_from or earlier.reference
    hit.save()
    audit.record(
        Verb.ROSTER_HIT_CARRIED, hit, by=by, at=at, hit=hit.reference, earlier=earlier.reference,
        state=hit.get_status_display(),
    )  # fmt: skip


def _set_aside(
    known: dict[str, list[RosterHit]], matched: set[str], changed: frozenset[str] | None, by: Actor, at: datetime
) -> None:
    """What no longer resembles, or is no longer listed, holds no more; a dismissal stays, should it come again."""
    for uid, hits in known.items():
        if uid in matched or (changed is not None and uid not in changed):
            continue
        for hit in hits:
            if hit.status not in (HitStatus.DISMISSED, HitStatus.REPLACED):
                RosterHit.objects.filter(pk=hit.pk).update(status=HitStatus.REPLACED)
                audit.record(Verb.ROSTER_HIT_GONE, hit, by=by, at=at, hit=hit.reference)


def listed_downstream(account: Account, at: datetime) -> list[str]:
    """The guard of opening: an account of a customer who resembles somebody listed, on whatever roster it stands."""
    told = []
    for hit in RosterHit.objects.of_customers().filter(entry__account=account).order_by("reference"):
        if hit.status == HitStatus.CONFIRMED:
            told.append(
                f"The customer is on a sanctions list ({hit.reference}, on a reseller's roster). Do not open it."
            )
        elif hit.status != HitStatus.DISMISSED:
            told.append(f"{hit.reference}, on a reseller's roster, waits for a judgement by two people. Judge it.")
    return told

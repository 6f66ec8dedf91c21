"""Accept a roster that was read: staged row by row where nobody sees it, then in force all at once (R64).

What is staged has no `from_at`. A job that is killed goes on where it was; one whose manager was removed stops, and
another manager may agree again.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO
from uuid import UUID

from django.db.models import QuerySet

from accounts.flows.batches import in_batches
from accounts.formats.tables import BadRow, Row
from kyc_portal.policy.current import regime_on
from kyc_portal.records import keys
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from resellers.events import roster_changed
from resellers.flows.roster_files import (
    NotBound,
    RelationOver,
    begin,
    forget_file,
    locked,
    one_request,
    opened,
    require_relation,
    tell,
    write_faults,
)
from resellers.flows.roster_keys import keys_of
from resellers.flows.roster_reading import (
    BATCH,
    NO_SUCH_ACCOUNT,
    SAME,
    Looked,
    accounts_among,
    digest_of,
    look_through,
    rows_of,
)
from resellers.models import ResellerManager, RosterEntry, RosterUpload
from resellers.rules.roster import MOVES, EndedWhy, Extent, UploadState
from resellers.rules.roster_rows import StatedCustomer, read_row
from resellers.verbs import Verb

ACCEPT = "resellers.accept_roster"
AGREED_BY_NOBODY = "Whoever accepted the file no longer acts for you. Accept it again, and it goes on where it was."
ROWS_CHANGED = "Rows that could be used when the file was read no longer can. Look at them, and accept the file again."


class BadRowsLeft(Refusal):
    """The file has bad rows, and nobody said that they are to be left out."""


class ManyLeave(Refusal):
    """More customers would leave the roster than anybody should let go by mistake."""


class NothingToTakeIn(Refusal):
    """No row of the file can be used."""


class AnotherUnderWay(Refusal):
    """Another file of the reseller is being taken in."""


class Overtaken(Refusal):
    """Another file came in force since this one was read, or stopped."""


@flow
def agree(
    upload: RosterUpload, *, keeps_good_rows: bool, lets_go: int = 0, binding: ResellerManager | None = None, by: Actor,
    at: datetime,
) -> RosterUpload:  # fmt: skip
    """Accept a file that was read, or go on with one that was stopped; a job takes it in.

    With `keeps_good_rows` bad rows are left out, and then nobody leaves the roster: a bad row may be anybody's. Where a
    larger part of the roster would leave (a figure), `lets_go` must say how many. Raises MoveNotAllowed, BadRowsLeft,
    ManyLeave, NothingToTakeIn, AnotherUnderWay, Overtaken, RelationOver or NotBound.
    """
    upload = locked(upload)
    MOVES.require(upload.state, UploadState.ACCEPTING)
    require_relation(upload.reseller, binding)
    if upload.bad_count and not keeps_good_rows:
        raise BadRowsLeft(
            f"{upload.bad_count:,} of {upload.read_count:,} rows cannot be used. Correct them and send the file again, "
            "or leave them out."
        )
    if upload.bad_count >= upload.read_count:
        raise NothingToTakeIn("No row of the file can be used. Correct the file and send it again.")
    if many_leave(upload, legal_day(at)) and lets_go != upload.gone_count:
        raise ManyLeave(
            f"{upload.gone_count:,} customers would leave your roster, and their certifications end. If that is so, "
            "write this number beside the button; if not, send the file as new and changed customers only."
        )
    others = upload.reseller.uploads.exclude(pk=upload.pk)
    if others.filter(state=UploadState.ACCEPTING.value).exists():
        raise AnotherUnderWay("Another file is being taken in. Wait until it is in force, then accept this one.")
    if is_overtaken(upload):
        raise Overtaken("Another file came in force since this one was read. Discard this one and send it again.")
    upload.state, upload.problem = UploadState.ACCEPTING.value, ""
    upload.done_count = upload.done_count if upload.agreed_at else 0
    upload.keeps_good_rows, upload.sent_under, upload.agreed_at, upload.agreed_by = (
        keeps_good_rows, binding, at, by.label,
    )  # fmt: skip
    upload.save()
    tell(Verb.ROSTER_AGREED, upload, by=by, at=at, refused=upload.bad_count, sha256=upload.sha256)
    queue.ask(ACCEPT, key=upload.reference, due_at=at, at=at)
    return upload


def is_overtaken(upload: RosterUpload) -> bool:
    """Whether another file of the reseller came in force meanwhile, so that nobody knows who would leave; one query.

    New and changed customers alone overtake nothing while they wait: nobody leaves by them.
    """
    if upload.agreed_at is None and upload.extent != Extent.COMPLETE:
        return False
    since = {"ended_at__gte": upload.agreed_at} if upload.agreed_at else {"ended_at__gt": upload.read_at}
    others = RosterUpload.objects.filter(reseller=upload.reseller_id).exclude(pk=upload.pk)
    return others.filter(state=UploadState.ACCEPTED.value, **since).exists()


def many_leave(upload: RosterUpload, on: date) -> bool:
    """Whether so large a part of the roster is not in a complete file that somebody must say so; one query."""
    if not upload.gone_count:
        return False
    stays = upload.changed_count + upload.same_count
    percent = regime_on(on).number("roster_gone_percent")
    return upload.gone_count * 100 > percent * (upload.gone_count + stays)


def accept(key: str, *, by: Actor, at: datetime) -> None:
    """The job: take in the upload `key`; may be killed and repeated at any place without a row twice or a row less."""
    upload = RosterUpload.objects.select_related("reseller__account").filter(reference=key).first()
    if upload is None or upload.state != UploadState.ACCEPTING:
        return
    at = max(at, upload.agreed_at)  # jobs of one round share its moment
    with one_request():
        begin(upload, "take in", UploadState.ACCEPTING, by=by, at=at)
        file = opened(upload)
        looked = look_through(upload, file, today=legal_day(at), tell=lambda done: None)
        if not _may_go_on(upload, looked, by=by, at=at):
            return
        done = upload.done_count
        for begun, rows in _batches(upload, file, at):
            if begun >= done and (done := _stage(upload, rows, looked, done, by=by, at=at)) < 0:
                return
        _bring_in_force(upload, looked, by=by, at=at)


def _batches(upload: RosterUpload, file: BinaryIO, at: datetime) -> Iterator[tuple[int, list[Row | BadRow]]]:
    """The rows in batches that are the same each time, each with how many rows stand before it."""
    begun = 0
    for rows in in_batches(rows_of(upload, file, regime_on(legal_day(at))), BATCH):
        yield begun, rows
        begun += len(rows)


@flow
def _may_go_on(upload: RosterUpload, looked: Looked, *, by: Actor, at: datetime) -> bool:
    """Keep what became bad since the file was read; stop when nobody said that bad rows are to be left out."""
    upload = locked(upload)
    if upload.state != UploadState.ACCEPTING:
        return False
    known = dict(upload.faults.values_list("line", "reason"))
    found = {line: reason for line, reason in looked.faults.items() if line not in known}
    looked.faults |= known
    if found:
        write_faults(upload, found)
        upload.bad_count += len(found)
        upload.save(update_fields=["bad_count"])
        if not upload.keeps_good_rows or upload.bad_count >= upload.read_count:
            _stop(upload, ROWS_CHANGED, "rows", by=by, at=at)
            return False
    return True


def _stop(upload: RosterUpload, problem: str, reason: str, *, by: Actor, at: datetime) -> None:
    upload.state, upload.problem = UploadState.STOPPED.value, problem
    upload.save(update_fields=["state", "problem"])
    tell(Verb.ROSTER_STOPPED, upload, by=by, at=at, reason=reason)


def _is_stopped(upload: RosterUpload, *, by: Actor, at: datetime) -> bool:
    """Whether it must not go on: whoever agreed to it no longer acts for the reseller, or the relationship ended."""
    try:
        require_relation(upload.reseller, upload.sent_under)
    except RelationOver as refusal:
        _stop(upload, str(refusal), "relation_over", by=by, at=at)
    except NotBound:
        _stop(upload, AGREED_BY_NOBODY, "binding_ended", by=by, at=at)
    else:
        return False
    return True


def _stage(
    upload: RosterUpload, rows: list[Row | BadRow], looked: Looked, done: int, *, by: Actor, at: datetime
) -> int:
    """Write the next rows where nobody sees them, in a transaction of its own; how many rows are done then.

    -1 when it must not go on: it was stopped, or another worker has gone on in our place.
    """
    with one_flow(by), keys.held([upload.reseller.account.party_id]):
        upload = locked(upload)
        if upload.state != UploadState.ACCEPTING or upload.done_count != done or _is_stopped(upload, by=by, at=at):
            return -1
        stated = _to_be_written(rows, looked, legal_day(at))
        accounts = accounts_among(upload.reseller, stated)
        lost = {each.line: NO_SUCH_ACCOUNT for each in stated if each.account and each.account not in accounts}
        if lost and not _leave_out(upload, lost, looked, by=by, at=at):
            return -1
        RosterEntry.objects.bulk_create(
            _entry(upload, each, looked, accounts) for each in stated if each.line not in lost
        )  # fmt: skip
        upload.done_count = done + len(rows)
        upload.save(update_fields=["done_count"])
    return upload.done_count


def _to_be_written(rows: list[Row | BadRow], looked: Looked, today: date) -> list[StatedCustomer]:
    """Of these rows those that are good and say something new."""
    new = (
        row for row in rows
        if isinstance(row, Row) and row.line not in looked.faults
        and looked.word_of(row.values["customer_number"].strip()) != SAME
    )  # fmt: skip
    stated = [read_row(row, today=today) for row in new]
    return [each for each in stated if isinstance(each, StatedCustomer)]


def _leave_out(upload: RosterUpload, lost: dict[int, str], looked: Looked, *, by: Actor, at: datetime) -> bool:
    """Keep why these rows cannot be used any more; False when that stops it."""
    write_faults(upload, lost)
    looked.faults |= lost
    upload.bad_count += len(lost)
    upload.save(update_fields=["bad_count"])
    if not upload.keeps_good_rows:
        _stop(upload, ROWS_CHANGED, "rows", by=by, at=at)
        return False
    return True


def _entry(upload: RosterUpload, stated: StatedCustomer, looked: Looked, accounts: dict[str, UUID]) -> RosterEntry:
    """A row that is not in force yet."""
    by_keys = keys_of(
        name=stated.name, country=stated.country, email=stated.email, registration_number=stated.registration_number
    )
    return RosterEntry(
        reseller=upload.reseller, upload=upload, line=stated.line, number=stated.number,
        parent_number=stated.parent_number, depth=looked.depths.get(stated.number, 0), kind=stated.kind,
        name=stated.name, country=stated.country, email=stated.email,
        birth_date=stated.birth_date.isoformat() if stated.birth_date else "",
        registration_number=stated.registration_number, product=stated.product,
        customer_since=stated.customer_since, verified_on=stated.verified_on, method=stated.method,
        account_id=accounts.get(stated.account), digest=digest_of(upload.reseller, stated), **by_keys,
    )  # fmt: skip


@flow
def _bring_in_force(upload: RosterUpload, looked: Looked, *, by: Actor, at: datetime) -> None:
    """End what is stated anew and who is gone, and bring everything staged in force, in one transaction."""
    upload = locked(upload)
    if upload.state != UploadState.ACCEPTING or upload.done_count != looked.read or _is_stopped(upload, by=by, at=at):
        return
    staged = RosterEntry.objects.filter(upload=upload, from_at__isnull=True)
    there = RosterEntry.objects.in_force().filter(reseller=upload.reseller)
    changed = there.filter(number__in=staged.order_by().values("number")).update(
        ended_at=at, ended_why=EndedWhy.CHANGED.value
    )
    gone = _end_who_is_gone(upload, looked, there, at)
    upload.changed_count, upload.gone_count = changed, gone
    upload.new_count = staged.update(from_at=at) - changed
    upload.same_count = looked.counts()[SAME]
    upload.state, upload.ended_at = UploadState.ACCEPTED.value, at
    forget_file(upload, at)
    upload.save()
    tell(
        Verb.ROSTER_ACCEPTED, upload, by=by, at=at, new=upload.new_count, changed=changed, same=upload.same_count,
        gone=gone, sha256=upload.sha256,
    )  # fmt: skip
    ended = RosterEntry.objects.filter(reseller=upload.reseller, ended_at=at)
    roster_changed.send(sender=RosterUpload, upload=upload, ended=ended, by=by, at=at)


def _end_who_is_gone(upload: RosterUpload, looked: Looked, there: QuerySet[RosterEntry], at: datetime) -> int:
    """End the rows of those whom a complete roster without bad rows does not name; returns how many."""
    if upload.extent != Extent.COMPLETE or looked.faults:
        return 0
    rows = there.order_by().values_list("pk", "number").iterator(chunk_size=BATCH)
    gone = [key for key, number in rows if number not in looked.seen]
    for batch in in_batches(gone, BATCH):
        RosterEntry.objects.filter(pk__in=batch).update(ended_at=at, ended_why=EndedWhy.GONE.value)
    return len(gone)

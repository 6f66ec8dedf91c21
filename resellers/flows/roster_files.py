"""Take a reseller's file, look through it in full, and tell what is in it (R64; trust.md 3 A).

The file is kept sealed under the reseller's key from the moment it is received until it is accepted, refused or
discarded. Whoever sent it agrees to it afterwards: roster_taking.py.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from accounts.flows import document_files, texts
from accounts.flows.batches import in_batches
from accounts.formats.file_names import make_safe_name
from accounts.formats.tables import TableRefused
from accounts.models.account import ENDED_STATUSES
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import current_request_id, flow, within_request
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from resellers.flows import file as reseller_file
from resellers.flows.roster_reading import CHANGED, NEW, SAME, Looked, look_through, most_bytes
from resellers.formats import roster
from resellers.models import Reseller, ResellerManager, RosterEntry, RosterFault, RosterUpload
from resellers.rules.roster import MOVES, Extent, UploadState
from resellers.verbs import Verb

READ = "resellers.read_roster"
CHUNK = 1 << 20
LONGEST_PROBLEM = 500
FAULTS_AT_ONCE = 1_000


class FileTooLarge(Refusal):
    """The file is larger than one that is taken."""


class RelationOver(Refusal):
    """The relationship with the reseller ended, so nothing of it is taken in any more."""


class NotBound(Refusal):
    """Whoever acts is no longer bound to this reseller."""


# --- received ---------------------------------------------------------------------------------------------------------


@flow
def receive(
    reseller: Reseller,
    *,
    file: BinaryIO,
    file_name: str,
    extent: str,
    binding: ResellerManager | None = None,
    by: Actor,
    at: datetime,
) -> RosterUpload:
    """Take a file in and have it read by a job; the same file again gives the upload there is, with `is_repeat` set.

    `binding` is that of the manager who sends it, None for the provider's own people. A reseller that may not sell may
    still send. Raises FileTooLarge, TableRefused, BadField, RelationOver or NotBound; then nothing is kept.
    """
    extent = texts.chosen("Extent", extent, Extent)
    data = _whole(file, most_bytes(regime_on(legal_day(at))))
    format = roster.format_of(BytesIO(data), file_name)
    reseller = reseller_file.locked(reseller)
    require_relation(reseller, binding)
    sha256 = hashlib.sha256(data).hexdigest()
    if (earlier := _earlier(reseller, sha256, extent)) is not None:
        earlier.is_repeat = True
        return earlier
    document_files.store(reseller.account.party_id, data)
    upload = RosterUpload.objects.create(
        reseller=reseller, file_name=make_safe_name(file_name, format), format=format, sha256=sha256,
        file_sha256=sha256, size=len(data), extent=extent, sent_under=binding, received_at=at, received_by=by.label,
    )  # fmt: skip
    tell(Verb.ROSTER_RECEIVED, upload, by=by, at=at, sha256=sha256)
    queue.ask(READ, key=upload.reference, due_at=at, at=at)
    return upload


def _whole(file: BinaryIO, most: int) -> bytes:
    """The bytes of a file; reading stops as soon as there are too many (B2)."""
    parts, size = [], 0
    while chunk := file.read(CHUNK):
        size += len(chunk)
        if size > most:
            raise FileTooLarge(f"The file is larger than {most >> 20:,} megabytes. Split it into smaller files.")
        parts.append(chunk)
    return b"".join(parts)


def _earlier(reseller: Reseller, sha256: str, extent: str) -> RosterUpload | None:
    """The upload of the same file that is under way, or in force since nothing else came after it."""
    same = reseller.uploads.filter(sha256=sha256, extent=extent)
    under_way = same.under_way().first()
    if under_way is not None:
        return under_way
    last = reseller.uploads.filter(state=UploadState.ACCEPTED.value).order_by("-ended_at", "-received_at").first()
    return last if last is not None and (last.sha256, last.extent, last.bad_count) == (sha256, extent, 0) else None


def require_relation(reseller: Reseller, binding: ResellerManager | None) -> None:
    """Refuse what a reseller sends after its relationship ended, or by somebody not bound to it. Three queries.

    Raises RelationOver or NotBound; reads reseller.account.
    """
    if reseller.account.status in ENDED_STATUSES or reseller_file.ended_on(reseller) is not None:
        raise RelationOver("The relationship has ended, so no roster is taken in any more. Write to us instead.")
    if binding is not None and not stands(binding.pk, reseller):
        raise NotBound("You no longer act for this reseller. Ask a colleague who does.")


def stands(binding_id: int, reseller: Reseller) -> bool:
    """Whether a binding is in force, of somebody who may log in, and to this reseller."""
    bound = ResellerManager.objects.filter(pk=binding_id, reseller=reseller, ended_at__isnull=True)
    return bound.filter(user__is_active=True).exists()


# --- read -------------------------------------------------------------------------------------------------------------


def read(key: str, *, by: Actor, at: datetime) -> None:
    """The job: look through the file of the upload `key` in full and write down every bad row and what is new.

    Nothing but the progress is written before the end, so that a job that is killed may be repeated.
    """
    upload = RosterUpload.objects.select_related("reseller__account").filter(reference=key).first()
    if upload is None or upload.state != UploadState.RECEIVED:
        return
    with one_request():
        begin(upload, "read", UploadState.RECEIVED, by=by, at=at)
        try:
            looked = look_through(
                upload, opened(upload), today=legal_day(at),
                tell=lambda done: tell_progress(upload, UploadState.RECEIVED, done, by=by),
            )  # fmt: skip
        except TableRefused as refusal:
            _refuse(upload, str(refusal), by=by, at=at)
            return
        _note(upload, looked, by=by, at=at)


@contextmanager
def one_request() -> Iterator[None]:
    """All transactions of a job belong together, so that the event of its beginning explains each of them."""
    with within_request(current_request_id() or f"job:{uuid.uuid4()}"):
        yield


def opened(upload: RosterUpload) -> BinaryIO:
    """The clear bytes of the file, in memory only. Raises FileMissing or KeyProblem."""
    return BytesIO(document_files.read(upload.reseller.account.party_id, upload.file_sha256))


@flow
def begin(upload: RosterUpload, what: str, state: UploadState, *, by: Actor, at: datetime) -> None:
    """Say that the job has begun; the progress of a reading counts from nought."""
    if state == UploadState.RECEIVED:
        RosterUpload.objects.filter(pk=upload.pk, state=state.value).update(done_count=0)
    tell(Verb.ROSTER_BEGUN, upload, by=by, at=at, what=what)


@flow
def tell_progress(upload: RosterUpload, state: UploadState, done: int, *, by: Actor) -> None:
    """Let the page show how far it is."""
    RosterUpload.objects.filter(pk=upload.pk, state=state.value).update(done_count=done)


@flow
def _refuse(upload: RosterUpload, problem: str, *, by: Actor, at: datetime) -> None:
    upload = locked(upload)
    if upload.state != UploadState.RECEIVED:
        return
    upload.state, upload.problem = UploadState.REFUSED.value, problem[:LONGEST_PROBLEM]
    upload.read_at = upload.ended_at = at
    forget_file(upload, at)
    upload.save(update_fields=["state", "problem", "read_at", "ended_at", "file_sha256"])
    tell(Verb.ROSTER_REFUSED, upload, by=by, at=at)


@flow
def _note(upload: RosterUpload, looked: Looked, *, by: Actor, at: datetime) -> None:
    upload = locked(upload)
    if upload.state != UploadState.RECEIVED:
        return
    write_faults(upload, looked.faults)
    counts = looked.counts()
    upload.read_count = upload.done_count = looked.read
    upload.bad_count = len(looked.faults)
    upload.new_count, upload.changed_count, upload.same_count = counts[NEW], counts[CHANGED], counts[SAME]
    upload.gone_count = gone_of(upload, looked)
    upload.state, upload.read_at = UploadState.READ.value, at
    if not looked.read:
        upload.state, upload.ended_at = UploadState.REFUSED.value, at
        upload.problem = "The file has a header and no rows. Fill it in and send it again."
        forget_file(upload, at)
    upload.save()
    tell(
        Verb.ROSTER_READ, upload, by=by, at=at, read=looked.read, refused=upload.bad_count, new=counts[NEW],
        changed=counts[CHANGED], same=counts[SAME], gone=upload.gone_count,
    )  # fmt: skip


def gone_of(upload: RosterUpload, looked: Looked) -> int:
    """How many customers would leave the roster; nobody while there are bad rows, for one may be anybody's."""
    if upload.extent != Extent.COMPLETE or looked.faults:
        return 0
    return RosterEntry.objects.in_force().filter(reseller=upload.reseller_id).count() - looked.on_roster


def write_faults(upload: RosterUpload, faults: dict[int, str]) -> None:
    """Keep each bad row with its reason."""
    for batch in in_batches(sorted(faults.items()), FAULTS_AT_ONCE):
        RosterFault.objects.bulk_create(
            RosterFault(upload=upload, line=line, reason=reason[:300]) for line, reason in batch
        )


# --- what both halves share -------------------------------------------------------------------------------------------


def locked(upload: RosterUpload) -> RosterUpload:
    """The upload under its reseller's lock, with its account loaded."""
    reseller = reseller_file.locked(upload.reseller)
    upload = RosterUpload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
    upload.reseller = reseller
    return upload


def forget_file(upload: RosterUpload, at: datetime) -> None:
    """Let the kept file be deleted once the transaction, which saves the upload without it, has committed."""
    if upload.file_sha256:
        subject = upload.reseller.account.party_id
        queue.ask(document_files.DELETE_FILE, key=f"{subject}/{upload.file_sha256}", due_at=at, at=at)
        upload.file_sha256 = ""


def tell(verb: Verb, upload: RosterUpload, *, by: Actor, at: datetime, **facts) -> None:
    """Write an event of an upload, told on the reseller's page as well."""
    audit.record(verb, upload, by=by, at=at, within=upload.reseller, reseller=upload.reseller.reference, **facts)


@flow
def discard(upload: RosterUpload, *, by: Actor, at: datetime) -> RosterUpload:
    """Take a file back before it is in force; the roster stays as it is. Raises MoveNotAllowed."""
    upload = locked(upload)
    MOVES.require(upload.state, UploadState.DISCARDED)
    upload.state, upload.ended_at = UploadState.DISCARDED.value, at
    forget_file(upload, at)
    upload.save(update_fields=["state", "ended_at", "file_sha256"])
    tell(Verb.ROSTER_DISCARDED, upload, by=by, at=at)
    return upload


def faulty_rows_csv(upload: RosterUpload) -> Iterator[bytes]:
    """The bad rows of a file as a CSV in pieces: line and reason only; memory stays flat."""
    rows = RosterFault.objects.filter(upload=upload).order_by("line").values_list("line", "reason")
    return roster.faults_csv(rows.iterator(chunk_size=FAULTS_AT_ONCE))

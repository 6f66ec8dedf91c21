"""A backup copy made under an order (requirement R112; 18 U.S.C. 2704): due soon, confirmed, let go late."""

import re
from datetime import date, datetime

from cases.flows import legal_requests
from cases.flows.evidence import accounts_of, parties_of
from cases.models import BackupCopy, LegalRequest
from cases.rules.backup import BACKUP_LIFECYCLE, BackupState, ReleasedWhy
from cases.rules.disclosure import Ground
from cases.rules.stages import LegalRequestState
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.holds import place_hold, release_hold
from kyc_portal.records.models import LegalHold
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CLOCK, HOLD_REASON = "backup copy", "backup copy"
SHA256 = re.compile(r"[0-9a-f]{64}")


class NotOrdered(Refusal):
    """The request is no order of a backup copy, is not validated, or its copy is on file already."""


class BadBackup(Refusal):
    """Something about the copy cannot be as it was given."""


class TooSoon(Refusal):
    """The copy must still be kept."""


@flow
def take_in(request: LegalRequest, *, by: Actor, at: datetime) -> BackupCopy:
    """Hold what the order is about and start its clock, from the day it came. Raises NotOrdered."""
    request = legal_requests.locked(request)
    if request.ground != Ground.BACKUP_ORDER or request.state != LegalRequestState.VALIDATED:
        raise NotOrdered(f"{request.reference} is no validated order to make a backup copy. Validate it first.")
    if BackupCopy.objects.filter(request=request).exists():
        raise NotOrdered(f"The copy for {request.reference} is on file already.")
    accounts = accounts_of(request.case)
    hold = place_hold(
        [*accounts, *parties_of(accounts, on=legal_day(at)), request.case],
        reason=HOLD_REASON, ground=request.reference, by=by, at=at,
    )  # fmt: skip
    copy = BackupCopy(request=request, hold=hold)
    regime = regime_on(legal_day(at))
    clock = start_clock(CLOCK, copy, figure="backup_copy_days", regime=regime, on=request.received_on, by=by, at=at)
    copy.due_on = clock.due_on
    copy.save()
    audit.record(
        Verb.BACKUP_ORDERED, copy, by=by, at=at, within=request.case, request=request.reference, due_on=copy.due_on,
        hold=hold.reference,
    )  # fmt: skip
    return copy


@flow
def made(copy: BackupCopy, *, sha256: str, by: Actor, at: datetime) -> BackupCopy:
    """The copy lies in its store; `sha256` (64 hex digits) says which one it is. Raises BadBackup."""
    sha256 = sha256.strip().lower()
    if not SHA256.fullmatch(sha256):
        raise BadBackup("The SHA-256 of the copy has 64 hex digits. Copy it from the tool that made the copy.")
    copy = _moved(copy, BackupState.MADE)
    copy.sha256, copy.made_at, copy.made_by = sha256, at, by.label
    return _saved(copy, by=by, at=at, sha256=sha256)


@flow
def confirm(copy: BackupCopy, *, by: Actor, at: datetime) -> BackupCopy:
    """The authority was told that the copy was made; its clock stops."""
    copy = _moved(copy, BackupState.CONFIRMED)
    copy.confirmed_at, copy.confirmed_by = at, by.label
    stop_clock(CLOCK, copy, by=by, at=at)
    return _saved(copy, by=by, at=at)


@flow
def note_notice(copy: BackupCopy, *, noticed_on: date, by: Actor, at: datetime) -> BackupCopy:
    """The government gave notice to the customer on that day; the days before any release count from it."""
    copy = _locked(copy)
    if copy.state == BackupState.RELEASED:
        raise BadBackup(f"{copy.reference} was let go already.")
    if not copy.request.received_on <= noticed_on <= legal_day(at):
        raise BadBackup(f"The notice cannot have been given on {noticed_on}. Correct the day.")
    copy.noticed_on = noticed_on
    copy.not_before = add_days(noticed_on, regime_on(legal_day(at)).whole("backup_release_days"))
    copy.save(update_fields=["noticed_on", "not_before"])
    audit.record(
        Verb.BACKUP_NOTICED, copy, by=by, at=at, within=copy.request.case, reference=copy.reference,
        until=copy.not_before,
    )  # fmt: skip
    return copy


@flow
def release(copy: BackupCopy, *, why: str, by: Actor, at: datetime) -> BackupCopy:
    """Let the copy go, delivered or at the end of the proceedings; its hold ends, every other one stays.

    Raises TooSoon before the days after the notice have passed, and while the order is challenged.
    """
    if why not in list(ReleasedWhy):
        raise BadBackup(f"Say why it is let go. Choose one of: {', '.join(ReleasedWhy)}.")
    copy = _moved(copy, BackupState.RELEASED)
    request = legal_requests.locked(copy.request)
    if request.state == LegalRequestState.CHALLENGED:
        raise TooSoon(f"{request.reference} is challenged. The copy is kept until the challenge has ended.")
    if copy.not_before is None:
        raise TooSoon("The day of the government's notice is not on file. Enter it first: the copy is kept after it.")
    if legal_day(at) < copy.not_before:
        raise TooSoon(f"The copy is kept at least until {copy.not_before} (18 U.S.C. 2704). Let it go then.")
    copy.released_at, copy.released_by, copy.released_why = at, by.label, ReleasedWhy(why).value
    hold = LegalHold.objects.in_force().filter(pk=copy.hold_id).first()
    if hold is not None:
        release_hold(hold, reason=f"{copy.reference}: {copy.get_released_why_display()}", by=by, at=at)
    return _saved(copy, by=by, at=at)


def _locked(copy: BackupCopy) -> BackupCopy:
    return BackupCopy.objects.select_for_update(of=("self",)).select_related("request__case").get(pk=copy.pk)


def _moved(copy: BackupCopy, to: BackupState) -> BackupCopy:
    copy = _locked(copy)
    BACKUP_LIFECYCLE.require(copy.state, to)
    copy.state = to.value
    return copy


def _saved(copy: BackupCopy, *, by: Actor, at: datetime, **facts) -> BackupCopy:
    copy.save()
    audit.record(
        Verb.BACKUP_MOVED, copy, by=by, at=at, within=copy.request.case, reference=copy.reference, state=copy.state,
        **facts,
    )  # fmt: skip
    return copy

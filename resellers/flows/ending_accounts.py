"""Carry out the end of a relationship: one customer after the other, then the reseller itself (R59, R62).

Each customer is a transaction of its own. Whoever is killed, or runs beside another, goes on with what is still
waiting; a customer that cannot be handled is marked and stops nobody else.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connection, models

from accounts.flows import closing, intake, restrictions
from accounts.models import Account, Restriction
from accounts.rules.onboarding import AccountStatus
from accounts.rules.restricting import REASONS
from kyc_portal.calendars import add_days
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.holds import AlreadyDestroyed
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows import certification_ends, file, findings, onboarding, roster_files, sampling, termination
from resellers.flows.attestation import SIGN_BY
from resellers.models import DownstreamCustomer, Reseller, RosterEntry, Termination, TerminationStep
from resellers.rules.ending import (
    CLOSING_REASONS,
    OWN_WORDING,
    EndReason,
    EndState,
    Fault,
    Outcome,
    Result,
    StepState,
    foregone,
)
from resellers.rules.roster import EndedWhy, UploadState
from resellers.verbs import Verb

NOT_BEGUN = (UploadState.RECEIVED.value, UploadState.READ.value, UploadState.STOPPED.value)
log = logging.getLogger(__name__)
ENDED = "reseller_ended"  # the code of the reason, in all three tables of reasons


def carry_out(reference: str, *, by: Actor, at: datetime) -> dict[str, int]:
    """The job: handle every waiting customer, then end the reseller itself if nothing is left; may be repeated.

    Returns how many were done and failed in this run.
    """
    told = {"done": 0, "failed": 0}
    row = Termination.objects.filter(reference=reference, state=EndState.UNDER_WAY.value).first()
    if row is None:
        return told
    _begin(row, by=by, at=at)
    for key in _waiting(row):
        if (outcome := _handle(key, by=by, at=at)) is not None:
            told[outcome] += 1
    finish(row, by=by, at=at)
    return told


def _waiting(row: Termination) -> Iterator[UUID]:
    """The keys of what waits, a batch at a time, so that no long list is held and nothing stays open meanwhile."""
    last = None
    while True:
        rows = row.steps.waiting().order_by("pk")
        keys = list((rows.filter(pk__gt=last) if last else rows).values_list("pk", flat=True)[: termination.BATCH])
        if not keys:
            return
        yield from keys
        last = keys[-1]


@flow
def _begin(row: Termination, *, by: Actor, at: datetime) -> None:
    """Note when the first customer is handled; said once."""
    if Termination.objects.filter(pk=row.pk, begun_at__isnull=True).update(begun_at=at):
        reseller = row.reseller.reference
        audit.record(Verb.TERMINATION_BEGUN, row, by=by, at=at, within=row.reseller, reseller=reseller)


def _handle(key: UUID, *, by: Actor, at: datetime) -> str | None:
    """One customer; "done", "failed", or None when another worker has it."""
    try:
        return _do(key, by=by, at=at)
    except OperationalError:  # the database, not the account: the job as a whole is tried again
        raise
    except Exception as error:  # what one account runs into must not stop the others
        fault = _fault_of(error)
        if fault is Fault.ERROR:
            log.error("a customer of an ended reseller could not be handled (%s)", type(error).__name__)
        return _say_failed(key, fault, by=by, at=at)


def _fault_of(error: Exception) -> Fault:
    if isinstance(error, onboarding.NoReseller):
        return Fault.TARGET
    if isinstance(error, AlreadyDestroyed):
        return Fault.DESTROYED
    return Fault.REFUSED if isinstance(error, Refusal) else Fault.ERROR


def _taken(key: UUID) -> TerminationStep | None:
    """The step while it waits, locked; None when it is done, or when another worker is at it now."""
    skips = connection.features.has_select_for_update_skip_locked
    rows = TerminationStep.objects.select_for_update(of=("self",), skip_locked=skips).waiting()
    return rows.select_related("termination__reseller", "link__account", "target").filter(pk=key).first()


@flow
def _do(key: UUID, *, by: Actor, at: datetime) -> str | None:
    """The locks in the order of every other flow: the reseller they move to, the account, the link."""
    step = _taken(key)
    if step is None:
        return None
    if step.outcome == Outcome.MIGRATE:
        file.locked(step.target)
    account = Account.objects.select_for_update(of=("self",)).get(pk=step.link.account_id)
    link = DownstreamCustomer.objects.select_for_update(of=("self",)).select_related("account").get(pk=step.link_id)
    is_theirs = link.ended_at is None and link.reseller_id == step.termination.reseller_id
    found = foregone(step.outcome, AccountStatus(account.status), is_theirs=is_theirs)
    if isinstance(found, Fault):
        return _fail(step, found, by, at)
    result = found or DEEDS[Outcome(step.outcome)](step, link, account, by=by, at=at)
    step.state, step.result, step.done_at, step.done_by = StepState.DONE.value, result.value, at, by.label
    step.attempts += 1
    step.save(update_fields=["state", "result", "done_at", "done_by", "attempts"])
    _tell(Verb.STEP_DONE, step, by, at, result=result.value, outcome=step.outcome)
    return "done"


@flow
def _say_failed(key: UUID, fault: Fault, *, by: Actor, at: datetime) -> str | None:
    step = _taken(key)
    return _fail(step, fault, by, at) if step is not None else None


def _fail(step: TerminationStep, fault: Fault, by: Actor, at: datetime) -> str:
    step.state, step.why_failed, step.attempts = StepState.FAILED.value, fault.value, step.attempts + 1
    step.save(update_fields=["state", "why_failed", "attempts"])
    _tell(Verb.STEP_FAILED, step, by, at, reason=fault.value)
    return "failed"


def _tell(verb: Verb, step: TerminationStep, by: Actor, at: datetime, **facts) -> None:
    facts |= {"account": step.link.account.reference, "reseller": step.termination.reseller.reference}
    audit.record(verb, step.link.account, by=by, at=at, within=step.termination, **facts)


# --- what is done to one customer; each returns what became of it -----------------------------------------------------


def _migrate(step, link: DownstreamCustomer, account: Account, *, by: Actor, at: datetime) -> Result:
    onboarding.change_reseller(link, reseller=step.target, by=by, at=at)
    return Result.MIGRATED


def _take_over(step, link: DownstreamCustomer, account: Account, *, by: Actor, at: datetime) -> Result:
    onboarding.take_over(link, by=by, at=at)
    return Result.DIRECT


def _close(step, link: DownstreamCustomer, account: Account, *, by: Actor, at: datetime) -> Result:
    if not account.is_open:
        intake.refuse_prospect(account, reason=ENDED, by=by, at=at)
        return Result.REFUSED
    closing.close_account(account, reason=ENDED, by=by, at=at)
    return Result.CLOSED


def _suspend(step, link: DownstreamCustomer, account: Account, *, by: Actor, at: datetime) -> Result:
    wording = REASONS[ENDED].public_wording
    _stop_use(account, wording, basis=step.termination.reference, by=by, at=at)
    return Result.SUSPENDED


DEEDS = {
    Outcome.MIGRATE: _migrate,
    Outcome.DIRECT: _take_over,
    Outcome.CLOSE: _close,
    Outcome.SUSPEND: _suspend,
}


def _stop_use(account: Account, public_wording: str, *, basis: str, by: Actor, at: datetime) -> Restriction | None:
    """Suspend with the words for the public, against which the customer may object (R41); once for each basis."""
    if account.restrictions.in_force().filter(basis=basis).exists():
        return None
    day = legal_day(at)
    return restrictions.suspend(
        account, reason=ENDED, public_wording=public_wording, basis=basis,
        object_by=add_days(day, regime_on(day).whole("appeal_window_days")), by=by, at=at,
    )  # fmt: skip


# --- the reseller itself ----------------------------------------------------------------------------------------------


@flow
def finish(row: Termination, *, by: Actor, at: datetime) -> Termination:
    """End the reseller itself once every customer is handled; does nothing before, or a second time.

    Its findings end and their clocks stop (T30), its contracts get their last day, its roster is in force no more, its
    account is closed or suspended, and last its managers see nothing any more.
    """
    reseller = file.locked(row.reseller)
    row = Termination.objects.select_for_update(of=("self",)).get(pk=row.pk)
    row.reseller = reseller
    if row.state != EndState.UNDER_WAY or row.steps.left().exists():
        return row
    if termination.add_steps(row):  # somebody came in between the proposal and the signature
        termination.go_on(row, at)
        return row
    for finding in reseller.findings.standing().order_by("pk"):
        findings.end_with_relationship(finding, by=by, at=at)
    for unsigned in reseller.attestations.unsigned().order_by("pk"):
        stop_clock(SIGN_BY, unsigned, by=by, at=at)
    sampling.drop_running(reseller, by=by, at=at)
    _end_contracts(reseller, by, at)
    _end_roster(reseller, by, at)
    _end_own_account(row, reseller, by, at)
    for binding in reseller.managers.filter(ended_at__isnull=True).order_by("pk"):
        onboarding.end_binding(binding, by=by, at=at)
    row.state, row.finished_at = EndState.DONE.value, at
    row.save(update_fields=["state", "finished_at"])
    facts = {"reseller": reseller.reference, "count": row.steps.count()}
    audit.record(Verb.TERMINATION_DONE, row, by=by, at=at, within=reseller, **facts)
    return row


def _end_contracts(reseller: Reseller, by: Actor, at: datetime) -> None:
    """One that was to begin later ends on its first day: the database lets none end before it begins."""
    day = legal_day(at)
    running = models.Q(to_on__isnull=True) | models.Q(to_on__gt=day)
    for contract in reseller.contracts.filter(running).order_by("pk"):
        file.end_contract(contract, to_on=max(day, contract.from_on), by=by, at=at)


def _end_roster(reseller: Reseller, by: Actor, at: datetime) -> None:
    """Set by set with one event: what it stated stays as it was stated, and is in force no more. Waiting files go."""
    for upload in reseller.uploads.filter(state__in=NOT_BEGUN).order_by("pk"):
        roster_files.discard(upload, by=by, at=at)
    rows = RosterEntry.objects.in_force().filter(reseller=reseller)
    if count := rows.update(ended_at=at, ended_why=EndedWhy.ENDED.value):
        audit.record(Verb.ROSTER_ENDED, reseller, by=by, at=at, reseller=reseller.reference, count=count)
        certification_ends.break_changed(reseller, by=by, at=at)


def _end_own_account(row: Termination, reseller: Reseller, by: Actor, at: datetime) -> None:
    """A blocked one stays blocked: that is decided in a case by two people; one that has ended needs nothing."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=reseller.account_id)
    if account.status != AccountStatus.ACTIVE:
        return
    if row.own_outcome == Outcome.CLOSE:
        closing.close_account(account, reason=CLOSING_REASONS[EndReason(row.reason)], by=by, at=at)
    else:
        _stop_use(account, OWN_WORDING, basis=row.reference, by=by, at=at)

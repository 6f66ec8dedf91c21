"""Decide the end of a relationship with a reseller, and what becomes of its customers (R59, R61, R62; proposed 7.303).

Two people decide. From that moment the reseller sells nothing; what is then done to each customer: ending_accounts.py.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from kyc_portal.work.failures import sweep
from resellers.flows import file
from resellers.models import Finding, Reseller, Termination, TerminationStep
from resellers.rules.ending import MOVES, EndReason, EndState, Outcome, StepState
from resellers.rules.findings import STANDING
from resellers.verbs import Verb

CARRY_OUT = "resellers.end_relationship"
LONGEST = 4000
BATCH = 1000
BY_CLOCK = "The last day of {finding} is past, and it is not cured."


class AlreadyEnding(Refusal):
    """An end of this relationship was proposed or decided before."""


class NoLongerHolds(Refusal):
    """What the proposal rests on was cured or withdrawn meanwhile."""


class StepDone(Refusal):
    """What was to become of the customer was done already."""


class NothingFailed(Refusal):
    """There is nothing to try again."""


@flow
def propose(
    reseller: Reseller,
    *,
    reason: str,
    words: str,
    outcome: str,
    target: Reseller | None = None,
    own_outcome: str = Outcome.CLOSE.value,
    finding: Finding | None = None,
    by: Actor,
    at: datetime,
) -> Termination:
    """Propose to end it; a second person decides, until then nothing changes for anybody.

    `outcome` is what becomes of every customer unless another is chosen for one, `target` the reseller to whom they
    move (outcome "migrate" alone). Raises BadField, AlreadyEnding.
    """
    reseller, told = file.locked(reseller), Texts()
    _require_none(reseller)
    reason = texts.chosen("Reason", reason, EndReason)
    if own_outcome not in (Outcome.CLOSE, Outcome.SUSPEND):
        raise BadField("Outcome of its own account must be close or suspend.")
    if reason == EndReason.NOT_CURED and finding is None:
        raise BadField("Finding is empty. Propose this on the page of the finding that was not cured.")
    if finding is not None:
        finding = reseller.findings.select_for_update(of=("self",)).filter(pk=finding.pk).first()
        if finding is None or finding.state not in STANDING:
            raise BadField("Finding does not stand against this reseller any more. Choose one that does.")
    outcome, target = _where_to(reseller, outcome, target, at)
    clear = texts.required("Why", told.lines("Why", words, LONGEST))
    return _create(
        reseller, told, clear, reason=reason, outcome=outcome, target=target, own_outcome=own_outcome, finding=finding,
        by=by, at=at,
    )  # fmt: skip


def propose_overdue(*, by: Actor = SCHEDULER, at: datetime) -> dict:
    """Propose the end for each finding past its last day whose reseller is not ended yet, once a finding (T30)."""
    late = Finding.objects.overdue(legal_day(at)).exclude(terminations__proposed_by_key="")
    ending = Termination.objects.exclude(state=EndState.WITHDRAWN.value)
    rows = late.exclude(reseller__in=ending.values("reseller")).order_by("due_on", "pk")
    return sweep("resellers.enforce_cure", rows, lambda row: _by_clock(row, by=by, at=at), at=at)


@flow
def _by_clock(finding: Finding, *, by: Actor, at: datetime) -> None:
    """Judged again under lock: two runs, or a colleague, may have come first."""
    reseller = file.locked(finding.reseller)
    late = reseller.findings.overdue(legal_day(at)).exclude(terminations__proposed_by_key="").filter(pk=finding.pk)
    if not late.exists() or reseller.terminations.exclude(state=EndState.WITHDRAWN.value).exists():
        return
    _create(
        reseller, Texts(), BY_CLOCK.format(finding=finding.reference), reason=EndReason.NOT_CURED.value,
        outcome=Outcome.DIRECT.value, target=None, own_outcome=Outcome.SUSPEND.value, finding=finding, by=by, at=at,
    )  # fmt: skip


def _create(reseller: Reseller, told: Texts, words: str, *, by: Actor, at: datetime, **given) -> Termination:
    row = Termination(
        reseller=reseller, proposed_at=at, proposed_by=by.label,
        proposed_by_key="" if by.kind == SCHEDULER.kind else person_key(by), **given,
    )  # fmt: skip
    row.words = words
    _set_last_day(row)
    row.save(force_insert=True)
    count = add_steps(row)
    _tell(Verb.TERMINATION_PROPOSED, row, by, at, reason=row.reason, count=count)
    told.record_masked(row, by=by, at=at)
    return row


def _set_last_day(row: Termination) -> None:
    """The soonest last good day of what stands against the reseller, and what sets it; none when nothing stands."""
    soonest = row.reseller.findings.standing().order_by("due_on", "pk").first()
    row.due_on, row.citation_id = (soonest.due_on, soonest.citation_id) if soonest else (None, None)


def add_steps(termination: Termination) -> int:
    """A step for each of its customers that has none; returns how many. The caller holds the reseller's lock."""
    there = termination.steps.values("link")
    links = termination.reseller.customers.current().exclude(pk__in=there).order_by("pk").values_list("pk", flat=True)
    steps = [
        TerminationStep(
            termination=termination, link_id=key, outcome=termination.outcome, target_id=termination.target_id
        )
        for key in links
    ]
    TerminationStep.objects.bulk_create(steps, batch_size=BATCH)
    return len(steps)


@flow
def agree(termination: Termination, *, shown: str, by: Actor, at: datetime) -> Termination:
    """The second signature: the reseller sells nothing from now on, and its customers are handled one by one.

    `shown` is the digest of what lay before this person: what becomes of single customers can be chosen until then.
    Raises SecondPersonNeeded, PreparedAnew, MoveNotAllowed, or NoLongerHolds when the finding it rests on was cured.
    """
    termination = _locked(termination)
    MOVES.require(termination.state, EndState.UNDER_WAY)
    require_second_person(termination.proposed_by_key or None, by, deed="the end of a relationship")
    require_as_shown(shown, digest_of(termination), name=termination.reference)
    finding = termination.finding
    if termination.reason == EndReason.NOT_CURED and finding.state not in STANDING:
        raise NoLongerHolds(f"{finding.reference} is {finding.get_state_display()}. Withdraw this proposal.")
    add_steps(termination)
    _set_last_day(termination)
    termination.state, termination.decided_at, termination.decided_by = EndState.UNDER_WAY.value, at, by.label
    termination.save(update_fields=["state", "decided_at", "decided_by", "due_on", "citation"])
    _tell(Verb.TERMINATION_AGREED, termination, by, at, count=termination.steps.count())
    queue.ask(CARRY_OUT, termination.reference, due_at=at, at=at)
    return termination


def digest_of(termination: Termination) -> str:
    """What is agreed to: what becomes of the reseller's own account, and of each of its customers; one query."""
    steps = termination.steps.order_by("pk").values_list("pk", "outcome", "target")
    row = (termination.reference, termination.outcome, termination.target_id, termination.own_outcome)
    return digest(*row, [list(each) for each in steps])


@flow
def withdraw(termination: Termination, *, why: str, by: Actor, at: datetime) -> Termination:
    """Drop a proposal nobody has agreed to; nothing was done. Raises BadField, MoveNotAllowed."""
    termination, told = _locked(termination), Texts()
    MOVES.require(termination.state, EndState.WITHDRAWN)
    termination.why_withdrawn = texts.required("Why", told.line("Why", why, 500))
    termination.state, termination.decided_at, termination.decided_by = EndState.WITHDRAWN.value, at, by.label
    termination.save(update_fields=["why_withdrawn", "state", "decided_at", "decided_by"])
    _tell(Verb.TERMINATION_WITHDRAWN, termination, by, at)
    told.record_masked(termination, by=by, at=at)
    return termination


@flow
def choose(
    termination: Termination, *, outcome: str, target: Reseller | None = None, steps: Sequence[UUID] | None = None,
    by: Actor, at: datetime,
) -> int:  # fmt: skip
    """Choose what becomes of some customers (keys of their steps), or of all not done yet; returns of how many.

    What failed is tried anew. Raises BadField, MoveNotAllowed once it is over, and StepDone for a chosen one that was
    done already.
    """
    termination = _locked(termination)
    if termination.state not in (EndState.PROPOSED, EndState.UNDER_WAY):
        MOVES.require(termination.state, EndState.UNDER_WAY)
    outcome, target = _where_to(termination.reseller, outcome, target, at)
    rows = termination.steps.select_for_update(of=("self",)).order_by("pk")
    rows = rows.left() if steps is None else rows.filter(pk__in=steps)
    found = list(rows.values_list("pk", "state"))
    if any(state == StepState.DONE for _, state in found):
        raise StepDone("That was done already. Act on the page of the account itself.")
    if not found:
        raise StepDone("No customer is left for whom something could be chosen.")
    for keys in _in_batches([key for key, _ in found]):
        TerminationStep.objects.filter(pk__in=keys).update(
            outcome=outcome, target=target, state=StepState.WAITING.value, why_failed="", chosen_by=by.label
        )
    if steps is None:
        termination.outcome, termination.target = outcome, target
        termination.save(update_fields=["outcome", "target"])
    to = target.reference if target else ""
    _tell(Verb.TERMINATION_CHOSEN, termination, by, at, count=len(found), outcome=outcome, to=to)
    go_on(termination, at)
    return len(found)


@flow
def try_again(termination: Termination, *, steps: Sequence[UUID] | None = None, by: Actor, at: datetime) -> int:
    """Have what failed done once more, all of it or these; returns how many. Raises NothingFailed, MoveNotAllowed."""
    termination = _locked(termination)
    if termination.state != EndState.UNDER_WAY:
        MOVES.require(termination.state, EndState.DONE)
    rows = termination.steps.failed().select_for_update(of=("self",)).order_by("pk")
    found = list((rows if steps is None else rows.filter(pk__in=steps)).values_list("pk", flat=True))
    if not found:
        raise NothingFailed("Nothing has failed. The page tells how far it is.")
    for keys in _in_batches(found):
        TerminationStep.objects.filter(pk__in=keys).update(state=StepState.WAITING.value, why_failed="")
    _tell(Verb.TERMINATION_RETRIED, termination, by, at, count=len(found))
    go_on(termination, at)
    return len(found)


def progress(termination: Termination) -> dict[str, int]:
    """How many customers are "waiting", "done" and "failed" now; counted from the steps, one query."""
    counted = dict(termination.steps.order_by().values_list("state").annotate(Count("pk")))
    return {state.value: counted.get(state.value, 0) for state in StepState}


def was_late(termination: Termination) -> bool:
    """Whether the relationship ended after the last good day (T30)."""
    ended = termination.finished_at
    return bool(ended and termination.due_on and legal_day(ended) > termination.due_on)


def days_over(termination: Termination, *, on: date) -> int:
    """By how many days the last good day is past without an end; 0 while it is not."""
    if termination.state in (EndState.DONE, EndState.WITHDRAWN) or termination.due_on is None:
        return 0
    return max(0, (on - termination.due_on).days)


def go_on(termination: Termination, at: datetime) -> None:
    """Wake a worker, if the end is under way."""
    if termination.state == EndState.UNDER_WAY:
        queue.ask(CARRY_OUT, termination.reference, due_at=at, at=at)


def _require_none(reseller: Reseller) -> None:
    earlier = reseller.terminations.exclude(state=EndState.WITHDRAWN.value).first()
    if earlier is not None:
        raise AlreadyEnding(f"{earlier.reference} is {earlier.get_state_display()}. See its page.")


def _where_to(reseller: Reseller, outcome: str, target: Reseller | None, at: datetime) -> tuple[str, Reseller | None]:
    """A valid outcome with its target. Raises BadField for one that does not go together, or may not be."""
    outcome = texts.chosen("Outcome", outcome, Outcome)
    if outcome != Outcome.MIGRATE:
        if target is not None:
            raise BadField("Other reseller is given, but nobody moves. Leave it empty, or choose to move them.")
        return outcome, None
    if target is None:
        raise BadField("Other reseller is empty. Name the one to whom they move.")
    if target.pk == reseller.pk:
        raise BadField("Other reseller is the one whose relationship ends. Name another one.")
    target = Reseller.objects.select_related("account__party").get(pk=target.pk)
    standing = file.standing_of(target, on=legal_day(at))
    if not standing.may_sell:
        raise BadField(f"Other reseller {target.reference} may not sell. {' '.join(standing.reasons)}")
    return outcome, target


def _in_batches(keys: list) -> list[list]:
    return [keys[begin : begin + BATCH] for begin in range(0, len(keys), BATCH)]


def _tell(verb: Verb, termination: Termination, by: Actor, at: datetime, **facts) -> None:
    reseller = termination.reseller.reference
    audit.record(verb, termination, by=by, at=at, within=termination.reseller, reseller=reseller, **facts)


def _locked(termination: Termination) -> Termination:
    """The row under its reseller's lock, as everything of a reseller's file is taken."""
    file.locked(termination.reseller)
    rows = Termination.objects.select_for_update(of=("self",)).select_related("reseller__account__party", "finding")
    return rows.get(pk=termination.pk)

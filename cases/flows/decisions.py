"""Decide about an account: one person proposes, another countersigns, then it takes effect (R37, R39-R41)."""

from datetime import datetime
from uuid import UUID

from accounts.flows import closing, intake, restrictions, signals, texts
from accounts.models import Account, RiskSignal
from accounts.models.account import WAITING_STATUSES
from accounts.rules.onboarding import AccountStatus
from cases.flows import review, triage
from cases.flows.evidence import seen_by_reviewer
from cases.models import Case, CaseSubject, Decision
from cases.rules.outcomes import AccountEffect, Consequence, can_be_done, consequence_of
from cases.rules.stages import DECISION_LIFECYCLE, CaseStatus, DecisionState
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

ONE_SIGNATURE = "one signature is enough"

# Closing what was never open is refusing it: the reason of a decision as a reason not to open; the rest is own policy.
REFUSALS = {
    "list_match_confirmed": "listed",
    "owned_by_listed": "listed",
    "special_measure": "measure",
    "identity_not_verified": "identity_not_verified",
    "false_documents": "document_not_genuine",
    "owners_undisclosed": "data_not_given",
}


class NotYourCase(Refusal):
    """Only whoever works the case proposes what is decided in it."""


class NotInCase(Refusal):
    """The case is not about this account."""


class AlreadyProposed(Refusal):
    """A proposal about this account waits for its second signature."""


class CannotBeDone(Refusal):
    """The account is in a state to which the outcome does not apply."""


class AlreadyAnswered(Refusal):
    """The proposal was countersigned, declined or withdrawn before."""


class NotYours(Refusal):
    """A proposal is withdrawn by whoever made it."""


@flow
def propose(case: Case, *, account: Account, outcome: str, reason: str, by: Actor, at: datetime) -> Decision:
    """Propose what is to happen to one account of a case; it takes effect at once where one signature is enough.

    `outcome` and `reason` are codes. Keeps references of what the reviewer had before them. Raises UnfitOutcome when
    the two do not go together, and NotYourCase, NotInCase or AlreadyProposed.
    """
    consequence = consequence_of(outcome, reason)
    account = triage.lock_customer(account)
    case = review.lock_case(case)
    if not CaseSubject.objects.filter(case=case, account=account).exists():
        raise NotInCase(f"{case.reference} is not about {account.reference}. Choose an account of this case.")
    require_may_propose(case, account, by, waiting=waiting_of([case]).get((case.pk, account.pk)))
    require_can_be_done(account, consequence)
    review.move_case(case, CaseStatus.PROPOSED)
    case.save(update_fields=["status"])

    decision = Decision.objects.create(
        case=case, account=account, outcome=consequence.outcome.code.value, reason=reason,
        rests_on=seen_by_reviewer(account, on=legal_day(at)), rests_on_list=consequence.rests_on_list,
        proposed_at=at, proposed_by=by.label, proposed_by_key=person_key(by),
    )  # fmt: skip
    if consequence.must_be_countersigned:
        _record(Verb.PROPOSED, decision, by, at, rests_on=references(decision))
        return decision
    decision.answered_why = ONE_SIGNATURE
    _record(Verb.IN_EFFECT, decision, by, at, rests_on=references(decision))
    return _take_effect(decision, consequence, by=by, at=at)


def waiting_of(cases: list[Case]) -> dict[tuple[UUID, UUID], Decision]:
    """By case and account the proposal that waits for its second signature; one query."""
    return {(each.case_id, each.account_id): each for each in Decision.objects.proposed().filter(case__in=cases)}


def require_may_propose(case: Case, account: Account, by: Actor, *, waiting: Decision | None) -> None:
    """Raises NotYourCase, or AlreadyProposed for a proposal about the account that waits."""
    if case.assigned_to_id is None or str(case.assigned_to_id) != by.key or by.kind != "person":
        whose = f"{case.assigned_to} works it" if case.assigned_to_id else "nobody works it"
        raise NotYourCase(f"You do not work {case.reference}: {whose}. Take the case first.")
    if waiting is not None:
        raise AlreadyProposed(
            f"{waiting.reference} about {account.reference} waits for its second signature. Withdraw it first."
        )


def require_can_be_done(account: Account, consequence: Consequence) -> None:
    """What cannot take effect is refused when it is proposed, not only when a second person signs."""
    if not can_be_done(consequence.outcome.code, account.status):
        raise CannotBeDone(
            f"{account.reference} is {AccountStatus(account.status).label}: “{consequence.outcome.code.label}” "
            "cannot be done to it. Choose another outcome."
        )


def references(decision: Decision) -> list[str]:
    """What a decision rests on, as its event names it."""
    return [row["reference"] for rows in decision.rests_on.values() for row in rows]


@flow
def countersign(decision: Decision, *, by: Actor, at: datetime) -> Decision:
    """Give the second signature; the decision takes effect in the same transaction.

    Of two people who sign at once one wins; the other reads who it was and when (AlreadyAnswered).
    """
    decision, _ = _lock(decision)
    _require_waits(decision)
    require_second_person(decision.proposed_by_key, by, deed=decision.reference)
    decision.answered_by = by.label
    _record(Verb.COUNTERSIGNED, decision, by, at)
    return _take_effect(decision, consequence_of(decision.outcome, decision.reason), by=by, at=at)


@flow
def decline(decision: Decision, *, why: str, by: Actor, at: datetime) -> Decision:
    """Do not countersign, and say why; the case goes back to whoever works it."""
    decision, case = _lock(decision)
    _require_waits(decision)
    require_second_person(decision.proposed_by_key, by, deed=decision.reference)
    told = texts.Texts()
    decision.answered_why = texts.required("Why", told.lines("Why", why.strip(), 300))
    told.record_masked(decision, by=by, at=at)
    return _end_unsigned(decision, case, DecisionState.DECLINED, Verb.DECLINED, by=by, at=at)


@flow
def withdraw(decision: Decision, *, by: Actor, at: datetime) -> Decision:
    """Take back one's own proposal. Raises NotYours for anybody else's."""
    decision, case = _lock(decision)
    _require_waits(decision)
    if person_key(by) != decision.proposed_by_key:
        raise NotYours(f"{decision.proposed_by} made this proposal. Decline it instead, or ask them to withdraw it.")
    return _end_unsigned(decision, case, DecisionState.WITHDRAWN, Verb.WITHDRAWN, by=by, at=at)


def _lock(decision: Decision) -> tuple[Decision, Case]:
    """Account, case, decision: the order in which everybody locks them."""
    triage.lock_customer(decision.account)
    case = review.lock_case(decision.case)
    return Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk), case


def _require_waits(decision: Decision) -> None:
    if decision.state != DecisionState.PROPOSED:
        who = decision.answered_by or decision.proposed_by
        how = "put into effect with one signature" if decision.took_one_signature else decision.get_state_display()
        raise AlreadyAnswered(
            f"{decision.reference} was already {how} by {who} "
            f"on {decision.answered_at:%-d %b %Y at %H:%M} UTC. Open it to see what was decided."
        )


def _end_unsigned(
    decision: Decision, case: Case, state: DecisionState, verb: Verb, *, by: Actor, at: datetime
) -> Decision:
    DECISION_LIFECYCLE.require(decision.state, state)
    decision.state, decision.answered_at, decision.answered_by = state.value, at, by.label
    decision.save(update_fields=["state", "answered_at", "answered_by", "answered_why"])
    _settle(case, at=at, by=by)
    audit.record(verb, decision, by=by, at=at, within=case, decision=decision.reference)
    return decision


def _take_effect(decision: Decision, consequence: Consequence, *, by: Actor, at: datetime) -> Decision:
    """Write the decision down as made, do to the account what it says, answer its red flags, move the case on."""
    DECISION_LIFECYCLE.require(decision.state, DecisionState.COUNTERSIGNED)
    decision.state, decision.answered_at = DecisionState.COUNTERSIGNED.value, at
    decision.save(update_fields=["state", "answered_at", "answered_by", "answered_why"])
    _do_to_account(decision, consequence, by=by, at=at)
    seen = [row["reference"] for row in decision.rests_on["signals"]]
    for signal in RiskSignal.objects.open().filter(account=decision.account, reference__in=seen).order_by("reference"):
        signals.answer_signal(signal, answer=decision.outcome, by=by, at=at)
    triage.weigh_many([decision.account], by=by, at=at)
    _settle(review.lock_case(decision.case), at=at, by=by, decided=True)
    return decision


def _do_to_account(decision: Decision, consequence: Consequence, *, by: Actor, at: datetime) -> None:
    account, effect = decision.account, consequence.effect
    if effect == AccountEffect.CLOSED and account.status in WAITING_STATUSES:
        intake.refuse_prospect(account, reason=REFUSALS.get(decision.reason, "own_policy"), by=by, at=at)
    elif effect == AccountEffect.CLOSED:
        closing.close_account(account, reason=decision.reason, by=by, at=at)
    if effect not in _RESTRICT:
        return
    day = legal_day(at)
    _RESTRICT[effect](
        account, reason=decision.reason, public_wording=consequence.public_wording, basis=decision.reference,
        object_by=add_days(day, regime_on(day).whole(consequence.appeal_window)), by=by, at=at,
    )  # fmt: skip


_RESTRICT = {
    AccountEffect.LIMITED: restrictions.limit,
    AccountEffect.SUSPENDED: restrictions.suspend,
    AccountEffect.BLOCKED: restrictions.block,
}


def _settle(case: Case, *, at: datetime, by: Actor, decided: bool = False) -> None:
    """Where the case stands after an answer: what nobody has decided yet sends it back to its reviewer."""
    if Decision.objects.proposed().filter(case=case).exists():
        return
    unanswered = case.signals.filter(signal__answered_at__isnull=True).exists()
    if unanswered or not decided:
        review.move_case(case, CaseStatus.IN_REVIEW)
    else:
        review.move_case(case, CaseStatus.DECIDED)
        case.decided_at = at
        stop_clock(triage.TRIAGE, case, by=by, at=at)
    case.save(update_fields=["status", "decided_at"])


def _record(verb: Verb, decision: Decision, by: Actor, at: datetime, **facts) -> None:
    audit.record(
        verb, decision, by=by, at=at, within=decision.case, decision=decision.reference,
        outcome=decision.outcome, reason=decision.reason, **facts,
    )  # fmt: skip

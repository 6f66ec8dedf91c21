"""What a decision with its last signature brings about: at once, or when nobody undoes it in time (R37, R39-R41)."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.flows import closing, intake, restrictions, signals
from accounts.models import Account, RiskSignal
from accounts.models.account import WAITING_STATUSES
from accounts.rules.onboarding import AccountStatus
from cases.flows import review, triage
from cases.models import Case, Decision
from cases.rules.outcomes import AccountEffect, Consequence, can_be_done, consequence_of
from cases.rules.stages import DECISION_LIFECYCLE, CaseStatus, DecisionState
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

UNDO = "undo_minutes"  # the name of a number in the policy, not the number
LONGEST_WHY = 300


class CannotBeDone(Refusal):
    """The account is in a state to which the outcome does not apply."""


class NothingToUndo(Refusal):
    """The decision is not waiting to take effect."""


class NotYourSignature(Refusal):
    """A decision is undone by whoever signed it."""


def require_can_be_done(account: Account, consequence: Consequence) -> None:
    """What cannot take effect is refused when it is proposed, not only when a second person signs."""
    if not can_be_done(consequence.outcome.code, account.status):
        raise CannotBeDone(
            f"{account.reference} is {AccountStatus(account.status).label}: “{consequence.outcome.code.label}” "
            "cannot be done to it. Choose another outcome."
        )


def lock(decision: Decision) -> tuple[Decision, Case]:
    """Account, case, decision: the order in which everybody locks them."""
    account = triage.lock_customer(decision.account)
    case = review.lock_case(decision.case)
    decision = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    decision.account, decision.case = account, case
    return decision, case


def sign(decision: Decision, consequence: Consequence, *, at_once: bool, by: Actor, at: datetime) -> Decision:
    """What follows the last signature: effect now, or after the minutes in which it can be undone. Part of a flow."""
    decision.answered_at = at
    if at_once or not consequence.can_be_undone:
        return take_effect(decision, consequence, by=by, at=at)
    DECISION_LIFECYCLE.require(decision.state, DecisionState.SIGNED)
    decision.state = DecisionState.SIGNED.value
    decision.takes_effect_at = at + timedelta(minutes=regime_on(legal_day(at)).whole(UNDO))
    decision.save(
        update_fields=["state", "answered_at", "answered_by", "answered_by_key", "answered_why", "takes_effect_at"]
    )
    return decision


def take_effect(decision: Decision, consequence: Consequence, *, by: Actor, at: datetime) -> Decision:
    """Write the decision down as made, do to the account what it says, answer its red flags, move the case on."""
    DECISION_LIFECYCLE.require(decision.state, DecisionState.COUNTERSIGNED)
    decision.state, decision.in_effect_at = DecisionState.COUNTERSIGNED.value, at
    decision.appeal_by = appeal_by(consequence, at)
    decision.save(update_fields=[
        "state", "answered_at", "answered_by", "answered_by_key", "answered_why", "in_effect_at", "appeal_by",
    ])  # fmt: skip
    do_to_account(decision, consequence, by=by, at=at)
    seen = [row["reference"] for row in decision.rests_on.get("signals", ())]
    for signal in RiskSignal.objects.open().filter(account=decision.account, reference__in=seen).order_by("reference"):
        signals.answer_signal(signal, answer=decision.outcome, reason=decision.reason, by=by, at=at)
    triage.weigh_many([decision.account], by=by, at=at)
    settle(review.lock_case(decision.case), at=at, by=by, decided=True)
    return decision


def appeal_by(consequence: Consequence, at: datetime):
    """The last day on which the customer can appeal; None where they are told nothing."""
    if consequence.appeal_window is None:
        return None
    day = legal_day(at)
    return add_days(day, regime_on(day).whole(consequence.appeal_window))


def do_to_account(decision: Decision, consequence: Consequence, *, by: Actor, at: datetime) -> None:
    """Close, refuse, limit, suspend or block the decision's account; nothing for what leaves it as it is."""
    account, effect = decision.account, consequence.effect
    if effect == AccountEffect.CLOSED and account.status in WAITING_STATUSES:
        reason = consequence.reason.refusal  # for cause it stays so, also where the account was never opened
        intake.refuse_prospect(account, reason=reason, object_by=decision.appeal_by, by=by, at=at)
    elif effect == AccountEffect.CLOSED:
        told = consequence.told(account.status)
        closing.close_account(account, reason=decision.reason, told=told, object_by=decision.appeal_by, by=by, at=at)
    if effect not in _RESTRICT:
        return
    _RESTRICT[effect](
        account, reason=decision.reason, public_wording=consequence.public_wording, basis=decision.reference,
        object_by=decision.appeal_by, by=by, at=at,
    )  # fmt: skip


_RESTRICT = {
    AccountEffect.LIMITED: restrictions.limit,
    AccountEffect.SUSPENDED: restrictions.suspend,
    AccountEffect.BLOCKED: restrictions.block,
}


def settle(case: Case, *, at: datetime, by: Actor, decided: bool = False) -> None:
    """Where the case stands after an answer: what nobody has decided yet sends it back to its reviewer."""
    if Decision.objects.unfinished().filter(case=case).exists():
        return
    unanswered = case.signals.filter(signal__answered_at__isnull=True).exists()
    if unanswered or not decided:
        review.move_case(case, CaseStatus.IN_REVIEW)
    else:
        review.move_case(case, CaseStatus.DECIDED)
        case.decided_at = at
        stop_clock(triage.TRIAGE, case, by=by, at=at)
    case.save(update_fields=["status", "decided_at"])


@flow
def undo(decision: Decision, *, by: Actor, at: datetime) -> Decision:
    """Take a signed decision back before it takes effect; the case goes back to in review.

    Its state decides, not the clock: what the sweep has not brought into effect can be undone. Raises NothingToUndo,
    and NotYourSignature for whoever signed nothing.
    """
    decision, case = lock(decision)
    if decision.state != DecisionState.SIGNED:
        effect = f" since {decision.took_effect_at:%-d %b %Y at %H:%M} UTC" if decision.took_effect_at else ""
        raise NothingToUndo(
            f"{decision.reference} is {decision.state_in_words}{effect}; only what is signed and has not taken effect "
            "can be undone. Decide anew in its case."
        )
    if by.kind != "person" or person_key(by) not in decision.signers:
        who = " or ".join(name for name in (decision.proposed_by, decision.answered_by) if name)
        raise NotYourSignature(f"You have not signed {decision.reference}. Ask {who} to undo it.")
    return _end(decision, case, DecisionState.UNDONE, Verb.UNDONE, by=by, at=at)


@flow
def bring_into_effect(decision: Decision, *, by: Actor, at: datetime) -> Decision | None:
    """Do what a signed decision says when its minutes are over; None when it was purged, or is not due any more.

    What cannot be done any more (the account was closed meanwhile, say) ends with the sentence that says why, and the
    case goes back to its reviewer.
    """
    if not Decision.objects.filter(pk=decision.pk).exists():
        return None
    decision, case = lock(decision)
    if decision.state != DecisionState.SIGNED or decision.takes_effect_at > at:
        return None
    try:
        with transaction.atomic():
            consequence = consequence_of(decision.outcome, decision.reason)
            require_can_be_done(decision.account, consequence)
            audit.record(
                Verb.TOOK_EFFECT, decision, by=by, at=at, within=case, decision=decision.reference,
                outcome=decision.outcome, reason=decision.reason,
            )  # fmt: skip
            return take_effect(decision, consequence, by=by, at=at)
    except Refusal as refusal:
        decision, case = lock(decision)
        return _end(decision, case, DecisionState.NOT_DONE, Verb.NOT_DONE, why=refusal, by=by, at=at)


def _end(
    decision: Decision, case: Case, state: DecisionState, verb: Verb, *, why: Refusal | None = None, by: Actor,
    at: datetime,
) -> Decision:  # fmt: skip
    DECISION_LIFECYCLE.require(decision.state, state)
    decision.state, decision.ended_at, decision.ended_by = state.value, at, by.label
    decision.ended_why = str(why)[:LONGEST_WHY] if why else ""
    decision.save(update_fields=["state", "ended_at", "ended_by", "ended_why"])
    settle(case, at=at, by=by)
    facts = {"error": type(why).__name__} if why else {}
    audit.record(verb, decision, by=by, at=at, within=case, decision=decision.reference, **facts)
    return decision


def bring_due_into_effect(*, by: Actor = SCHEDULER, at: datetime) -> dict:
    """Each minute: what was signed and not undone in time takes effect, each in its own transaction; may be repeated.

    Returns {"done": n, "failed": n}.
    """
    due = Decision.objects.due_to_take_effect(at).select_related("account", "case").order_by("takes_effect_at", "pk")
    return sweep("cases.bring_into_effect", due, lambda row: bring_into_effect(row, by=by, at=at), at=at)

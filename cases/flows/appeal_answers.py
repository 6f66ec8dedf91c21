"""Answer an appeal: upheld, changed to something milder, or reversed; what rests on a list takes two (R37, R41)."""

from datetime import datetime

from accounts.flows import closing, objections, restrictions
from accounts.flows.account_file import AccountFile
from accounts.flows.texts import Texts, required
from accounts.models import Account
from accounts.models.screening import HitStatus
from accounts.rules.asked import ObjectionOutcome
from accounts.rules.onboarding import AccountStatus
from cases.flows import appeals, effects, signing
from cases.flows.evidence import kept
from cases.models import Appeal, Decision
from cases.rules.appeals import (
    APPEAL_LIFECYCLE,
    WORDINGS,
    AppealOutcome,
    AppealState,
    UnfitAnswer,
    require_fits,
    require_milder,
    takes_two,
)
from cases.rules.outcomes import Consequence, OutcomeCode, consequence_of
from cases.rules.replay import LISTED
from cases.rules.stages import DECISION_LIFECYCLE, DecisionState
from cases.verbs import Verb
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

LONGEST_WHY, LONGEST_SENT_BACK = 500, 300
OBJECTION_OUTCOMES = {
    AppealOutcome.UPHELD: ObjectionOutcome.STANDS,
    AppealOutcome.CHANGED: ObjectionOutcome.RIGHT,
    AppealOutcome.REVERSED: ObjectionOutcome.RIGHT,
}


class NotYours(Refusal):
    """An appeal is answered by whoever has it."""


class GroundStands(Refusal):
    """What the decision rests on still holds, so it cannot be taken back."""


@flow
def answer(
    appeal: Appeal, *, outcome: str, reason: str, why: str, new_outcome: str = "", new_reason: str = "", by: Actor,
    at: datetime,
) -> Appeal:  # fmt: skip
    """Answer an appeal that lies with `by`; where two must sign, the answer is proposed and nothing happens yet.

    `outcome` and `reason` are codes of rules/appeals.py, `why` is for colleagues; `new_outcome` and `new_reason` (codes
    of decisions) say what holds instead when it is changed. Raises NotYours, TookPart, NotOpen, UnfitAnswer,
    UnfitOutcome, GroundStands, BadField, and what undoing the decision raises.
    """
    appeal, decision = appeals.lock(appeal)
    appeals.require_state(appeal, AppealState.OPEN)
    if by.kind != "person" or str(appeal.assigned_to_id) != by.key:
        whose = f"it lies with {appeal.assigned_to}" if appeal.assigned_to_id else "nobody has it"
        raise NotYours(f"You do not answer {appeal.reference}: {whose}. Take it first.")
    appeals.require_no_part(decision, person_key(by), name=by.label, at=at)
    require_fits(outcome, reason)
    new = _what_holds_instead(decision, outcome, new_outcome, new_reason)
    _require_ground_gone(decision, outcome, at)
    told = Texts()
    appeal.why = required("Why", told.lines("Why", why.strip(), LONGEST_WHY))
    appeal.outcome, appeal.reason, appeal.new_outcome, appeal.new_reason = outcome, reason, new_outcome, new_reason
    appeal.proposed_at, appeal.proposed_by, appeal.proposed_by_key = at, by.label, person_key(by)
    told.record_masked(appeal, by=by, at=at)
    if not takes_two(decision.rests_on_list, new, was_sent_back=bool(appeal.sent_back_why)):
        return _give(appeal, decision, new, by=by, at=at)
    APPEAL_LIFECYCLE.require(appeal.state, AppealState.PROPOSED)
    appeal.state = AppealState.PROPOSED.value
    appeal.save()
    _record(Verb.APPEAL_PROPOSED, appeal, by, at)
    return appeal


@flow
def countersign(appeal: Appeal, *, shown: str, by: Actor, at: datetime) -> Appeal:
    """Sign an answer that somebody else proposed, this very one; given at once.

    `shown` is the digest of what lay before this person. Raises SecondPersonNeeded, NotOpen, PreparedAnew,
    GroundStands.
    """
    appeal, decision = appeals.lock(appeal)
    appeals.require_state(appeal, AppealState.PROPOSED)
    barred = {
        **signing.stand_ins(appeal.proposed_by_key, "proposed it", since=appeal.proposed_at, at=at),
        **appeals.barred_from_answering(decision, at=at),
    }
    out = {appeal.proposed_by_key, *barred}
    require_second_person(
        appeal.proposed_by_key, by, deed=appeal.reference, barred=barred,
        could=lambda: signing.who_could(appeals.RIGHT, out, at=at),
    )  # fmt: skip
    require_as_shown(shown, digest_of(appeal), name=f"The answer to {appeal.reference}")
    _require_ground_gone(decision, appeal.outcome, at)
    new = _what_holds_instead(decision, appeal.outcome, appeal.new_outcome, appeal.new_reason)
    return _give(appeal, decision, new, by=by, at=at)


@flow
def send_back(appeal: Appeal, *, why: str, by: Actor, at: datetime) -> Appeal:
    """Do not sign a proposed answer, or take one's own back; whoever has it answers again, and then it takes two.

    Who may not answer may not keep others from it either. Raises NotOpen, TookPart, BadField.
    """
    appeal, decision = appeals.lock(appeal)
    appeals.require_state(appeal, AppealState.PROPOSED)
    if person_key(by) != appeal.proposed_by_key:
        appeals.require_no_part(
            decision, person_key(by), name=by.label, at=at, deed="send back the answer to the appeal"
        )  # fmt: skip
    told = Texts()
    appeal.sent_back_why = required("Why", told.lines("Why", why.strip(), LONGEST_SENT_BACK))
    APPEAL_LIFECYCLE.require(appeal.state, AppealState.OPEN)
    appeal.state = AppealState.OPEN.value
    appeal.save(update_fields=["state", "sent_back_why"])
    _record(Verb.APPEAL_SENT_BACK, appeal, by, at)
    told.record_masked(appeal, by=by, at=at)
    return appeal


def digest_of(appeal: Appeal) -> str:
    """SHA-256 of the answer that is proposed, as whoever signs it has it before them; another with each proposal."""
    parts = (appeal.outcome, appeal.reason, appeal.why, appeal.new_outcome, appeal.new_reason, appeal.proposed_by_key)
    return digest(appeal.reference, appeal.proposed_at, *parts)


def _what_holds_instead(decision: Decision, outcome: str, new_outcome: str, new_reason: str) -> Consequence | None:
    if outcome != AppealOutcome.CHANGED:
        if new_outcome or new_reason:
            raise UnfitAnswer("Nothing else holds instead unless the decision is changed. Leave that empty.")
        return None
    new = consequence_of(new_outcome, new_reason)
    require_milder(decision.outcome, new_outcome)
    return new


def _require_ground_gone(decision: Decision, outcome: str, at: datetime) -> None:
    """Whoever two people found on a list stays stopped until two people have found otherwise."""
    if outcome == AppealOutcome.UPHELD or decision.reason not in LISTED:
        return
    account = Account.objects.select_related("party").get(pk=decision.account_id)
    standing = [hit for hit in AccountFile(account, legal_day(at)).hits if hit.status == HitStatus.CONFIRMED]
    if standing:
        raise GroundStands(
            f"{standing[0].reference} is confirmed, and {decision.reference} rests on it. Have the hit judged anew by "
            "two people first, or uphold the decision."
        )


def _give(appeal: Appeal, decision: Decision, new: Consequence | None, *, by: Actor, at: datetime) -> Appeal:
    """Do what the answer says, then write it down and tell the customer; in one transaction."""
    outcome = AppealOutcome(appeal.outcome)
    if new is not None and decision.account.is_open:  # the milder one first, or the customer reads that nothing holds
        appeal.new_decision = _decide_milder(appeal, decision, new, by=by, at=at)
    if outcome != AppealOutcome.UPHELD:
        _take_back(appeal, decision, by=by, at=at)
    if new is not None and appeal.new_decision is None:
        appeal.new_decision = _decide_milder(appeal, decision, new, by=by, at=at)
    APPEAL_LIFECYCLE.require(appeal.state, AppealState.ANSWERED)
    appeal.state, appeal.answered_at = AppealState.ANSWERED.value, at
    appeal.answered_by, appeal.answered_by_key = by.label, person_key(by)
    appeal.save()
    stop_clock(appeals.ANSWER_BY, appeal, by=by, at=at)
    _record(Verb.APPEAL_ANSWERED, appeal, by, at)
    objection = objections.locked(appeal.objection)
    objections.close(objection, outcome=OBJECTION_OUTCOMES[outcome].value, wording=WORDINGS[outcome], by=by, at=at)
    return appeal


def _take_back(appeal: Appeal, decision: Decision, *, by: Actor, at: datetime) -> None:
    """Undo to the account what the decision did to it; what others did to it meanwhile stays."""
    account = Account.objects.select_related("party").get(pk=decision.account_id)
    why = f"{appeal.outcome} on appeal {appeal.reference}"
    for restriction in account.restrictions.in_force().filter(basis=decision.reference).order_by("pk"):
        restrictions.lift(restriction, why=why, by=by, at=at)
    account.refresh_from_db()
    ended = account.status in (AccountStatus.CLOSED, AccountStatus.REFUSED)
    if ended and decision.outcome in (OutcomeCode.CLOSE, OutcomeCode.BLOCK):
        closing.reopen_account(account, reason=why, by=by, at=at)
    state = DecisionState.CHANGED if appeal.outcome == AppealOutcome.CHANGED else DecisionState.REVERSED
    DECISION_LIFECYCLE.require(decision.state, state)
    decision.state, decision.ended_at, decision.ended_by, decision.ended_why = state.value, at, by.label, why
    decision.save(update_fields=["state", "ended_at", "ended_by", "ended_why"])


def _decide_milder(appeal: Appeal, old: Decision, new: Consequence, *, by: Actor, at: datetime) -> Decision:
    """The decision that holds instead, in effect at once: the customer has waited for it."""
    account = Account.objects.select_related("party").get(pk=old.account_id)
    effects.require_can_be_done(account, new)
    made = Decision(
        case=old.case, account=account, outcome=new.outcome.code.value, reason=new.reason.code,
        rests_on_list=old.rests_on_list or new.rests_on_list, state=DecisionState.COUNTERSIGNED.value,
        proposed_at=appeal.proposed_at, proposed_by=appeal.proposed_by, proposed_by_key=appeal.proposed_by_key,
        answered_at=at, in_effect_at=at, appeal_by=effects.appeal_by(new, at),
        answered_why=f"on appeal {appeal.reference}", **kept(old.case, account, new, on=legal_day(at)),
    )  # fmt: skip
    if person_key(by) != appeal.proposed_by_key:
        made.answered_by, made.answered_by_key = by.label, person_key(by)
    made.save(force_insert=True)
    audit.record(
        Verb.DECIDED_ON_APPEAL, made, by=by, at=at, within=old.case, decision=made.reference, outcome=made.outcome,
        reason=made.reason, appeal=appeal.reference, digest=made.seen_sha256,
    )  # fmt: skip
    effects.do_to_account(made, new, by=by, at=at)
    return made


def _record(verb: Verb, appeal: Appeal, by: Actor, at: datetime) -> None:
    audit.record(
        verb, appeal, by=by, at=at, within=appeal.decision.case, appeal=appeal.reference, outcome=appeal.outcome,
        reason=appeal.reason,
    )  # fmt: skip

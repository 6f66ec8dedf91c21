"""Decide about an account: one person proposes, another countersigns, then it takes effect (R37, R39-R41).

What the last signature brings about, and how it is undone in time, stands in effects.py.
"""

from datetime import datetime
from uuid import UUID

from accounts.flows import texts
from accounts.models import Account
from cases.flows import address_alone, effects, review, signing, triage
from cases.flows.evidence import kept
from cases.models import Case, CaseSubject, Decision
from cases.rules.outcomes import consequence_of
from cases.rules.replay import RULES
from cases.rules.stages import DECISION_LIFECYCLE, TOOK_EFFECT, CaseStatus, DecisionState
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

ONE_SIGNATURE = "one signature is enough"


class NotYourCase(Refusal):
    """Only whoever works the case proposes what is decided in it."""


class NotInCase(Refusal):
    """The case is not about this account."""


class AlreadyProposed(Refusal):
    """A proposal about this account waits for its second signature."""


class AlreadyAnswered(Refusal):
    """The proposal was countersigned, declined or withdrawn before."""


class NotYours(Refusal):
    """A proposal is withdrawn by whoever made it."""


@flow
def propose(
    case: Case, *, account: Account, outcome: str, reason: str, at_once: bool = True, by: Actor, at: datetime
) -> Decision:
    """Propose what is to happen to one account of a case; it takes effect where one signature is enough.

    `outcome` and `reason` are codes. Without `at_once` it can be undone for some minutes first (effects.undo). Keeps
    references of what the reviewer had before them. Raises UnfitOutcome when the two do not go together, and
    NotYourCase, NotInCase, AlreadyProposed, or AddressAlone.
    """
    account = triage.lock_customer(account)
    consequence = consequence_of(outcome, reason, account.status)
    case = review.lock_case(case)
    if not CaseSubject.objects.filter(case=case, account=account).exists():
        raise NotInCase(f"{case.reference} is not about {account.reference}. Choose an account of this case.")
    require_may_propose(case, account, by, waiting=waiting_of([case]).get((case.pk, account.pk)))
    effects.require_can_be_done(account, consequence)
    review.move_case(case, CaseStatus.PROPOSED)
    case.save(update_fields=["status"])

    seen = kept(case, account, consequence, on=legal_day(at))
    address_alone.require_more(account, consequence, seen["rests_on"], address_alone.looked_at([case])[case.pk])
    decision = Decision.objects.create(
        case=case, account=account, outcome=consequence.outcome.code.value, reason=reason,
        rests_on_list=consequence.rests_on_list, **seen,
        proposed_at=at, proposed_by=by.label, proposed_by_key=person_key(by),
    )  # fmt: skip
    if consequence.must_be_countersigned:
        _record(Verb.PROPOSED, decision, by, at, rests_on=references(decision), digest=decision.seen_sha256)
        return decision
    decision.answered_why = ONE_SIGNATURE
    verb = Verb.IN_EFFECT if at_once or not consequence.can_be_undone else Verb.SIGNED
    _record(verb, decision, by, at, rests_on=references(decision), digest=decision.seen_sha256)
    return effects.sign(decision, consequence, at_once=at_once, by=by, at=at)


def waiting_of(cases: list[Case]) -> dict[tuple[UUID, UUID], Decision]:
    """By case and account the decision that waits for a signature or can still be undone; one query."""
    return {(each.case_id, each.account_id): each for each in Decision.objects.unfinished().filter(case__in=cases)}


def require_may_propose(case: Case, account: Account, by: Actor, *, waiting: Decision | None) -> None:
    """Raises NotYourCase, or AlreadyProposed for a proposal about the account that waits."""
    if case.assigned_to_id is None or str(case.assigned_to_id) != by.key or by.kind != "person":
        whose = f"{case.assigned_to} works it" if case.assigned_to_id else "nobody works it"
        raise NotYourCase(f"You do not work {case.reference}: {whose}. Take the case first.")
    if waiting is not None and waiting.state == DecisionState.SIGNED:
        raise AlreadyProposed(
            f"{waiting.reference} about {account.reference} is signed and takes effect on "
            f"{waiting.takes_effect_at:%-d %b %Y at %H:%M} UTC. Whoever signed it can undo it until then."
        )
    if waiting is not None:
        raise AlreadyProposed(
            f"{waiting.reference} about {account.reference} waits for its second signature. Withdraw it first."
        )


def references(decision: Decision) -> list[str]:
    """What a decision rests on, as its event names it; the account itself is no ground."""
    kinds = [rows for kind, rows in decision.rests_on.items() if kind not in (RULES, "account")]
    return [row["reference"] for rows in kinds for row in rows]


@flow
def countersign(decision: Decision, *, at_once: bool = True, by: Actor, at: datetime) -> Decision:
    """Give the second signature; the decision takes effect in the same transaction, or can be undone for some minutes.

    Raises SecondPersonNeeded for whoever is not somebody else in every respect (signing.py). Of two people who sign at
    once one wins; the other reads who it was and when (AlreadyAnswered).
    """
    decision, _ = effects.lock(decision)
    _require_waits(decision)
    signing.require_may_sign(decision, by, at=at)
    decision.answered_by, decision.answered_by_key = by.label, person_key(by)
    consequence = consequence_of(decision.outcome, decision.reason)
    effects.require_can_be_done(decision.account, consequence)
    _record(Verb.COUNTERSIGNED, decision, by, at)
    return effects.sign(decision, consequence, at_once=at_once, by=by, at=at)


@flow
def decline(decision: Decision, *, why: str, by: Actor, at: datetime) -> Decision:
    """Do not countersign, and say why; the case goes back to whoever works it."""
    decision, case = effects.lock(decision)
    _require_waits(decision)
    require_second_person(decision.proposed_by_key, by, deed=decision.reference)
    told = texts.Texts()
    decision.answered_why = texts.required("Why", told.lines("Why", why.strip(), 300))
    told.record_masked(decision, by=by, at=at)
    return _end_unsigned(decision, case, DecisionState.DECLINED, Verb.DECLINED, by=by, at=at)


@flow
def withdraw(decision: Decision, *, by: Actor, at: datetime) -> Decision:
    """Take back one's own proposal. Raises NotYours for anybody else's."""
    decision, case = effects.lock(decision)
    _require_waits(decision)
    if person_key(by) != decision.proposed_by_key:
        raise NotYours(f"{decision.proposed_by} made this proposal. Decline it instead, or ask them to withdraw it.")
    return _end_unsigned(decision, case, DecisionState.WITHDRAWN, Verb.WITHDRAWN, by=by, at=at)


# What became of it since is another matter: who signs too late reads who signed.
_AFTER_TWO = dict.fromkeys(
    (DecisionState.SIGNED, DecisionState.UNDONE, DecisionState.NOT_DONE, *TOOK_EFFECT), "countersigned"
)


def _require_waits(decision: Decision) -> None:
    if decision.state != DecisionState.PROPOSED:
        who = decision.answered_by or decision.proposed_by
        how = _AFTER_TWO.get(decision.state, decision.get_state_display())
        if decision.state in _AFTER_TWO and not decision.answered_by:
            how = "put into effect with one signature" if decision.took_one_signature else "signed"
        raise AlreadyAnswered(
            f"{decision.reference} was already {how} by {who} "
            f"on {decision.answered_at:%-d %b %Y at %H:%M} UTC. Open it to see what was decided."
        )


def _end_unsigned(
    decision: Decision, case: Case, state: DecisionState, verb: Verb, *, by: Actor, at: datetime
) -> Decision:
    DECISION_LIFECYCLE.require(decision.state, state)
    decision.state, decision.answered_at = state.value, at
    decision.answered_by, decision.answered_by_key = by.label, person_key(by)
    decision.save(update_fields=["state", "answered_at", "answered_by", "answered_by_key", "answered_why"])
    effects.settle(case, at=at, by=by)
    audit.record(verb, decision, by=by, at=at, within=case, decision=decision.reference)
    return decision


def _record(verb: Verb, decision: Decision, by: Actor, at: datetime, **facts) -> None:
    audit.record(
        verb, decision, by=by, at=at, within=decision.case, decision=decision.reference,
        outcome=decision.outcome, reason=decision.reason, **facts,
    )  # fmt: skip

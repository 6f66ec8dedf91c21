"""Assign, close and decide many cases at once: each judged by the rules of one alone, written table by table (R41).

A case that is refused stays as it is, and its outcome says why; the others go on. Nobody learns of a case they may not
see: for them its key means nothing. The number of queries does not grow with the number of cases.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.flows import signals
from accounts.models import Account, Party, RiskSignal
from cases.flows import address_alone, clocks, decisions, effects, locks, review, triage
from cases.flows.evidence import kept_of_many
from cases.models import Assignment, Case, CaseSignal, CaseSubject, Decision
from cases.rules.outcomes import UNTOUCHED, Consequence, consequence_of
from cases.rules.stages import CASE_LIFECYCLE, DECISION_LIFECYCLE, CaseStatus, DecisionState
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.clocks import stop_clocks
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table
from kyc_portal.staff.models import StaffMember

MOST_AT_ONCE = 500
MOST_ONE_BY_ONE = 50  # of what changes accounts at once, each with its own notice and restriction
BATCH = 500


class TooMany(Refusal):
    """More cases than can be done at once, or none."""


@dataclass(frozen=True)
class Outcome:
    """What became of one case: done, or refused; either with the sentence."""

    reference: str
    is_done: bool
    sentence: str


@dataclass
class Bulk:
    """The cases of one act that its person may see, locked, and what became of each so far."""

    user: StaffMember
    cases: dict[UUID, Case]
    outcomes: dict[UUID, Outcome]

    @classmethod
    def of(cls, keys: Sequence[UUID], user: StaffMember, name: str) -> "Bulk":
        """Lock the cases; those that this person's role may not act on are refused, unseen ones are told as unknown."""
        keys = list(dict.fromkeys(keys))
        if not 0 < len(keys) <= MOST_AT_ONCE:
            raise TooMany(f"Select at least one case and at most {MOST_AT_ONCE}; these are {len(keys):,}.")
        rows = Case.objects.visible_to(user).filter(pk__in=keys).order_by("pk")
        found = {case.pk: case for case in rows.select_for_update(of=("self",)).select_related("assigned_to")}
        bulk = cls(user, {key: found[key] for key in keys if key in found}, {})
        for key in keys:
            if key not in found:
                bulk.outcomes[key] = Outcome("unknown case", False, "There is no such case (any more).")
        act = policy_table.act("cases.case", name)
        for case in bulk.cases.values():
            if not act.may(user, case):
                bulk.refuse(case, "Your role does not include this.")
        return bulk

    @property
    def left(self) -> list[Case]:
        """The cases of which nothing is said yet."""
        return [case for key, case in self.cases.items() if key not in self.outcomes]

    def judge(self, rule: Callable[[Case], None]) -> list[Case]:
        """Refuse each case for which the rule raises, with its sentence; returns those that are left."""
        for case in self.left:
            try:
                rule(case)
            except Refusal as refusal:
                self.refuse(case, str(refusal))
        return self.left

    def refuse(self, case: Case, sentence: str) -> None:
        self.outcomes[case.pk] = Outcome(case.reference, False, sentence)

    def done(self, case: Case, sentence: str) -> None:
        self.outcomes[case.pk] = Outcome(case.reference, True, sentence)

    def told(self) -> list[Outcome]:
        """Every outcome, the refused first."""
        return sorted(self.outcomes.values(), key=lambda outcome: (outcome.is_done, outcome.reference))


@flow
def assign(keys: Sequence[UUID], *, to: StaffMember, user: StaffMember, by: Actor, at: datetime) -> list[Outcome]:
    """Give many cases to somebody. Raises CannotWorkCases and Away, which would be the same for each of them."""
    review.require_may_assign(by)
    review.require_here(to, at=at)
    bulk = Bulk.of(keys, user, "assign")
    for case in bulk.left:
        if case.assigned_to_id == to.pk:
            bulk.done(case, f"{to} has it already.")
    cases = bulk.judge(lambda case: review.require_may_have(case, to))
    Assignment.objects.filter(case__in=cases, to_at__isnull=True).update(to_at=at)
    Assignment.objects.bulk_create(
        [Assignment(case=case, user=to, given_by=by.label, from_at=at) for case in cases], batch_size=BATCH
    )
    for case in cases:
        case.assigned_to, case.assigned_at = to, at
        if case.status == CaseStatus.OPEN:
            review.move_case(case, CaseStatus.IN_REVIEW)
        bulk.done(case, f"{to} works it.")
    Case.objects.bulk_update(cases, ["assigned_to", "assigned_at", "status"], batch_size=BATCH)
    locks.release(cases, at=at)
    name = to.get_username()
    audit.write([audit.draft(Verb.ASSIGNED, case, by=by, at=at, case=case.reference, to=name) for case in cases])
    return bulk.told()


@flow
def close(keys: Sequence[UUID], *, why: str, user: StaffMember, by: Actor, at: datetime) -> list[Outcome]:
    """Close many cases in which nothing waits, for one reason (a code)."""
    review.require_known(why)
    bulk = Bulk.of(keys, user, "close")
    waiting = review.waiting_in(bulk.left)
    cases = bulk.judge(lambda case: review.require_may_close(case, *waiting.get(case.pk, review.NOTHING_WAITS)))
    for case in cases:
        case.closed_at = at
        review.move_case(case, CaseStatus.CLOSED)
        bulk.done(case, "It is closed.")
    Case.objects.bulk_update(cases, ["status", "closed_at"], batch_size=BATCH)
    Assignment.objects.filter(case__in=cases, to_at__isnull=True).update(to_at=at)
    locks.release(cases, at=at)
    stop_clocks(clocks.TRIAGE, cases, by=by, at=at)
    audit.write([audit.draft(Verb.CLOSED, case, by=by, at=at, case=case.reference, why=why) for case in cases])
    return bulk.told()


def decide(
    keys: Sequence[UUID], *, outcome: str, reason: str, at_once: bool = True, user: StaffMember, by: Actor, at: datetime
) -> list[Outcome]:
    """Decide the same about every account of many cases; what takes two people is proposed, here as one by one.

    `outcome` and `reason` are codes; raises UnfitOutcome when they do not go together. A case of which one account is
    refused is refused as a whole. What changes accounts with one signature is done one by one, 50 at most; without
    `at_once` it can be undone for some minutes.
    """
    consequence = consequence_of(outcome, reason)
    if consequence.must_be_countersigned or consequence.effect in UNTOUCHED:
        return _decide(keys, consequence, user, by=by, at=at)
    if len(set(keys)) > MOST_ONE_BY_ONE:
        raise TooMany(
            f"“{consequence.outcome.code.label}” changes accounts at once. Select at most {MOST_ONE_BY_ONE} cases."
        )
    return _decide_one_by_one(keys, consequence, user, at_once=at_once, by=by, at=at)


@flow
def _decide(
    keys: Sequence[UUID], consequence: Consequence, user: StaffMember, *, by: Actor, at: datetime
) -> list[Outcome]:
    about = _accounts_of(keys, user)
    bulk = Bulk.of(keys, user, "propose")
    waiting, points = decisions.waiting_of(bulk.left), address_alone.looked_at(bulk.left)
    seen = kept_of_many({case.pk: about[case.pk] for case in bulk.left}, consequence, on=legal_day(at))

    def rule(case: Case) -> None:
        if not about[case.pk]:
            raise decisions.NotInCase(f"{case.reference} has no account to decide about.")
        for account in about[case.pk]:
            decisions.require_may_propose(case, account, by, waiting=waiting.get((case.pk, account.pk)))
            effects.require_can_be_done(account, consequence)
            rests_on = seen[case.pk, account.pk]["rests_on"]
            address_alone.require_more(account, consequence, rests_on, points[case.pk])
        if case.status != CaseStatus.PROPOSED:
            CASE_LIFECYCLE.require(case.status, CaseStatus.PROPOSED)

    cases = bulk.judge(rule)
    made = _write(cases, about, seen, consequence, by=by, at=at)
    if consequence.must_be_countersigned:
        for case in cases:
            review.move_case(case, CaseStatus.PROPOSED)
            bulk.done(case, "The decision is proposed and waits for a second person.")
        Case.objects.bulk_update(cases, ["status"], batch_size=BATCH)
        return bulk.told()
    _take_effect(cases, made, consequence, by=by, at=at)
    for case in cases:
        bulk.done(case, f"The decision is in effect: {consequence.outcome.code.label}.")
    return bulk.told()


def _accounts_of(keys: Sequence[UUID], user: StaffMember) -> dict[UUID, list[Account]]:
    """The accounts of the cases this person sees, locked before the cases, in the order in which everybody locks."""
    rows = CaseSubject.objects.filter(case__in=Case.objects.visible_to(user).filter(pk__in=list(keys)))
    pairs = list(rows.order_by("joined_at", "pk").values_list("case_id", "account_id"))
    wanted = {account for _, account in pairs}
    locked = Account.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    accounts = {account.pk: account for account in locked}
    parties = {account.party_id for account in accounts.values()}
    list(Party.objects.select_for_update(of=("self",)).filter(pk__in=parties).order_by("pk").values_list("pk"))
    found = defaultdict(list)
    for case, account in pairs:
        found[case].append(accounts[account])
    return found


def _write(
    cases: list[Case], about: dict[UUID, list[Account]], seen: dict, consequence: Consequence, *, by: Actor,
    at: datetime,
) -> list[Decision]:  # fmt: skip
    is_proposal = consequence.must_be_countersigned
    state = DecisionState.PROPOSED
    if not is_proposal:
        DECISION_LIFECYCLE.require(state, DecisionState.COUNTERSIGNED)
        state = DecisionState.COUNTERSIGNED
    made = [
        Decision(
            case=case, account=account, outcome=consequence.outcome.code.value, reason=consequence.reason.code,
            **seen[case.pk, account.pk], rests_on_list=consequence.rests_on_list, proposed_at=at, proposed_by=by.label,
            proposed_by_key=person_key(by), state=state.value, answered_at=None if is_proposal else at,
            in_effect_at=None if is_proposal else at,
            answered_why="" if is_proposal else decisions.ONE_SIGNATURE,
        )
        for case in cases for account in about[case.pk]
    ]  # fmt: skip
    Decision.objects.bulk_create(made, batch_size=BATCH)
    verb = Verb.PROPOSED if is_proposal else Verb.IN_EFFECT
    audit.write([
        audit.draft(
            verb, each, by=by, at=at, within=each.case, decision=each.reference, outcome=each.outcome,
            reason=each.reason, rests_on=decisions.references(each), digest=each.seen_sha256,
        )
        for each in made
    ])  # fmt: skip
    return made


def _take_effect(cases: list[Case], made: list[Decision], consequence: Consequence, *, by: Actor, at: datetime) -> None:
    """What a decision does that leaves the account as it is: its flags are answered, the case ends."""
    seen = [row["reference"] for each in made for row in each.rests_on["signals"]]
    flags = list(RiskSignal.objects.open().filter(reference__in=seen, account__in=[each.account_id for each in made]))
    why = {"answer": consequence.outcome.code.value, "reason": consequence.reason.code}
    changed = signals.answer_many(flags, **why, by=by, at=at)
    triage.weigh_many([*{each.account_id: each.account for each in made}.values(), *changed], by=by, at=at)
    unanswered = CaseSignal.objects.filter(case__in=cases, signal__answered_at__isnull=True)
    unfinished, ended = set(unanswered.values_list("case_id", flat=True)), []
    for case in cases:
        review.move_case(case, CaseStatus.PROPOSED)  # the way of one alone: proposed, then answered
        if case.pk in unfinished:
            review.move_case(case, CaseStatus.IN_REVIEW)
        else:
            review.move_case(case, CaseStatus.DECIDED)
            case.decided_at = at
            ended.append(case)
    Case.objects.bulk_update(cases, ["status", "decided_at"], batch_size=BATCH)
    stop_clocks(clocks.TRIAGE, ended, by=by, at=at)


def _decide_one_by_one(
    keys: Sequence[UUID], consequence: Consequence, user: StaffMember, *, at_once: bool, by: Actor, at: datetime
) -> list[Outcome]:
    """Each case in a transaction of its own: all of its accounts, or none."""
    told = []
    for key in dict.fromkeys(keys):
        case = Case.objects.visible_to(user).filter(pk=key).first()
        if case is None:
            told.append(Outcome("unknown case", False, "There is no such case (any more)."))
            continue
        try:
            _decide_one(case, consequence, user, at_once=at_once, by=by, at=at)
        except Refusal as refusal:
            told.append(Outcome(case.reference, False, str(refusal)))
        else:
            how = "is in effect" if at_once else "is signed and can be undone for some minutes"
            told.append(Outcome(case.reference, True, f"The decision {how}: {consequence.outcome.code.label}."))
    return sorted(told, key=lambda outcome: (outcome.is_done, outcome.reference))


@flow
def _decide_one(
    case: Case, consequence: Consequence, user: StaffMember, *, at_once: bool, by: Actor, at: datetime
) -> None:
    if not policy_table.act("cases.case", "propose").may(user, case):
        raise review.CannotWorkCases("Your role does not include this.")
    subjects = CaseSubject.objects.filter(case=case).select_related("account").order_by("account_id")
    accounts = [subject.account for subject in subjects]
    if not accounts:
        raise decisions.NotInCase(f"{case.reference} has no account to decide about.")
    for account in accounts:
        decisions.propose(
            case, account=account, outcome=consequence.outcome.code.value, reason=consequence.reason.code,
            at_once=at_once, by=by, at=at,
        )  # fmt: skip

"""Take in appeals against decisions and give them to somebody who took no part (requirement R41).

An objection on the customer's own page becomes an appeal by itself while a decision can be appealed; staff log what
came another way. How appeals are answered stands in appeal_answers.py.
"""

from datetime import date, datetime
from functools import partial

from accounts.flows import objections
from accounts.models import Account, Objection
from cases.flows import effects, review, signing
from cases.models import Appeal, Decision
from cases.rules.appeals import AppealState, LateWhy
from cases.rules.outcomes import consequence_of
from cases.rules.stages import DecisionState
from cases.verbs import Verb
from kyc_portal.four_eyes import who_in_words
from kyc_portal.policy.clocks import start_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

ANSWER_BY = "answer to the appeal"
FIGURE = "appeal_answer_days"  # the name of a number in the policy, not the number
RIGHT = "cases.answer_appeal"
WENT_BEFORE = {  # rounds of a decision that came to nothing, or to something else; and what the second person did
    DecisionState.DECLINED: "declined", DecisionState.WITHDRAWN: "withdrew", DecisionState.UNDONE: "signed",
    DecisionState.NOT_DONE: "signed", DecisionState.CHANGED: "signed", DecisionState.REVERSED: "signed",
}  # fmt: skip


class NotAppealable(Refusal):
    """The decision is not in effect, or the customer was told nothing of it."""


class AlreadyAppealed(Refusal):
    """There is an appeal against this decision."""


class BadDay(Refusal):
    """The appeal cannot have come on that day."""


class TooLate(Refusal):
    """The last day of the appeal was past, and nobody said why it is accepted."""


class NotOpen(Refusal):
    """The appeal is not waiting for what is done to it."""


class TookPart(Refusal):
    """Whoever took part in the decision, or in an earlier round of it, does nothing about the appeal against it."""


class CannotAnswer(Refusal):
    """This person does not answer appeals, or may not give them to others."""


def way_of(account: Account, on: date) -> objections.OtherWay | None:
    """How an objection of this customer is answered while the newest decision about them can be appealed; or None."""
    rows = Decision.objects.in_effect().filter(account=account, appeal_by__gte=on, appeal__isnull=True)
    decision = rows.select_related("account", "case").order_by("-in_effect_at", "pk").first()
    return _way(Appeal(decision=decision, received_on=on)) if decision else None


def _way(appeal: Appeal) -> objections.OtherWay:
    return objections.OtherWay(appeal.reference, FIGURE, partial(_take, appeal))


def _take(appeal: Appeal, objection: Objection, *, by: Actor, at: datetime) -> None:
    """Make the objection an appeal, with the clock of its answer; the account is locked."""
    decision, case = effects.lock(appeal.decision)
    appeal.decision, appeal.objection, appeal.due_on = decision, objection, objection.due_on
    appeal.logged_at, appeal.logged_by = at, by.label
    appeal.save(force_insert=True)
    start_clock(
        ANSWER_BY, appeal, figure=FIGURE, regime=regime_on(appeal.received_on), on=appeal.received_on, by=by, at=at
    )
    late = {"why": appeal.late_why} if appeal.late_why else {}
    audit.record(
        Verb.APPEALED, appeal, by=by, at=at, within=case, appeal=appeal.reference, decision=decision.reference,
        due_on=appeal.due_on, **late,
    )  # fmt: skip


@flow
def log(decision: Decision, *, text: str, received_on: date, late_why: str = "", by: Actor, at: datetime) -> Appeal:
    """Log an appeal that came by mail or otherwise; the days of its answer count from the day it was received.

    `late_why` (a code) is wanted once the last day of the appeal is past. Raises NotAppealable, AlreadyAppealed,
    BadDay, TooLate, UnknownWhy, and what objections.take_in raises.
    """
    decision, _ = effects.lock(decision)
    last = require_appealable(decision)
    first, today = legal_day(decision.took_effect_at), legal_day(at)
    if not first <= received_on <= today:
        raise BadDay(f"Received on {received_on} is not between {first} and {today}. Correct the day.")
    if late_why and late_why not in list(LateWhy):
        raise review.UnknownWhy(
            f"There is no such reason to accept a late appeal. Choose one of: {', '.join(LateWhy)}."
        )
    if received_on > last and not late_why:
        raise TooLate(f"Appeals could be sent through {last}. Say why this one is accepted, or answer it as a letter.")
    appeal = Appeal(decision=decision, received_on=received_on, late_why=late_why if received_on > last else "")
    account = Account.objects.select_related("party").get(pk=decision.account_id)
    objections.take_in(account, text=text, through="mail", against=None, way=_way(appeal), on=received_on, by=by, at=at)
    return appeal


def require_appealable(decision: Decision) -> date:
    """The last day on which it can be appealed. Raises NotAppealable and AlreadyAppealed."""
    if earlier := Appeal.objects.filter(decision=decision).first():
        raise AlreadyAppealed(f"{earlier.reference} is an appeal against {decision.reference}. Look at that one.")
    if decision.state != DecisionState.COUNTERSIGNED:
        raise NotAppealable(
            f"{decision.reference} is {decision.state_in_words}. An appeal is against a decision in effect."
        )
    last = decision.appeal_by or effects.appeal_by(
        consequence_of(decision.outcome, decision.reason), decision.took_effect_at
    )
    if last is None:
        raise NotAppealable(f"The customer was told nothing of {decision.reference}, so there is nothing to appeal.")
    return last


@flow
def assign(appeal: Appeal, *, to: StaffMember, by: Actor, at: datetime) -> Appeal:
    """Give an appeal to somebody who answers appeals and took no part; for more than taking it, `cases.assign`.

    Raises CannotAnswer, TookPart, NotOpen, Away.
    """
    appeal, decision = lock(appeal)
    require_state(appeal, AppealState.OPEN)
    if by.key != str(to.pk) and not review.may(by, "cases.assign"):
        raise CannotAnswer("You cannot give appeals to others. Ask a lead reviewer to do it.")
    if not review.may(to.as_actor, RIGHT):
        who = who_in_words(lambda: signing.who_could(RIGHT, barred_from_answering(decision, at=at), at=at), "")
        raise CannotAnswer(f"{to} does not answer appeals. {who}")
    require_no_part(decision, str(to.pk), name=str(to), at=at)
    review.require_here(to, at=at)
    if appeal.assigned_to_id == to.pk:
        return appeal
    appeal.assigned_to, appeal.assigned_at = to, at
    appeal.save(update_fields=["assigned_to", "assigned_at"])
    audit.record(
        Verb.APPEAL_ASSIGNED, appeal, by=by, at=at, within=decision.case, appeal=appeal.reference, to=to.get_username()
    )
    return appeal


def lock(appeal: Appeal) -> tuple[Appeal, Decision]:
    """Account, case, decision, appeal: locked in the order in which everybody locks them."""
    decision, _ = effects.lock(Decision.objects.select_related("account", "case").get(pk=appeal.decision_id))
    appeal = Appeal.objects.select_for_update(of=("self",)).get(pk=appeal.pk)
    appeal.decision = decision
    return appeal, decision


def require_state(appeal: Appeal, wanted: AppealState) -> None:
    """Raises NotOpen and says who was first."""
    if appeal.state == wanted:
        return
    if appeal.state == AppealState.ANSWERED:
        raise NotOpen(
            f"{appeal.reference} was answered by {appeal.answered_by} on {appeal.answered_at:%-d %b %Y at %H:%M} UTC: "
            f"{appeal.get_outcome_display()}."
        )
    if appeal.state == AppealState.PROPOSED:
        raise NotOpen(f"{appeal.proposed_by} proposed an answer to {appeal.reference}. Sign it, or send it back first.")
    raise NotOpen(f"Nobody has proposed an answer to {appeal.reference}. Answer it first.")


def barred_from_answering(decision: Decision, *, at: datetime) -> dict[str, str]:
    """By key whoever signed the decision, stands in for one of them, or took part in an earlier round of it; and why.

    What was declined, withdrawn, undone or set aside before, about the same account in the same case, is such a round:
    whoever proposed or judged it has judged the matter, though their name does not stand under the decision.
    """
    signed, barred = (
        {decision.answered_by_key: decision.answered_by, decision.proposed_by_key: decision.proposed_by},
        _earlier_rounds(decision),
    )
    signed.pop("", None)
    for key in signed:
        barred |= signing.stand_ins(key, f"signed {decision.reference}", since=decision.proposed_at, at=at)
    return barred | {key: f"{name} signed {decision.reference}." for key, name in signed.items()}


def _earlier_rounds(decision: Decision) -> dict[str, str]:
    rows = Decision.objects.filter(
        case=decision.case_id, account=decision.account_id, proposed_at__lte=decision.proposed_at,
        state__in=list(WENT_BEFORE),
    )  # fmt: skip
    barred = {}
    for row in rows.exclude(pk=decision.pk).order_by("proposed_at", "pk"):
        before = f"{row.reference}, which came before {decision.reference}"
        if row.answered_by:
            key = row.answered_by_key or _key_of(row.answered_by)
            barred[key] = f"{row.answered_by} {WENT_BEFORE[DecisionState(row.state)]} {before}."
        barred[row.proposed_by_key] = f"{row.proposed_by} proposed {before}."
    return barred


def _key_of(username: str) -> str:
    """The key of whoever declined before decisions kept it; "" for nobody."""
    found = StaffMember.objects.filter(username=username).values_list("pk", flat=True).first()
    return "" if found is None else str(found)


def require_no_part(decision: Decision, key: str, *, name: str, at: datetime, deed: str = "answer the appeal") -> None:
    """Raises TookPart with a sentence that says why, and who could answer."""
    barred = barred_from_answering(decision, at=at)
    if key not in barred:
        return
    who = who_in_words(lambda: signing.who_could(RIGHT, barred, at=at), "")
    raise TookPart(f"{barred[key]} So {name} cannot {deed} against it. {who}")

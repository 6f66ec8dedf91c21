"""Tick what was looked at in a case, excuse what need not be, and propose only when nothing is left over (R41)."""

from datetime import datetime

from accounts.models import Account
from cases.flows import decisions, review, triage
from cases.models import Case, CaseCheck, Decision
from cases.rules.checklist import ITEMS, ExcusedWhy, items_for, left_over
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class UnknownItem(Refusal):
    """The case has no such point on its list, or the reason is none."""


class NotAsItWas(Refusal):
    """Somebody answered the point, or took it back, before."""


class LeftOver(Refusal):
    """Points of the list are neither done nor excused."""


@flow
def answer(case: Case, *, item: str, excused_why: str = "", by: Actor, at: datetime) -> CaseCheck:
    """Say that a point of the list is done, or why it need not be (a code); only whoever works the case does."""
    case = review.lock_case(case)
    require_works(case, by)
    if item not in {each.code for each in items_for(case.kind)}:
        raise UnknownItem(f"{case.reference} has no such point on its list. Choose one that stands there.")
    if excused_why and excused_why not in list(ExcusedWhy):
        raise UnknownItem(f"There is no such reason to leave a point out. Choose one of: {', '.join(ExcusedWhy)}.")
    if known := CaseCheck.objects.standing().filter(case=case, item=item).first():
        raise NotAsItWas(f"“{ITEMS[item].title}” was answered by {known.by} on {known.at:%-d %b %Y at %H:%M} UTC.")
    made = CaseCheck.objects.create(case=case, item=item, excused_why=excused_why, at=at, by=by.label)
    if excused_why:
        audit.record(Verb.EXCUSED, case, by=by, at=at, case=case.reference, what=item, why=excused_why)
    else:
        audit.record(Verb.CHECKED, case, by=by, at=at, case=case.reference, what=item)
    return made


@flow
def take_back(case: Case, *, item: str, by: Actor, at: datetime) -> CaseCheck:
    """Say that a point is not done after all; the row stays with who took it back and when."""
    case = review.lock_case(case)
    require_works(case, by)
    known = CaseCheck.objects.standing().filter(case=case, item=item).first()
    if known is None:
        raise NotAsItWas("This point stands as not done. Look at the list again.")
    known.taken_back_at, known.taken_back_by = at, by.label
    known.save(update_fields=["taken_back_at", "taken_back_by"])
    audit.record(Verb.CHECK_TAKEN_BACK, case, by=by, at=at, case=case.reference, what=item)
    return known


def require_works(case: Case, by: Actor) -> None:
    """Raises CaseEnded, or NotYourCase for whoever does not work the case."""
    if case.status in review.ENDED:
        raise review.CaseEnded(f"{case.reference} is {case.get_status_display()}. Open it again first.")
    if case.assigned_to_id is None or str(case.assigned_to_id) != by.key or by.kind != "person":
        whose = f"{case.assigned_to} works it" if case.assigned_to_id else "nobody works it"
        raise decisions.NotYourCase(f"You do not work {case.reference}: {whose}. Take the case first.")


@flow
def propose(
    case: Case, *, account: Account, outcome: str, reason: str, at_once: bool = True, by: Actor, at: datetime
) -> Decision:
    """Propose a decision as a person does at a page: with the list done first. Raises LeftOver and what is left.

    Bulk decisions have no list: their reason code stands for all of them.
    """
    triage.lock_customer(account)
    case = review.lock_case(case)
    answered = CaseCheck.objects.standing().filter(case=case).values_list("item", flat=True)
    if waiting := left_over(case.kind, outcome, set(answered)):
        told = "; ".join(item.title for item in waiting)
        raise LeftOver(f"The list of {case.reference} is not done: {told}. Tick each, or excuse it with a reason.")
    chosen = {"account": account, "outcome": outcome, "reason": reason, "at_once": at_once}
    return decisions.propose(case, **chosen, by=by, at=at)

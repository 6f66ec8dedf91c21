"""Pass a case on to another desk, put it to sleep until a day, wake it (own policy)."""

from datetime import date, datetime

from cases.flows import clocks, locks, review
from cases.models import Case
from cases.models.case import CaseKind
from cases.rules.desks import Desk, EscalatedWhy, SnoozedWhy
from cases.rules.stages import CaseStatus
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class NotEscalated(Refusal):
    """The case cannot go to this desk."""


class NotSnoozed(Refusal):
    """The case cannot sleep until then, or does not sleep."""


@flow
def escalate(case: Case, *, desk: str, why: str, by: Actor, at: datetime) -> Case:
    """Pass a case on to another desk, where nobody has it yet and that desk's hours count from now.

    `desk` and `why` are codes. Only whoever has the case, or who may give it to others, passes it on.
    """
    if why not in list(EscalatedWhy):
        raise review.UnknownWhy(f"There is no such reason to pass a case on. Choose one of: {', '.join(EscalatedWhy)}.")
    if desk not in list(Desk):
        raise NotEscalated(f"There is no such desk. Choose one of: {', '.join(Desk)}.")
    case = review.lock_case(case)
    require_has(case, by)
    if case.desk == desk:
        raise NotEscalated(f"{case.reference} lies on this desk already. Choose another one.")
    if case.kind == CaseKind.LEGAL:
        raise NotEscalated(f"{case.reference} is a request of an authority; it stays with the legal desk.")
    if case.status not in (CaseStatus.OPEN, CaseStatus.IN_REVIEW):
        raise NotEscalated(f"{case.reference} is {case.get_status_display()}. Withdraw the proposal, or open it again.")
    before, case.desk = case.desk, Desk(desk).value
    _leave(case, at=at)
    _forget_sleep(case, at=at)
    clocks.start(case, by=by, at=at)
    case.save(update_fields=[
        "desk", "status", "assigned_to", "assigned_at", "due_at", "due_on", "due_from", "waits_from", "snoozed_until",
        "snoozed_why",
    ])  # fmt: skip
    audit.record(Verb.ESCALATED, case, by=by, at=at, case=case.reference, old=before, new=case.desk, why=why)
    return case


def _leave(case: Case, *, at: datetime) -> None:
    review.end_assignment(case, at=at)
    locks.release([case], at=at)
    case.assigned_to = case.assigned_at = None
    review.move_case(case, CaseStatus.OPEN)


def require_has(case: Case, by: Actor) -> None:
    """Raises review.CannotWorkCases unless this person has the case, or may give it to others and works its desk."""
    if case.assigned_to_id is not None and str(case.assigned_to_id) == by.key and by.kind == "person":
        return
    if not review.may(by, "cases.assign"):
        whose = f"{case.assigned_to} has it" if case.assigned_to_id else "nobody has it"
        raise review.CannotWorkCases(f"You do not have {case.reference}: {whose}. Take the case first.")


@flow
def snooze(case: Case, *, until: date, why: str, by: Actor, at: datetime) -> Case:
    """Let a case sleep until the beginning of a day; it comes back by itself, sooner when a clock of it falls due.

    `why` is a code. Raises NotSnoozed for a day that is not ahead or too far, or a case that is due already.
    """
    if why not in list(SnoozedWhy):
        raise review.UnknownWhy(f"There is no such reason to let a case sleep. Choose one of: {', '.join(SnoozedWhy)}.")
    case = review.lock_case(case)
    require_has(case, by)
    today, most = legal_day(at), regime_on(legal_day(at)).whole("snooze_most_days")
    if not today < until <= add_days(today, most):
        raise NotSnoozed(f"{until} is not a day within the next {most} days. Choose one from tomorrow on.")
    if case.status not in (CaseStatus.OPEN, CaseStatus.IN_REVIEW):
        raise NotSnoozed(f"{case.reference} is {case.get_status_display()}; nothing in it waits for its reviewer.")
    case.snoozed_until, case.snoozed_why = until, why
    case.waits_from = clocks.comes_back_at(case, clocks.first_days([case]).get(str(case.pk)))
    if case.waits_from <= at:
        raise NotSnoozed(f"A clock of {case.reference} is due already. Work it now, or pass it on.")
    case.save(update_fields=["snoozed_until", "snoozed_why", "waits_from"])
    locks.release([case], at=at)
    audit.record(Verb.SNOOZED, case, by=by, at=at, case=case.reference, until=until, why=why)
    return case


@flow
def wake(case: Case, *, by: Actor, at: datetime) -> Case:
    """Bring a sleeping case back now. Raises NotSnoozed."""
    case = review.lock_case(case)
    require_has(case, by)
    if case.snoozed_until is None or case.waits_from <= at:
        raise NotSnoozed(f"{case.reference} is awake.")
    _forget_sleep(case, at=at)
    case.save(update_fields=["snoozed_until", "snoozed_why", "waits_from"])
    audit.record(Verb.WOKEN, case, by=by, at=at, case=case.reference)
    return case


def _forget_sleep(case: Case, *, at: datetime) -> None:
    case.snoozed_until, case.snoozed_why, case.waits_from = None, "", at

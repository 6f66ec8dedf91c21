"""Who works a case, what they write down, how it ends and begins again (requirement R41)."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count

from accounts.flows.texts import Texts
from accounts.formats.text import find_fault, is_blank
from accounts.models import Party
from cases.flows import clocks, triage
from cases.models import (
    Absence,
    AbuseReport,
    Assignment,
    Case,
    CaseLock,
    CaseNote,
    CaseSignal,
    CaseSubject,
    LegalRequest,
)
from cases.models.case import CaseKind
from cases.rules.stages import CASE_LIFECYCLE, CaseStatus
from cases.rules.wording import Worded
from cases.verbs import Verb
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

LONGEST_NOTE = 10_000  # characters, the same on every database
ENDED = (CaseStatus.DECIDED, CaseStatus.CLOSED)


class CaseEnded(Refusal):
    """The case is decided or closed."""


class AlreadyTaken(Refusal):
    """Somebody else took the case first."""


class CannotWorkCases(Refusal):
    """This person may not be given the case, or may not give it to others."""


class Away(Refusal):
    """This person is entered as away today."""


class BadNote(Refusal):
    """The note is empty, too long, or not text."""


class NotFinished(Refusal):
    """Something in the case still waits for an answer."""


class UnknownWhy(Refusal):
    """The reason for closing or opening again is not on the list."""


class ClosedWhy(Worded):
    """Why a case is closed."""

    DECIDED = "decided", "decided and carried out"
    ANSWERED = "answered", "the request was answered"
    REJECTED = "rejected", "the request was rejected"
    IN_ERROR = "opened_in_error", "it was opened in error"
    MERGED = "merged", "it goes on in another case"
    WITHOUT_ACCOUNT = "without_account", "its reports were settled without an account"


class ReopenedWhy(Worded):
    """Why a case is opened again."""

    NEW_FACTS = "new_facts", "new facts came up"
    OBJECTION = "objection", "the customer objects"
    CLOSED_IN_ERROR = "closed_in_error", "it was closed in error"
    AUTHORITY = "asked_by_authority", "an authority asks"


def lock_case(case: Case) -> Case:
    """The case's row, locked until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).get(pk=case.pk)


def move_case(case: Case, to: CaseStatus) -> None:
    """Change a locked case's status when its lifecycle allows it; being there already is no move."""
    if case.status != to:
        CASE_LIFECYCLE.require(case.status, to)
        case.status = to.value


def take(case: Case, *, user: StaffMember, at: datetime) -> Case:
    """Take a case nobody has; one's own stays as it is. Raises AlreadyTaken with who has it since when."""
    return _take(case, user, by=user.as_actor, at=at)


@flow
def _take(case: Case, user: StaffMember, *, by: Actor, at: datetime) -> Case:
    case = lock_case(case)
    if case.assigned_to_id == user.pk:
        keep_lock(case, user, at=at)
        return case
    if case.assigned_to_id is not None:
        raise AlreadyTaken(
            f"{case.reference} was taken by {case.assigned_to} on {case.assigned_at:%-d %b %Y at %H:%M} UTC. "
            "Take another one, or ask a lead reviewer to hand it over."
        )
    return give(case, user, by=by, at=at)


@flow
def assign(case: Case, *, to: StaffMember, by: Actor, at: datetime) -> Case:
    """Give a case to somebody, taking it from whoever has it; for more than taking a free one, `cases.assign`."""
    case = lock_case(case)
    takes_a_free_one = by.key == str(to.pk) and case.assigned_to_id in (None, to.pk)
    require_may_assign(by, takes_a_free_one=takes_a_free_one)
    require_here(to, at=at)
    return case if case.assigned_to_id == to.pk else give(case, to, by=by, at=at)


def require_may_assign(by: Actor, *, takes_a_free_one: bool = False) -> None:
    if not (takes_a_free_one or may(by, "cases.assign")):
        raise CannotWorkCases("You cannot give cases to others. Ask a lead reviewer to do it.")


def require_here(user: StaffMember, *, at: datetime) -> None:
    """Raises Away with the last day when this person is entered as away today."""
    absence = Absence.objects.on(legal_day(at)).filter(user=user).order_by("-to_on").first()
    if absence is not None:
        raise Away(f"{user} is away through {absence.to_on:%-d %b %Y}. Choose somebody else, or end the absence first.")


def may(by: Actor, permission: str) -> bool:
    person = StaffMember.objects.filter(pk=by.key, is_active=True).first() if by.kind == "person" else None
    return person is not None and person.has_perm(permission)


def require_may_have(case: Case, user: StaffMember) -> None:
    """Raises CaseEnded, or CannotWorkCases for a person who does not work cases of this kind or this desk."""
    if case.status in ENDED:
        raise CaseEnded(f"{case.reference} is {case.get_status_display()}. Open it again before somebody works on it.")
    if not case.may_be_worked_by(user):
        raise CannotWorkCases(f"{user} does not work cases of this kind. Choose somebody who does.")
    if case.is_restricted and not case.readers.standing().filter(user=user).exists():
        raise CannotWorkCases(f"{case.reference} is not open to {user}. Restrict it anew with them named.")


def keep_lock(case: Case, user: StaffMember, *, at: datetime) -> None:
    """Whoever takes a case works it from now on."""
    CaseLock.objects.update_or_create(
        case=case, defaults={"user": user, "taken_at": at, "seen_at": at, "released_at": None}
    )


def give(case: Case, user: StaffMember, *, by: Actor, at: datetime) -> Case:
    """Make a locked case somebody's; who takes it for themselves has its lock as well. Part of a flow."""
    require_may_have(case, user)
    if by.key == str(user.pk):
        keep_lock(case, user, at=at)
    else:
        CaseLock.objects.filter(case=case, released_at__isnull=True).exclude(user=user).update(released_at=at)
    end_assignment(case, at=at)
    Assignment.objects.create(case=case, user=user, given_by=by.label, from_at=at)
    case.assigned_to, case.assigned_at = user, at
    if case.status == CaseStatus.OPEN:
        move_case(case, CaseStatus.IN_REVIEW)
    case.save(update_fields=["assigned_to", "assigned_at", "status"])
    audit.record(Verb.ASSIGNED, case, by=by, at=at, case=case.reference, to=user.get_username())
    return case


def end_assignment(case: Case, *, at: datetime) -> None:
    """Whoever has the case has it no longer."""
    Assignment.objects.filter(case=case, to_at__isnull=True).update(to_at=at)


@flow
def add_note(case: Case, *, text: str, by: Actor, at: datetime) -> CaseNote:
    """Write down a note, sealed under the first subject's key; card numbers are masked before anything is stored (E12).

    Raises BadNote for an empty text, more than 10,000 characters, or what is not text.
    """
    told = Texts()
    text = told.lines("Note", _clean(text), LONGEST_NOTE)
    case = lock_case(case)
    first = CaseSubject.objects.filter(case=case).select_related("account").order_by("pk").first()
    if first is None:
        raise BadNote(f"{case.reference} has no account yet. Add the account the note speaks of first.")
    note = CaseNote(case=case, subject=first.account.party_id, at=at, by=by.label)
    note.text = text
    note.save(force_insert=True)
    audit.record(Verb.NOTED, case, by=by, at=at)
    told.record_masked(case, by=by, at=at)
    return note


def _clean(text: str) -> str:
    text = text.strip().strip("\u200b")
    if is_blank(text):
        raise BadNote("The note is empty. Write what you found out or did.")
    if len(text) > LONGEST_NOTE:
        raise BadNote(f"The note has {len(text):,} characters. Shorten it to {LONGEST_NOTE:,}, or write two notes.")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadNote("The note holds characters that are not text. Type it again.")
    if fault := find_fault(text, LONGEST_NOTE):
        raise BadNote(f"The note {fault}.")
    return text


@flow
def close_case(case: Case, *, why: str, by: Actor, at: datetime) -> Case:
    """Close a case in which nothing waits any more. Raises NotFinished and says what still does."""
    require_known(why)
    case = lock_case(case)
    require_may_close(case, *waiting_in([case]).get(case.pk, NOTHING_WAITS))
    case.closed_at = at
    move_case(case, CaseStatus.CLOSED)
    case.save(update_fields=["status", "closed_at"])
    end_assignment(case, at=at)
    stop_clock(triage.TRIAGE, case, by=by, at=at)
    audit.record(Verb.CLOSED, case, by=by, at=at, case=case.reference, why=why)
    return case


def require_known(why: str) -> None:
    """Raises UnknownWhy for a code that is no reason to close a case."""
    if why not in list(ClosedWhy):
        raise UnknownWhy(f"There is no such reason to close a case. Choose one of: {', '.join(ClosedWhy)}.")


NOTHING_WAITS = (0, None, None)
Waiting = tuple[int, AbuseReport | None, LegalRequest | None]


def waiting_in(cases: list[Case]) -> dict[UUID, Waiting]:
    """By the case's key: how many of its red flags have no answer, a report without an account, a request that has not
    ended. Three queries."""
    flags = CaseSignal.objects.filter(case__in=cases, signal__answered_at__isnull=True)
    counts = dict(flags.values_list("case").annotate(count=Count("pk")).order_by())
    requests = (LegalRequest.objects.to_act_on() | LegalRequest.objects.preserving()).filter(case__in=cases)
    first = {request.case_id: request for request in requests.order_by("-received_on", "-pk")}
    reports = AbuseReport.objects.waiting().filter(case__in=cases).order_by("-received_at", "-pk")
    homeless = {report.case_id: report for report in reports}
    return {key: (counts.get(key, 0), homeless.get(key), first.get(key)) for key in {*counts, *homeless, *first}}


def require_may_close(case: Case, count: int, report: AbuseReport | None, request: LegalRequest | None) -> None:
    """Raises MoveNotAllowed, or NotFinished and says what still waits; `count` is of red flags without an answer."""
    CASE_LIFECYCLE.require(case.status, CaseStatus.CLOSED)
    if count:
        flags = "A red flag in this case is" if count == 1 else f"{count} red flags in this case are"
        raise NotFinished(f"{flags} not answered. Decide about the account first, if only that nothing is to be done.")
    if report is not None:
        raise NotFinished(f"{report.reference} waits for an account. Attach it to one, or settle it without, first.")
    if request is not None:
        raise NotFinished(f"{request.reference} is {request.get_state_display()}. Bring the request to its end first.")


@flow
def reopen(case: Case, *, why: str, by: Actor, at: datetime) -> Case:
    """Open an ended case again with a new clock; a customer who has another open case keeps that one."""
    if why not in list(ReopenedWhy):
        raise UnknownWhy(f"There is no such reason to open a case again. Choose one of: {', '.join(ReopenedWhy)}.")
    subjects = CaseSubject.objects.filter(case=case).select_related("account").order_by("account_id")
    accounts = [triage.lock_customer(subject.account) for subject in subjects]
    case = lock_case(case)
    if case.status not in ENDED:
        raise CaseEnded(f"{case.reference} is {case.get_status_display()}; it is not ended. Go on working on it.")
    if case.kind != CaseKind.LEGAL:
        _require_no_other(Party.objects.filter(pk__in=[account.party_id for account in accounts]), by)

    move_case(case, CaseStatus.OPEN if case.status == CaseStatus.CLOSED else CaseStatus.IN_REVIEW)
    if case.status == CaseStatus.OPEN:
        case.assigned_to, case.assigned_at = None, None
    case.snoozed_until, case.snoozed_why = None, ""
    clocks.start(case, by=by, at=at)
    case.closed_at, case.decided_at = None, None
    case.save(update_fields=[
        "status", "assigned_to", "assigned_at", "due_on", "due_at", "due_from", "waits_from", "snoozed_until",
        "snoozed_why", "closed_at", "decided_at",
    ])  # fmt: skip
    audit.record(Verb.REOPENED, case, by=by, at=at, case=case.reference, why=why)
    return case


def _require_no_other(parties, by: Actor) -> None:
    for party in parties:
        other = triage.open_case_of(party)
        if other is not None and other.is_restricted and not other.readers.standing().filter(user__pk=by.key).exists():
            raise NotFinished("The case cannot be opened again now. Ask compliance.")
        if other is not None:
            raise NotFinished(f"{other.reference} is open on the same customer. Go on there instead.")

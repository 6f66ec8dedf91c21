"""Who is away: they are given no case, and what they had goes back into the queue when it begins."""

from datetime import date, datetime

from django.db import models

from cases.flows import locks, review
from cases.models import Absence, Assignment, Case
from cases.rules.stages import CaseStatus
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

LONGEST_DAYS = 366


class BadAbsence(Refusal):
    """These are no days on which somebody could be away."""


class NotYourAbsence(Refusal):
    """Only a lead reviewer enters or ends the absence of others."""


def away_on(day: date) -> models.QuerySet[Absence]:
    return Absence.objects.on(day).select_related("user").order_by("to_on", "pk")


def require_here(user: StaffMember, *, at: datetime) -> None:
    """Raises review.Away with the last day when this person is entered as away today."""
    review.require_here(user, at=at)


@flow
def enter(
    *, user: StaffMember, from_on: date, to_on: date, stands_in: StaffMember | None = None, by: Actor, at: datetime
) -> Absence:
    """Enter that somebody is away from one day through another, both included; begins at once when that day has come.

    `stands_in` acts for them meanwhile: neither countersigns what the other proposed. Raises BadAbsence, and
    NotYourAbsence for others' without the right to assign.
    """
    _require_may(user, by)
    today = legal_day(at)
    if to_on < from_on:
        raise BadAbsence(f"The last day ({to_on}) lies before the first ({from_on}). Enter them the other way round.")
    if to_on < today:
        raise BadAbsence(f"{to_on} is past. Enter days from today on.")
    if (to_on - from_on).days > LONGEST_DAYS or (from_on - today).days > LONGEST_DAYS:
        raise BadAbsence(f"Enter at most {LONGEST_DAYS} days, beginning within as many.")
    if stands_in is not None and stands_in.pk == user.pk:
        raise BadAbsence(f"{user} cannot stand in for themselves. Name a colleague, or nobody.")
    StaffMember.objects.select_for_update(of=("self",)).get(pk=user.pk)
    other = Absence.objects.filter(user=user, ended_at=None, from_on__lte=to_on, to_on__gte=from_on).first()
    if other is not None:
        raise BadAbsence(
            f"{user} is entered as away from {other.from_on} through {other.to_on} already. End that first."
        )
    absence = Absence.objects.create(
        user=user, stands_in=stands_in, from_on=from_on, to_on=to_on, entered_at=at, entered_by=by.label
    )
    named = {"to": stands_in.get_username()} if stands_in else {}
    audit.record(Verb.AWAY, user, by=by, at=at, from_on=from_on, to_on=to_on, **named)
    if from_on <= today:
        give_back(user, by=by, at=at)
    return absence


@flow
def end(absence: Absence, *, by: Actor, at: datetime) -> Absence:
    """They are back, or it was entered in error; cases that went back stay in the queue."""
    absence = Absence.objects.select_for_update(of=("self",)).select_related("user").get(pk=absence.pk)
    _require_may(absence.user, by)
    if absence.ended_at is not None or absence.to_on < legal_day(at):
        raise BadAbsence("This absence is over already.")
    absence.ended_at = at
    absence.save(update_fields=["ended_at"])
    audit.record(Verb.BACK, absence.user, by=by, at=at, from_on=absence.from_on, to_on=absence.to_on)
    return absence


def _require_may(user: StaffMember, by: Actor) -> None:
    if by.key != str(user.pk) and not review.may(by, "cases.assign"):
        raise NotYourAbsence("You enter and end your own absences only. Ask a lead reviewer to do it.")


@flow
def give_back(user: StaffMember, *, by: Actor, at: datetime) -> int:
    """Put back into the queue what somebody has; what waits for a second signature stays theirs. Says how many."""
    rows = Case.objects.filter(assigned_to=user, status__in=[CaseStatus.OPEN.value, CaseStatus.IN_REVIEW.value])
    cases = list(rows.select_for_update(of=("self",)).order_by("pk"))
    for case in cases:
        case.assigned_to = case.assigned_at = None
        review.move_case(case, CaseStatus.OPEN)
    Case.objects.bulk_update(cases, ["assigned_to", "assigned_at", "status"], batch_size=500)
    Assignment.objects.filter(case__in=cases, to_at__isnull=True).update(to_at=at)
    locks.release(cases, at=at)
    audit.write([
        audit.draft(Verb.GIVEN_BACK, case, by=by, at=at, case=case.reference, old=user.get_username()) for case in cases
    ])  # fmt: skip
    return len(cases)


def give_back_of_absent(*, by: Actor, at: datetime) -> int:
    """Nightly: put back what those have who are away today; says how many cases."""
    away = StaffMember.objects.filter(pk__in=Absence.objects.on(legal_day(at)).values("user")).order_by("pk")
    return sum(give_back(user, by=by, at=at) for user in away)

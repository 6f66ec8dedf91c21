"""The most urgent case that waits for one person: taken, locked and opened at once, whatever the others do."""

from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef

from cases.flows import absences, locks, review
from cases.models import Case
from cases.rules.desks import DESKS
from cases.rules.stages import CaseStatus
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

WORKED = (CaseStatus.OPEN.value, CaseStatus.IN_REVIEW.value)


class NothingWaits(Refusal):
    """No case waits that this person could work now."""


def desks_of(user: StaffMember) -> list[str]:
    """The desks whose cases this person works."""
    return [desk.value for desk, right in DESKS.items() if user.has_perm(right)]


def worked_by(user: StaffMember):
    """The cases this person may see and work, whoever has them."""
    return Case.objects.visible_to(user).filter(desk__in=desks_of(user))


def next_case(*, user: StaffMember, besides: Case | None = None, at: datetime) -> Case:
    """Take and lock the most urgent waiting case that is this person's or nobody's; `besides` is the one just left.

    Two people at once never get the same one: whoever comes second passes over what the first has locked. Raises
    NothingWaits, and Away for somebody who is entered as away.
    """
    return _next(user, besides, by=user.as_actor, at=at)


@flow
def _next(user: StaffMember, besides: Case | None, *, by: Actor, at: datetime) -> Case:
    absences.require_here(user, at=at)
    rows = worked_by(user).waiting(at).filter(status__in=WORKED)
    if besides is not None:
        rows = rows.exclude(pk=besides.pk)
    by_others = locks.live(at).filter(case=OuterRef("pk")).exclude(user=user)
    rows = rows.exclude(Exists(by_others)).by_urgency()
    found = [case for case in (_first(rows.filter(assigned_to=user)), _first(rows.filter(assigned_to=None))) if case]
    if not found:
        raise NothingWaits("No case waits for you now. What is asleep comes back by itself.")
    case = min(found, key=lambda case: (case.due_on, -case.weight, case.due_at, str(case.pk)))
    if case.assigned_to_id != user.pk:
        return review.give(case, user, by=by, at=at)
    review.keep_lock(case, user, at=at)
    return case


def _first(rows) -> Case | None:
    """The first row, locked; on PostgreSQL rows that others have locked are passed over."""
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows.first()

"""Restrict a case to named people, open it again, break in where nobody named can be reached (own policy).

For everybody who is not named it is as if the case did not exist; policy_table.rows_for is the one place that says so.
"""

from collections.abc import Sequence
from datetime import datetime

from cases.flows import review
from cases.models import Case, CaseReader
from cases.rules.wording import Worded
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table
from kyc_portal.staff.models import StaffMember

MOST_NAMED = 20


class NotRestricted(Refusal):
    """The case cannot be restricted to these people, or is open to all already."""


class NotLetIn(Refusal):
    """There is nothing by this reference that one could break into, or no reason."""


class BrokenInWhy(Worded):
    """Why somebody lets themselves into a restricted case."""

    NOBODY_REACHED = "nobody_reached", "nobody it is open to can be reached"
    CANNOT_WAIT = "cannot_wait", "somebody comes to harm meanwhile"
    ORDERED = "ordered", "an authority orders it"
    REVIEWED = "reviewed", "the restriction itself is looked at"


@flow
def restrict(case: Case, *, to: Sequence[StaffMember], by: Actor, at: datetime) -> Case:
    """Open a case to these people and whoever restricts it, and to nobody else; doing it again replaces the names.

    Raises NotRestricted for people who may not see such cases, or when whoever works the case is left out.
    """
    case = review.lock_case(case)
    named = {user.pk: user for user in [*to, *StaffMember.objects.filter(pk=by.key)]}
    if by.kind != "person" or not 1 < len(named) <= MOST_NAMED:
        raise NotRestricted(f"Name between one and {MOST_NAMED - 1} people besides yourself.")
    for user in named.values():
        if not policy_table.may_see_kind_of(user, case):
            raise NotRestricted(f"{user} does not see cases of this kind. Name somebody who does.")
    if case.assigned_to_id is not None and case.assigned_to_id not in named:
        raise NotRestricted(f"{case.assigned_to} works {case.reference}. Name them too, or give the case away first.")
    standing = CaseReader.objects.standing().filter(case=case)
    standing.exclude(user__in=named).update(ended_at=at)
    known = set(standing.values_list("user_id", flat=True))
    for key, user in named.items():
        if key not in known:
            CaseReader.objects.create(case=case, user=user, named_at=at, named_by=by.label)
    case.is_restricted = True
    case.save(update_fields=["is_restricted"])
    names = ", ".join(sorted(user.get_username() for user in named.values()))
    audit.record(Verb.RESTRICTED, case, by=by, at=at, case=case.reference, to=names)
    return case


@flow
def open_up(case: Case, *, by: Actor, at: datetime) -> Case:
    """Open a restricted case to everybody who sees cases of its kind again."""
    case = review.lock_case(case)
    if not case.is_restricted:
        raise NotRestricted(f"{case.reference} is open to everybody who sees cases of its kind.")
    CaseReader.objects.standing().filter(case=case).update(ended_at=at)
    case.is_restricted = False
    case.save(update_fields=["is_restricted"])
    audit.record(Verb.OPENED_UP, case, by=by, at=at, case=case.reference)
    return case


def break_in(reference: str, *, why: str, user: StaffMember, at: datetime) -> Case:
    """Let oneself into a restricted case, for good and with a grave event. Raises NotLetIn.

    `reference` is typed; what is not restricted, what the person sees already and what never was answer alike.
    """
    return _break_in(reference, why, user, by=user.as_actor, at=at)


@flow
def _break_in(reference: str, why: str, user: StaffMember, *, by: Actor, at: datetime) -> Case:
    if not user.has_perm("cases.break_in"):
        raise NotLetIn("Your role does not include this.")
    if why not in list(BrokenInWhy):
        raise NotLetIn(f"There is no such reason. Choose one of: {', '.join(BrokenInWhy)}.")
    rows = Case.objects.filter(is_restricted=True, reference=reference.strip().upper())
    case = rows.exclude(pk__in=CaseReader.objects.standing().filter(user=user).values("case"))
    case = case.select_for_update(of=("self",)).first()
    if case is None or not policy_table.may_see_kind_of(user, case):
        raise NotLetIn("No case of this reference is closed to you. Copy it from where you read of it.")
    CaseReader.objects.create(case=case, user=user, named_at=at, named_by=by.label, broke_in=True)
    audit.record(Verb.BROKE_IN, case, by=by, at=at, case=case.reference, why=why)
    return case

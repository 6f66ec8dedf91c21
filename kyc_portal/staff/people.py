"""Add people who log in, and let them go; roles are given in roles.py."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.roles import give_roles
from kyc_portal.staff.verbs import Verb

ADMINISTRATOR = "administrator"


class NotAdded(Refusal):
    """The person cannot be added as written."""


class CannotLeave(Refusal):
    """The person cannot be made inactive now."""


@flow
def add_member(
    *, username: str, email: str, roles: Iterable[str], start_password: str, by: Actor, at: datetime
) -> StaffMember:
    """Add somebody with roles and a password to log in with the first time; they change it themselves.

    Raises NotAdded for a taken or odd user name, an e-mail that is none, no role, or a password the validators refuse;
    DutiesNotSeparated for roles one person must not hold together. The password appears in no event.
    """
    roles = list(roles)
    user = StaffMember(
        username=StaffMember.normalize_username(username), email=StaffMember.objects.normalize_email(email)
    )
    if not roles:
        raise NotAdded("Choose at least one role: without one, a person can do nothing here.")
    if StaffMember.objects.filter(username__iexact=user.username).exists():
        raise NotAdded("This user name is taken. Choose another.")
    user.set_password(start_password)
    try:
        user.full_clean(exclude=["groups", "user_permissions"])
        validate_password(start_password, user)
    except ValidationError as error:
        raise NotAdded(" ".join(error.messages)) from None

    user.save(force_insert=True)
    audit.record(Verb.ADDED, user, by=by, at=at)
    return give_roles(user, roles, by=by, at=at)


def _lock_administrators() -> None:
    """One at a time, and before any person is locked, so that two administrators cannot remove each other."""
    list(Group.objects.select_for_update().filter(name=ADMINISTRATOR))


def _require_another_administrator(user: StaffMember) -> None:
    """Somebody must remain who can let people in."""
    others = StaffMember.objects.filter(is_active=True, groups__name=ADMINISTRATOR).exclude(pk=user.pk)
    if user.groups.filter(name=ADMINISTRATOR).exists() and not others.exists():
        raise CannotLeave(f"{user.username} is the last administrator. Give the role to somebody else first.")


@flow
def change_roles(user: StaffMember, roles: Iterable[str], *, by: Actor, at: datetime) -> StaffMember:
    """Replace somebody's roles; raises DutiesNotSeparated, and CannotLeave for the last administrator's own role."""
    _lock_administrators()
    roles = set(roles)
    if ADMINISTRATOR not in roles:
        _require_another_administrator(user)
    return give_roles(user, roles, by=by, at=at)


@flow
def leave(user: StaffMember, *, by: Actor, at: datetime) -> StaffMember:
    """Make somebody inactive: they are logged out at their next request; the trail keeps their name.

    Raises CannotLeave for oneself, for the last active administrator, and the second time.
    """
    _lock_administrators()
    user = StaffMember.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not user.is_active:
        raise CannotLeave(f"{user.username} is inactive already.")
    if by.key == str(user.pk):
        raise CannotLeave("You cannot make yourself inactive. Ask another administrator.")
    _require_another_administrator(user)

    user.is_active = False
    user.save(update_fields=["is_active"])
    audit.record(Verb.LEFT, user, by=by, at=at)
    return user

"""Add people who log in, and let them go; roles are given in roles.py.

Nobody chooses another's password: a new person, and one who forgot theirs, gets a link that works once (ASVS 6.4.6).
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff import factors, sessions
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.roles import give_roles
from kyc_portal.staff.verbs import Verb

ADMINISTRATOR = "administrator"


class NotAdded(Refusal):
    """The person cannot be added as written."""


class CannotLeave(Refusal):
    """The person cannot be made inactive now."""


class NoLink(Refusal):
    """The person cannot be given a link."""


@flow
def add_member(*, username: str, email: str, roles: Iterable[str], by: Actor, at: datetime) -> StaffMember:
    """Add somebody with roles and without a password; `give_link` makes the link by which they choose one.

    Raises NotAdded for a taken or odd user name, an e-mail that is none, or no role; DutiesNotSeparated for roles one
    person must not hold together.
    """
    roles = list(roles)
    user = StaffMember(
        username=StaffMember.normalize_username(username), email=StaffMember.objects.normalize_email(email)
    )
    if not roles:
        raise NotAdded("Choose at least one role: without one, a person can do nothing here.")
    if StaffMember.objects.filter(username__iexact=user.username).exists():
        raise NotAdded("This user name is taken. Choose another.")
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["groups", "user_permissions"])
    except ValidationError as error:
        raise NotAdded(" ".join(error.messages)) from None

    user.save(force_insert=True)
    audit.record(Verb.ADDED, user, by=by, at=at)
    return give_roles(user, roles, by=by, at=at)


def require_administrator(user: StaffMember, email: str) -> None:
    """Raise NoLink for somebody who is no administrator, or has another e-mail than the one that was typed."""
    if user.email.lower() != email.lower() or not user.groups.filter(name=ADMINISTRATOR).exists():
        raise NoLink("This user name is taken by somebody who is no administrator with this e-mail.")


@flow
def give_link(user: StaffMember, *, by: Actor, at: datetime) -> str:
    """Take away a person's password and sessions, and return the address where they choose a new one, once.

    The link works for PASSWORD_RESET_TIMEOUT seconds; an older one, like an older password, works no more. Raises
    NoLink for oneself and for somebody inactive.
    """
    user = StaffMember.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not user.is_active:
        raise NoLink(f"{user.username} is inactive and cannot log in.")
    if by.key == str(user.pk):
        raise NoLink("Change your own password under “Your log-in”.")
    if user.has_usable_password():
        factors.tell(user, "the password stopped working, because an administrator made a new link", by=by, at=at)
    user.set_unusable_password()  # its random part makes every earlier link invalid too
    user.save(update_fields=["password"])
    sessions.end_all(user, reason="password_reset", by=by, at=at)
    audit.record(Verb.LINK_MADE, user, by=by, at=at)
    place = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    return settings.PORTAL_URL + reverse("choose_password", args=place)


@flow
def set_password(user: StaffMember, password: str, *, verb: Verb, by: Actor, at: datetime) -> StaffMember:
    """Keep the password a person chose for themselves: `verb` says whether by a link or with the old one.

    The form has checked it. Every session of the person ends, and they are told by mail.
    """
    user = StaffMember.objects.select_for_update(of=("self",)).get(pk=user.pk)
    user.set_password(password)
    user.save(update_fields=["password"])
    sessions.end_all(user, reason="password_changed", by=by, at=at)
    audit.record(verb, user, by=by, at=at)
    factors.tell(user, "the password was changed", by=by, at=at)
    return user


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
    user = give_roles(user, roles, by=by, at=at)
    return sessions.end_all(user, reason="roles_changed", by=by, at=at)


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
    sessions.end_all(user, reason="left", by=by, at=at)
    return user

"""Break-glass: take permissions beyond one's role for some hours, with a reason, under the auditors' eyes.

What may be taken by whom is one table (SETS). None of it is an act that needs two people, an auditor's or an
administrator's, or one that lies only with a role from which the taker's is separated; tests hold the table to that.

The permissions count only inside a request whose id begins with the reference of the access, so that everything done
with them carries it, and each such request reads anew whether the access is still in force.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.db import models
from django.utils import timezone

from kyc_portal.notices.kinds import BreakGlassDigest
from kyc_portal.notices.outbox import queue_notice
from kyc_portal.records import audit
from kyc_portal.records.acting import current_request_id, flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import BreakGlass, StaffMember, WhyTaken
from kyc_portal.staff.models import FurtherPermissions as Further
from kyc_portal.staff.roles import LEGAL, RESELLERS, holds_by_role
from kyc_portal.staff.verbs import Verb

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PermissionSet:
    """Permissions that are taken together, and the roles that may."""

    permissions: tuple[str, ...]
    roles: tuple[str, ...]


SETS = {
    Further.LEGAL_MATTERS: PermissionSet((*LEGAL, "records.view_legalhold"), ("lead reviewer", "compliance")),
    Further.UNMASKING: PermissionSet(("accounts.reveal", "accounts.download_document"), ("compliance",)),
    Further.PLACING_HOLDS: PermissionSet(("records.place_hold", "records.view_legalhold"), ("compliance",)),
    Further.RESELLERS: PermissionSet(RESELLERS, ("legal",)),
}


class NotTaken(Refusal):
    """These permissions cannot be taken so, or not by this person."""


class NotInForce(Refusal):
    """The access has ended."""


class NotToReview(Refusal):
    """The access is not over yet, or was looked at already."""


@flow
def take(*, what: str, reason: str, about: models.Model, hours: int, by: Actor, at: datetime) -> BreakGlass:
    """Take a set of permissions for `hours` hours, for the sake of one record. Raises NotTaken."""
    if by.kind != "person" or what not in SETS or reason not in WhyTaken.values:
        raise NotTaken("Choose what you need and why, signed in under your own name.")
    member, wanted = StaffMember.objects.select_for_update(of=("self",)).get(pk=by.key), SETS[what]
    if not _may_take(member, wanted):
        raise NotTaken(f"Your role may not take this. It is for {' and '.join(wanted.roles)}.")
    if all(holds_by_role(member, name) for name in wanted.permissions):
        raise NotTaken("Your role includes this already.")
    if earlier := held_by(member, at):
        raise NotTaken(f"You hold {earlier.reference} until {earlier.ends_at:%H:%M} UTC. Give it back first.")
    if not 1 <= hours <= settings.BREAK_GLASS_HOURS:
        raise NotTaken(f"It can be taken for 1 to {settings.BREAK_GLASS_HOURS} hours. Choose fewer, or ask for a role.")
    if not holds_by_role(member, f"{about._meta.app_label}.view_{about._meta.model_name}"):
        raise NotTaken("Name a record that your role may see, such as the account or the case it is about.")

    ref = RecordRef.of(about)
    glass = BreakGlass.objects.create(
        member=member, what=what, reason=reason, about_label=ref.label, about_key=ref.key, about_name=ref.name,
        started_at=at, ends_at=at + timedelta(hours=hours),
    )  # fmt: skip
    audit.record(
        Verb.GLASS_TAKEN, glass, by=by, at=at, within=member, what=what, reason=reason, rests_on=ref.name,
        until=f"{glass.ends_at:%Y-%m-%d %H:%M} UTC",
    )  # fmt: skip
    return glass


@flow
def give_back(glass: BreakGlass, *, by: Actor, at: datetime) -> BreakGlass:
    """End one's own access before its time; raises NotInForce."""
    glass = _locked(glass)
    if not glass.is_in_force(at) or str(glass.member_id) != by.key:
        raise NotInForce(f"{glass.reference} has ended.")

    glass.given_back_at = at
    glass.save(update_fields=["given_back_at"])
    audit.record(Verb.GLASS_GIVEN_BACK, glass, by=by, at=at, within=glass.member, what=glass.what)
    return glass


@flow
def note_review(glass: BreakGlass, *, by: Actor, at: datetime) -> BreakGlass:
    """An auditor has looked at what was done under an access that is over; raises NotToReview."""
    glass = _locked(glass)
    if glass.is_in_force(at):
        raise NotToReview(f"{glass.reference} is still in force. Look again after it has ended.")
    if glass.reviewed_at is not None:
        raise NotToReview(f"{glass.reviewed_by} has looked at {glass.reference} already.")

    glass.reviewed_at, glass.reviewed_by = at, by.label
    glass.save(update_fields=["reviewed_at", "reviewed_by"])
    audit.record(Verb.GLASS_REVIEWED, glass, by=by, at=at, within=glass.member, what=glass.what)
    return glass


@flow
def tell_auditors(*, by: Actor, at: datetime) -> dict:
    """One notice to each auditor that lists every access that ended and was not told yet; each is told once.

    Without an auditor nothing is told, and it stays to be told. Returns {"accesses": n, "auditors": n}.
    """
    untold = BreakGlass.objects.ended(at).filter(told_at__isnull=True).order_by("started_at")
    glasses = list(untold.select_for_update(of=("self",)).select_related("member"))
    auditors = StaffMember.objects.filter(is_active=True, groups__name="auditor")
    if not glasses or not auditors:
        return {"accesses": 0, "auditors": 0}

    counts = {glass: acts_of(glass).count() for glass in glasses}
    digest = BreakGlassDigest(day=legal_day(at), uses=tuple(_in_words(glass, count) for glass, count in counts.items()))
    for auditor in auditors:
        queue_notice(digest, about=auditor, subject=_subject_of(auditor), address=auditor.email, by=by, at=at)
    for glass, count in counts.items():
        glass.told_at = at
        glass.save(update_fields=["told_at"])
        audit.record(
            Verb.GLASS_TOLD, glass, by=by, at=at, within=glass.member, what=glass.what, rows=count, count=len(auditors)
        )
    return {"accesses": len(glasses), "auditors": len(auditors)}


def _locked(glass: BreakGlass) -> BreakGlass:
    return BreakGlass.objects.select_for_update(of=("self",)).select_related("member").get(pk=glass.pk)


def _in_words(glass: BreakGlass, count: int) -> str:
    return (
        f"{glass.reference}: {glass.member.username}, {glass.what}, {glass.reason}, {glass.about_name}, "
        f"{glass.started_at:%Y-%m-%d %H:%M} to {glass.ended_at:%Y-%m-%d %H:%M} UTC, {count} events"
    )


def _subject_of(member: StaffMember) -> uuid.UUID:
    """Under whose key a notice to a member of staff is sealed; their own number is no UUID."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"staff.staffmember:{member.pk}")


def acts_of(glass: BreakGlass) -> models.QuerySet[AuditEvent]:
    """What was done in requests under this access, oldest first, but for giving it back."""
    events = AuditEvent.objects.filter(actor_key=str(glass.member_id), request_id__startswith=f"{glass.reference}:")
    return events.exclude(about_label="staff.breakglass").order_by("id")


# --- What it opens ----------------------------------------------------------------------------------------------------


def held_by(user, at: datetime) -> BreakGlass | None:
    """The access this person holds now; one query for staff, none for anybody else."""
    return BreakGlass.objects.in_force(at).filter(member_id=user.pk).first() if user.is_staff else None


def request_id(glass: BreakGlass | None) -> str:
    """The id of a new request, which begins with the reference of the access its person holds."""
    return f"{glass.reference}:{uuid.uuid4()}" if glass else str(uuid.uuid4())


def _may_take(user: StaffMember, wanted: PermissionSet) -> bool:
    return user.is_active and user.groups.filter(name__in=wanted.roles).exists()


class BreakGlassBackend(BaseBackend):
    """Gives the permissions of the access under which the present request runs; logs nobody in."""

    def get_user_permissions(self, user_obj, obj=None) -> frozenset[str]:
        """Read once a request; empty outside of a marked one, after the end, and for who lost the role to take it."""
        marked = current_request_id()
        if obj is not None or not marked.startswith("BGL-"):
            return NOBODY
        kept_for, permissions = getattr(user_obj, "_break_glass", ("", NOBODY))
        if kept_for != marked:
            permissions = _permissions_under(marked.partition(":")[0], user_obj)
            user_obj._break_glass = marked, permissions
        return permissions

    def has_module_perms(self, user_obj, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_user_permissions(user_obj))


def _permissions_under(reference: str, user) -> frozenset[str]:
    glass = BreakGlass.objects.in_force(timezone.now()).filter(reference=reference, member_id=user.pk).first()
    wanted = SETS.get(glass.what) if glass else None
    return frozenset(wanted.permissions) if wanted and _may_take(user, wanted) else NOBODY

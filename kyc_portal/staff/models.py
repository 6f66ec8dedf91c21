"""People who log in. An "account" is always a customer's."""

import uuid
from functools import partial
from uuid import NAMESPACE_OID, UUID, uuid5

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

from kyc_portal.records.refs import Actor, new_reference


class StaffMember(AbstractUser):
    """A person who logs in: the provider's staff, or a reseller's manager (who has no way into the admin)."""

    time_zone = models.CharField(max_length=60, default="UTC", help_text="For example America/New_York.")
    sessions_ended = models.PositiveIntegerField(default=0, editable=False, help_text="How often all were ended.")

    class Meta:
        verbose_name = "member of staff"
        verbose_name_plural = "members of staff"
        permissions = [
            ("see_everything", "Can read all records and change none"),
            ("manage_people", "Can add people and change their roles"),
        ]

    @property
    def as_actor(self) -> Actor:
        return Actor.person(self)

    @property
    def reference(self) -> str:
        return self.username

    @property
    def subject(self) -> UUID:
        """Under whose key the portal seals what it writes to this person."""
        return uuid5(NAMESPACE_OID, f"staff.staffmember:{self.pk}")

    def _get_session_auth_hash(self, secret=None):
        """A session stands while neither the password nor this count changes; Django compares it at each request."""
        salt = "kyc_portal.staff.models.StaffMember.sessions"
        value = f"{self.password}:{self.sessions_ended}"
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()


class FurtherPermissions(models.TextChoices):
    """What can be taken; breakglass.py says which permissions each is, and whose roles may take it."""

    LEGAL_MATTERS = "legal_matters", "read legal requests, bundles and holds"
    UNMASKING = "unmasking", "unmask identity data and open originals"
    PLACING_HOLDS = "placing_holds", "place holds"
    RESELLERS = "resellers", "read resellers and their customers"


class WhyTaken(models.TextChoices):
    """Reasons are codes, because free text would name people."""

    NOBODY_THERE = "nobody_there", "nobody whose role includes it can be reached"
    CANNOT_WAIT = "cannot_wait", "a request of an authority or a court cannot wait"
    INCIDENT = "incident", "a security incident"
    HARM = "harm", "harm to a customer must be averted"


class BreakGlassQuerySet(models.QuerySet):
    def in_force(self, at):
        return self.filter(started_at__lte=at, ends_at__gt=at, given_back_at__isnull=True)

    def ended(self, at):
        return self.filter(models.Q(ends_at__lte=at) | models.Q(given_back_at__isnull=False))

    def to_review(self, at):
        """Ended, and no auditor has looked at it yet."""
        return self.ended(at).filter(reviewed_at__isnull=True)


class BreakGlass(models.Model):
    """One time that somebody took permissions their role does not include; ends by itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "BGL"), editable=False)
    member = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="break_glasses")
    what = models.CharField("permissions", max_length=20, choices=FurtherPermissions.choices)
    reason = models.CharField(max_length=20, choices=WhyTaken.choices)
    about_label = models.CharField(max_length=80)
    about_key = models.CharField(max_length=80)
    about_name = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    given_back_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.CharField(max_length=150, blank=True)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        verbose_name = "break-glass access"
        verbose_name_plural = "break-glass accesses"
        permissions = [
            ("take_breakglass", "Can take further permissions for some hours"),
            ("review_breakglass", "Can note that a break-glass access was looked at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("started_at")), name="break_glass_ends_after_it_began"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def ended_at(self):
        """When it ended, or will by itself."""
        return self.given_back_at or self.ends_at

    def is_in_force(self, at) -> bool:
        return self.started_at <= at < self.ends_at and self.given_back_at is None

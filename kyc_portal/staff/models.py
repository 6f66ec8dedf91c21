"""People who log in. An "account" is always a customer's."""

from uuid import NAMESPACE_OID, UUID, uuid5

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

from kyc_portal.records.refs import Actor


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

"""People who log in. An "account" is always a customer's."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from kyc_portal.records.refs import Actor


class StaffMember(AbstractUser):
    """A person who logs in: the provider's staff, or a reseller's manager (who has no way into the admin)."""

    time_zone = models.CharField(max_length=60, default="UTC", help_text="For example America/New_York.")

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

"""Limits on the use of an account."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class Level(models.TextChoices):
    LIMITED = "limited", "limited"
    SUSPENDED = "suspended", "suspended"
    BLOCKED = "blocked", "blocked"  # property is frozen and reported (31 CFR 501.603)


class RestrictionQuerySet(RecordedQuerySet):
    def in_force(self):
        return self.filter(lifted_at__isnull=True)

    def run_out(self, now):
        return self.in_force().filter(until__lte=now)


class Restriction(Recorded):
    """A limit in force until somebody lifts it or its time is over. Several may stand; the strictest applies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RST"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="restrictions")
    level = models.CharField(max_length=10, choices=Level.choices)
    reason = models.CharField(max_length=60)
    public_wording = models.CharField(max_length=300)
    basis = models.CharField(max_length=40, help_text="The decision, measure or verification it rests on.")
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=150)
    until = models.DateTimeField(null=True, blank=True)
    object_by = models.DateField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)
    lifted_why = models.CharField(max_length=200, blank=True)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "basis"],
                condition=models.Q(lifted_at__isnull=True),
                name="one_restriction_per_basis",
            ),
        ]
        permissions = [("restrict", "Can limit, suspend and lift")]

    def __str__(self):
        return self.reference

"""What is held against a reseller, from the moment it was known (R58, R59)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.reseller import Reseller
from resellers.rules.findings import STANDING, FindingKind, FindingState


class FindingQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def standing(self):
        """Not cured and not withdrawn."""
        return self.filter(state__in=[state.value for state in STANDING])

    def overdue(self, on):
        """Whose last day for a cure is past."""
        return self.standing().filter(due_on__lt=on)

    def awaiting_second(self, user):
        return self.filter(state=FindingState.CURE_PROPOSED.value).exclude(proposed_by_key=str(user.pk))


class Finding(Recorded):
    """Evidence that a reseller fails to keep or carry out its CIP, and what became of it; its words are sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "FND"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=20, choices=FindingKind.choices())
    state = models.CharField(max_length=16, choices=FindingState.choices(), default=FindingState.OPEN.value)
    source = models.CharField(max_length=100, help_text="From whom or what it is known.")
    evidence = SealedTextField(under="subject")
    demand = models.CharField(max_length=500, help_text="What the reseller must do; it reads this.")
    knowledge_at = models.DateTimeField()
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    plan = SealedTextField(under="subject")
    planned_at = models.DateTimeField(null=True, blank=True)
    planned_by = models.CharField(max_length=150, blank=True)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    why = models.CharField(max_length=500, blank=True, help_text="Why it counts as cured, or was wrong.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = "finding"
        indexes = [models.Index(fields=["state", "due_on"], name="finding_due")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in FindingState]), name="finding_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["cured", "withdrawn", "ended"]) | models.Q(ended_at__isnull=False),
                name="finding_over_says_when",
            ),
        ]
        permissions = [
            ("hold_against", "Can record findings against resellers"),
            ("end_finding", "Can give the second signature on the end of a finding"),
        ]

    def __str__(self):
        return self.reference

    @property
    def subject(self):
        """The reseller's own party, under whose key the words are sealed; reads reseller.account."""
        return self.reseller.account.party_id

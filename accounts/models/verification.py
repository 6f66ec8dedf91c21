"""Verifications: what was tried, what came out, what disagreed. Results are added, never changed."""

import uuid
from functools import partial

from django.db import models

from accounts.rules.verifying import CHOICES, VerificationStatus
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class VerificationQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(status__in=[VerificationStatus.IN_PROGRESS.value, VerificationStatus.ESCALATED.value])

    def unfinished(self):
        """Open ones, and failed ones that somebody has to escalate or give up."""
        return self.filter(concluded_at__isnull=True)

    def undecided(self):
        """Those that could not be verified, where nobody has said yet what follows for an account that has not ended.

        A later attempt takes the question over.
        """
        later = self.model._base_manager.filter(
            account=models.OuterRef("account"), party=models.OuterRef("party"),
            started_at__gt=models.OuterRef("started_at"),
        )  # fmt: skip
        ended = models.Q(account__status__in=["refused", "closed", "blocked"])
        decided = models.Q(outcomes__state__in=["proposed", "in_effect", "reversed"])
        found = self.filter(status=VerificationStatus.UNVERIFIABLE.value).exclude(ended).exclude(decided)
        return found.filter(~models.Exists(later))

    def verified(self):
        return self.filter(status=VerificationStatus.VERIFIED.value)


class Verification(Recorded):
    """One attempt to establish who a party is, tied to the CIP version it was done under (R3, R25-R34)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "VER"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="verifications")
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="verifications")
    cip_version = models.ForeignKey("policy.CipVersion", on_delete=models.PROTECT, related_name="+")
    trigger = models.CharField(max_length=40)
    status = models.CharField(max_length=16, choices=CHOICES, default=VerificationStatus.IN_PROGRESS.value)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=150)
    started_by_key = models.CharField(max_length=80)
    concluded_at = models.DateTimeField(null=True, blank=True)
    concluded_by = models.CharField(max_length=150, blank=True)
    conclusion = models.CharField(max_length=500, blank=True)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "party"],
                condition=models.Q(concluded_at__isnull=True),
                name="one_open_verification_per_party",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in VerificationStatus]),
                name="verification_status_known",
            ),
        ]

    def __str__(self):
        return self.reference


class MethodResult(Recorded):
    """One method used and its result (R33)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="results")
    method = models.CharField(max_length=40)
    result = models.CharField(max_length=12)
    source = models.CharField(max_length=200)
    matched = models.JSONField(default=list, help_text="Names of the fields that agreed.")
    document = models.ForeignKey(
        "accounts.IdentityDocument", on_delete=models.PROTECT, null=True, blank=True, related_name="results"
    )
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "result of a method"
        verbose_name_plural = "results of methods"

    def __str__(self):
        return f"{self.method}: {self.result}"


class Discrepancy(Recorded):
    """Two values that disagree, and how that was settled (R34)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="discrepancies")
    field = models.CharField(max_length=60)
    stated = SealedTextField(under="subject")
    found = SealedTextField(under="subject")
    pair = models.CharField(max_length=64, blank=True, help_text="Both values as a keyed fingerprint.")
    found_at = models.DateTimeField()
    settled_how = models.CharField(max_length=300, blank=True)
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "field", "pair"],
                condition=models.Q(settled_at__isnull=True),
                name="one_unsettled_discrepancy_per_pair",
            ),
        ]

    def __str__(self):
        return self.field

    @property
    def party(self):
        """Whom the two values speak of; reads self.verification."""
        return self.verification.party

    @property
    def subject(self):
        """The person under whose key the two values are sealed; reads self.verification."""
        return self.verification.party_id

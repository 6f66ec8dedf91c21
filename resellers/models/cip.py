"""A reseller's written CIP in versions, and how each was judged by requirement (R55, R56)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from resellers.models.reseller import Reseller
from resellers.rules.cip import BY_CODE, CHOICES, REQUIREMENTS, SOURCES, WAITING, CipStatus, Source

VERDICTS = [("met", "met"), ("gap", "gap")]


class ResellerCipQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def waiting(self):
        """Versions somebody has to look at or decide on."""
        return self.filter(status__in=[status.value for status in WAITING])

    def approved(self):
        return self.filter(status=CipStatus.APPROVED.value)


class ResellerCip(Recorded):
    """One version of what a reseller does to know its customers: its own text, or ours by agreement."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RCP"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="cips")
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=8, choices=SOURCES)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    provider_cip = models.ForeignKey(
        "policy.CipVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    agreement = models.CharField(max_length=100, blank=True)
    agreed_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=CHOICES, default=CipStatus.SUBMITTED.value)
    submitted_at = models.DateTimeField()
    submitted_by = models.CharField(max_length=150)
    submitted_by_key = models.CharField(max_length=80, blank=True)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)

    objects = ResellerCipQuerySet.as_manager()

    class Meta:
        verbose_name = "CIP of a reseller"
        verbose_name_plural = "CIPs of resellers"
        constraints = [
            models.UniqueConstraint(fields=["reseller", "number"], name="one_cip_per_reseller_and_number"),
            models.UniqueConstraint(
                fields=["reseller"], condition=models.Q(status="approved"), name="one_approved_cip_per_reseller"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in CipStatus]), name="reseller_cip_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(source=Source.OWN, provider_cip__isnull=True)
                | models.Q(source=Source.ADOPTED, provider_cip__isnull=False, text=""),
                name="reseller_cip_is_own_or_adopted",
            ),
        ]
        permissions = [
            ("submit_cip", "Can hand in a reseller's CIP for it"),
            ("review_cip", "Can review resellers' CIPs"),
            ("decide_cip", "Can give the second signature on a reseller's CIP"),
        ]

    def __str__(self):
        return f"{self.reference}, version {self.number}"

    @property
    def words(self) -> str:
        """The text that binds; reads provider_cip of one that adopts ours."""
        return self.provider_cip.text if self.source == Source.ADOPTED else self.text


class CipJudgement(Recorded):
    """What a reviewer found on one requirement; a later one on the same requirement counts instead."""

    cip = models.ForeignKey(ResellerCip, on_delete=models.PROTECT, related_name="judgements")
    requirement = models.CharField(max_length=20, choices=[(each.code, each.title) for each in REQUIREMENTS])
    verdict = models.CharField(max_length=4, choices=VERDICTS)
    words = models.CharField(max_length=500, blank=True)
    judged_at = models.DateTimeField()
    judged_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "CIP judgement"
        verbose_name_plural = "CIP judgements"
        constraints = [
            models.CheckConstraint(condition=models.Q(requirement__in=list(BY_CODE)), name="cip_requirement_known"),
            models.CheckConstraint(condition=~models.Q(verdict="gap", words=""), name="cip_gap_says_what"),
        ]

    def __str__(self):
        return f"{BY_CODE[self.requirement].title}: {self.verdict}"

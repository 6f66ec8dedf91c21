"""What is reported to authorities of a reseller, beside everything else that is done (R60)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.finding import Finding
from resellers.models.reseller import Reseller
from resellers.models.termination import Termination
from resellers.rules.ending import Channel, ReportState


class AuthorityReportQuerySet(RecordedQuerySet):
    def to_make(self):
        return self.filter(state=ReportState.OPEN.value)


class AuthorityReport(Recorded):
    """A report of suspected or known misuse that is to go to an authority, and when it did; no manager sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ATR"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="reports")
    finding = models.ForeignKey(Finding, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    termination = models.ForeignKey(
        Termination, null=True, blank=True, on_delete=models.PROTECT, related_name="reports"
    )
    authority = models.CharField(max_length=200)
    about = SealedTextField(under="subject")
    state = models.CharField(max_length=8, choices=ReportState.choices(), default=ReportState.OPEN.value)
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)
    channel = models.CharField(max_length=8, choices=Channel.choices(), blank=True)
    report_id = models.CharField(max_length=100, blank=True, help_text="The authority's own number of it.")
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.CharField(max_length=150, blank=True)
    why_dropped = models.CharField(max_length=500, blank=True)

    objects = AuthorityReportQuerySet.as_manager()

    class Meta:
        verbose_name = "report to an authority"
        verbose_name_plural = "reports to authorities"
        indexes = [models.Index(fields=["state", "due_on"], name="authority_report_due")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open", sent_at__isnull=True)
                | (models.Q(state="sent", sent_at__isnull=False) & ~models.Q(channel=""))
                | (models.Q(state="dropped") & ~models.Q(why_dropped="")),
                name="authority_report_says_how",
            ),
        ]
        permissions = [("report_to_authority", "Can report on resellers to authorities")]

    def __str__(self):
        return self.reference

    @property
    def subject(self):
        """The reseller's own party, under whose key the words are sealed; reads reseller.account."""
        return self.reseller.account.party_id

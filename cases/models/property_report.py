"""Reports to the Treasury on blocked property and rejected transactions."""

import uuid
from functools import partial

from django.db import models

from cases.rules.property_reports import DroppedWhy, PropertyReportKind, PropertyReportState, SentBy
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField

TO_DO = (PropertyReportState.OPEN, PropertyReportState.DRAFTED, PropertyReportState.APPROVED)


class PropertyReportQuerySet(RecordedQuerySet):
    def to_do(self):
        """Not sent and not dropped."""
        return self.filter(state__in=[state.value for state in TO_DO])


class PropertyReport(Recorded):
    """That property was blocked or a transaction rejected, as it is reported within ten business days (R109, R110)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "OFR"), editable=False)
    kind = models.CharField(max_length=10, choices=PropertyReportKind.choices())
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="property_reports")
    subject = models.UUIDField(editable=False)
    basis = models.CharField(max_length=20, blank=True, help_text="Reference of the restriction that opened it.")
    happened_on = models.DateField()
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10, choices=PropertyReportState.choices(), default=PropertyReportState.OPEN.value
    )
    legal_authority = models.CharField(max_length=200, blank=True)
    value_usd = models.DecimalField(max_digits=17, decimal_places=2, null=True, blank=True)
    parties = models.JSONField(default=list, blank=True, help_text="References of the parties.")
    documents = models.JSONField(default=list, blank=True, help_text="References of the documents that go along.")
    property = SealedTextField(under="subject")
    transaction = SealedTextField(under="subject")
    places = SealedTextField(under="subject")
    contact_name = SealedTextField(under="subject")
    contact_phone = SealedTextField(under="subject")
    contact_email = SealedTextField(under="subject")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)
    drafted_at = models.DateTimeField(null=True, blank=True)
    drafted_by = models.CharField(max_length=150, blank=True)
    drafted_by_key = models.CharField(max_length=80, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=150, blank=True)
    approved_sha256 = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.CharField(max_length=150, blank=True)
    sent_how = models.CharField(max_length=10, choices=SentBy.choices(), blank=True)
    receipt = models.CharField(max_length=100, blank=True, help_text="The authority's own number of it.")
    dropped_why = models.CharField(max_length=20, choices=DroppedWhy.choices(), blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PropertyReportQuerySet.as_manager()

    class Meta:
        verbose_name = "property report"
        indexes = [models.Index(fields=["state", "due_on"], name="property_report_due")]
        permissions = [("report_property", "Can draft, approve and send reports on blocked property")]

    def __str__(self):
        return self.reference

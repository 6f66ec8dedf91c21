"""Abuse reports of others: what they say in short; the report itself lies sealed in the store."""

import uuid
from functools import partial

from django.db import models

from cases.formats.xarf import Verdict
from cases.rules.reports import AttachedWhy, Door, How, ReportState, SettledWhy
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class AbuseReportQuerySet(RecordedQuerySet):
    def waiting(self):
        """Nobody has said yet which account it is about."""
        return self.filter(state=ReportState.WAITING.value)

    def telling_the_same(self, report, since):
        """Reports of the same kind on the same account, or the same source while there is none, not long before."""
        same = self.filter(category=report.category, type=report.type, received_at__gte=since).exclude(pk=report.pk)
        if report.account_id is not None:
            return same.filter(account=report.account_id)
        return same.filter(account__isnull=True, source_identifier=report.source_identifier)


class AbuseReport(Recorded):
    """What somebody outside reported of an address or name (T24). Its bytes are sealed under a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ABR"), editable=False)
    # Empty only inside the transaction that takes the report in: every report is looked at in a case.
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, null=True, related_name="abuse_reports")
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, blank=True, related_name="abuse_reports"
    )
    state = models.CharField(max_length=10, choices=ReportState.choices(), default=ReportState.WAITING.value)
    how = models.CharField(max_length=12, choices=How.choices(), blank=True)
    attached_why = models.CharField(max_length=20, choices=AttachedWhy.choices(), blank=True)
    settled_why = models.CharField(max_length=20, choices=SettledWhy.choices(), blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)

    version = models.CharField(max_length=20)
    outside_id = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=30)
    type = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    source_identifier = models.CharField(max_length=300)
    source_address = models.GenericIPAddressField(null=True, blank=True)
    source_port = models.PositiveIntegerField(null=True, blank=True)
    reporter_org = models.CharField(max_length=200)
    reporter_domain = models.CharField(max_length=253)
    contact = SealedTextField(under="pk")
    indicators = models.JSONField(default=list)
    risk = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    warnings = models.JSONField(default=list)

    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=150)
    door = models.CharField(max_length=10, choices=Door.choices())
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField()

    objects = AbuseReportQuerySet.as_manager()

    class Meta:
        verbose_name = "abuse report"
        indexes = [
            models.Index(fields=["state", "-received_at"], name="abuse_report_queue"),
            models.Index(fields=["account", "category", "type"], name="abuse_report_story"),
            models.Index(fields=["source_identifier", "category", "type"], name="abuse_report_source"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["reporter_domain", "outside_id"],
                condition=~models.Q(outside_id=""),
                name="one_abuse_report_per_reporter_and_id",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ReportState]), name="abuse_report_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="resolved", account__isnull=False)
                | (~models.Q(state="resolved") & models.Q(account__isnull=True)),
                name="abuse_report_resolved_has_account",
            ),
        ]
        permissions = [
            ("take_in_abusereport", "Can hand in abuse reports"),
            ("resolve_abusereport", "Can say which account an abuse report is about, or that it is about none"),
            ("download_abusereport", "Can download abuse reports as they were sent"),
        ]

    def __str__(self):
        return self.reference

    @property
    def kind(self) -> str:
        """Category and type in words."""
        return f"{self.category}: {self.type.replace('_', ' ')}"


class AbuseEvidence(Recorded):
    """One piece of a report's evidence: its hash as declared and as computed; the payload stays in the sealed file."""

    report = models.ForeignKey(AbuseReport, on_delete=models.PROTECT, related_name="evidence")
    number = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    declared = models.CharField(max_length=140, blank=True)
    computed = models.CharField(max_length=140, blank=True)
    size = models.PositiveIntegerField()
    verdict = models.CharField(max_length=14, choices=[(each.value, each.value.replace("_", " ")) for each in Verdict])

    class Meta:
        verbose_name = "evidence of an abuse report"
        verbose_name_plural = "evidence of abuse reports"
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="one_row_per_piece_of_evidence")]

    def __str__(self):
        return f"evidence {self.number} of {self.report}"

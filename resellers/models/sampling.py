"""Samples of a reseller's customers: who was drawn and by what, the files asked for, and what was found (R64)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.finding import Finding
from resellers.models.reseller import Reseller, ResellerManager
from resellers.models.roster import RosterEntry
from resellers.rules.sampling import Result, SampleState


class SampleQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def running(self):
        """Files are asked for, and nobody has concluded it."""
        return self.filter(state=SampleState.ASKED.value)

    def overdue(self, on):
        """Whose last day for the files is past: to be concluded."""
        return self.running().filter(due_on__lt=on)


class Sample(Recorded):
    """One draw of a reseller's customers, with all it takes to draw it again, and its outcome.

    The frame is what was in force at `frame_at`; `frame_sha256` is over its references in order, each with a line feed.
    `strata` are rows of code, customers in the frame, customers drawn; `weighing` the figures that made the codes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SMP"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="samples")
    seed = models.CharField(max_length=64)
    frame_at = models.DateTimeField()
    frame_count = models.PositiveIntegerField()
    frame_sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    strata = models.JSONField(default=list)
    weighing = models.JSONField(default=dict)
    confidence_percent = models.DecimalField(max_digits=6, decimal_places=3)
    drawn_at = models.DateTimeField()
    drawn_by = models.CharField(max_length=150)
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=SampleState.choices(), default=SampleState.ASKED.value)
    failed_count = models.PositiveIntegerField(default=0)
    concluded_at = models.DateTimeField(null=True, blank=True)
    concluded_by = models.CharField(max_length=150, blank=True)
    finding = models.ForeignKey(Finding, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = "sample of customers"
        verbose_name_plural = "samples of customers"
        indexes = [models.Index(fields=["state", "due_on"], name="sample_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["reseller"], condition=models.Q(state="asked"), name="one_sample_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in SampleState]), name="sample_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(size__gte=1, size__lte=models.F("frame_count")), name="sample_within_its_frame"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="concluded") | models.Q(concluded_at__isnull=False),
                name="sample_concluded_says_when",
            ),
        ]
        permissions = [
            ("judge_sample", "Can draw samples of resellers' customers and judge the files"),
            ("download_sample", "Can download files that resellers hand in"),
        ]

    def __str__(self):
        return self.reference


class SampledFileQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(sample__in=Sample.objects.visible_to(user))

    def missing(self):
        """Nothing was handed in."""
        return self.filter(file_sha256="")

    def to_judge(self):
        """Handed in, and nobody has judged it."""
        return self.exclude(file_sha256="").filter(result="", sample__state=SampleState.ASKED.value)


class SampledFile(Recorded):
    """One customer of a sample: the file asked of the reseller, and what was found in it; its words are sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SPF"), editable=False)
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="files")
    entry = models.ForeignKey(RosterEntry, on_delete=models.PROTECT, related_name="sampled")
    stratum = models.CharField(max_length=20)
    place = models.PositiveIntegerField(help_text="In the order of the draw, from 1.")
    asked_at = models.DateTimeField()
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_type = models.CharField(max_length=20, blank=True)
    file_bytes = models.PositiveIntegerField(default=0)
    file_name = SealedTextField(under="subject")
    file_warnings = models.JSONField(default=list)
    uploaded_at = models.DateTimeField(null=True, blank=True)
    uploaded_by = models.CharField(max_length=150, blank=True)
    uploaded_under = models.ForeignKey(
        ResellerManager, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="The binding of who handed it in.",
    )  # fmt: skip
    result = models.CharField(max_length=4, choices=Result.choices(), blank=True)
    reasons = models.JSONField(default=list, help_text="Codes of rules/sampling.py.")
    words = SealedTextField(under="subject")
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)
    finding = models.ForeignKey(Finding, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = SampledFileQuerySet.as_manager()

    class Meta:
        verbose_name = "sampled file"
        constraints = [
            models.UniqueConstraint(fields=["sample", "entry"], name="one_sampled_file_per_entry"),
            models.UniqueConstraint(fields=["sample", "place"], name="one_sampled_file_per_place"),
            models.CheckConstraint(
                condition=models.Q(result="") | models.Q(result__in=[result.value for result in Result]),
                name="sampled_result_known",
            ),
            models.CheckConstraint(
                condition=models.Q(result="") | models.Q(judged_at__isnull=False), name="sampled_judged_says_when"
            ),
            models.CheckConstraint(
                condition=~models.Q(result="pass") | ~models.Q(file_sha256=""), name="sampled_pass_has_a_file"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def subject(self):
        """The reseller's own party, under whose key file and words are sealed; reads sample.reseller.account."""
        return self.sample.reseller.account.party_id

"""What the checks of the list answered, kept with the verification they ran for. Rows are added, never changed."""

import uuid

from django.db import models

from accounts.rules.answers import CHOICES, Outcome
from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class CheckResultQuerySet(RecordedQuerySet):
    def latest(self):
        """The newest answer of each check on each thing it looked at."""
        newer = self.model._base_manager.filter(
            verification=models.OuterRef("verification"), code=models.OuterRef("code"),
            about_key=models.OuterRef("about_key"), about_column=models.OuterRef("about_column"),
            turn__gt=models.OuterRef("turn"),
        )  # fmt: skip
        return self.filter(~models.Exists(newer))


class CheckResult(Recorded):
    """One answer of one check (R33): about which row, why, by which source, on what evidence; no value of anybody.

    `evidence` is made of what was looked at under the party's own key: equal for equal values, and nothing without it.
    An answer is no proof of identity; methods and their results are.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    verification = models.ForeignKey("accounts.Verification", on_delete=models.PROTECT, related_name="checks")
    turn = models.PositiveIntegerField(help_text="Which run of the checks of this verification it was.")
    code = models.CharField(max_length=40)
    about = models.CharField(max_length=80)
    about_label = models.CharField(max_length=60)
    about_key = models.CharField(max_length=64)
    about_column = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=14, choices=CHOICES)
    reason = models.CharField(max_length=600)
    source = models.CharField(max_length=200)
    matched = models.JSONField(default=list, help_text="Names of the fields that agreed.")
    evidence = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    objects = CheckResultQuerySet.as_manager()

    class Meta:
        verbose_name = "answer of a check"
        verbose_name_plural = "answers of checks"
        constraints = [
            models.UniqueConstraint(
                fields=["verification", "code", "about_key", "about_column", "turn"],
                name="one_answer_per_check_and_run",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[outcome.value for outcome in Outcome]), name="check_outcome_known"
            ),
        ]

    def __str__(self):
        return f"{self.code}: {self.outcome}"

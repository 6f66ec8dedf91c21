"""Red flags raised on an account, and its risk tier where somebody has set it by hand."""

import uuid
from functools import partial

from django.db import models

from accounts.rules.found import Found
from accounts.rules.risk import CHOICES as TIER_CHOICES
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class RiskSignalQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(answered_at__isnull=True)

    def weighing(self):
        """Flags that count for the risk: open ones, watched ones, and those whose restriction is still in force.

        A customer does not become harmless by being restricted.
        """
        watched = models.Q(answer="watch")
        restricted = models.Q(answer__in=["limit", "suspend", "block"], account__restrictions__lifted_at__isnull=True)
        in_force = restricted & models.Q(account__restrictions__isnull=False)
        return self.filter(models.Q(answered_at__isnull=True) | watched | in_force).distinct()


class RiskSignal(Recorded):
    """A red flag: which detector, why, on what evidence (codes, counts and references only), known since when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SIG"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="signals")
    code = models.CharField(max_length=60)
    weight = models.PositiveSmallIntegerField()
    sentence = models.CharField(max_length=500)
    evidence = models.JSONField(default=dict)
    known_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=60, blank=True)
    found = models.CharField(
        max_length=6, choices=Found.choices(), blank=True, help_text="By what the answer rests on."
    )

    objects = RiskSignalQuerySet.as_manager()

    class Meta:
        verbose_name = "red flag"
        indexes = [
            models.Index(fields=["known_at"], name="signal_known"),
            models.Index(fields=["answered_at"], condition=models.Q(answered_at__isnull=False), name="signal_answered"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "code"],
                condition=models.Q(answered_at__isnull=True),
                name="one_open_signal_per_code",
            ),
        ]

    def __str__(self):
        return self.sentence


class RiskOverrideQuerySet(RecordedQuerySet):
    def in_force(self):
        return self.filter(ended_at__isnull=True)


class RiskOverride(Recorded):
    """A tier set by hand: why, and through which day; one at a time (R45)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "TIR"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="risk_overrides")
    tier = models.CharField(max_length=6, choices=TIER_CHOICES)
    reason = models.CharField(max_length=300)
    last_day = models.DateField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = RiskOverrideQuerySet.as_manager()

    class Meta:
        verbose_name = "tier set by hand"
        verbose_name_plural = "tiers set by hand"
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(ended_at__isnull=True), name="one_tier_set_by_hand"
            ),
        ]

    def __str__(self):
        return self.reference


class DetectorDay(Recorded):
    """How often one detector raised a flag on a day, and what was found of those answered on that day; nobody's data.

    `right` and `wrong` by what the decision rested on, `untold` where it says nothing of this flag (rules/found.py).
    """

    recorded_in_bulk = True

    code = models.CharField(max_length=60)
    day = models.DateField()
    raised = models.PositiveIntegerField(default=0)
    right = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    untold = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "day of a detector"
        verbose_name_plural = "days of detectors"
        constraints = [models.UniqueConstraint(fields=["code", "day"], name="one_row_per_detector_and_day")]
        indexes = [models.Index(fields=["day"], name="detector_day")]

    def __str__(self):
        return f"{self.code} {self.day}"

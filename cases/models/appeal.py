"""Appeals: a customer does not agree with a decision, and somebody who took no part in it answers."""

import uuid
from functools import partial

from django.conf import settings
from django.db import models

from cases.rules.appeals import APPEAL_REASONS, AppealOutcome, AppealState, LateWhy
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class AppealQuerySet(RecordedQuerySet):
    def open(self):
        """Not answered yet."""
        return self.exclude(state=AppealState.ANSWERED.value)

    def to_answer(self):
        return self.filter(state=AppealState.OPEN.value)

    def to_countersign(self):
        return self.filter(state=AppealState.PROPOSED.value)

    def overdue(self, on):
        return self.open().filter(due_on__lt=on)


class Appeal(Recorded):
    """An objection to a decision in effect, one for each decision; what the customer says stands in the objection."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "APL"), editable=False)
    decision = models.OneToOneField("cases.Decision", on_delete=models.PROTECT, related_name="appeal")
    objection = models.OneToOneField("accounts.Objection", on_delete=models.PROTECT, related_name="appeal")
    state = models.CharField(max_length=10, choices=AppealState.choices(), default=AppealState.OPEN.value)
    received_on = models.DateField()
    due_on = models.DateField(help_text="The last day of the answer (own policy).")
    late_why = models.CharField(max_length=12, choices=LateWhy.choices(), blank=True)
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=150)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="appeals"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=AppealOutcome.choices(), blank=True)
    reason = models.CharField(
        max_length=40, choices=[(code, reason.title) for code, reason in APPEAL_REASONS.items()], blank=True
    )
    why = models.CharField(max_length=500, blank=True)
    new_outcome = models.CharField(max_length=12, choices=OutcomeCode.choices(), blank=True)
    new_reason = models.CharField(
        max_length=40, choices=[(code, reason.title) for code, reason in REASONS.items()], blank=True
    )
    new_decision = models.OneToOneField(
        "cases.Decision", on_delete=models.PROTECT, null=True, blank=True, related_name="made_on_appeal"
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    sent_back_why = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_by_key = models.CharField(max_length=80, blank=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "due_on"], name="appeal_queue")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in AppealState]), name="appeal_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="answered") | models.Q(answered_at__isnull=False),
                name="answered_appeal_says_when",
            ),
        ]
        permissions = [("answer_appeal", "Can answer appeals against decisions")]

    def __str__(self):
        return self.reference

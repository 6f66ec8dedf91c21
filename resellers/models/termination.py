"""The end of the relationship with a reseller, and what becomes of each of its customers (R59, R61, R62)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.finding import Finding
from resellers.models.reseller import DownstreamCustomer, Reseller, ResellerManager
from resellers.rules.ending import (
    DECIDED,
    OWN_OUTCOMES,
    RUNNING,
    EndReason,
    EndState,
    Fault,
    Outcome,
    Result,
    StepState,
)


class TerminationQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        """For a manager what was decided, never what is merely proposed; also who was bound until the very end."""
        own = models.Q(reseller__in=Reseller.objects.visible_to(user))
        until_then = ResellerManager.objects.filter(
            user=user.pk, reseller=models.OuterRef("reseller"), ended_at=models.OuterRef("finished_at")
        )
        return self.filter(own | models.Exists(until_then), state__in=[each.value for each in DECIDED])

    def running(self):
        """Proposed or under way."""
        return self.filter(state__in=[each.value for each in RUNNING])

    def decided(self):
        """Under way or done: the reseller sells nothing any more."""
        return self.filter(state__in=[each.value for each in DECIDED])

    def awaiting_second(self, user):
        return self.filter(state=EndState.PROPOSED.value).exclude(proposed_by_key=str(user.pk))

    def with_failures(self):
        """Under way, and some customer could not be handled."""
        failed = TerminationStep.objects.filter(termination=models.OuterRef("pk"), state=StepState.FAILED.value)
        return self.filter(models.Exists(failed), state=EndState.UNDER_WAY.value)

    def overdue(self, on):
        """Not done although the last day is past (T30)."""
        return self.running().filter(due_on__lt=on)


class Termination(Recorded):
    """One end of a relationship: proposed by one (or by the clock of a finding), decided by another, then carried out.

    `due_on` is the last good day of the reseller's findings; who proposed is "" in `proposed_by_key` for the clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "TRM"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="terminations")
    finding = models.ForeignKey(Finding, null=True, blank=True, on_delete=models.PROTECT, related_name="terminations")
    reason = models.CharField(max_length=20, choices=EndReason.choices())
    words = SealedTextField(under="subject")
    outcome = models.CharField(max_length=8, choices=Outcome.choices(), help_text="Of customers with no other choice.")
    target = models.ForeignKey(Reseller, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    own_outcome = models.CharField(max_length=8, choices=OWN_OUTCOMES, help_text="Of the reseller's own account.")
    state = models.CharField(max_length=10, choices=EndState.choices(), default=EndState.PROPOSED.value)
    due_on = models.DateField(null=True, blank=True)
    citation = models.ForeignKey("policy.Citation", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    why_withdrawn = models.CharField(max_length=500, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When the first customer was handled.")
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TerminationQuerySet.as_manager()

    class Meta:
        verbose_name = "end of a relationship"
        verbose_name_plural = "ends of relationships"
        indexes = [models.Index(fields=["state", "due_on"], name="termination_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["reseller"], condition=~models.Q(state="withdrawn"), name="one_termination_per_reseller"
            ),
            models.UniqueConstraint(
                fields=["finding"], condition=models.Q(proposed_by_key=""), name="one_termination_by_clock_per_finding"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in EndState]), name="termination_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="proposed") | models.Q(decided_at__isnull=False),
                name="termination_decided_says_when",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(finished_at__isnull=False),
                name="termination_done_says_when",
            ),
        ]
        permissions = [
            ("propose_termination", "Can propose to end the relationship with a reseller"),
            ("decide_termination", "Can give the second signature on the end of a relationship"),
        ]

    def __str__(self):
        return self.reference

    @property
    def subject(self):
        """The reseller's own party, under whose key the words are sealed; reads reseller.account."""
        return self.reseller.account.party_id


class TerminationStepQuerySet(RecordedQuerySet):
    def waiting(self):
        return self.filter(state=StepState.WAITING.value)

    def failed(self):
        return self.filter(state=StepState.FAILED.value)

    def left(self):
        """Not done yet."""
        return self.exclude(state=StepState.DONE.value)


class TerminationStep(Recorded):
    """One customer of a reseller whose relationship ends: what is to become of it, and what became of it in fact."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    termination = models.ForeignKey(Termination, on_delete=models.PROTECT, related_name="steps")
    link = models.ForeignKey(DownstreamCustomer, on_delete=models.PROTECT, related_name="termination_steps")
    outcome = models.CharField(max_length=8, choices=Outcome.choices())
    target = models.ForeignKey(Reseller, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=StepState.choices(), default=StepState.WAITING.value)
    result = models.CharField(max_length=12, choices=Result.choices(), blank=True)
    why_failed = models.CharField(max_length=12, choices=Fault.choices(), blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    chosen_by = models.CharField(max_length=150, blank=True, help_text="Empty while the proposal's outcome stands.")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=150, blank=True)

    objects = TerminationStepQuerySet.as_manager()

    class Meta:
        verbose_name = "customer at the end of a relationship"
        verbose_name_plural = "customers at the end of relationships"
        indexes = [models.Index(fields=["termination", "state"], name="termination_step_state")]
        constraints = [
            models.UniqueConstraint(fields=["termination", "link"], name="one_step_per_termination_and_customer"),
            models.CheckConstraint(
                condition=models.Q(outcome="migrate", target__isnull=False)
                | (~models.Q(outcome="migrate") & models.Q(target__isnull=True)),
                name="termination_step_says_where_to",
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting", result="", why_failed="")
                | (models.Q(state="done", why_failed="", done_at__isnull=False) & ~models.Q(result=""))
                | (models.Q(state="failed", result="") & ~models.Q(why_failed="")),
                name="termination_step_says_what",
            ),
        ]

    def __str__(self):
        return f"{self.link.account.reference} in {self.termination.reference}"

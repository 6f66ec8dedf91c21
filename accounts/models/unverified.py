"""What followed when an identity could not be verified."""

import uuid
from functools import partial

from django.db import models

from accounts.rules.unverified import REASON_CHOICES, Outcome, OutcomeState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class CouldNotVerifyQuerySet(RecordedQuerySet):
    def proposed(self):
        return self.filter(state=OutcomeState.PROPOSED.value)

    def in_effect(self):
        return self.filter(state=OutcomeState.IN_EFFECT.value)

    def awaiting_second(self, user):
        """Proposals that this person may sign as far as four eyes go."""
        return self.proposed().exclude(proposed_by_key=str(user.pk))

    def watching(self):
        """Accounts in use although an identity behind them could not be verified."""
        return self.in_effect().filter(outcome=Outcome.WATCHED.value, account__status="active")

    def look_due(self, on):
        """Accounts to be looked at again: watched ones whose day has come, limited ones whose limit has run out."""
        day_has_come = models.Q(outcome=Outcome.WATCHED.value, look_again_on__lte=on)
        limit_is_over = models.Q(outcome=Outcome.LIMITED.value, limited_until__date__lt=on)
        return self.in_effect().filter(day_has_come | limit_is_over, account__status="active")


class CouldNotVerify(Recorded):
    """What was chosen for an account after an identity could not be verified, by whom and until when (R38-R41, R43)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CNV"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="unverified_outcomes")
    verification = models.ForeignKey("accounts.Verification", on_delete=models.PROTECT, related_name="outcomes")
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="unverified_outcomes")
    outcome = models.CharField(max_length=12, choices=Outcome.choices())
    reason = models.CharField(max_length=30, choices=REASON_CHOICES)
    explanation = models.CharField(max_length=500)
    state = models.CharField(max_length=12, choices=OutcomeState.choices(), default=OutcomeState.PROPOSED.value)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_by_key = models.CharField(max_length=80, blank=True)
    answered_why = models.CharField(max_length=300, blank=True)
    in_effect_at = models.DateTimeField(null=True, blank=True)
    limited_until = models.DateTimeField(null=True, blank=True)
    look_again_on = models.DateField(null=True, blank=True)
    look_due_at = models.DateTimeField(null=True, blank=True)
    redress_by = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.CharField(max_length=20, blank=True, help_text="The outcome that took its place.")

    objects = CouldNotVerifyQuerySet.as_manager()

    class Meta:
        verbose_name = "could-not-verify outcome"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "party"], condition=models.Q(state="proposed"), name="one_proposed_outcome"
            ),
            models.UniqueConstraint(
                fields=["account", "party"], condition=models.Q(state="in_effect"), name="one_outcome_in_effect"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in OutcomeState]), name="outcome_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="in_effect") | models.Q(in_effect_at__isnull=False, redress_by__isnull=False),
                name="outcome_in_effect_says_since_when",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="in_effect", outcome="watched") | models.Q(look_again_on__isnull=False),
                name="watched_says_when_to_look",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="in_effect", outcome="limited") | models.Q(limited_until__isnull=False),
                name="limited_says_until_when",
            ),
        ]
        permissions = [("answer_redress", "Can answer requests for redress")]

    def __str__(self):
        return self.reference

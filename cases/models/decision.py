"""Decisions: proposed by one person, countersigned by another."""

import uuid
from functools import partial

from django.db import models

from cases.rules.outcomes import REASONS, OutcomeCode
from cases.rules.stages import TOOK_EFFECT, UNFINISHED, DecisionState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference

IN_EFFECT_ALONE = "in effect (one signature)"


class DecisionQuerySet(RecordedQuerySet):
    def proposed(self):
        return self.filter(state=DecisionState.PROPOSED.value)

    def unfinished(self):
        """Those that wait for a signature or can still be undone."""
        return self.filter(state__in=[state.value for state in UNFINISHED])

    def due_to_take_effect(self, at):
        """Those whose minutes are over and that nobody has undone."""
        return self.filter(state=DecisionState.SIGNED.value, takes_effect_at__lte=at)

    def in_effect(self):
        return self.filter(state=DecisionState.COUNTERSIGNED.value)


class Decision(Recorded):
    """What is to happen to an account and why; keeps what the reviewer had before them when it was made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "DEC"), editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="decisions")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=12, choices=OutcomeCode.choices())
    reason = models.CharField(max_length=40, choices=[(code, reason.title) for code, reason in REASONS.items()])
    state = models.CharField(max_length=14, choices=DecisionState.choices(), default=DecisionState.PROPOSED.value)
    rests_on = models.JSONField(default=dict, help_text="References, scores and list versions the reviewer saw.")
    seen_sha256 = models.CharField(max_length=64, blank=True, help_text="Hash of what was seen; the trail has it too.")
    rests_on_list = models.BooleanField(default=False)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_by_key = models.CharField(max_length=80, blank=True)
    answered_why = models.CharField(max_length=300, blank=True)
    takes_effect_at = models.DateTimeField(
        null=True, blank=True, help_text="Until then whoever signed it can undo it; empty where it took effect at once."
    )
    in_effect_at = models.DateTimeField(null=True, blank=True)
    appeal_by = models.DateField(null=True, blank=True, help_text="The last day of an appeal (own policy).")
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was undone, could not be done, or was set aside on appeal."
    )
    ended_by = models.CharField(max_length=150, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "account"],
                condition=models.Q(state__in=[state.value for state in UNFINISHED]),
                name="one_proposal_per_case_and_account",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DecisionState]), name="decision_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="signed") | models.Q(takes_effect_at__isnull=False),
                name="signed_decision_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["takes_effect_at"], condition=models.Q(state="signed"), name="decision_to_take_effect"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def took_one_signature(self) -> bool:
        """In effect without anybody having countersigned it."""
        return self.state == DecisionState.COUNTERSIGNED and not self.answered_by

    @property
    def took_effect_at(self):
        """When it took effect, None when it never did; rows from before the minutes to undo have the signature's."""
        return (self.in_effect_at or self.answered_at) if self.state in TOOK_EFFECT else None

    @property
    def signers(self) -> set[str]:
        """The keys of whoever signed it, as `four_eyes.person_key` gives them."""
        return {key for key in (self.proposed_by_key, self.answered_by_key) if key}

    @property
    def state_in_words(self) -> str:
        """Where it stands, as every page says it: nobody reads "countersigned" of what one person signed."""
        return IN_EFFECT_ALONE if self.took_one_signature else self.get_state_display()

"""What people ask about their own data."""

import uuid
from functools import partial

from django.db import models

from accounts.rules.privacy import Identified, Outcome, PrivacyKind, PrivacyState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class PrivacyRequestQuerySet(RecordedQuerySet):
    def to_prepare(self):
        return self.filter(state=PrivacyState.RECEIVED.value)

    def to_answer(self, user):
        """Those on which this person may give the second signature: others named the party and prepared them."""
        rows = self.filter(state=PrivacyState.PREPARED.value)
        return rows.exclude(prepared_by_key=str(user.pk)).exclude(identified_by_key=str(user.pk))

    def waiting(self):
        return self.exclude(state=PrivacyState.ANSWERED.value)


class PrivacyRequest(Recorded):
    """A person's request about their data. It names the party by key, so that it does not keep what it wants erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "PRV"), editable=False)
    kind = models.CharField(max_length=10, choices=PrivacyKind.choices())
    state = models.CharField(max_length=10, choices=PrivacyState.choices(), default=PrivacyState.RECEIVED.value)
    name = SealedTextField(under="pk")
    contact = SealedTextField(under="pk")
    subject = models.UUIDField(null=True, blank=True, db_index=True)
    subject_name = models.CharField("party", max_length=20, blank=True)
    identified_how = models.CharField(max_length=10, choices=Identified.choices(), blank=True)
    identified_by = models.CharField(max_length=150, blank=True)
    identified_by_key = models.CharField(max_length=80, blank=True, default="", db_default="")
    received_on = models.DateField()
    due_on = models.DateField("answer by")
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=150)
    findings = models.JSONField(default=list, help_text="Per rule: how many rows, since when, why and until when kept.")
    prepared_at = models.DateTimeField(null=True, blank=True)
    prepared_by = models.CharField(max_length=150, blank=True)
    prepared_by_key = models.CharField(max_length=80, blank=True)
    agreed_by_key = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    outcome = models.CharField(max_length=14, choices=Outcome.choices(), blank=True)
    erased = models.JSONField(default=dict, help_text="Kinds of single data that were erased, with their number.")

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "privacy request"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in PrivacyState]), name="privacy_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="answered") | models.Q(answered_at__isnull=False),
                name="answered_privacy_request_says_when",
            ),
        ]
        permissions = [
            ("handle_privacy", "Can log and prepare privacy requests and hand over copies"),
            ("answer_privacy", "Can approve the answer another prepared"),
        ]

    def __str__(self):
        return self.reference

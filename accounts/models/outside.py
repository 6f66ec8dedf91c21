"""Checks by an outside identity verifier: what it was asked, and every answer whole, as it came."""

import uuid
from functools import partial

from django.db import models

from accounts.models.verification import MethodResult, Verification
from accounts.rules.outside_verifier import AnswerState, CheckState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class ExternalCheckQuerySet(RecordedQuerySet):
    def open(self):
        """Asked, and neither answered nor ended."""
        return self.filter(state=CheckState.ASKED.value)

    def overdue(self, at):
        """Out for too long; not those whose answer is here and waits to be read."""
        return self.open().filter(due_at__lte=at).exclude(answers__state=AnswerState.RECEIVED.value)


class ExternalCheck(Recorded):
    """One question to an outside verifier (R28, R33). It names the verifier, who may be gone when it is read.

    `question` is what was sent, `asked_about` the names of its fields; `send_customer_to` is where the verifier wants
    to see the customer, if anywhere; `trouble` says why it could not be handed over yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CHK"), editable=False)
    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="external_checks")
    verifier = models.CharField(max_length=40)
    verifier_title = models.CharField(max_length=60)
    question = SealedTextField(under="subject")
    asked_about = models.JSONField(default=list, help_text="Names of the fields that were sent.")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=CheckState.choices(), default=CheckState.ASKED.value)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    their_reference = models.CharField(max_length=80, blank=True)
    send_customer_to = SealedTextField(under="subject")
    trouble = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Answered, or given up.")

    objects = ExternalCheckQuerySet.as_manager()

    class Meta:
        verbose_name = "check by an outside verifier"
        verbose_name_plural = "checks by outside verifiers"
        constraints = [
            models.UniqueConstraint(
                fields=["verification"], condition=models.Q(state="asked"), name="one_open_external_check"
            ),
            models.CheckConstraint(
                condition=models.Q(state="asked") | models.Q(ended_at__isnull=False), name="ended_external_check_when"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def party(self):
        """Whom it is about; reads self.verification."""
        return self.verification.party

    @property
    def subject(self):
        """The person under whose key it is sealed; reads self.verification."""
        return self.verification.party_id


class ExternalAnswer(Recorded):
    """One signed message of a verifier about a check: the whole body, its hash, and what proves who sent it.

    `matched` and `differing` are names of fields; the values that were found stand in the body and in discrepancies.
    The body is a column and no stored file: those are cleared at night unless an IdentityDocument names them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ANS"), editable=False)
    check_asked = models.ForeignKey(ExternalCheck, on_delete=models.PROTECT, related_name="answers")
    webhook_id = models.CharField(max_length=100, unique=True)
    signed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    headers = models.JSONField(default=dict, help_text="The headers that the signature stands in.")
    body = SealedTextField(under="subject")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=AnswerState.choices(), default=AnswerState.RECEIVED.value)
    trouble = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=12, blank=True)
    matched = models.JSONField(default=list)
    differing = models.JSONField(default=list)
    method_result = models.OneToOneField(
        MethodResult, on_delete=models.PROTECT, null=True, blank=True, related_name="external_answer"
    )

    class Meta:
        verbose_name = "answer of an outside verifier"
        verbose_name_plural = "answers of outside verifiers"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="used") | models.Q(method_result__isnull=False),
                name="used_external_answer_has_result",
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def party(self):
        """Whom it is about; reads self.check_asked."""
        return self.check_asked.party

    @property
    def subject(self):
        """The person under whose key it is sealed; reads self.check_asked."""
        return self.check_asked.subject

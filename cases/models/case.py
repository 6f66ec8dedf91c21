"""Cases: what is looked at, by whom, with which notes."""

import uuid
from functools import partial

from django.conf import settings
from django.db import models

from cases.rules.stages import CaseStatus
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from kyc_portal.staff import policy_table

NOT_ENDED = [CaseStatus.OPEN.value, CaseStatus.IN_REVIEW.value, CaseStatus.PROPOSED.value]


class CaseKind(models.TextChoices):
    RED_FLAG = "red_flag", "red flag"
    LIST_HIT = "list_hit", "list hit"
    ABUSE = "abuse", "abuse report"
    LEGAL = "legal", "legal request"


class CaseQuerySet(RecordedQuerySet):
    def open(self):
        """Not decided and not closed."""
        return self.filter(status__in=NOT_ENDED)

    def unassigned(self):
        return self.open().filter(assigned_to__isnull=True)

    def assigned_to(self, user):
        return self.open().filter(assigned_to=user)

    def to_countersign(self):
        return self.filter(status=CaseStatus.PROPOSED.value)

    def overdue(self, on):
        return self.open().filter(due_on__lt=on)

    def visible_to(self, user):
        """All but legal matters for who may see cases; those only for who may see legal requests."""
        return policy_table.rows_for(user, self)


class Case(Recorded):
    """Something about one or more accounts that people must look at and decide."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CSE"), editable=False)
    kind = models.CharField(max_length=12, choices=CaseKind.choices)
    title = models.CharField(max_length=200, help_text="What it is about, in words without personal data.")
    status = models.CharField(max_length=12, choices=CaseStatus.choices(), default=CaseStatus.OPEN.value)
    weight = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["status", "due_on", "-weight"], name="case_queue"),
            models.Index(fields=["opened_at"], name="case_opened"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in CaseStatus]), name="case_status_known"
            ),
        ]
        permissions = [
            ("review", "Can take cases, note and propose decisions"),
            ("assign", "Can assign cases to others"),
            ("decide", "Can countersign decisions"),
        ]

    def __str__(self):
        return self.reference

    def may_be_worked_by(self, user) -> bool:
        """Legal matters are the legal team's, all others the reviewers'."""
        return policy_table.act("cases.case", "take").may(user, self)


class CaseSubject(Recorded):
    """An account a case is about; PROTECT keeps the account from being purged from under the case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="subjects")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="cases")
    joined_at = models.DateTimeField()

    class Meta:
        verbose_name = "subject of a case"
        verbose_name_plural = "subjects of cases"
        constraints = [models.UniqueConstraint(fields=["case", "account"], name="one_row_per_case_and_account")]

    def __str__(self):
        return f"{self.account} in {self.case}"


class CaseSignal(Recorded):
    """A red flag that a case looks at."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="signals")
    signal = models.OneToOneField("accounts.RiskSignal", on_delete=models.PROTECT, related_name="in_case")

    class Meta:
        verbose_name = "red flag in a case"
        verbose_name_plural = "red flags in cases"

    def __str__(self):
        return f"{self.signal} in {self.case}"


class CaseNote(Recorded):
    """What a reviewer wrote down; sealed under the first subject's key, because notes speak of people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    subject = models.UUIDField()
    text = SealedTextField(under="subject")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "case note"

    def __str__(self):
        return f"note by {self.by}"


class Assignment(Recorded):
    """Who had a case, from when to when, and who gave it to them."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    given_by = models.CharField(max_length=150)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return f"{self.case} to {self.user}"

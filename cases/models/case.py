"""Cases: what is looked at, by whom, with which notes."""

import uuid
from functools import partial

from django.conf import settings
from django.db import models

from cases.rules.desks import DESKS, Desk, SnoozedWhy
from cases.rules.stages import CaseStatus
from kyc_portal.records.clock import legal_day
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from kyc_portal.staff import policy_table

NOT_ENDED = [CaseStatus.OPEN.value, CaseStatus.IN_REVIEW.value, CaseStatus.PROPOSED.value]
URGENCY = ("due_on", "-weight", "due_at", "id")  # the day of the clock, then the heavier, then the sooner


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

    def past_due(self, at):
        """Not ended, and the moment of their clock is past; the day bounds the walk of the index."""
        return self.open().filter(due_on__lte=legal_day(at), due_at__lte=at)

    def waiting(self, at):
        """In the queue at this moment: not ended, and not asleep."""
        return self.open().filter(waits_from__lte=at)

    def asleep(self, at):
        """Snoozed, and not come back yet."""
        return self.open().filter(snoozed_until__isnull=False, waits_from__gt=at)

    def by_urgency(self):
        return self.order_by(*URGENCY)

    def visible_to(self, user):
        """All but legal matters, those only for who may see legal requests; restricted ones only for who is named."""
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
    desk = models.CharField(max_length=8, choices=Desk.choices(), default=Desk.REVIEW.value)
    due_on = models.DateField(help_text="The day of due_at in the zone of the law.")
    due_at = models.DateTimeField(help_text="When the desk's business hours for the case are over (own policy).")
    due_from = models.DateTimeField(null=True, blank=True, help_text="From when those hours are counted.")
    waits_from = models.DateTimeField(help_text="From when it stands in the queue; later than now while it is asleep.")
    snoozed_until = models.DateField(null=True, blank=True)
    snoozed_why = models.CharField(max_length=20, choices=SnoozedWhy.choices(), blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    is_restricted = models.BooleanField(default=False, help_text="Open only to the people named in CaseReader.")

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["status", "due_on", "-weight"], name="case_queue"),
            models.Index(fields=["opened_at"], name="case_opened"),
            # The order of the queue, of what waits and of what nobody has; no page sorts the table.
            models.Index(fields=list(URGENCY), condition=models.Q(status__in=NOT_ENDED), name="case_urgency"),
            models.Index(
                fields=list(URGENCY),
                condition=models.Q(status__in=NOT_ENDED, assigned_to__isnull=True),
                name="case_urgency_of_free",
            ),
            models.Index(
                fields=["waits_from"],
                condition=models.Q(snoozed_until__isnull=False),
                name="case_asleep",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in CaseStatus]), name="case_status_known"
            ),
            models.CheckConstraint(condition=models.Q(desk__in=[desk.value for desk in Desk]), name="case_desk_known"),
        ]
        permissions = [
            ("review", "Can take cases, note and propose decisions"),
            ("assign", "Can assign cases to others"),
            ("decide", "Can countersign decisions"),
            ("break_in", "Can let themselves into a restricted case, with a reason"),
        ]

    def __str__(self):
        return self.reference

    def may_be_worked_by(self, user) -> bool:
        """Legal matters are the legal team's, all others the reviewers', and each is its desk's."""
        return policy_table.act("cases.case", "take").may(user, self) and user.has_perm(DESKS[Desk(self.desk)])

    @property
    def worked_as(self) -> str:
        """By whose rights it is worked: the legal team's when it is a legal matter or lies on their desk."""
        return CaseKind.LEGAL.value if self.desk == Desk.LEGAL else self.kind


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

"""What the page of a case keeps beside the case: to whom it is open, what was looked at, which cases became one."""

import uuid

from django.conf import settings
from django.db import models

from cases.rules.checklist import ExcusedWhy
from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class CaseReaderQuerySet(RecordedQuerySet):
    def standing(self):
        """Named still."""
        return self.filter(ended_at__isnull=True)


class CaseReader(Recorded):
    """A person to whom a restricted case is open; for everybody else it is as if the case did not exist."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="readers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField()
    named_by = models.CharField(max_length=150)
    broke_in = models.BooleanField(default=False, help_text="Not named by others: let themselves in, with a reason.")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = CaseReaderQuerySet.as_manager()

    class Meta:
        verbose_name = "person a case is open to"
        verbose_name_plural = "people a case is open to"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "user"],
                condition=models.Q(ended_at__isnull=True),
                name="one_standing_row_per_case_and_reader",
            ),
        ]

    def __str__(self):
        return f"{self.case} is open to {self.user}"


class CaseCheckQuerySet(RecordedQuerySet):
    def standing(self):
        """Not taken back."""
        return self.filter(taken_back_at__isnull=True)


class CaseCheck(Recorded):
    """One point of a case's list that somebody looked at, or why nobody had to."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="checks")
    item = models.CharField(max_length=40, help_text="Code of the point, see cases/rules/checklist.py.")
    excused_why = models.CharField(max_length=20, choices=ExcusedWhy.choices(), blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.CharField(max_length=150, blank=True)

    objects = CaseCheckQuerySet.as_manager()

    class Meta:
        verbose_name = "point of a case's list"
        verbose_name_plural = "points of cases' lists"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "item"],
                condition=models.Q(taken_back_at__isnull=True),
                name="one_standing_check_per_case_and_item",
            ),
        ]

    def __str__(self):
        return f"{self.item} in {self.case}"


class CaseMergeQuerySet(RecordedQuerySet):
    def standing(self):
        return self.filter(undone_at__isnull=True)


class CaseMerge(Recorded):
    """One case went on in another. Keeps which rows were moved and how the two stood, so that it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kept = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="merges")
    merged = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="merged_into")
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=150)
    undo_until = models.DateTimeField(help_text="Until then, or until the first decision, it can be undone.")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    moved = models.JSONField(default=dict, help_text="By kind the keys of the rows that were moved.")
    stood = models.JSONField(default=dict, help_text="Columns of the two cases as they were before.")

    objects = CaseMergeQuerySet.as_manager()

    class Meta:
        verbose_name = "merge of two cases"
        verbose_name_plural = "merges of cases"
        constraints = [
            models.CheckConstraint(condition=~models.Q(kept=models.F("merged")), name="a_case_joins_another"),
        ]

    def __str__(self):
        return f"{self.merged} in {self.kept}"

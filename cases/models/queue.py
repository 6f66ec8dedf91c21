"""What the queue needs beside the cases: who works which one at this moment, views people keep, who is away."""

import uuid

from django.conf import settings
from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class CaseLock(models.Model):
    """Who works a case at this moment. It holds while it is used, and lapses by itself; its row stays with the case.

    Not recorded row by row: its moments are no acts. Taking a case, and taking one over, are events of the case.
    """

    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="lock")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "lock of a case"
        verbose_name_plural = "locks of cases"

    def __str__(self):
        return f"{self.case} locked by {self.user}"


class SavedViewQuerySet(RecordedQuerySet):
    def of(self, user):
        """One's own, and those shared with a role one has."""
        roles = user.groups.values("name")
        return self.filter(models.Q(owner=user) | models.Q(shared_with__in=roles)).order_by("name", "pk")


class SavedView(Recorded):
    """A set of filters of the queue under a name; shared with a role, or its owner's alone. No personal data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(max_length=60)
    filters = models.JSONField(default=dict, help_text="Codes of the queue's own filters.")
    shared_with = models.CharField(max_length=150, blank=True)
    saved_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = "saved view"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_owner_and_name")]

    def __str__(self):
        return self.name


class AbsenceQuerySet(RecordedQuerySet):
    def on(self, day):
        return self.filter(from_on__lte=day, to_on__gte=day, ended_at__isnull=True)


class Absence(Recorded):
    """A member of staff is away from one day through another: they are given no case, and theirs go back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="absences")
    stands_in = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Who acts for them meanwhile; the two are one person where a second signature is wanted.",
    )  # fmt: skip
    from_on = models.DateField()
    to_on = models.DateField()
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Came back early, or it was entered in error.")

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(to_on__gte=models.F("from_on")), name="absence_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(stands_in__isnull=True) | ~models.Q(stands_in=models.F("user")),
                name="somebody_else_stands_in",
            ),
        ]

    def __str__(self):
        return f"{self.user} away from {self.from_on} to {self.to_on}"

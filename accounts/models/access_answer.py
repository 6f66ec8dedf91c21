"""What other systems were told last of an account: the answer, its codes, and how many times it changed."""

import uuid

from django.db import models

from accounts.rules.access_answer import Answer
from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class AccessAnswerQuerySet(RecordedQuerySet):
    def due(self, at):
        """Answers that time may have changed since they were written."""
        return self.filter(look_at__lte=at)


class AccessAnswer(Recorded):
    """The answer for one account whatever the product, as of its last change; without a row it is a plain "deny".

    `number` grows by one with each change, so that who is told late can tell what is older.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="access_answer")
    answer = models.CharField(max_length=5, choices=[(each.value, each.value) for each in Answer])
    codes = models.JSONField(default=list)
    number = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    look_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = AccessAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer__in=[each.value for each in Answer]), name="access_answer_known"
            ),
        ]

    def __str__(self):
        return f"{self.answer} ({self.number})"

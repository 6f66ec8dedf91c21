"""Red flags raised on an account."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class RiskSignalQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(answered_at__isnull=True)

    def weighing(self):
        """Flags that count for the risk: open ones, watched ones, and those whose restriction is still in force.

        A customer does not become harmless by being restricted.
        """
        watched = models.Q(answer="watch")
        restricted = models.Q(answer__in=["limit", "suspend", "block"], account__restrictions__lifted_at__isnull=True)
        in_force = restricted & models.Q(account__restrictions__isnull=False)
        return self.filter(models.Q(answered_at__isnull=True) | watched | in_force).distinct()


class RiskSignal(Recorded):
    """A red flag: which detector, why, on what evidence (codes, counts and references only), known since when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SIG"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="signals")
    code = models.CharField(max_length=60)
    weight = models.PositiveSmallIntegerField()
    sentence = models.CharField(max_length=500)
    evidence = models.JSONField(default=dict)
    known_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=60, blank=True)

    objects = RiskSignalQuerySet.as_manager()

    class Meta:
        verbose_name = "red flag"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "code"],
                condition=models.Q(answered_at__isnull=True),
                name="one_open_signal_per_code",
            ),
        ]

    def __str__(self):
        return self.sentence

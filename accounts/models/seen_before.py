"""What ties a customer to somebody we closed, restricted or refused before."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded
from kyc_portal.records.refs import new_reference


class SeenBefore(Recorded):
    """One tie of a party to an earlier customer: how strong, on what, said in a sentence; a person judges it.

    `earlier` is the other party while its file is there, `remembered` its fingerprints once it is purged: one of the
    two. `shared` are kinds of values with how many hold each, never the values.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SEN"), editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="seen_before")
    earlier = models.ForeignKey(
        "accounts.Party", on_delete=models.PROTECT, null=True, blank=True, related_name="seen_again"
    )
    remembered = models.ForeignKey(
        "accounts.RestrictedCustomer", on_delete=models.PROTECT, null=True, blank=True, related_name="seen_again"
    )
    why = models.CharField(max_length=60, help_text="What became of the earlier customer: a code.")
    score = models.DecimalField(max_digits=5, decimal_places=4)
    shared = models.JSONField(default=list)
    sentence = models.CharField(max_length=500)
    found_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "tie to an earlier customer"
        verbose_name_plural = "ties to earlier customers"
        constraints = [
            models.UniqueConstraint(fields=["party", "earlier"], name="one_tie_per_earlier_party"),
            models.UniqueConstraint(fields=["party", "remembered"], name="one_tie_per_remembered_customer"),
            models.CheckConstraint(
                condition=models.Q(earlier__isnull=True) ^ models.Q(remembered__isnull=True), name="tie_to_one_earlier"
            ),
        ]

    def __str__(self):
        return self.reference

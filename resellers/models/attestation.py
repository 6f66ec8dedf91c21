"""What a reseller attests once a year of its whole programme, with its figures as of the signature (R63)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from resellers.models.reseller import Reseller, ResellerManager
from resellers.models.termination import Termination


class AttestationQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def unsigned(self):
        """To be signed still; at the end of a relationship what was open stays unsigned and is asked no more."""
        ended = Termination.objects.filter(reseller=models.OuterRef("reseller"), finished_at__isnull=False)
        return self.filter(~models.Exists(ended), signed_at__isnull=True)

    def overdue(self, on):
        """Not signed by their last day."""
        return self.unsigned().filter(due_on__lt=on)


class Attestation(Recorded):
    """One year of one reseller: opened on a day, due on a day, signed under the wording that was shown.

    `counts` and `gaps` hold what the rows said at the moment of the signature, and can be counted again from them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ATT"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="attestations")
    number = models.PositiveSmallIntegerField(help_text="The how manieth of this reseller.")
    from_on = models.DateField(help_text="First day of the period.")
    to_on = models.DateField(help_text="Last day of the period.")
    opened_on = models.DateField()
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    statement = models.ForeignKey(
        "policy.StatementVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.CharField(max_length=150, blank=True)
    signed_by_key = models.CharField(max_length=80, blank=True)
    signed_under = models.ForeignKey(
        ResellerManager, null=True, blank=True, on_delete=models.PROTECT, related_name="attestations",
        help_text="The binding under whose authority it was signed.",
    )  # fmt: skip
    counts = models.JSONField(default=dict, help_text="Customers in all, verified and certified, also by country.")
    gaps = models.JSONField(default=dict, help_text="How many customers lack what, by code.")

    objects = AttestationQuerySet.as_manager()

    class Meta:
        verbose_name = "yearly attestation"
        indexes = [
            models.Index(fields=["due_on"], condition=models.Q(signed_at__isnull=True), name="attestation_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reseller", "number"], name="one_attestation_per_reseller_and_number"),
            models.CheckConstraint(
                condition=models.Q(to_on__gt=models.F("from_on"), due_on__gte=models.F("opened_on")),
                name="attestation_days_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(signed_at__isnull=True, statement__isnull=True, signed_under__isnull=True)
                | models.Q(signed_at__isnull=False, statement__isnull=False, signed_under__isnull=False),
                name="attestation_signed_in_full_or_not",
            ),
        ]

    def __str__(self):
        return f"{self.reference}, {self.from_on} to {self.to_on}"

"""Who owns or controls whom, and the signed statement about it."""

import uuid

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.sealed import SealedTextField


class OwnershipStakeQuerySet(RecordedQuerySet):
    def held_on(self, day):
        begun = models.Q(from_on__isnull=True) | models.Q(from_on__lte=day)
        not_over = models.Q(to_on__isnull=True) | models.Q(to_on__gte=day)
        return self.filter(begun & not_over)

    def held_within(self, first, last):
        """Stakes held on at least one day from `first` through `last`; None is "always" and "still"."""
        rows = self
        if first is not None:
            rows = rows.filter(models.Q(to_on__isnull=True) | models.Q(to_on__gte=first))
        if last is not None:
            rows = rows.filter(models.Q(from_on__isnull=True) | models.Q(from_on__lte=last))
        return rows


class OwnershipStake(Recorded):
    """A dated share of one party in another, or substantial control over it (R21)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="stakes_held")
    owned = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="stakes_in_it")
    percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    has_control = models.BooleanField(default=False, help_text="Exercises substantial control, whatever the share.")
    from_on = models.DateField(null=True, blank=True)
    to_on = models.DateField(null=True, blank=True)

    objects = OwnershipStakeQuerySet.as_manager()

    class Meta:
        verbose_name = "ownership stake"
        permissions = [
            ("export_ownership", "Can hand out who owns whom as a file"),
            ("import_ownership", "Can take in who owns whom from a file"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="stake_is_a_percentage"),
            models.CheckConstraint(condition=~models.Q(owner=models.F("owned")), name="stake_is_in_another"),
            models.CheckConstraint(
                condition=models.Q(from_on__isnull=True)
                | models.Q(to_on__isnull=True)
                | models.Q(to_on__gte=models.F("from_on")),
                name="stake_ends_after_it_begins",
            ),
        ]

    def __str__(self):
        return f"{self.percent.normalize():f} %"


BROKEN = [("owners_changed", "the owners changed"), ("in_doubt", "facts put it in doubt")]


class OwnershipCertification(Recorded):
    """The statement of the person who opens the account that the owners named are all there are (R22).

    It holds until the owners change or facts put it in doubt.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="ownership_certifications")
    text_version = models.CharField(max_length=20)
    signed_on = models.DateField()
    signed_by = SealedTextField(under="subject")
    broken_at = models.DateTimeField(null=True, blank=True)
    broken_why = models.CharField(max_length=20, blank=True, choices=BROKEN)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "certification of owners"
        verbose_name_plural = "certifications of owners"

    def __str__(self):
        return f"owners certified on {self.signed_on}"

    @property
    def party(self):
        """For whom it was signed; reads self.account."""
        return self.account.party

    @property
    def subject(self):
        """The customer under whose key the signer's name is sealed; reads self.account."""
        return self.account.party_id

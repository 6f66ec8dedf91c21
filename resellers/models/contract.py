"""The contract with a reseller, and whom to reach there for what."""

import uuid

from django.db import models

from kyc_portal.records.recorded import Recorded
from kyc_portal.records.sealed import SealedTextField
from resellers.models.reseller import Reseller


class ResellerContract(Recorded):
    """One contract under which a reseller sells our products on, from a day to a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="contracts")
    number = models.CharField(max_length=100)
    from_on = models.DateField()
    to_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "contract with a reseller"
        verbose_name_plural = "contracts with resellers"
        constraints = [
            models.UniqueConstraint(fields=["reseller", "number"], name="one_contract_per_reseller_and_number"),
            models.CheckConstraint(
                condition=models.Q(to_on__isnull=True) | models.Q(to_on__gte=models.F("from_on")),
                name="reseller_contract_ends_after_it_begins",
            ),
        ]

    def __str__(self):
        return self.number


class ContactRole(models.TextChoices):
    OFFICER = "officer", "answers for its CIP"
    ABUSE = "abuse", "abuse desk"
    ESCALATION = "escalation", "escalation"
    LEGAL = "legal", "legal"
    CONTRACT = "contract", "contract"


class ResellerContact(Recorded):
    """A person at a reseller and what they are there for; name and ways to reach them are sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="contacts")
    role = models.CharField(max_length=12, choices=ContactRole.choices)
    title = models.CharField(max_length=100, blank=True)
    name = SealedTextField(under="subject")
    email = SealedTextField(under="subject")
    phone = SealedTextField(under="subject")
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "contact at a reseller"
        verbose_name_plural = "contacts at resellers"

    def __str__(self):
        return f"{self.get_role_display()} of {self.reseller}"

    @property
    def subject(self):
        """The reseller's own party, under whose key the person's data are sealed; reads reseller.account."""
        return self.reseller.account.party_id

"""Identity documents and means of payment."""

import uuid
from functools import partial

from django.db import models
from django_countries.fields import CountryField

from kyc_portal.records.recorded import Recorded
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class IdentityDocument(Recorded):
    """A document a party showed us (R26, R27, R32). The file lies encrypted outside the web root, under its hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "DOC"), editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=40)
    number = SealedTextField()
    country = CountryField(blank=True)
    place_of_issue = models.CharField(max_length=100, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    mrz = SealedTextField()
    mrz_failed = models.JSONField(default=list, help_text="Names of the check digits that failed.")
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.PositiveIntegerField(null=True, blank=True)
    file_type = models.CharField(max_length=40, blank=True)
    file_name = SealedTextField()
    file_warnings = models.JSONField(default=list)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "identity document"
        indexes = [models.Index(fields=["expires_on"], name="document_expires")]
        permissions = [("download_document", "Can download original documents")]

    def __str__(self):
        return self.reference

    @property
    def shows_something(self) -> bool:
        """Whether there is more than its kind: a number or a file. What was only named proves nothing."""
        return bool(self.number or self.file_sha256)


class PaymentKind(models.TextChoices):
    CARD = "card", "card"
    BANK = "bank", "bank account"
    WALLET = "wallet", "virtual currency wallet"
    PREPAID = "prepaid", "prepaid or voucher"
    MARKETPLACE = "marketplace", "marketplace billing"
    NONE = "none", "none (free trial)"


class PaymentMethod(Recorded):
    """Means and source of payment (R14, R15); the identifier (token, account number, wallet) is sealed, and so are the
    customer number and the transactions (one a line) at the institution that takes the payment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="payment_methods")
    kind = models.CharField(max_length=12, choices=PaymentKind.choices)
    institution = models.CharField(max_length=200, blank=True)
    identifier = SealedTextField()
    last_four = models.CharField(max_length=4, blank=True)
    country = CountryField(blank=True)
    holder = SealedTextField()
    source = models.CharField(max_length=300, blank=True, help_text="Whose money it is and where it comes from.")
    customer_number = SealedTextField()
    transactions = SealedTextField()
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "payment method"

    @property
    def says_something(self) -> bool:
        """Whether it names more than its kind; a means that is explained instead need not (R15)."""
        explained = (PaymentKind.PREPAID, PaymentKind.MARKETPLACE, PaymentKind.NONE)
        return self.kind in explained or bool(self.identifier or self.last_four)

    def __str__(self):
        return f"{self.get_kind_display()}{f' ending {self.last_four}' if self.last_four else ''}"

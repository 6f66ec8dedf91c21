"""Keyed fingerprints: how equal values are found without keeping them readable."""

import uuid

from django.db import models

from kyc_portal.records.recorded import Recorded


class Identifier(Recorded):
    """The fingerprint of one value of a party (document number, card token, wallet, phone, e-mail, address)."""

    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "fingerprint"
        indexes = [models.Index(fields=["kind", "digest"], name="identifier_digest")]
        constraints = [
            models.UniqueConstraint(fields=["party", "kind", "digest"], name="one_fingerprint_per_party_and_value"),
        ]

    def __str__(self):
        return f"{self.kind} {self.digest[:8]}"


class RestrictedCustomer(Recorded):
    """A customer we restricted or closed for cause, whose file is destroyed; known by its old reference only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True)
    reason = models.CharField(max_length=60)
    remembered_on = models.DateField()

    class Meta:
        verbose_name = "restricted customer"

    def __str__(self):
        return self.reference


class RetainedFingerprint(Recorded):
    """A fingerprint of a restricted customer, kept under its own rule so that they are known when they return."""

    customer = models.ForeignKey(RestrictedCustomer, on_delete=models.PROTECT, related_name="fingerprints")
    kind = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = "retained fingerprint"
        indexes = [models.Index(fields=["kind", "digest"], name="retained_digest")]
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "digest"], name="one_retained_fingerprint_per_value"),
        ]

    def __str__(self):
        return f"{self.kind} {self.digest[:8]}"

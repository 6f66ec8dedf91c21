"""Keyed fingerprints: how equal values are found without keeping them readable."""

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

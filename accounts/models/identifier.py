"""Keyed fingerprints: how equal values are found without keeping them readable."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When

from kyc_portal.records.keys import fingerprint_key_id
from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class IdentifierQuerySet(RecordedQuerySet):
    def with_tie(self):
        """Each with `tie`, by which equal values are found.

        While the key is being changed that is the former digest, which every row has, made anew or not.
        """
        tie = F("digest")
        if settings.FINGERPRINT_KEY_OLD:
            tie = Case(When(key_id=fingerprint_key_id(), former__gt="", then="former"), default="digest")
        return self.annotate(tie=tie)

    def tied_by(self, ties):
        """Those that share one of these ties, found by the indexes."""
        either = Q(digest__in=ties) | Q(former__in=ties) if settings.FINGERPRINT_KEY_OLD else Q(digest__in=ties)
        return self.with_tie().filter(either, tie__in=ties)

    def of_an_older_key(self):
        """Those the change of keys has not looked at."""
        return self.exclude(key_id=fingerprint_key_id()).exclude(former=F("digest"))


class Identifier(Recorded):
    """The fingerprint of one value of a party (document number, card token, wallet, phone, e-mail, address).

    `former` is the same value's under the key that was given up last. A row that the change of keys could not make
    anew, because its value is no longer on file, repeats its digest there.
    """

    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    former = models.CharField(max_length=64, blank=True)
    key_id = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()

    objects = IdentifierQuerySet.as_manager()

    class Meta:
        verbose_name = "fingerprint"
        indexes = [
            models.Index(fields=["kind", "digest"], name="identifier_digest"),
            models.Index(fields=["former"], name="identifier_former"),
        ]
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

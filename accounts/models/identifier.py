"""Keyed fingerprints: how equal values are found without keeping them readable."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When

from kyc_portal.records.keys import fingerprint_key_id


class IdentifierQuerySet(models.QuerySet):
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


class Identifier(models.Model):
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

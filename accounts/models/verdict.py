"""What an address meant by the lists of a day: added to, never rewritten."""

from django.db import models

from kyc_portal.records.recorded import Recorded


class RangeEdition(Recorded):
    """The range lists that were current together at a moment, by their references; the same lists are one edition."""

    lists = models.JSONField(default=list, help_text="References of the lists, in order.")
    sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "edition of the range lists"
        verbose_name_plural = "editions of the range lists"

    def __str__(self):
        return f"edition {self.pk}"


class AddressVerdict(Recorded):
    """What one edition of the lists said of one address. It belongs to no account; it goes when nothing names it.

    `findings` are what was said, each {"says": …, "list": reference, "as_of": day, "age_days": n}; `confidence` is a
    code of rules/verdicts.py. An address never shows who somebody is.
    """

    recorded_in_bulk = True

    address = models.GenericIPAddressField()
    # Editions never go, and to look one up again for every verdict would take a third of the time of writing it.
    edition = models.ForeignKey(
        RangeEdition, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    judged_at = models.DateTimeField()
    country = models.CharField(max_length=2, blank=True)
    network = models.CharField(max_length=120, blank=True)
    anonymiser = models.CharField(max_length=60, blank=True)
    special_use = models.CharField(max_length=30, blank=True)
    confidence = models.CharField(max_length=10, blank=True)
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = "verdict on an address"
        verbose_name_plural = "verdicts on addresses"
        constraints = [models.UniqueConstraint(fields=["address", "edition"], name="one_verdict_per_edition")]

    def __str__(self):
        return str(self.address)

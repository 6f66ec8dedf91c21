"""What ties a customer to somebody we closed, restricted or refused before."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class Judgement(models.TextChoices):
    SAME = "same", "the same"
    NOT_SAME = "not_same", "not the same"
    CANNOT_TELL = "cannot_tell", "cannot be told"


class SeenBeforeQuerySet(RecordedQuerySet):
    def standing(self):
        """Ties to customers against whom something still is held."""
        return self.filter(over_at__isnull=True)

    def to_judge(self):
        """Nobody has said yet whether they are the same."""
        return self.standing().filter(judgement="")

    def bearing(self, least):
        """Ties at least so strong of which nobody has found that they are others, and those found to be the same."""
        strong = models.Q(score__gte=least) & ~models.Q(judgement=Judgement.NOT_SAME)
        return self.standing().filter(strong | models.Q(judgement=Judgement.SAME))


class SeenBefore(Recorded):
    """One tie of a party to an earlier customer: how strong, on what, said in a sentence; a person judges it.

    `earlier` is the other party while its file is there, `remembered` its fingerprints once it is purged: one of the
    two. `shared` are kinds of values with how many hold each, never the values; `judged_on` the kinds a judgement rests
    on: other evidence asks for another one. Once nothing is held against the earlier customer the tie is over;
    then neither need be on file.
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
    earlier_reference = models.CharField(max_length=20, blank=True, help_text="Its account's, purged or not.")
    why = models.CharField(max_length=60, help_text="What became of the earlier customer: a code.")
    score = models.DecimalField(max_digits=5, decimal_places=4)
    shared = models.JSONField(default=list)
    sentence = models.CharField(max_length=500)
    found_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    judgement = models.CharField(max_length=12, choices=Judgement.choices, blank=True)
    judged_on = models.JSONField(default=list)
    judged_why = models.CharField(max_length=300, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)

    objects = SeenBeforeQuerySet.as_manager()

    class Meta:
        verbose_name = "tie to an earlier customer"
        verbose_name_plural = "ties to earlier customers"
        constraints = [
            models.UniqueConstraint(fields=["party", "earlier"], name="one_tie_per_earlier_party"),
            models.UniqueConstraint(fields=["party", "remembered"], name="one_tie_per_remembered_customer"),
            models.CheckConstraint(
                condition=(models.Q(earlier__isnull=True) ^ models.Q(remembered__isnull=True))
                | models.Q(earlier__isnull=True, remembered__isnull=True, over_at__isnull=False),
                name="tie_to_one_earlier",
            ),
            models.CheckConstraint(
                condition=models.Q(judgement="") | models.Q(judged_at__isnull=False), name="judged_tie_says_when"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def is_judged(self) -> bool:
        return bool(self.judgement)

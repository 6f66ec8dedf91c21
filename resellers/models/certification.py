"""The ledger of certifications: each act by which a reseller's manager vouches for customers, a line for each (R63).

A line is never changed but for its end. That a customer is certified on a day is not stored: it follows from the line.
"""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.clock import legal_day
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from resellers.models.reseller import Reseller, ResellerManager
from resellers.models.roster import RosterEntry
from resellers.rules.certification import ActState, Evidence, Extent, LineEnd, Outcome, Scope


class CertificationQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def under_way(self):
        """Acts whose customers are not all gone through."""
        return self.exclude(state=ActState.DONE.value)

    def in_force(self, on):
        """Acts by which somebody may be certified on a day: neither withdrawn nor lapsed."""
        return self.filter(withdrawn_at__isnull=True, lapses_on__gte=on)

    def lapsed(self, on):
        """Acts whose last day is past."""
        return self.filter(withdrawn_at__isnull=True, lapses_on__lt=on)

    def withdrawn(self):
        return self.filter(withdrawn_at__isnull=False)


class Certification(Recorded):
    """One dated act of a named person: for which customers, how far and on what evidence they vouch, and until when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CRT"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="certifications")
    form_key = models.UUIDField(editable=False, help_text="Of the form that was sent; sent twice it is one act.")
    signed_at = models.DateTimeField()
    signed_by = models.CharField(max_length=150)
    signed_by_key = models.CharField(max_length=80)
    signed_under = models.ForeignKey(
        ResellerManager, on_delete=models.PROTECT, related_name="certifications",
        help_text="The binding under whose authority it was signed.",
    )  # fmt: skip
    statement = models.ForeignKey("policy.StatementVersion", on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=10, choices=Scope.choices())
    evidence = models.JSONField(default=list, help_text="Codes of what it rests on.")
    extent = models.CharField(max_length=10, choices=Extent.choices())
    valid_from = models.DateField()
    lapses_on = models.DateField(help_text="Its last good day.")
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=ActState.choices(), default=ActState.WAITING.value)
    total_count = models.PositiveIntegerField(help_text="Customers to go through, as counted at the signature.")
    done_count = models.PositiveIntegerField(default=0)
    certified_count = models.PositiveIntegerField(default=0)
    last_number = models.CharField(max_length=80, blank=True, help_text="The last customer gone through.")
    done_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=150, blank=True)
    why = models.CharField(max_length=500, blank=True, help_text="Why it was withdrawn.")

    objects = CertificationQuerySet.as_manager()

    class Meta:
        verbose_name = "certification of customers"
        verbose_name_plural = "certifications of customers"
        indexes = [models.Index(fields=["reseller", "signed_at"], name="certification_signed")]
        constraints = [
            models.UniqueConstraint(fields=["reseller", "form_key"], name="one_certification_per_form"),
            models.UniqueConstraint(
                fields=["reseller"], condition=~models.Q(state="done"), name="one_certification_under_way"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ActState]), name="certification_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(lapses_on__gte=models.F("valid_from")), name="certification_lapses_after_it_begins"
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | ~models.Q(why=""), name="certification_end_says_why"
            ),
        ]
        permissions = [("withdraw_certification", "Can withdraw a reseller's certifications")]

    def __str__(self):
        return self.reference

    @property
    def evidence_words(self) -> list[str]:
        """What it rests on, in words."""
        return [Evidence(code).label for code in self.evidence]

    @property
    def refused_count(self) -> int:
        return self.done_count - self.certified_count


class CertifiedEntryQuerySet(RecordedQuerySet):
    def standing(self):
        """Certified and not ended; the nightly round ends those that lapsed, so a day has to be asked for as well."""
        return self.filter(outcome=Outcome.CERTIFIED.value, ended_at__isnull=True)

    def in_force(self, on):
        """What holds on a day, today or one to come, as far as is known now."""
        return self.standing().filter(lapses_on__gte=on)

    def as_of(self, moment):
        """What held at a moment, whatever happened since."""
        begun = self.filter(outcome=Outcome.CERTIFIED.value, judged_at__lte=moment)
        return begun.exclude(ended_at__lte=moment).filter(lapses_on__gte=legal_day(moment))

    def lapsed(self, on):
        """Whose last day is past, not ended yet."""
        return self.standing().filter(lapses_on__lt=on)


class CertifiedEntry(Recorded):
    """One customer in one act, with what came of it; `number` is the reseller's own for the customer."""

    recorded_in_bulk = True  # the event of each batch has its count and digest

    certification = models.ForeignKey(Certification, on_delete=models.PROTECT, related_name="lines")
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="certified")
    entry = models.ForeignKey(RosterEntry, on_delete=models.PROTECT, related_name="certified")
    number = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10, choices=Outcome.choices())
    judged_at = models.DateTimeField()
    lapses_on = models.DateField(null=True, blank=True, help_text="The last good day of one that is certified.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=LineEnd.choices(), blank=True)
    why = models.CharField(max_length=500, blank=True, help_text="Why this one was withdrawn.")

    objects = CertifiedEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "customer in a certification"
        verbose_name_plural = "customers in certifications"
        indexes = [
            models.Index(
                fields=["reseller", "lapses_on"], name="certified_standing",
                condition=models.Q(outcome="certified", ended_at__isnull=True),
            ),
            models.Index(fields=["reseller", "number"], name="certified_number"),
            models.Index(fields=["certification", "number"], name="certified_by_act"),
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(fields=["certification", "entry"], name="one_line_per_certification_and_entry"),
            models.UniqueConstraint(
                fields=["entry"], condition=models.Q(outcome="certified", ended_at__isnull=True),
                name="one_standing_certification_per_entry",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="certified", lapses_on__isnull=False)
                | models.Q(~models.Q(outcome="certified"), lapses_on__isnull=True, ended_at__isnull=True),
                name="only_what_is_certified_lapses",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_why="")
                | models.Q(~models.Q(ended_why=""), ended_at__isnull=False),
                name="certified_entry_end_says_why",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.number} in {self.certification}"

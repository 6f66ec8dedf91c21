"""What the legal desk keeps beside a request: what was checked, challenges, lawful grounds, backup copies."""

import uuid
from functools import partial

from django.db import models

from cases.rules.backup import BackupState, ReleasedWhy
from cases.rules.disclosure import Ground
from cases.rules.request_checks import Point
from cases.rules.stages import ChallengedBy, ChallengedWhy, ChallengeOutcome, LegalRequestState
from cases.rules.voluntary import VOLUNTARY, VoluntaryState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class RequestCheck(Recorded):
    """That somebody confirmed one point of the checklist for a request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey("cases.LegalRequest", on_delete=models.PROTECT, related_name="checks")
    point = models.CharField(max_length=20, choices=Point.choices())
    checked_at = models.DateTimeField()
    checked_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "point checked"
        verbose_name_plural = "points checked"
        constraints = [models.UniqueConstraint(fields=["request", "point"], name="one_check_per_point")]

    def __str__(self):
        return f"{self.get_point_display()}: {self.request_id}"


class ChallengeQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(ended_at__isnull=True)


class Challenge(Recorded):
    """A dispute over a request: while it runs everything that rests on the request stands still, and all is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CHL"), editable=False)
    request = models.ForeignKey("cases.LegalRequest", on_delete=models.PROTECT, related_name="challenges")
    by_whom = models.CharField(max_length=10, choices=ChallengedBy.choices())
    why = models.CharField(max_length=20, choices=ChallengedWhy.choices())
    docket = models.CharField(max_length=100, blank=True, help_text="The court's number of it.")
    state_before = models.CharField(max_length=16, choices=LegalRequestState.choices())
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)
    hold = models.ForeignKey("records.LegalHold", on_delete=models.PROTECT, related_name="challenges")
    outcome = models.CharField(max_length=10, choices=ChallengeOutcome.choices(), blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=models.Q(ended_at__isnull=True), name="one_open_challenge_per_request"
            ),
        ]

    def __str__(self):
        return self.reference


class VoluntaryQuerySet(RecordedQuerySet):
    def to_approve(self):
        return self.filter(state=VoluntaryState.PROPOSED.value)

    def standing(self):
        return self.filter(state=VoluntaryState.APPROVED.value)


class VoluntaryDisclosure(Recorded):
    """On which lawful ground, and on which facts, we hand over what nobody ordered; two people sign (R113)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "VOL"), editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="voluntary")
    ground = models.CharField(max_length=40, choices=[(each.value, each.label) for each in Ground if each in VOLUNTARY])
    subject = models.UUIDField(editable=False)
    facts = SealedTextField(under="subject")
    state = models.CharField(max_length=10, choices=VoluntaryState.choices(), default=VoluntaryState.PROPOSED.value)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)

    objects = VoluntaryQuerySet.as_manager()

    class Meta:
        verbose_name = "voluntary disclosure"

    def __str__(self):
        return self.reference


class BackupQuerySet(RecordedQuerySet):
    def kept(self):
        return self.exclude(state=BackupState.RELEASED.value)


class BackupCopy(Recorded):
    """A copy made because an order says so: confirmed, noticed, and let go no sooner than the law allows (R112)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "BAC"), editable=False)
    request = models.OneToOneField("cases.LegalRequest", on_delete=models.PROTECT, related_name="backup")
    state = models.CharField(max_length=10, choices=BackupState.choices(), default=BackupState.ORDERED.value)
    due_on = models.DateField()
    hold = models.ForeignKey("records.LegalHold", on_delete=models.PROTECT, related_name="backups")
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    noticed_on = models.DateField(null=True, blank=True)
    not_before = models.DateField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    released_why = models.CharField(max_length=20, choices=ReleasedWhy.choices(), blank=True)

    objects = BackupQuerySet.as_manager()

    class Meta:
        verbose_name = "backup copy"
        verbose_name_plural = "backup copies"

    def __str__(self):
        return self.reference

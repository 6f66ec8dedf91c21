"""Commerce's reviews of us, what they ask and recommend, and transactions they look at."""

import uuid
from functools import partial

from django.db import models

from cases.rules.commerce import RemedyState, ReviewKind, ReviewState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class CommerceReviewQuerySet(RecordedQuerySet):
    def running(self):
        return self.exclude(state=ReviewState.CLOSED.value)

    def waiting_for_answers(self):
        unanswered = CommerceAsk.objects.unanswered().values("review")
        return self.running().filter(pk__in=unanswered)


class CommerceReview(Recorded):
    """A review of our form, a compliance assessment or an audit by Commerce (R78; proposed)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CMR"), editable=False)
    kind = models.CharField(max_length=12, choices=ReviewKind.choices())
    about = models.CharField(max_length=200)
    their_reference = models.CharField(max_length=100, blank=True)
    opened_on = models.DateField()
    state = models.CharField(max_length=12, choices=ReviewState.choices(), default=ReviewState.OPEN.value)
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=150)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)

    objects = CommerceReviewQuerySet.as_manager()

    class Meta:
        verbose_name = "review by the department"
        verbose_name_plural = "reviews by the department"
        permissions = [("answer_commerce", "Can log and answer Commerce's reviews and flag transactions")]

    def __str__(self):
        return self.reference


class AskQuerySet(RecordedQuerySet):
    def unanswered(self):
        return self.filter(answered_at__isnull=True)


class CommerceAsk(Recorded):
    """One thing that Commerce asked in a review, by when, and what we answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ASK"), editable=False)
    review = models.ForeignKey(CommerceReview, on_delete=models.PROTECT, related_name="asks")
    question = models.CharField(max_length=500)
    asked_on = models.DateField()
    due_on = models.DateField()
    answer = models.CharField(max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)

    objects = AskQuerySet.as_manager()

    class Meta:
        verbose_name = "question of the department"
        verbose_name_plural = "questions of the department"

    def __str__(self):
        return self.reference


class Remedy(Recorded):
    """A measure that Commerce recommended, who does it by when, and what proves it (R79)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RMD"), editable=False)
    review = models.ForeignKey(CommerceReview, on_delete=models.PROTECT, related_name="remedies")
    action = models.CharField(max_length=500)
    owner = models.CharField(max_length=150)
    due_on = models.DateField()
    state = models.CharField(max_length=8, choices=RemedyState.choices(), default=RemedyState.OPEN.value)
    evidence = models.CharField(max_length=500, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    shown_by = models.CharField(max_length=150, blank=True)
    shown_by_key = models.CharField(max_length=80, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)
    proven_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "recommended measure"

    def __str__(self):
        return self.reference


class FlaggedQuerySet(RecordedQuerySet):
    def in_force(self):
        return self.filter(ended_at__isnull=True)


class FlaggedClass(Recorded):
    """A transaction, or a class of them, that Commerce looks at: what is on file about it is held at once (R80)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "FLG"), editable=False)
    review = models.ForeignKey(CommerceReview, on_delete=models.PROTECT, null=True, blank=True, related_name="flagged")
    title = models.CharField(max_length=200)
    accounts = models.JSONField(default=list, blank=True, help_text="References; none for every account that fits.")
    product = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    opened_from = models.DateField(null=True, blank=True)
    opened_through = models.DateField(null=True, blank=True)
    flagged_at = models.DateTimeField()
    flagged_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = FlaggedQuerySet.as_manager()

    class Meta:
        verbose_name = "flagged class of transactions"
        verbose_name_plural = "flagged classes of transactions"

    def __str__(self):
        return self.reference


class FlaggedHold(Recorded):
    """One hold that a flagged class placed: the first one at once, others for accounts that fit later."""

    flagged = models.ForeignKey(FlaggedClass, on_delete=models.PROTECT, related_name="holds")
    hold = models.OneToOneField("records.LegalHold", on_delete=models.PROTECT, related_name="flagged")

    class Meta:
        verbose_name = "hold of a flagged class"
        verbose_name_plural = "holds of flagged classes"

    def __str__(self):
        return f"{self.flagged_id}: {self.hold_id}"

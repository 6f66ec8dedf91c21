"""The provider's own screening of what resellers state of their customers: how far it is, and hits (R35, R64)."""

import uuid
from functools import partial

from django.db import models

from accounts.models import WatchlistSnapshot
from accounts.models.screening import HitStatus
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from resellers.models.reseller import Reseller
from resellers.models.roster import RosterEntry, RosterUpload

JUDGED = (HitStatus.CONFIRMED, HitStatus.DISMISSED)
PROPOSED = (HitStatus.CONFIRM_PROPOSED, HitStatus.DISMISS_PROPOSED)


class RosterScreening(Recorded):
    """How far the customers of one accepted file are compared with one list.

    `before` is the version that all of them were compared with in full already: then only what changed since is
    compared. `cursor` is the number of the last customer that is done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(RosterUpload, on_delete=models.PROTECT, related_name="screenings")
    list_name = models.CharField(max_length=60)
    snapshot = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey(WatchlistSnapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cursor = models.CharField(max_length=80, blank=True)
    done_count = models.PositiveIntegerField(default=0)
    hit_count = models.PositiveIntegerField(default=0, help_text="Likenesses found, known ones included.")
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "screening of a roster"
        verbose_name_plural = "screenings of rosters"
        indexes = [models.Index(fields=["finished_at"], name="roster_screening_finished")]
        constraints = [
            models.UniqueConstraint(fields=["upload", "list_name"], name="one_roster_screening_per_list"),
        ]

    def __str__(self):
        return f"{self.upload} and {self.list_name}"


class RosterHitQuerySet(RecordedQuerySet):
    def of_customers(self):
        """Hits that hold: a customer stated anew keeps them until it is compared anew, one who is gone for good."""
        return self.exclude(status=HitStatus.REPLACED).filter(entry__from_at__isnull=False)

    def unjudged(self):
        return self.of_customers().exclude(status__in=JUDGED).filter(entry__ended_at__isnull=True)

    def to_propose(self):
        """Hits on present customers that nobody has proposed a judgement on."""
        return self.unjudged().filter(status=HitStatus.OPEN)

    def awaiting_second(self, user):
        """Hits on which this person may give the second judgement: proposed, and by somebody else."""
        return self.unjudged().filter(status__in=PROPOSED).exclude(proposed_by_key=str(user.pk))

    def confirmed(self):
        return self.of_customers().filter(status=HitStatus.CONFIRMED)


class RosterHit(Recorded):
    """A likeness between a customer on a roster and a list entry, and how two people judged it. No reseller sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RHT"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="roster_hits")
    number = models.CharField(max_length=80, help_text="The reseller's own for the customer.")
    entry = models.ForeignKey(RosterEntry, on_delete=models.PROTECT, related_name="hits")
    snapshot = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="roster_hits")
    entry_uid = models.CharField(max_length=40, help_text="The list's own key of the listed entry.")
    entry_name = models.CharField(max_length=400)
    programmes = models.JSONField(default=list)
    score = models.DecimalField(max_digits=4, decimal_places=3)
    is_strong = models.BooleanField(default=False)
    evidence = models.PositiveSmallIntegerField(default=0, help_text="Orders equal scores; rules/hit_order.py.")
    reasons = models.JSONField(default=list, help_text="Sentences, strongest first.")
    compared = models.CharField(max_length=64, help_text="Keyed fingerprint of both sides as compared.")
    carried_from = models.CharField(max_length=20, blank=True, help_text="The hit whose judgement this one carries on.")
    found_at = models.DateTimeField()
    status = models.CharField(max_length=18, choices=HitStatus.choices, default=HitStatus.OPEN)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    proposed_reason = models.CharField(max_length=300, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)

    objects = RosterHitQuerySet.as_manager()
    ORDER = ("-score", "-evidence", "entry_uid", "pk")  # the strongest first, and equal scores by their evidence

    class Meta:
        verbose_name = "hit on a downstream customer"
        verbose_name_plural = "hits on downstream customers"
        indexes = [
            models.Index(fields=["status", "-score"], name="roster_hit_status"),
            models.Index(fields=["reseller", "number"], name="roster_hit_of_customer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "snapshot", "entry_uid", "compared"], name="one_roster_hit_per_comparison"
            ),
            models.CheckConstraint(condition=models.Q(status__in=HitStatus.values), name="roster_hit_status_known"),
        ]

    def __str__(self):
        return self.reference

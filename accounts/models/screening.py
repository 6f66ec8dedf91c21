"""Watch lists as dated snapshots, screenings against them, and hits with their reasons."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class WatchlistSnapshot(Recorded):
    """One list as it stood when it was loaded; a later load is another snapshot, old hits keep theirs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "LST"), editable=False)
    list_name = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=150)
    entry_count = models.PositiveIntegerField()
    alias_count = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True)

    class Meta:
        verbose_name = "watch list"
        constraints = [
            models.UniqueConstraint(fields=["list_name", "sha256"], name="one_snapshot_per_file"),
            models.UniqueConstraint(
                fields=["list_name"], condition=models.Q(is_current=True), name="one_current_snapshot_per_list"
            ),
        ]
        permissions = [("load_watchlist", "Can load watch lists")]

    def __str__(self):
        return f"{self.list_name} of {self.loaded_at:%-d %b %Y}"


class ListChange(Recorded):
    """One version of a list became current in the place of another; whoever that may touch is screened again."""

    list_name = models.CharField(max_length=60)
    before = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When it was found whom it may touch.")
    entry_count = models.PositiveIntegerField(default=0, help_text="Entries that came, went or say something else.")
    party_count = models.PositiveIntegerField(default=0, help_text="Parties it may touch.")

    class Meta:
        verbose_name = "change of a watch list"
        verbose_name_plural = "changes of watch lists"
        indexes = [models.Index(fields=["list_name", "looked_at"], name="list_change_to_look_at")]

    def __str__(self):
        return f"{self.list_name}, {self.at:%-d %b %Y}"


class WatchlistEntry(Recorded):
    """One person, entity, vessel or aircraft on a list, with what identifies it. Public data of the publisher."""

    recorded_in_bulk = True

    snapshot = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="entries")
    uid = models.CharField(max_length=40)
    name = models.CharField(max_length=400)
    kind = models.CharField(max_length=12)
    programmes = models.JSONField(default=list)
    aliases = models.JSONField(default=list)
    details = models.JSONField(default=dict, help_text="Addresses, birth dates, identifiers, wallets, e-mails.")
    remarks = models.TextField(blank=True)

    class Meta:
        verbose_name = "list entry"
        verbose_name_plural = "list entries"
        constraints = [models.UniqueConstraint(fields=["snapshot", "uid"], name="one_entry_per_snapshot_and_uid")]

    def __str__(self):
        return self.name


class Screening(Recorded):
    """One party compared with one list version (R35); kept also when nothing was found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="screenings")
    snapshot = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="screenings")
    at = models.DateTimeField()
    hit_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["party", "-at"], name="screening_of_party")]

    def __str__(self):
        return f"{self.hit_count} hits"


class ScreeningMark(Recorded):
    """A keyed fingerprint of a part of a party's name, or of a number, wallet or e-mail address of it (R35).

    Made whenever the party is screened; by them a changed entry of a list finds the parties it may resemble.
    """

    recorded_in_bulk = True

    party = models.ForeignKey(
        "accounts.Party", on_delete=models.PROTECT, related_name="screening_marks", db_index=False
    )
    mark = models.BigIntegerField()

    class Meta:
        verbose_name = "mark for screening"
        verbose_name_plural = "marks for screening"
        indexes = [models.Index(fields=["mark"], name="screening_mark")]
        constraints = [models.UniqueConstraint(fields=["party", "mark"], name="one_mark_per_party")]

    def __str__(self):
        return f"{self.mark:x}"


class HitStatus(models.TextChoices):
    OPEN = "open", "to be judged"
    CONFIRM_PROPOSED = "confirm_proposed", "confirmation awaits a second person"
    DISMISS_PROPOSED = "dismiss_proposed", "dismissal awaits a second person"
    CONFIRMED = "confirmed", "confirmed"
    DISMISSED = "dismissed", "dismissed"
    REPLACED = "replaced", "replaced by a newer comparison"


class ScreeningHitQuerySet(RecordedQuerySet):
    def unjudged(self):
        return self.exclude(status__in=[HitStatus.CONFIRMED, HitStatus.DISMISSED, HitStatus.REPLACED])

    def to_propose(self):
        """Hits nobody has proposed a judgement on."""
        return self.filter(status=HitStatus.OPEN)

    def awaiting_second(self, user):
        """Hits on which this person may give the second judgement: proposed, and by somebody else."""
        proposed = self.filter(status__in=[HitStatus.CONFIRM_PROPOSED, HitStatus.DISMISS_PROPOSED])
        return proposed.exclude(proposed_by_key=str(user.pk))

    def confirmed(self):
        return self.filter(status=HitStatus.CONFIRMED)

    def with_standing(self):
        """Each with `stands`: whether it is of a list in use, and of the version its party was compared with last."""
        newest = Screening.objects.filter(
            party=models.OuterRef("party"), snapshot__list_name=models.OuterRef("snapshot__list_name")
        ).order_by("-at", "-snapshot__is_current", "-snapshot__loaded_at")
        of_newest = models.Q(snapshot=models.Subquery(newest.values("snapshot")[:1]))
        current = WatchlistSnapshot.objects.filter(list_name=models.OuterRef("snapshot__list_name"), is_current=True)
        both = of_newest & models.Exists(current)
        return self.annotate(stands=models.ExpressionWrapper(both, models.BooleanField()))

    def standing(self):
        """Hits of the list version their party was compared with last; a later version has not touched them."""
        return self.with_standing().filter(stands=True)


class ScreeningHit(Recorded):
    """A likeness between a party and a list entry, with score and reasons, and how two people judged it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "HIT"), editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="hits")
    screening = models.ForeignKey(Screening, on_delete=models.PROTECT, related_name="hits")
    snapshot = models.ForeignKey(WatchlistSnapshot, on_delete=models.PROTECT, related_name="hits")
    entry_uid = models.CharField(max_length=40)
    entry_name = models.CharField(max_length=400)
    programmes = models.JSONField(default=list)
    score = models.DecimalField(max_digits=4, decimal_places=3)
    is_strong = models.BooleanField(default=False)
    evidence = models.PositiveSmallIntegerField(default=0, help_text="Orders equal scores; rules/hit_order.py.")
    reasons = models.JSONField(default=list, help_text="Sentences, strongest first.")
    compared = models.CharField(max_length=64, blank=True, help_text="Keyed fingerprint of both sides as compared.")
    carried_from = models.CharField(max_length=20, blank=True, help_text="The hit whose judgement this one carries on.")
    status = models.CharField(max_length=18, choices=HitStatus.choices, default=HitStatus.OPEN)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    proposed_reason = models.CharField(max_length=300, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)

    objects = ScreeningHitQuerySet.as_manager()
    ORDER = ("-score", "-evidence", "entry_uid", "pk")  # the strongest first, and equal scores by their evidence

    class Meta:
        verbose_name = "screening hit"
        indexes = [models.Index(fields=["entry_uid"], name="hit_of_entry")]
        constraints = [
            models.UniqueConstraint(
                fields=["party", "snapshot", "entry_uid", "compared"], name="one_hit_per_comparison_and_snapshot"
            ),
            models.CheckConstraint(condition=models.Q(status__in=HitStatus.values), name="hit_status_known"),
        ]
        permissions = [
            ("judge_hit", "Can propose how to judge a hit"),
            ("second_hit", "Can confirm another's judgement"),
        ]

    def __str__(self):
        return self.reference

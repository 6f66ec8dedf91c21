"""What the purge writes down about itself: its runs, files it is in the middle of, and the clock it trusts."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.refs import Actor, new_reference


class RunState(models.TextChoices):
    WAITING = "waiting", "waiting for a worker"
    RUNNING = "running", "under way"
    FINISHED = "finished", "finished"
    STOPPED = "stopped", "stopped"


class PurgeRun(models.Model):
    """One run of the purge, or of its simulation; at most one destroys at a time, under a lease it keeps renewing.

    `told` counts by rule what was found and what went, with the first few sentences; references only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "PRG"), editable=False)
    as_of = models.DateField()
    executes = models.BooleanField()
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.WAITING)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    asked_by_kind = models.CharField(max_length=20)
    asked_by_key = models.CharField(max_length=80)
    asked_by_owner = models.CharField(max_length=80, blank=True)
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    looked_at = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    told = models.JSONField(default=dict)
    ended_at = models.DateTimeField(null=True, blank=True)
    why_stopped = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "purge run"
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running", executes=True), name="one_purge_at_a_time"
            ),
            models.CheckConstraint(condition=models.Q(state__in=RunState.values), name="purge_run_state_known"),
        ]

    def __str__(self):
        return self.reference

    @property
    def asked(self) -> Actor:
        """Whoever asked for it: what it destroys is theirs."""
        return Actor(self.asked_by_kind, self.asked_by_key, self.asked_by, self.asked_by_owner)


class Destruction(models.Model):
    """A large file in the middle of its destruction, batch after batch; gone once its tombstone stands."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    rule = models.CharField(max_length=60)
    basis = models.CharField(max_length=60)
    kept_through = models.DateField()
    holds_looked_at = models.PositiveIntegerField()
    counts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    begun_at = models.DateTimeField()
    begun_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "destruction under way"
        verbose_name_plural = "destructions under way"
        constraints = [models.UniqueConstraint(fields=["label", "key"], name="one_destruction_per_record")]

    def __str__(self):
        return f"destruction of {self.name}"


class DoomedRecord(models.Model):
    """A record of a file whose destruction has begun: no hold can be placed on it, and nothing be added to it."""

    destruction = models.ForeignKey(Destruction, on_delete=models.CASCADE, related_name="doomed")
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)

    class Meta:
        verbose_name = "doomed record"
        indexes = [models.Index(fields=["label", "key"], name="doomed_record")]

    def __str__(self):
        return f"{self.label} {self.key[:8]}"


class ClockWatch(models.Model):
    """The last moment the clock was seen right, and a jump that nobody has confirmed yet; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    seen_at = models.DateTimeField()
    boot = models.CharField(max_length=40, blank=True)
    uptime = models.FloatField(default=0)
    jumped_from = models.DateTimeField(null=True, blank=True)
    jumped_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "watch over the clock"
        verbose_name_plural = "watches over the clock"
        permissions = [("confirm_clock", "Can confirm that the clock is right")]
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_watch_over_the_clock")]

    def __str__(self):
        return "watch over the clock"

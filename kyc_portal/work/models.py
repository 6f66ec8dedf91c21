"""Jobs: work that waits in a row until a worker has done it."""

import uuid

from django.db import models


class JobState(models.TextChoices):
    WAITING = "waiting", "waiting"
    LEASED = "leased", "being done"
    DONE = "done", "done"
    DEAD = "dead", "dead letter"


class JobQuerySet(models.QuerySet):
    def due(self, now):
        """Waiting jobs whose moment has come, and leased ones whose worker has not been heard of in time."""
        waiting = models.Q(state=JobState.WAITING, due_at__lte=now)
        abandoned = models.Q(state=JobState.LEASED, lease_until__lt=now)
        return self.filter(waiting | abandoned, is_sweep=False).order_by("due_at", "pk")

    def dead(self):
        return self.filter(state=JobState.DEAD)


class Job(models.Model):
    """One piece of work: what (`kind`), on which record (`key`), due when. Keys are references, never personal data.

    A row of a sweep (`is_sweep`) exists only because that work failed: the sweep itself finds what is due.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=80)
    key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    is_sweep = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="job_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=~models.Q(state="done"), name="one_open_job_per_kind_and_key"
            ),
        ]
        permissions = [("revive", "Can bring dead letters back to life")]

    def __str__(self):
        return f"{self.kind} {self.key}".strip()

    @property
    def reference(self) -> str:
        return f"JOB-{str(self.pk)[:8]}"

"""Count what fails outside the queue: rows of a sweep, and whole tasks. After five times it is a dead letter."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import MOST_ATTEMPTS, pause_after

log = logging.getLogger(__name__)

MOST_COUNTED = 1000  # a task that fails every 15 seconds must not count beyond what the column holds


def note_failure(kind: str, key: str, error: BaseException, now: datetime | None = None) -> None:
    """One more failure of this work; the fifth in a row makes it a dead letter. Only the error's class is kept."""
    now = now or timezone.now()
    with transaction.atomic():
        job, _ = (
            Job.objects.select_for_update()
            .exclude(state=JobState.DONE)
            .get_or_create(kind=kind, key=key, defaults={"asked_at": now, "due_at": now, "is_sweep": True})
        )
        job.attempts = min(job.attempts + 1, MOST_COUNTED)
        job.state = JobState.DEAD if job.attempts >= MOST_ATTEMPTS else JobState.WAITING
        job.due_at, job.last_error = now + pause_after(job.attempts), type(error).__name__
        job.save(update_fields=["attempts", "state", "due_at", "last_error"])


def note_success(kind: str, key: str) -> None:
    """The work succeeded: what was counted against it is done."""
    open_jobs = Job.objects.filter(kind=kind, key=key, is_sweep=True).exclude(state=JobState.DONE)
    open_jobs.update(state=JobState.DONE, finished_at=timezone.now())


def held_back(kind: str, now: datetime) -> set[str]:
    """The keys of this sweep's rows that failed and must not be tried now: too soon, or dead."""
    failed = Job.objects.filter(kind=kind, is_sweep=True)
    later = failed.filter(models.Q(state=JobState.DEAD) | models.Q(state=JobState.WAITING, due_at__gt=now))
    return set(later.values_list("key", flat=True))


def sweep(kind: str, rows: Iterable[models.Model], act: Callable[[models.Model], object], *, at: datetime) -> dict:
    """Do `act` for each row in a transaction of its own; a row that fails is counted and the others go on.

    Returns {"done": n, "failed": n}. A row that failed five times is a dead letter and is left out until it is revived.
    """
    told, waits = {"done": 0, "failed": 0}, held_back(kind, at)
    for row in rows:
        key = str(row.pk)
        if key in waits:
            continue
        try:
            with transaction.atomic():
                act(row)
        except Exception as error:  # counted, logged by class, tried again by the next sweep
            log.error("%s failed for %s (%s)", kind, key, type(error).__name__)
            note_failure(kind, key, error, at)
            told["failed"] += 1
        else:
            told["done"] += 1
            if _has_failed_before(kind, key):
                note_success(kind, key)
    return told


def _has_failed_before(kind: str, key: str) -> bool:
    return Job.objects.filter(kind=kind, key=key, is_sweep=True).exclude(state=JobState.DONE).exists()


def task_failed(sender=None, exception=None, **kwargs):
    """Celery's signal: a task that failed stands in the work list; after five failures in a row it is a dead letter."""
    note_failure("task", sender.name, exception)


def task_succeeded(sender=None, **kwargs):
    """Celery's signal: a task that succeeded again clears what stood against it."""
    if _has_failed_before("task", sender.name):
        note_success("task", sender.name)

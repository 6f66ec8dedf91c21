"""Ask for work, do it under a lease, count what fails (trust.md 1.3).

A job is written in the transaction that causes it. Celery messages only wake workers and may be lost or doubled.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction

from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work.models import Job, JobState

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
BATCH = 100

Handler = Callable[..., None]
_HANDLERS: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Name the flow that does jobs of this kind; it is called as handler(key, by=…, at=…)."""
    _HANDLERS[kind] = handler


def handlers() -> dict[str, Handler]:
    """All kinds and their flows."""
    return dict(_HANDLERS)


def ask(kind: str, key: str = "", *, due_at: datetime, at: datetime) -> Job:
    """Write down work to do, in the caller's transaction; asking twice for the same is one job."""
    job, _ = Job.objects.get_or_create(
        kind=kind, key=key, state=JobState.WAITING, defaults={"asked_at": at, "due_at": due_at}
    )
    return job


@transaction.atomic
def claim(now: datetime) -> Job | None:
    """Take the most urgent due job under a lease of a minute; None when nothing is due."""
    due = Job.objects.due(now)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    job = due.first()
    if job is None:
        return None
    job.state, job.lease_until, job.lease_token = JobState.LEASED, now + LEASE, uuid.uuid4()
    job.attempts += 1  # counted before the work, so that a job that kills its worker is counted too
    if job.attempts > MOST_ATTEMPTS:
        job.state = JobState.DEAD
    job.save(update_fields=["state", "lease_until", "lease_token", "attempts"])
    return job


def heartbeat(job: Job, now: datetime) -> bool:
    """Prolong the lease; False when another worker has taken the job over and this one must stop."""
    return bool(Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(lease_until=now + LEASE))


def run_due(now: datetime, *, by: Actor = SCHEDULER, most: int = BATCH) -> dict[str, int]:
    """Do up to `most` due jobs, each in its own transactions; says how many were done, failed and given up."""
    told = {"done": 0, "failed": 0, "dead": 0}
    for _ in range(most):
        job = claim(now)
        if job is None:
            break
        if job.state == JobState.DEAD:
            told["dead"] += 1
            continue
        told[_run(job, by, now)] += 1
    return told


def _run(job: Job, by: Actor, now: datetime) -> str:
    try:
        _HANDLERS[job.kind](job.key, by=by, at=now)
    except Exception as error:  # whatever a handler raises is counted, logged by class and tried again
        return _failed(job, error, now)
    mine = Job.objects.filter(pk=job.pk, lease_token=job.lease_token)
    mine.update(state=JobState.DONE, finished_at=now, lease_until=None, last_error="")
    return "done"


def _failed(job: Job, error: Exception, now: datetime) -> str:
    dead = job.attempts >= MOST_ATTEMPTS
    log.error("job %s of kind %s failed (%s), attempt %d", job.pk, job.kind, type(error).__name__, job.attempts)
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(
        state=JobState.DEAD if dead else JobState.WAITING,
        due_at=now + pause_after(job.attempts),
        lease_until=None,
        last_error=type(error).__name__,
    )
    return "dead" if dead else "failed"


def pause_after(attempts: int) -> timedelta:
    """How long to wait before the next attempt: half a minute, doubled each time."""
    return timedelta(seconds=15 * 2**attempts)


def try_again(job: Job, *, at: datetime) -> Job:
    """Bring a dead letter back to life with a clean count."""
    Job.objects.filter(pk=job.pk, state=JobState.DEAD).update(
        state=JobState.WAITING, attempts=0, due_at=at, lease_until=None
    )
    job.refresh_from_db()
    return job

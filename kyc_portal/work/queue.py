"""Ask for work, do it under a lease, count what fails (trust.md 1.3).

A job is written in the transaction that causes it. Celery messages only wake workers and may be lost or doubled.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

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


@transaction.atomic
def ask(kind: str, key: str = "", *, due_at: datetime, at: datetime) -> Job:
    """Write down work to do, in the caller's transaction; asking twice for the same is one job.

    The row stays locked until the caller commits, so that no worker does the work without seeing its cause. A job that
    is being done right now is done once more; a dead letter stays one until somebody revives it.
    """
    still_open = Job.objects.select_for_update().exclude(state=JobState.DONE)
    job, _ = still_open.get_or_create(kind=kind, key=key, defaults={"asked_at": at, "due_at": due_at})
    if job.state == JobState.LEASED:
        job.state, job.due_at, job.lease_until, job.lease_token = JobState.WAITING, due_at, None, None
        job.save(update_fields=["state", "due_at", "lease_until", "lease_token"])
    return job


def bring_forward(job: Job, *, to: datetime) -> None:
    """Have a waiting job done at that moment if it would have waited longer; in the caller's transaction."""
    Job.objects.filter(pk=job.pk, state=JobState.WAITING, due_at__gt=to).update(due_at=to)


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
        job.state, job.last_error = JobState.DEAD, "WorkerLost"
    job.save(update_fields=["state", "lease_until", "lease_token", "attempts", "last_error"])
    return job


def heartbeat(job: Job, now: datetime) -> bool:
    """Prolong the lease; False when another worker has taken the job over and this one must stop."""
    return bool(Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(lease_until=now + LEASE))


def run_due(now: datetime, *, by: Actor = SCHEDULER, most: int = BATCH) -> dict[str, int]:
    """Do up to `most` due jobs, each in its own transactions; says how many were done, failed and given up."""
    told, begun = {"done": 0, "failed": 0, "dead": 0}, time.monotonic()
    for _ in range(most):
        job = claim(now + timedelta(seconds=time.monotonic() - begun))  # a lease begins with its claim, not the round
        if job is None:
            break
        if job.state == JobState.DEAD:
            told["dead"] += 1
            continue
        told[_run(job, by, now)] += 1
    return told


@contextlib.contextmanager
def kept_alive(job: Job, every: timedelta = LEASE / 3) -> Iterator[None]:
    """Prolong the job's lease from a thread of its own while the work inside goes on, however long it takes."""
    done = threading.Event()

    def prolong():
        try:
            while not done.wait(every.total_seconds()):
                with contextlib.suppress(OperationalError):  # the database is busy: the next beat will do
                    heartbeat(job, timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=prolong, name=f"lease of {job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _run(job: Job, by: Actor, now: datetime) -> str:
    try:
        with kept_alive(job):
            _HANDLERS[job.kind](job.key, by=by, at=now)
    except Exception as error:  # whatever a handler raises is counted, logged by class and tried again
        return _failed(job, error, now)
    mine = Job.objects.filter(pk=job.pk, lease_token=job.lease_token)
    if not mine.update(state=JobState.DONE, finished_at=now, lease_until=None, last_error=""):
        Job.objects.filter(pk=job.pk, state=JobState.WAITING).update(attempts=0)  # asked for again meanwhile
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
    """How long to wait before the next attempt: half a minute, doubled each time, at most eight minutes."""
    return timedelta(seconds=15 * 2 ** min(attempts, MOST_ATTEMPTS))


def try_again(job: Job, *, at: datetime) -> Job:
    """Bring a dead letter back to life with a clean count."""
    Job.objects.filter(pk=job.pk, state=JobState.DEAD).update(
        state=JobState.WAITING, attempts=0, due_at=at, lease_until=None
    )
    job.refresh_from_db()
    return job

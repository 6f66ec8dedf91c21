"""Bring dead letters back to life, by somebody who says so."""

from datetime import datetime

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import try_again
from kyc_portal.work.verbs import Verb


class NotDead(Refusal):
    """The job waits, runs or is done: there is nothing to revive."""


@flow
def revive(job: Job, *, by: Actor, at: datetime) -> Job:
    """Let a dead letter be tried again with a clean count. Raises NotDead for any other job."""
    job = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if job.state != JobState.DEAD:
        raise NotDead(f"{job.reference} is {job.get_state_display()}, so there is nothing to try again.")

    job = try_again(job, at=at)
    audit.record(Verb.REVIVED, job, by=by, at=at, kind=job.kind)
    return job

"""Purges that somebody asks for on a page: a job does them, because none may be a long request."""

from datetime import date, datetime

from kyc_portal.records import purge_runs, retention
from kyc_portal.records.acting import flow
from kyc_portal.records.purge_models import PurgeRun, RunState
from kyc_portal.records.refs import Actor
from kyc_portal.work import queue

KIND = "records.purge"


@flow
def ask(*, as_of: date, today: date, executes: bool, by: Actor, at: datetime) -> PurgeRun:
    """Ask for a purge, or only its simulation; a worker begins within seconds. Raises NotYet."""
    run = purge_runs.ask(as_of=as_of, today=today, executes=executes, by=by, at=at)
    queue.ask(KIND, str(run.pk), due_at=at, at=at)
    return run


def carry_out(key: str, *, by: Actor, at: datetime) -> None:
    """The job: do the run, or go on with it when its worker was lost. Raises PurgeUnderWay, to be tried again later.

    The run is whoever's asked for it, not the worker's. What else stops it stands on its page.
    """
    run = PurgeRun.objects.get(pk=key)
    if run.state in (RunState.WAITING, RunState.RUNNING):
        retention.carry_out(run, at=at)

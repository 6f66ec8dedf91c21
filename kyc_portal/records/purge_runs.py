"""Runs of the purge: at most one destroys at a time, each can be followed on its page, none survives its worker.

A run holds a lease and a token. Every transaction of it ends by renewing the lease under that token, so a worker that
was taken for dead and comes back destroys nothing more: its transaction is rolled back.
"""

import uuid
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.purge_models import PurgeRun, RunState
from kyc_portal.records.refs import Actor
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal

LEASE = timedelta(minutes=5)


class PurgeUnderWay(Refusal):
    """Another purge destroys just now."""


class NotYet(Refusal):
    """Somebody asked to execute a purge as of a day that has not come."""


class RunLost(Exception):
    """Another worker has taken this run over: whatever this one was about to do is not done."""


@flow
def ask(*, as_of: date, today: date, executes: bool, by: Actor, at: datetime) -> PurgeRun:
    """Write down a run that waits for its worker. Raises NotYet for a purge as of a day after `today`."""
    if executes and as_of > today:
        raise NotYet(f"{as_of} has not come yet. Leave out --execute to see what would go then.")
    run = PurgeRun.objects.create(
        as_of=as_of, executes=executes, asked_at=at, asked_by=by.label, asked_by_kind=by.kind, asked_by_key=by.key,
        asked_by_owner=by.owner_key,
    )  # fmt: skip
    audit.record(Verb.PURGE_ASKED, run, by=by, at=at, what=what(run), as_of=as_of)
    return run


def what(run: PurgeRun) -> str:
    """A purge or a simulation, in one word."""
    return "purge" if run.executes else "simulation"


@flow
def begin(run: PurgeRun, *, by: Actor, at: datetime) -> PurgeRun:
    """Take the run, or take it over from a worker that was lost; what it destroyed before stays counted.

    Raises PurgeUnderWay while another purge, or another worker of this one, is at work.
    """
    now = timezone.now()
    under_way = PurgeRun.objects.select_for_update().filter(state=RunState.RUNNING)
    others = under_way.filter(executes=True) if run.executes else under_way.filter(pk=run.pk)
    for other in others:
        if other.lease_until > now:
            raise PurgeUnderWay(f"{other.reference} is under way. Wait until it has ended.")
        if other.pk != run.pk:
            _end(other, RunState.STOPPED, "Its worker was lost.", by=by, at=at)
    run = PurgeRun.objects.select_for_update().get(pk=run.pk)
    if run.state not in (RunState.WAITING, RunState.RUNNING):
        raise PurgeUnderWay(f"{run.reference} has ended. Ask for a new one.")
    run.state, run.token, run.lease_until, run.looked_at = RunState.RUNNING, uuid.uuid4(), now + LEASE, 0
    gone = {rule: {"gone": told["gone"], "rows": told["rows"]} for rule, told in run.told.items() if told.get("gone")}
    run.told = gone if run.executes else {}
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:  # begun at the same moment
        raise PurgeUnderWay("Another purge is under way. Wait until it has ended.") from None
    return run


def keep(run: PurgeRun) -> None:
    """Renew the lease and write down how far it is, within the transaction that did it. Raises RunLost."""
    changes = {"lease_until": timezone.now() + LEASE, "looked_at": run.looked_at, "total": run.total, "told": run.told}
    mine = PurgeRun.objects.filter(pk=run.pk, token=run.token, state=RunState.RUNNING)
    if not mine.update(**changes):
        raise RunLost(run.reference)


@flow
def finish(run: PurgeRun, *, by: Actor, at: datetime) -> None:
    """The run is through. Raises RunLost."""
    keep(run)
    _end(run, RunState.FINISHED, "", by=by, at=at)


@flow
def stop(run: PurgeRun, why: str, *, by: Actor, at: datetime) -> None:
    """The run cannot go on; what it destroyed stays destroyed. Nothing happens when another worker has taken it."""
    mine = PurgeRun.objects.select_for_update().filter(pk=run.pk, token=run.token)
    if mine.filter(state__in=[RunState.WAITING, RunState.RUNNING]).exists():
        _end(run, RunState.STOPPED, why, by=by, at=at)


def _end(run: PurgeRun, state: RunState, why: str, *, by: Actor, at: datetime) -> None:
    run.state, run.why_stopped, run.ended_at, run.lease_until, run.token = state.value, why[:300], at, None, None
    run.save(update_fields=["state", "why_stopped", "ended_at", "lease_until", "token"])
    count = sum(told.get("gone" if run.executes else "count", 0) for told in run.told.values())
    failed = sum(told.get("failed", 0) for told in run.told.values())
    audit.record(
        Verb.PURGE_ENDED, run, by=by, at=at, state=state.value, what=what(run), as_of=run.as_of, count=count,
        failed=failed,
    )  # fmt: skip

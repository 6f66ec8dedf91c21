"""Doors of the beat: seal the audit trail, purge what is due, see that trail and clock are guarded."""

from celery import shared_task
from django.utils import timezone

from kyc_portal.records import changes, clock_watch, destruction_ledger, retention, sealing, triggers, witnesses
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER


class TrailUnguarded(Exception):
    """A trigger by which the database guards the records is gone."""


@shared_task
def purge_due_records(at=None):
    """Destroy what no rule, hold or reference keeps any longer; a day that has not come is only simulated."""
    now, today = moment(at), legal_day(timezone.now())
    as_of = legal_day(now)
    report = retention.purge_due(as_of=as_of, today=today, execute=as_of <= today, by=SCHEDULER, at=now)
    return {
        "purged": len(report.gone),
        "due": len(report.due),
        "kept": len(report.kept),
        "failed": len(report.failed),
    }


@shared_task
def watch_clock(at=None):
    """Every minute: note where the clock is, so that a jump is seen before the purge believes it."""
    watch = clock_watch.look()
    return {"jumped": watch.jumped_from is not None}


@shared_task
def complete_destruction_ledger(at=None):
    """Each night after the purge: add what the destruction ledger lacks because it was out of reach."""
    return {"added": destruction_ledger.catch_up()}


@shared_task
def check_append_only(at=None):
    """Every minute: fail loudly, so that a dead letter tells the administrator, when a trigger is missing."""
    missing = triggers.missing()
    if missing:
        raise TrailUnguarded(", ".join(missing))
    return {"triggers": len(triggers.expected())}


@shared_task
def reconcile_changes(at=None):
    """Nightly: hold what the database wrote down of each change against the trail, and name what no event explains."""
    told = changes.reconcile(by=SCHEDULER, at=moment(at))
    return {"changes": told.rows, "unexplained": told.missing}


@shared_task
def seal_pending(at=None):
    """Every five seconds: seal what waits and hand the checkpoints to the witnesses."""
    sealed = sealing.seal_pending()
    handed = witnesses.hand_over(at=moment(at))
    return {"sealed": sealed, "handed over": sum(handed.values())}

"""Doors: tell the auditors what was done under break-glass, forget sessions and log-ins that are over."""

from celery import shared_task
from django.contrib.sessions.models import Session

from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import breakglass, sessions, throttling


@shared_task
def tell_of_break_glass(at=None):
    """Each morning: one notice to each auditor with the accesses that ended since the last one."""
    return breakglass.tell_auditors(by=SCHEDULER, at=moment(at))


@shared_task
def forget_old_log_ins(at: str | None = None) -> dict:
    """Delete expired sessions, what is shown of them, and counts of refused log-ins that no lock rests on."""
    now = moment(at)
    expired, _ = Session.objects.filter(expire_date__lt=now).delete()
    return {"sessions": expired, "shown": sessions.forget_ended(), "counts": throttling.forget_old(at=now)}

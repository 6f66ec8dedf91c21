"""Hourly: forget what is left of sessions and log-ins that are over."""

from celery import shared_task
from django.contrib.sessions.models import Session

from kyc_portal.records.clock import moment
from kyc_portal.staff import sessions, throttling


@shared_task
def forget_old_log_ins(at: str | None = None) -> dict:
    """Delete expired sessions, what is shown of them, and counts of refused log-ins that no lock rests on."""
    now = moment(at)
    expired, _ = Session.objects.filter(expire_date__lt=now).delete()
    return {"sessions": expired, "shown": sessions.forget_ended(), "counts": throttling.forget_old(at=now)}

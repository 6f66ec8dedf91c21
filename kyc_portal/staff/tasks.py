"""Doors: remind of deadlines, tell auditors of break-glass accesses, forget sessions and log-ins that are over."""

from celery import shared_task
from django.contrib.sessions.models import Session

from kyc_portal.notices import reminders
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import breakglass, sessions, throttling
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.tiles import clocks_for

ANSWER_FOR_CLOCKS = ("lead reviewer", "compliance", "legal")


@shared_task
def remind_of_deadlines(at=None):
    """Each morning: tell those who answer for clocks of the clocks near or past that exist for each of them."""
    now = moment(at)
    people = StaffMember.objects.filter(is_active=True, groups__name__in=ANSWER_FOR_CLOCKS).exclude(email="")
    told = [(user.email, clocks_for(user)) for user in people.order_by("pk").distinct()]
    return reminders.remind_owners(on=legal_day(now), told=told, by=SCHEDULER, at=now)


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

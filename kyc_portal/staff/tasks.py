"""Doors: tell the auditors what was done under break-glass."""

from celery import shared_task

from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import breakglass


@shared_task
def tell_of_break_glass(at=None):
    """Each morning: one notice to each auditor with the accesses that ended since the last one."""
    return breakglass.tell_auditors(by=SCHEDULER, at=moment(at))

"""Doors: propose the end of what was not cured in time, keep the copies of CIPs whole. Each may run twice."""

from celery import shared_task

from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import cip_requests, termination


@shared_task
def enforce_cure_deadlines(at=None):
    """Each night: propose the end where a finding is past its last day (R59, T30); a person decides."""
    return termination.propose_overdue(by=SCHEDULER, at=moment(at))


@shared_task
def reconcile_cip_bundles(at=None):
    """Each night: delete folders of copies that no row names, and fail loudly when a produced one's is missing."""
    return cip_requests.reconcile()

"""Doors: what ends, opens, is compared or proposed at resellers by itself. Each may be lost or run twice."""

from celery import shared_task

from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import attestation, certification_ends, cip_requests, roster_screening, termination


@shared_task
def lapse_certifications(at=None):
    """Each night: end the certifications of customers whose last day is past."""
    now = moment(at)
    return certification_ends.lapse_due(on=legal_day(now), by=SCHEDULER, at=now)


@shared_task
def open_attestations(at=None):
    """Each night: open the yearly attestation of each reseller whose year is over."""
    now = moment(at)
    return attestation.open_due(on=legal_day(now), by=SCHEDULER, at=now)


@shared_task
def screen_rosters(at=None):
    """Each night: ask for every comparison of a roster with a list that was lost on the way."""
    return roster_screening.ask_for_waiting(by=SCHEDULER, at=moment(at))


@shared_task
def enforce_cure_deadlines(at=None):
    """Each night: propose the end where a finding is past its last day (R59, T30); a person decides."""
    return termination.propose_overdue(by=SCHEDULER, at=moment(at))


@shared_task
def reconcile_cip_bundles(at=None):
    """Each night: delete folders of copies that no row names, and fail loudly when a produced one's is missing."""
    return cip_requests.reconcile()

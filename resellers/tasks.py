"""Doors: end what lapsed, open what a year asks for. Each may be lost or run twice."""

from celery import shared_task

from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import attestation, certification_ends


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

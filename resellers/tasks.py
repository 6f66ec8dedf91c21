"""Doors of the reseller desk's nightly work. Each may be lost or run twice."""

from celery import shared_task

from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import roster_screening


@shared_task
def screen_rosters(at=None):
    """Each night: ask for every comparison of a roster with a list that was lost on the way."""
    return roster_screening.ask_for_waiting(by=SCHEDULER, at=moment(at))

"""The door that sends what is queued."""

from celery import shared_task

from kyc_portal.notices import outbox
from kyc_portal.records.clock import moment


@shared_task
def deliver_queued_notices(at=None):
    """Every minute: send the notices that wait."""
    return outbox.deliver_queued(at=moment(at))

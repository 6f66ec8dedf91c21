"""The door through which Celery wakes the queue."""

from celery import shared_task

from kyc_portal.records.clock import moment
from kyc_portal.work import queue


@shared_task
def run_due_jobs(at=None):
    """Every 15 seconds: do the jobs that are due."""
    return queue.run_due(moment(at))

"""Doors: send what is queued, remind of deadlines."""

from celery import shared_task
from django.contrib.auth import get_user_model

from kyc_portal.notices import outbox, reminders
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER


@shared_task
def deliver_queued_notices(at=None):
    """Every minute: send the notices that wait."""
    return outbox.deliver_queued(at=moment(at))


@shared_task
def remind_of_deadlines(at=None):
    """Each morning: tell those who answer for clocks which are near or past."""
    now = moment(at)
    people = get_user_model().objects.filter(is_active=True, groups__name__in=["lead reviewer", "compliance", "legal"])
    addresses = people.exclude(email="").values_list("email", flat=True)
    return reminders.remind_owners(on=legal_day(now), addresses=addresses, by=SCHEDULER, at=now)

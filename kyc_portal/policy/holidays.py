"""Enter the days that are no business days; business-day clocks started from then on leave them out."""

from datetime import date, datetime

from kyc_portal.policy.models import Holiday
from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class AlreadyEntered(Refusal):
    """The day is in the table."""


@flow
def add_holiday(*, day: date, title: str, by: Actor, at: datetime) -> Holiday:
    """Enter one day; clocks that run keep the due day that was announced. Raises AlreadyEntered."""
    holiday, is_new = Holiday.objects.get_or_create(day=day, defaults={"title": title})
    if not is_new:
        raise AlreadyEntered(f"{day} is entered as “{holiday.title}” already.")
    audit.record(Verb.HOLIDAY_ADDED, holiday, by=by, at=at, day=day)
    return holiday

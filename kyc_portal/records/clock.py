"""The clock of tasks and commands: now, or the day a person named; days of the law in one zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def moment(at: str | None) -> datetime:
    """Now, or the moment given as ISO 8601 text with its zone."""
    return datetime.fromisoformat(at) if at else timezone.now()


def legal_day(at: datetime):
    """The day of this moment in the zone in which days of the law are counted."""
    return timezone.localdate(at, ZoneInfo(settings.LEGAL_TIME_ZONE))

"""The clock of tasks and commands: now, or the day a person named; days of the law in one zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def moment(at: str | None) -> datetime:
    """Now, or the moment given as ISO 8601 text; raises ValueError when the text names no zone."""
    if not at:
        return timezone.now()
    named = datetime.fromisoformat(at)
    if named.tzinfo is None:
        raise ValueError("A moment needs its zone, for example 2026-03-02T12:00:00+00:00.")
    return named


def legal_day(at: datetime):
    """The day of this moment in the zone in which days of the law are counted."""
    return timezone.localdate(at, ZoneInfo(settings.LEGAL_TIME_ZONE))

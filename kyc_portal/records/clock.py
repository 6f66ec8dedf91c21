"""The clock of tasks and commands: now, or the day a person named; days of the law in one zone."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from kyc_portal.refusal import Refusal

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
EARLIEST = date(1900, 1, 1)


class BadDay(Refusal):
    """The text of an argument is not a day by which something can be judged."""


def named_day(text: str) -> date:
    """Read the day somebody typed at a command, YYYY-MM-DD from 1900; Python alone would also take 2026-W10-1."""
    try:
        day = date.fromisoformat(text) if DAY.match(text) else None
    except ValueError:
        day = None
    if day is None or day < EARLIEST:
        shown = ascii(text[:40])[1:-1][:80]
        raise BadDay(f"“{shown}” is not a day from 1900 on. Write it as YYYY-MM-DD, for example 2026-03-02.")
    return day


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

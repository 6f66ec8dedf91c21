"""The hours of the day in which something was done, from the masks of the days of access (R18)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOURS = 24


def days_by_hour(days: Iterable[tuple[date, int]], zone: tzinfo) -> list[int]:
    """On how many days of a zone something was done in each of its 24 hours.

    `days` are (day in UTC, mask of its hours in UTC: bit h for the hour from h). Where a zone lies off the full hour,
    an hour is counted as the one in which it begins.
    """
    seen = set()
    for day, mask in days:
        midnight = datetime.combine(day, time(), UTC)
        for hour in range(HOURS):
            if mask >> hour & 1:
                here = (midnight + timedelta(hours=hour)).astimezone(zone)
                seen.add((here.date(), here.hour))
    counts = [0] * HOURS
    for _, hour in seen:
        counts[hour] += 1
    return counts


def offset_on(day: date, zone: tzinfo) -> timedelta:
    """How far a zone is ahead of UTC at noon of a day."""
    return datetime.combine(day, time(12), UTC).astimezone(zone).utcoffset() or timedelta()


def offset_in_words(offset: timedelta) -> str:
    """ "UTC", "UTC+5:30", "UTC-4"."""
    minutes = int(offset.total_seconds() // 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")

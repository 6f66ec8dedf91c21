"""Days and moments as text: ISO 8601 only, moments always with a zone (trust.md D2, D3, D6, D8)."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?\Z"
)
# As most systems write it; the library reads it as it is.
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?Z\Z")
_WIDEST_OFFSET = timedelta(hours=14)


class BadMoment(Refusal):
    """The text is not a day, or not one moment in time."""


def read_day(text: str) -> date:
    """Read YYYY-MM-DD; any other order or a day that no calendar holds is refused (D2, D6)."""
    if not _DAY.match(text):
        raise BadMoment(f'"{shown(text)}" is not a date. Write it as YYYY-MM-DD.')
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadMoment(f'"{shown(text)}" is not a day of the calendar. Check year, month and day.') from error


def read_moment(text: str) -> datetime:
    """Read an ISO 8601 moment with a zone and return it in UTC; digits beyond microseconds are cut off (D8).

    A leap second (23:59:60 UTC, only ever at the end of a month) becomes the microsecond before the next day, because
    no clock of ours can show it.
    """
    if _PLAIN.match(text):
        with suppress(ValueError):  # a day no calendar holds: said below
            return datetime.fromisoformat(text)
    found = _MOMENT.match(text)
    if not found:
        raise BadMoment(f'"{shown(text)}" is not a moment. Write it as 2026-03-02T14:05:00Z.')
    if not found["zone"]:
        raise BadMoment(f'"{shown(text)}" has no time zone. Add Z or an offset such as +02:00.')
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    time = found["time"] if found["time"].count(":") == 2 else found["time"] + ":00"
    zone = "+00:00" if found["zone"] in "Zz" else found["zone"]
    is_leap = time.endswith(":60")
    if is_leap:
        time, fraction = time.removesuffix("60") + "59", "999999"
    try:
        local = datetime.fromisoformat(f"{found['day']}T{time}.{fraction}{zone}")
        moment = local.astimezone(UTC)
        is_odd = is_leap and not _ends_a_month(moment)
    except (ValueError, OverflowError) as error:
        raise BadMoment(f'"{shown(text)}" is not a moment of the calendar. Check day, time and offset.') from error
    if abs(local.utcoffset()) > _WIDEST_OFFSET or found["time"].startswith("24") or is_odd:
        raise BadMoment(f'"{shown(text)}" is not a moment of the calendar. Check day, time and offset.')
    return moment


def _ends_a_month(moment: datetime) -> bool:
    """Whether the next second begins a month, UTC."""
    following = moment.replace(microsecond=0) + timedelta(seconds=1)
    return (following.day, following.hour, following.minute, following.second) == (1, 0, 0, 0)

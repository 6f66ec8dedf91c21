"""What the exchange formats of a bundle share: they are made from what its recipient may see, never from the records.

A value that was blacked out stays out of them; the redaction log says so. Of a shortened birth date the year remains.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

Row = Mapping[str, object]
Tables = Mapping[str, Sequence[Row]]

MARK = re.compile(r"\[redacted [A-Z][0-9]+\]$")
YEAR = re.compile(r"([0-9]{4}) \[redacted [A-Z][0-9]+\]")


def seen(value: object) -> str:
    """A value as text; "" for none and for what was blacked out, in whole or in part."""
    if value is None or isinstance(value, bool):
        return ""
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    return "" if MARK.search(text) else text.strip()


def seen_date(value: object) -> str:
    """A date as YYYY-MM-DD, or YYYY where only the year may be told; else ""."""
    if match := YEAR.fullmatch(str(value or "")):
        return match[1]
    text = seen(value)[:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def seen_country(value: object) -> str:
    """A country as two capital letters, or "" (also for XX, a place nobody knows)."""
    text = seen(value).upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() and text != "XX" else ""


def moment(value: datetime) -> str:
    """A moment in UTC with milliseconds, as STIX and OpenID write it."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def filled(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Only what says something."""
    return {name: value for name, value in pairs if value not in ("", None, [], {})}

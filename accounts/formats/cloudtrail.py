"""Cloud access logs in the CloudTrail layout into access lines, nothing lost (regulation T23).

A file holds {"Records": [...]}, plain or gzip-compressed. Sign-ins and read-only events are access, everything else is
an administrative act: the service itself marks with `readOnly` what changed nothing. A source that is no address (a
service's name, "AWS Internal") is kept as it stands. A port is not told.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.formats.access_lines import AccessLine, BadLine, first_text, read_events, require, text_at
from accounts.formats.json_records import read_records
from accounts.formats.packed import unpacked

# The service cuts its files at 50 MB; four times that is no log file but a mistake or a trap.
LARGEST_FILE = 200_000_000
SOURCE_SYSTEM = "cloudtrail"
LISTS = ("Records",)

_SIGN_IN_SOURCES = frozenset({"signin.amazonaws.com", "sso.amazonaws.com"})
_SIGN_IN_EVENTS = frozenset({"ConsoleLogin", "SwitchRole", "CheckMfa", "Authenticate", "UserAuthentication"})


def read(
    stream: BinaryIO, name: str, encoding: str | None = None, largest: int = LARGEST_FILE
) -> Iterator[AccessLine | BadLine]:
    """Yield one AccessLine or BadLine per record, numbered from 1 in file order.

    `name` stands in refusals. AccessFileRefused is raised, perhaps while the lines are being taken, when the file is
    not such a log, is damaged or cut off, or unpacks to more than `largest` bytes.
    """
    return read_events(read_records(unpacked(stream, name, largest), name, LISTS, bare=False), _describe)


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event of unknown origin is one of these."""
    return {"eventTime", "eventName"} <= event.keys() and bool({"eventSource", "eventID"} & event.keys())


def _describe(record: dict[str, Any]) -> dict[str, str]:
    values = {
        "event_id": text_at(record, "eventID"),
        "at": text_at(record, "eventTime"),
        "kind": "access" if _is_access(record) else "admin",
        "action": text_at(record, "eventName"),
        "principal": _principal(record),
        "source": text_at(record, "sourceIPAddress"),
        "source_system": SOURCE_SYSTEM,
        "account": text_at(record, "recipientAccountId"),
        "user_agent": text_at(record, "userAgent"),
        "region": text_at(record, "awsRegion"),
    }
    require(record, "eventID", "eventTime", "eventName")
    source = record.get("eventSource")
    service = source.removesuffix(".amazonaws.com") if isinstance(source, str) else ""
    return values | {"action": f"{service}:{values['action']}"} if service else values


def _is_access(record: dict[str, Any]) -> bool:
    if record.get("readOnly") is True or record.get("eventType") == "AwsConsoleSignIn":
        return True
    source, name = record.get("eventSource"), record.get("eventName")
    return isinstance(source, str) and source in _SIGN_IN_SOURCES and name in _SIGN_IN_EVENTS


def _principal(record: dict[str, Any]) -> str:
    keys = ("arn", "invokedBy", "principalId", "userName", "accountId", "type")
    return first_text(record, *(("userIdentity", key) for key in keys))

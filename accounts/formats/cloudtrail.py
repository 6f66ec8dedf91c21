"""Cloud access logs in the CloudTrail layout into access lines, nothing lost (regulation T23).

A file holds {"Records": [...]}, plain or gzip-compressed. Sign-ins and read-only events are access, everything else is
an administrative act. A source that is no address (a service's name, "AWS Internal") is kept as it stands.
"""

import gzip
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.formats.access_lines import (
    AccessFileRefused,
    AccessLine,
    BadLine,
    RepeatedKey,
    build_line,
    load_json,
)
from accounts.formats.text import shown

# The service cuts its files at 50 MB; four times that is no log file but a mistake or a trap.
LARGEST_FILE = 200_000_000
SOURCE_SYSTEM = "cloudtrail"

_SIGN_IN_SOURCES = frozenset({"signin.amazonaws.com", "sso.amazonaws.com"})
_SIGN_IN_EVENTS = frozenset({"ConsoleLogin", "SwitchRole", "CheckMfa", "Authenticate", "UserAuthentication"})
_TEXTS = ("eventID", "eventTime", "eventName", "sourceIPAddress", "userAgent", "awsRegion", "recipientAccountId")


def read_lines(stream: BinaryIO, name: str, largest: int = LARGEST_FILE) -> Iterator[AccessLine | BadLine]:
    """Yield one AccessLine or BadLine per record, numbered from 1 in file order.

    `name` stands in refusals. AccessFileRefused is raised at once when the file is not such a log, is damaged, or
    unpacks to more than `largest` bytes.
    """
    records = _load_records(stream, name, largest)
    return (_read_record(number, record) for number, record in enumerate(records, start=1))


def _load_records(stream: BinaryIO, name: str, largest: int) -> list[Any]:
    place = shown(name)
    try:
        document = load_json(_read_limited(stream, place, largest).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise AccessFileRefused(f"{place} is not valid UTF-8. Fetch the log file again.") from error
    except RepeatedKey as error:
        raise AccessFileRefused(f"{place}: {error} Fetch the log file again.") from error
    except ValueError as error:
        raise AccessFileRefused(f"{place} is not valid JSON, perhaps cut off. Fetch the log file again.") from error
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise AccessFileRefused(f'{place} has no list named "Records". Give a log file as the service delivered it.')
    return records


def _read_limited(stream: BinaryIO, place: str, largest: int) -> bytes:
    head = stream.read(2)
    try:
        if head == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=_Joined(head, stream)) as unpacked:
                content = unpacked.read(largest + 1)
        else:
            content = head + stream.read(largest + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise AccessFileRefused(f"{place} cannot be unpacked, perhaps cut off. Fetch the log file again.") from error
    if len(content) > largest:
        raise AccessFileRefused(f"{place} holds more than {largest:,} bytes. Split it into smaller files.")
    if not content.strip():
        raise AccessFileRefused(f"{place} is empty. Give a log file as the service delivered it.")
    return content


class _Joined:
    """A stream whose first bytes were already taken; saves us asking every source to rewind."""

    def __init__(self, head: bytes, rest: BinaryIO):
        self.head, self.rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if not self.head:
            return self.rest.read(size)
        part, self.head = (self.head, b"") if size < 0 else (self.head[:size], self.head[size:])
        return part


def _read_record(number: int, record: Any) -> AccessLine | BadLine:
    if not isinstance(record, dict):
        return BadLine(number, "The record is not a JSON object.")
    for key in _TEXTS:
        if not isinstance(record.get(key) or "", str):
            return BadLine(number, f"{key} is not a text.")
    if missing := [key for key in ("eventID", "eventTime", "eventName") if not record.get(key)]:
        return BadLine(number, f"The record lacks {', '.join(missing)}.")
    return build_line(
        number,
        {
            "event_id": record["eventID"],
            "at": record["eventTime"],
            "kind": "access" if _is_access(record) else "admin",
            "action": _action(record),
            "principal": _principal(record),
            "source": record.get("sourceIPAddress") or "",
            "source_system": SOURCE_SYSTEM,
            "account": record.get("recipientAccountId") or "",
            "user_agent": record.get("userAgent") or "",
            "region": record.get("awsRegion") or "",
        },
    )


def _is_access(record: dict[str, Any]) -> bool:
    if record.get("readOnly") is True or record.get("eventType") == "AwsConsoleSignIn":
        return True
    source, name = record.get("eventSource"), record.get("eventName")
    return isinstance(source, str) and source in _SIGN_IN_SOURCES and name in _SIGN_IN_EVENTS


def _action(record: dict[str, Any]) -> str:
    source = record.get("eventSource")
    service = source.removesuffix(".amazonaws.com") if isinstance(source, str) else ""
    return f"{service}:{record['eventName']}" if service else record["eventName"]


def _principal(record: dict[str, Any]) -> str:
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        return ""
    keys = ("arn", "invokedBy", "principalId", "userName", "accountId", "type")
    return next((identity[key] for key in keys if isinstance(identity.get(key), str) and identity[key]), "")

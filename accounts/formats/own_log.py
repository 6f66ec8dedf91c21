"""Access records in our own layout, as lines of JSON or as a CSV table (design: formats).

Columns, the same in both forms: event_id (unique in its source system), at (ISO 8601 with zone), kind (access or
admin), action, principal (who), source (the address, or whatever stood there), source_system; optionally account,
user_agent, region, port.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from accounts.formats.access_lines import (
    OPTIONAL,
    REQUIRED,
    AccessLine,
    BadEvent,
    BadLine,
    build_line,
    content_of,
    read_events,
)
from accounts.formats.json_records import read_lines
from accounts.formats.packed import is_packed, unpacked
from accounts.formats.tables import DEFAULT_LIMITS, BadRow, Columns, Row, read_table
from accounts.formats.text import shown

COLUMNS = Columns(required=REQUIRED, optional=OPTIONAL, codes=("event_id", "account"))
_KNOWN, _NEEDED = frozenset(COLUMNS.known), frozenset(REQUIRED)


def read_jsonl(stream: BinaryIO, name: str = "", encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Read one JSON object per line, UTF-8; each line that is not blank yields an AccessLine or a BadLine."""
    return read_events(read_lines(unpacked(stream, name)), _describe)


def read_csv(source: Path | BinaryIO, name: str = "", encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Read the CSV form; TableRefused is raised at once when the file as a whole is wrong."""
    rows = read_packed_table(source, name, COLUMNS, encoding)
    return (_line_of(row) for row in rows)


def read_packed_table(
    source: Path | BinaryIO, name: str, columns: Columns, encoding: str | None
) -> Iterator[Row | BadRow]:
    """Read a table that may be packed with gzip; TableRefused and AccessFileRefused are raised at once."""
    if not isinstance(source, Path) and (not source.seekable() or is_packed(source, name)):
        source = unpacked(source, name, DEFAULT_LIMITS.size)
    return read_table(source, columns, DEFAULT_LIMITS, encoding)


def _line_of(row: Row | BadRow) -> AccessLine | BadLine:
    if isinstance(row, BadRow):
        return BadLine(row.line, row.reason, content_of(row.sent))
    return build_line(row.line, row.values, row.sent)


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event of unknown origin has our own columns."""
    return {"event_id", "at", "kind", "source_system"} <= event.keys()


def _describe(event: dict[str, Any]) -> dict[str, str]:
    if event.keys() <= _KNOWN and event.keys() >= _NEEDED and set(map(type, event.values())) == {str}:
        return event  # nearly every event: what follows finds out what is wrong with the others
    if missing := [name for name in REQUIRED if name not in event]:
        raise BadEvent(f"The event lacks {', '.join(missing)}.")
    if unknown := [name for name in event if name not in COLUMNS.known]:
        raise BadEvent(f"The event has the unknown key {shown(unknown[0])}.")
    port = event.get("port", "")
    values = {**event, "port": str(port)} if isinstance(port, int) and not isinstance(port, bool) else event
    if wrong := [name for name, value in values.items() if not isinstance(value, str)]:
        raise BadEvent(f"{wrong[0]} is not a text. Put it into quotation marks.")
    return values

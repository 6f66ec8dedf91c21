"""The files inside an evidence bundle, from plain values to bytes (requirement R114; threat TH29).

Moments are written in UTC as ISO 8601 with a final Z, keys of JSON are sorted, CSV follows RFC 4180 in UTF-8. Text that
a spreadsheet would run as a formula is neutralised in CSV only; the JSON beside it holds it as it was.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from accounts.formats.text import neutralised

CUSTODY_COLUMNS = ("path", "added_at", "added_by", "origin", "sha256")
ACCESS_COLUMNS = ("at", "account", "kind", "address", "raw_source", "batch")


@dataclass(frozen=True)
class CustodyEntry:
    """One file's way into the bundle: who added it when, where it came from, and its SHA-256 in hexadecimal."""

    path: str
    added_at: datetime
    added_by: str
    origin: str
    sha256: str


@dataclass(frozen=True)
class IndexedFile:
    """One line of the page a recipient opens first; `href` is relative to that page."""

    href: str
    title: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RedactionNote:
    """One redaction as the recipient reads it: what is missing, under which code, and what the code means."""

    place: str
    code: str
    meaning: str


@dataclass(frozen=True)
class IndexPage:
    """What the page a recipient opens first is filled with; the page itself is a template."""

    reference: str
    case_reference: str
    recipient: str
    ground: str
    built_at: datetime
    key_id: str
    files: tuple[IndexedFile, ...]
    redactions: tuple[RedactionNote, ...] = ()
    provider: str = ""
    collected_at: datetime | None = None
    approved_at: datetime | None = None
    request: tuple[tuple[str, str], ...] = ()  # what it answers, as labels with values

    @property
    def total_bytes(self) -> int:
        """Bytes of all listed files together."""
        return sum(file.size for file in self.files)


def plain(value: object) -> object:
    """Turn a value into what JSON knows. Raises ValueError for a moment without a zone, TypeError for unknown types."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | IPv4Address | IPv6Address):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    raise TypeError(f"A bundle file cannot hold a {type(value).__name__}.")


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError("A moment without a time zone cannot stand in a bundle.")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def json_document(value: object) -> bytes:
    """One readable JSON document with sorted keys and a final line end."""
    return (json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True) + "\n").encode()


def jsonl_lines(rows: Iterable[object]) -> Iterator[bytes]:
    """One compact JSON document with sorted keys a line; reads `rows` one at a time."""
    for row in rows:
        text = json.dumps(plain(row), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        yield text.encode() + b"\n"


def _cell(value: object) -> object:
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):  # a negative number is no formula
        return value
    value = plain(value)
    return neutralised(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A CSV table, one line at a time. Raises ValueError when a row is not as long as the header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)

    def line(cells: Iterable[object]) -> bytes:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([_cell(cell) for cell in cells])
        return buffer.getvalue().encode()

    yield line(header)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"Row {number} has {len(row)} cells, the header {len(header)}.")
        yield line(row)


def picked(columns: Sequence[str], records: Iterable[Mapping | object]) -> Iterator[dict[str, object]]:
    """Cut each record (mapping or dataclass) down to these columns; KeyError or AttributeError if one is missing."""
    for record in records:
        yield {name: record[name] if isinstance(record, Mapping) else getattr(record, name) for name in columns}


def table_csv(columns: Sequence[str], records: Iterable[Mapping | object]) -> Iterator[bytes]:
    """Records as CSV under these columns, streamed: access records, custody, lists of decisions."""
    return csv_lines(columns, (tuple(row.values()) for row in picked(columns, records)))


def table_jsonl(columns: Sequence[str], records: Iterable[Mapping | object]) -> Iterator[bytes]:
    """The same records as JSON lines, streamed."""
    return jsonl_lines(picked(columns, records))


def custody_document(entries: Iterable[CustodyEntry]) -> bytes:
    """custody.json: every file with who added it, when, from where, and its digest, sorted by path."""
    return json_document({"files": sorted(picked(CUSTODY_COLUMNS, entries), key=lambda row: row["path"])})


def custody_table(entries: Iterable[CustodyEntry]) -> Iterator[bytes]:
    """custody.csv: the same as a table."""
    return table_csv(CUSTODY_COLUMNS, sorted(entries, key=lambda entry: entry.path))

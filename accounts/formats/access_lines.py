"""Access records from other systems, as lines of JSON or as a CSV table (design: formats; trust.md C2, D8, E1-E6, F8).

Columns, the same in both forms: event_id (unique in its source system), at (ISO 8601 with zone), kind (access or
admin), action, principal (who), source (the address, or whatever stood there), source_system; optionally account,
user_agent, region.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from accounts.formats.addresses import parse_address
from accounts.formats.moments import BadMoment, read_moment
from accounts.formats.tables import DEFAULT_LIMITS, BadRow, Columns, read_table
from accounts.formats.text import find_fault, is_blank, shown
from kyc_portal.refusal import Refusal

KINDS = ("access", "admin")
REQUIRED = ("event_id", "at", "kind", "action", "principal", "source", "source_system")
OPTIONAL = ("account", "user_agent", "region")
COLUMNS = Columns(required=REQUIRED, optional=OPTIONAL, codes=("event_id", "account"))
LONGEST_VALUE = 2_000
LONGEST_LINE = 1 << 20

_MAY_BE_EMPTY = frozenset({"source", "principal", *OPTIONAL})


class AccessFileRefused(Refusal):
    """The file as a whole is not an access log."""


@dataclass(frozen=True)
class AccessLine:
    """One access or administrative act: when (UTC), by whom, from where.

    `line` is the line of the file, or the number of the event in it from 1. `address` is the canonical address or None
    when `raw_source`, which is kept as it stood, is not one (T23). `account` is the source system's own key of it.
    """

    line: int
    event_id: str
    at: datetime
    kind: str
    action: str
    principal: str
    address: str | None
    raw_source: str
    source_system: str
    account: str = ""
    user_agent: str = ""
    region: str = ""
    port: int | None = None


@dataclass(frozen=True)
class BadLine:
    """One line or event that cannot be used, why, as a sentence, and how it was sent (at most LONGEST_CONTENT)."""

    line: int
    reason: str
    content: str = ""


class RepeatedKey(ValueError):
    """A JSON object names the same key twice, so nobody can say which value was meant (F8)."""


def read_jsonl(stream: BinaryIO) -> Iterator[AccessLine | BadLine]:
    """Read one JSON object per line, UTF-8; each line that is not blank yields an AccessLine or a BadLine."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            _skip_line(stream, line)
            yield BadLine(number, f"The line is longer than {LONGEST_LINE:,} bytes.")
        elif line.strip(b" \t\r\n\x1a") and not (number == 1 and line.strip() == b"\xef\xbb\xbf"):
            yield _read_json_line(number, line)


def read_csv(source: Path | BinaryIO, encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Read the CSV form; TableRefused is raised at once when the file as a whole is wrong."""
    rows = read_table(source, COLUMNS, DEFAULT_LIMITS, encoding)
    return (
        BadLine(row.line, row.reason) if isinstance(row, BadRow) else build_line(row.line, row.values) for row in rows
    )


def build_line(line: int, values: dict[str, str]) -> AccessLine | BadLine:
    """Check the texts of one event, keyed by column name, and build its line; other keys must not be there."""
    for name in REQUIRED + OPTIONAL:
        value = values.get(name, "")
        if fault := find_fault(value, LONGEST_VALUE):
            return BadLine(line, f"{name} {fault}.")
        if is_blank(value) and name not in _MAY_BE_EMPTY:
            return BadLine(line, f"{name} is empty. Every event needs one.")
    if values["kind"] not in KINDS:
        return BadLine(line, f'kind is "{shown(values["kind"])}". It must be access or admin.')
    try:
        at = read_moment(values["at"].strip())
    except BadMoment as refusal:
        return BadLine(line, f"at: {refusal}")
    return AccessLine(
        line=line,
        event_id=values["event_id"],
        at=at,
        kind=values["kind"],
        action=values["action"],
        principal=values.get("principal", ""),
        address=parse_address(values.get("source", "").strip()),
        raw_source=values.get("source", ""),
        source_system=values["source_system"],
        **{name: values.get(name, "") for name in OPTIONAL},
    )


def load_json(text: str | bytes) -> Any:
    """Parse JSON; ValueError for anything that is not JSON, not UTF-8, nested too deep or names a key twice (F8)."""
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _read_json_line(number: int, line: bytes) -> AccessLine | BadLine:
    try:
        event = load_json(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return BadLine(number, "The line is not valid UTF-8.")
    except RepeatedKey as error:
        return BadLine(number, str(error))
    except ValueError:
        return BadLine(number, "The line is not valid JSON.")
    if not isinstance(event, dict):
        return BadLine(number, "The line is not a JSON object.")
    if missing := [name for name in REQUIRED if name not in event]:
        return BadLine(number, f"The event lacks {', '.join(missing)}.")
    if unknown := [name for name in event if name not in COLUMNS.known]:
        return BadLine(number, f"The event has the unknown key {shown(unknown[0])}.")
    if wrong := [name for name, value in event.items() if not isinstance(value, str)]:
        return BadLine(number, f"{wrong[0]} is not a text. Put it into quotation marks.")
    return build_line(number, event)


def _skip_line(stream: BinaryIO, part: bytes) -> None:
    while part and not part.endswith(b"\n"):
        part = stream.readline(LONGEST_LINE)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise RepeatedKey(f"The key {shown(doubled)} stands twice in one object.")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")

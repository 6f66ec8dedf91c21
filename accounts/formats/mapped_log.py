"""Access logs of any system, read by a mapping that somebody declared.

A mapping is a small JSON file: which of their columns, or which place in their objects, is which of ours.

    {"form": "jsonl", "constants": {"source_system": "storage-gateway"},
     "columns": {"event_id": "id", "at": "when.start", "kind": "verb", "action": "verb", "principal": "user.login",
                 "source": "client.address", "port": "client.port", "account": "tenant"},
     "kinds": {"GET": "access", "LOGIN": "access"}, "other_kinds": "admin", "moments": "iso"}

A place is a dotted path, or a list of keys where a key holds a dot; a number takes one of a list. In a table ("csv") a
column is named as it stands. `moments` may be "unix seconds" or "unix milliseconds".
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from accounts.formats.access_lines import (
    KINDS,
    OPTIONAL,
    REQUIRED,
    AccessLine,
    BadEvent,
    BadLine,
    build_line,
    content_of,
    load_json,
    read_events,
)
from accounts.formats.json_records import read_records
from accounts.formats.own_log import read_packed_table
from accounts.formats.packed import unpacked
from accounts.formats.tables import BadRow, Columns
from accounts.formats.text import find_fault, is_blank, shown
from kyc_portal.refusal import Refusal

LARGEST_MAPPING = 100_000
FORMS = ("jsonl", "csv")
ISO, SECONDS, MILLISECONDS = "iso", "unix seconds", "unix milliseconds"
MOMENTS = (ISO, SECONDS, MILLISECONDS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PARTS = {"form", "columns", "constants", "kinds", "other_kinds", "moments"}
_NEEDED = ("event_id", "at", "kind", "action", "source", "source_system")
_LONGEST = 200


class MappingRefused(Refusal):
    """The mapping does not say, or says wrongly, which of their columns is which of ours."""


@dataclass(frozen=True)
class Mapping:
    """A mapping that was found right: our column -> the keys that lead to theirs, or what always stands there."""

    form: str
    places: dict[str, tuple[str, ...]]
    constants: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)
    other_kinds: str = ""
    moments: str = ISO


def reader_from(path: Path) -> "MappedReader":
    """The reader of logs that the mapping in this file describes; MappingRefused where it is wrong or not there."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise MappingRefused(
            f"The mapping {shown(path.name)} cannot be read. Check the file's name and its rights."
        ) from error
    return MappedReader(read_mapping(content, path.name))


def read_mapping(content: bytes, name: str) -> Mapping:
    """Read a mapping; MappingRefused with `name` and what to mend where it is wrong."""
    try:
        return _read(content)
    except BadEvent as fault:
        raise MappingRefused(f"The mapping {shown(name)} is wrong: {fault}") from None


@dataclass(frozen=True)
class MappedReader:
    """Reads logs as a mapping describes; a Reader like those of access_formats.FORMATS."""

    mapping: Mapping

    @cached_property
    def sha256(self) -> str:
        """The hash of what the mapping says, however it is written down: spaces and the order of names do not count."""
        return hashlib.sha256(json.dumps(asdict(self.mapping), sort_keys=True).encode()).hexdigest()

    def __call__(self, stream: BinaryIO, name: str, encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
        mapping = self.mapping
        if mapping.form == "jsonl":
            return read_events(
                read_records(unpacked(stream, name), name, ()), lambda event: _describe(mapping, event, _at)
            )
        required = tuple(dict.fromkeys(path[0] for path in mapping.places.values()))
        rows = read_packed_table(stream, name, Columns(required=required, others=True), encoding)
        return (_line_of(mapping, row) for row in rows)


def _line_of(mapping: Mapping, row: Any) -> AccessLine | BadLine:
    if isinstance(row, BadRow):
        return BadLine(row.line, row.reason, content_of(row.sent))
    try:
        values = _describe(mapping, row.values, lambda values, path: values[path[0]])
    except BadEvent as fault:
        return BadLine(row.line, str(fault), content_of(row.sent))
    return build_line(row.line, values, row.sent)


def _describe(mapping: Mapping, event: dict[str, Any], look_up: Any) -> dict[str, str]:
    values = mapping.constants | {ours: _as_text(ours, look_up(event, path)) for ours, path in mapping.places.items()}
    if "kind" in mapping.places and mapping.kinds:
        found = mapping.kinds.get(values["kind"], mapping.other_kinds)
        if not found:
            raise BadEvent(f'kind is "{shown(values["kind"])}", which stands in no row of the mapping\'s kinds.')
        values["kind"] = found
    if mapping.moments != ISO:
        values["at"] = _moment_of(values["at"], mapping.moments)
    return values


def _at(event: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path; None where it leads nowhere."""
    for key in path:
        if isinstance(event, dict):
            event = event.get(key)
        elif isinstance(event, list) and key.isdecimal() and key.isascii() and len(key) < 6 and int(key) < len(event):
            event = event[int(key)]
        else:
            return None
    return event


def _as_text(ours: str, value: Any) -> str:
    """Texts as they are, numbers and yes or no as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise BadEvent(f"{ours}: an object or a list stands there, no value. Name a place within it.")


def _moment_of(text: str, unit: str) -> str:
    """ISO 8601 of a count since 1970, exact to the microsecond."""
    whole, _, fraction = text.strip().partition(".")
    digits = whole + fraction
    if not digits.isascii() or not digits.isdecimal() or not whole or len(whole) > 14:
        raise BadEvent(f'at is "{shown(text)}". It must be a number of {unit}.')
    per_unit = 1_000_000 if unit == SECONDS else 1_000
    places = 6 if unit == SECONDS else 3
    count = int(whole) * per_unit + int(fraction[:places].ljust(places, "0") or 0)
    try:
        return (EPOCH + timedelta(microseconds=count)).isoformat()
    except OverflowError:
        raise BadEvent(f'at is "{shown(text)}", which is no moment of the calendar in {unit}.') from None


def _read(content: bytes) -> Mapping:
    if len(content) > LARGEST_MAPPING:
        raise BadEvent(f"it is larger than {LARGEST_MAPPING:,} bytes.")
    try:
        given = load_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadEvent("it is not valid UTF-8.") from None
    except ValueError as error:
        raise BadEvent(f"it is not valid JSON ({error}).") from None
    if not isinstance(given, dict):
        raise BadEvent("it is not a JSON object.")
    if unknown := sorted(set(given) - _PARTS):
        raise BadEvent(f"the part {shown(unknown[0])} is not known. Known are {', '.join(sorted(_PARTS))}.")
    form = _one_of("form", given.get("form"), FORMS)
    columns, constants = _object(given, "columns"), _object(given, "constants")
    _check_names(columns, constants)
    mapping = Mapping(
        form=form,
        places={ours: _place(ours, theirs, form) for ours, theirs in columns.items()},
        constants={ours: _word(f"constants.{ours}", value) for ours, value in constants.items()},
        kinds={
            _word("kinds", theirs): _one_of(f"kinds.{shown(theirs)}", kind, KINDS)
            for theirs, kind in _object(given, "kinds").items()
        },
        other_kinds=_one_of("other_kinds", given["other_kinds"], KINDS) if "other_kinds" in given else "",
        moments=_one_of("moments", given.get("moments", ISO), MOMENTS),
    )
    _check_sense(mapping)
    return mapping


def _check_names(columns: dict, constants: dict) -> None:
    known = REQUIRED + OPTIONAL
    if unknown := [name for name in (*columns, *constants) if name not in known]:
        raise BadEvent(f"{shown(unknown[0])} is none of our columns. They are {', '.join(known)}.")
    if doubled := [name for name in columns if name in constants]:
        raise BadEvent(f"{doubled[0]} stands both under columns and under constants. Remove one.")
    if missing := [name for name in _NEEDED if name not in columns and name not in constants]:
        raise BadEvent(f"it does not say where {', '.join(missing)} comes from. Name a column or a constant.")
    for name in ("event_id", "at"):
        if name in constants:
            raise BadEvent(f"{name} cannot be the same for every event. Name a column.")


def _check_sense(mapping: Mapping) -> None:
    """What is right in each part, and wrong together."""
    if "kind" in mapping.constants:
        _one_of("constants.kind", mapping.constants["kind"], KINDS)
    if (mapping.kinds or mapping.other_kinds) and "kind" in mapping.constants:
        raise BadEvent("kind is a constant, so that kinds and other_kinds say nothing. Remove one.")
    if mapping.other_kinds and not mapping.kinds:
        raise BadEvent("other_kinds without kinds says nothing. Make kind a constant instead.")


def _object(given: dict, name: str) -> dict:
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise BadEvent(f"{name} is not an object.")
    return found


def _place(ours: str, theirs: Any, form: str) -> tuple[str, ...]:
    if form == "csv":
        return (_word(f"columns.{ours}", theirs),)
    keys = theirs.split(".") if isinstance(theirs, str) else theirs
    if not isinstance(keys, list) or not keys:
        raise BadEvent(f"columns.{ours} is neither a dotted path nor a list of keys.")
    return tuple(_word(f"columns.{ours}", key) for key in keys)


def _word(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadEvent(f"{place} is not a text.")
    if is_blank(value):
        raise BadEvent(f"{place} is empty, or has an empty part.")
    if fault := find_fault(value, _LONGEST, one_line=True):
        raise BadEvent(f"{place} {fault}.")
    return value


def _one_of(place: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        told = f'"{shown(value)}"' if isinstance(value, str) else "not a text"
        raise BadEvent(f"{place} is {told}. It must be {' or '.join(allowed)}.")
    return value

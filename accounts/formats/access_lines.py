"""One access or administrative act, from whatever log: what every reader yields (trust.md C2, D8, E1-E6, F8)."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from accounts.formats.addresses import parse_source
from accounts.formats.json_text import unique_keys
from accounts.formats.moments import BadMoment, read_moment
from accounts.formats.text import find_fault, is_blank, shown
from kyc_portal.refusal import Refusal

KINDS = ("access", "admin")
REQUIRED = ("event_id", "at", "kind", "action", "principal", "source", "source_system")
OPTIONAL = ("account", "user_agent", "region", "port")
LONGEST_VALUE = 2_000
LONGEST_LINE = 1 << 20
LONGEST_CONTENT = 20_000  # characters kept of a line that cannot be used; most events take one or two thousand
LARGEST_PORT = 65_535

_MAY_BE_EMPTY = frozenset({"source", "principal", *OPTIONAL})
_NEVER_EMPTY = tuple(name for name in REQUIRED if name not in _MAY_BE_EMPTY)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class AccessFileRefused(Refusal):
    """The file as a whole is not an access log."""


class AccessLine(NamedTuple):
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
    sent: str | bytes = ""


@dataclass(frozen=True)
class BadLine:
    """One line or event that cannot be used, why, as a sentence, and how it was sent (at most LONGEST_CONTENT)."""

    line: int
    reason: str
    content: str = ""


class RepeatedKey(ValueError):
    """A JSON object names the same key twice, so nobody can say which value was meant (F8)."""


class BadEvent(ValueError):
    """One event cannot be used; the text is the reason, as a sentence."""


class Sent(Protocol):
    """An event on its way: its number, its value as parsed, its text as sent, and what was wrong with it as such."""

    number: int
    value: Any
    sent: str | bytes
    fault: str


def read_events(
    records: Iterable[Sent], describe: Callable[[dict[str, Any]], dict[str, str]]
) -> Iterator[AccessLine | BadLine]:
    """Yield one line for each record; `describe` puts an event into our words or raises BadEvent."""
    for record in records:
        if record.fault or not isinstance(record.value, dict):
            reason = record.fault or "The event is not a JSON object."
            yield BadLine(record.number, reason, content_of(record.sent))
            continue
        try:
            values = describe(record.value)
        except BadEvent as fault:
            yield BadLine(record.number, str(fault), content_of(record.sent))
        else:
            yield build_line(record.number, values, record.sent)


def build_line(line: int, values: dict[str, str], sent: str | bytes = "") -> AccessLine | BadLine:
    """Check the texts of one event, keyed by column name, and build its line; other keys must not be there."""
    try:
        return _build(line, values, sent)
    except BadEvent as fault:
        return BadLine(line, str(fault), content_of(sent))


def _build(line: int, values: dict[str, str], sent: str | bytes) -> AccessLine:
    for name in () if _is_plain(values) else (*REQUIRED, *OPTIONAL):
        value = values.get(name, "")
        if fault := find_fault(value, LONGEST_VALUE):
            raise BadEvent(f"{name} {fault}.")
        if name not in _MAY_BE_EMPTY and (not value.strip() or (not value.isascii() and is_blank(value))):
            raise BadEvent(f"{name} is empty. Every event needs one.")
    if values["kind"] not in KINDS:
        raise BadEvent(f'kind is "{shown(values["kind"])}". It must be access or admin.')
    try:
        at = read_moment(values["at"].strip())
    except BadMoment as refusal:
        raise BadEvent(f"at: {refusal}") from None
    source = values.get("source", "")
    address, port = parse_source(source.strip())
    given = values.get("port")
    return AccessLine(  # in the order of its fields: by their names it would take a third longer
        line, values["event_id"], at, values["kind"], values["action"], values.get("principal", ""), address, source,
        values["source_system"], values.get("account", ""), values.get("user_agent", ""), values.get("region", ""),
        _port_of(given) if given else port, sent,
    )  # fmt: skip


def _is_plain(values: dict[str, str]) -> bool:
    """Whether one look shows that no text of an event has a fault: most events are ASCII and short."""
    told = " ".join(values.values())
    return (
        len(told) <= LONGEST_VALUE and told.isascii() and told.isprintable()
        and all(values[name].strip() for name in _NEVER_EMPTY)
    )  # fmt: skip


def _port_of(text: str) -> int | None:
    """The port as a number; 0 stands for none. It wins over one that is glued to the address."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 5 or int(digits) > LARGEST_PORT:
        raise BadEvent(f'port is "{shown(text)}". It must be a whole number up to {LARGEST_PORT}.')
    return int(digits) or None


def text_at(event: dict[str, Any], *path: str) -> str:
    """The text at a path of keys, "" where nothing is; BadEvent when something else than a text stands there."""
    found: Any = event
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadEvent(f"{'.'.join(path)} is not a text.")
    return found


def require(event: dict[str, Any], *names: str) -> None:
    """Raise BadEvent unless each of these keys holds something."""
    if missing := [name for name in names if not event.get(name)]:
        raise BadEvent(f"The event lacks {', '.join(missing)}.")


def first_text(event: dict[str, Any], *paths: tuple[str, ...]) -> str:
    """The first text that is not empty among several places; what is no text there is passed over."""
    for path in paths:
        found: Any = event
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
    return ""


def content_of(sent: str | bytes) -> str:
    """A line as it was sent, up to LONGEST_CONTENT characters; what no database takes is shown by its number."""
    text = sent.decode("utf-8", errors="backslashreplace") if isinstance(sent, bytes) else sent
    kept = text.rstrip("\r\n")[:LONGEST_CONTENT]
    return _UNSTORABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", kept)[:LONGEST_CONTENT]


def load_json(text: str | bytes) -> Any:
    """Parse JSON; ValueError for anything that is not JSON, not UTF-8, nested too deep or names a key twice (F8)."""
    try:
        if isinstance(text, str) and not text.startswith("\ufeff"):
            return _DECODER.decode(text)
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found, fault = unique_keys(pairs)
    if fault:
        raise RepeatedKey(fault)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)  # made once for all lines

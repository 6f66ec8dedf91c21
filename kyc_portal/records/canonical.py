"""The bytes of an audit event that get sealed: length-prefixed, versioned, every column inside (trust.md 5.2)."""

import hashlib
import json
import secrets
import struct
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import datetime

VERSION = b"\x01"
PAYLOAD_PREFIX = b"\x02"
_length = struct.Struct(">I").pack

COLUMNS = (
    *("id", "verb", "at", "actor_kind", "actor_key", "actor_label", "actor_owner"),
    *("about_label", "about_key", "about_name", "within_label", "within_key", "facts", "request_id", "pii_commit"),
)


class NotSealable(ValueError):
    """A fact holds what two databases would not keep alike (NUL or a lone surrogate)."""


_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode  # made once: it is hot


def facts_text(facts: dict) -> str:
    """One spelling of the facts: sorted keys, no spaces, unescaped text."""
    text = _as_json(facts)
    if "\\u0000" in text and _holds_nul(facts):  # JSON escapes it, which PostgreSQL refuses and SQLite keeps
        raise NotSealable("A fact holds a NUL character.")
    return text


def _holds_nul(value) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(_holds_nul(part) for part in value)
    return isinstance(value, str) and "\x00" in value


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, dict):
        return facts_text(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def canonical_bytes(event) -> bytes:
    """All columns of an event as bytes; raises NotSealable for text that cannot be kept alike everywhere."""
    return spelled(getattr(event, column) for column in COLUMNS)


def spelled(values: Iterable) -> bytes:
    """The values of COLUMNS, in their order, as `canonical_bytes` writes them."""
    texts = [value if type(value) is str else _text(value) for value in values]
    if len(texts) != len(COLUMNS):
        raise ValueError(f"An event has {len(COLUMNS)} columns, not {len(texts)}.")
    if "\x00" in "".join(texts):
        column = next(column for column, text in zip(COLUMNS, texts, strict=True) if "\x00" in text)
        raise NotSealable(f"The column {column} holds a NUL character.")
    parts = [VERSION]
    for text in texts:
        try:
            encoded = text.encode()
        except UnicodeEncodeError as error:
            raise NotSealable(f"The column {COLUMNS[texts.index(text)]} holds half a character.") from error
        parts += _length(len(encoded)), encoded
    return b"".join(parts)


def commitment(salt: bytes, payload: bytes) -> bytes:
    """Binds an event to a payload that may be destroyed later: SHA-256(02 || salt || payload)."""
    return hashlib.sha256(PAYLOAD_PREFIX + salt + payload).digest()


def digest_of_ids(ids: Iterable[str]) -> str:
    """How the event of a purge names the events whose payloads it destroyed; 64 hex digits."""
    return hashlib.sha256(json.dumps(sorted(ids)).encode()).hexdigest()


_last = 0
_turn = threading.Lock()


def new_event_id() -> uuid.UUID:
    """A version 7 UUID; ids of one process sort in the order they were made, also when the clock steps back."""
    global _last
    with _turn:
        ticks = max(time.time_ns() // 1000, _last + 1)  # microseconds: 48 bits of milliseconds, 10 bits within one
        _last = ticks
    milliseconds, within = divmod(ticks, 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | within << 66 | secrets.randbits(2) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))

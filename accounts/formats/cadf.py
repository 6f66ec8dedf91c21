"""OpenStack audit events in the CADF layout into access lines, nothing lost (T23).

One event on each line or in an array, as such or in the envelope of oslo.messaging, whose message may be JSON within a
text. Actions that read or authenticate are access by the CADF taxonomy, all others administrative acts. The service
that is asked tells of a request twice, before and after, under one identifier: that is one event. The layout has no
port; one that is glued to the address is taken. The initiator's project is the account, else its domain.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.formats.access_lines import (
    AccessLine,
    BadEvent,
    BadLine,
    first_text,
    load_json,
    read_events,
    require,
    text_at,
)
from accounts.formats.json_records import read_records
from accounts.formats.packed import unpacked

SOURCE_SYSTEM = "openstack"
LISTS: tuple[str, ...] = ()
EVENT = "/cloud/audit/1.0/event"

_READING = ("read", "authenticate")
_ZONE_WITHOUT_COLON = re.compile(r"([+-][0-9]{2})([0-9]{2})\Z")  # how the library writes it


def read(stream: BinaryIO, name: str, encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Yield one AccessLine or BadLine per event; AccessFileRefused may be raised while the lines are being taken."""
    return read_events(read_records(unpacked(stream, name), name, LISTS), _describe)


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event of unknown origin is one of these, in whatever envelope."""
    try:
        found = _opened(event)
    except BadEvent:
        return False
    return first_text(found, ("typeURI",)).endswith(EVENT)


def _opened(event: dict[str, Any]) -> dict[str, Any]:
    """The event itself, out of its envelopes."""
    if "oslo.message" in event:
        message = text_at(event, "oslo.message")
        try:
            event = load_json(message)
        except ValueError as error:
            raise BadEvent("oslo.message is not valid JSON.") from error
    if isinstance(event, dict) and "payload" in event and "typeURI" not in event:
        event = event["payload"]
    if not isinstance(event, dict):
        raise BadEvent("The message holds no event.")
    return event


def _describe(message: dict[str, Any]) -> dict[str, str]:
    event = _opened(message)
    if not text_at(event, "typeURI").endswith(EVENT):
        raise BadEvent("typeURI is not that of a CADF event.")
    action = text_at(event, "action")
    values = {
        "event_id": text_at(event, "id"),
        "at": _ZONE_WITHOUT_COLON.sub(r"\1:\2", text_at(event, "eventTime")),
        "kind": "access" if action.partition("/")[0] in _READING else "admin",
        "action": action,
        "principal": first_text(
            event, ("initiator", "username"), ("initiator", "name"), ("initiator", "user_id"), ("initiator", "id"),
            ("initiatorId",),
        ),
        "source": text_at(event, "initiator", "host", "address"),
        "source_system": SOURCE_SYSTEM,
        "account": first_text(event, *(("initiator", key) for key in ("project_id", "domain_id")), ("project_id",)),
        "user_agent": text_at(event, "initiator", "host", "agent"),
    }  # fmt: skip
    require(event, "id", "eventTime", "action")
    return values

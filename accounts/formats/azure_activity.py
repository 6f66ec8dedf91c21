"""Azure activity logs into access lines, nothing lost (T23): as Monitor exports them, and as its interface lists them.

An export holds {"records": [...]} or one record on each line; the interface answers {"value": [...]}, its command
line tool a bare array. The activity log records what writes, deletes or acts, never what only reads; so everything is
an administrative act, except sign-ins (categories of the directory, exported the same way) and operations that end in
/read, which are access. A source may carry its port. A subscription is an account.

Exported records have no identifier: theirs is made of the correlation and a hash of the whole record, so that a record
delivered twice is one event. The same act fetched through the interface has another one.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.formats.access_lines import AccessLine, BadEvent, BadLine, first_text, read_events, text_at
from accounts.formats.json_records import read_records
from accounts.formats.packed import unpacked

SOURCE_SYSTEM = "azure-activity"
LISTS = ("records", "value")

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_SIGN_INS = frozenset(
    {"signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs", "managedidentitysigninlogs"}
)
_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_NAMES = (f"{_NAME}upn", f"{_NAME}name", "appid", f"{_NAME}nameidentifier")


def read(stream: BinaryIO, name: str, encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Yield one AccessLine or BadLine per record; AccessFileRefused may be raised while the lines are being taken."""
    return read_events(read_records(unpacked(stream, name), name, LISTS), _describe)


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event of unknown origin is one of these."""
    is_listed = "eventTimestamp" in event
    is_exported = "time" in event and bool({"resourceId", "callerIpAddress", "correlationId"} & event.keys())
    return "operationName" in event and (is_listed or is_exported)


def _describe(event: dict[str, Any]) -> dict[str, str]:
    at = text_at(event, "eventTimestamp") or text_at(event, "time")
    action = _plain(event, "operationName")
    if missing := [name for name, value in (("time", at), ("operationName", action)) if not value]:
        raise BadEvent(f"The event lacks {', '.join(missing)}.")
    sources = (("callerIpAddress",), ("httpRequest", "clientIpAddress"), ("claims", "ipaddr"))
    text_at(event, "callerIpAddress")  # what is no text there must not be passed over
    return {
        "event_id": text_at(event, "eventDataId") or _made_id(event),
        "at": at,
        "kind": "access" if _is_access(action, _plain(event, "category")) else "admin",
        "action": action,
        "principal": _principal(event),
        "source": first_text(event, *sources, ("identity", "claims", "ipaddr")),
        "source_system": SOURCE_SYSTEM,
        "account": _account(event),
        "user_agent": first_text(event, ("properties", "userAgent")),
        "region": first_text(event, ("location",)),
    }


def _plain(event: dict[str, Any], name: str) -> str:
    """A name; the REST interface gives it with its translation beside it."""
    return text_at(event, name, "value") if isinstance(event.get(name), dict) else text_at(event, name)


def _is_access(action: str, category: str) -> bool:
    return action.lower().endswith("/read") or category.lower() in _SIGN_INS


def _principal(event: dict[str, Any]) -> str:
    claims = (("claims", name) for name in _NAMES)
    exported = (("identity", "claims", name) for name in _NAMES)
    return first_text(
        event,
        ("caller",),
        ("properties", "userPrincipalName"),
        *claims,
        *exported,
        ("properties", "appId"),
        ("identity",),
    )


def _account(event: dict[str, Any]) -> str:
    """The subscription, in small letters, as both forms do not agree on them; else the tenant."""
    found = _SUBSCRIPTION.search(first_text(event, ("resourceId",), ("id",)))
    subscription = first_text(event, ("subscriptionId",)) or (found[1] if found else "")
    return (subscription or first_text(event, ("tenantId",))).lower()


def _made_id(event: dict[str, Any]) -> str:
    try:
        whole = json.dumps(event, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise BadEvent("The event is nested too deep.") from error
    digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:32]
    correlation = text_at(event, "correlationId")
    return f"{correlation}:{digest}" if correlation else digest

"""Google Cloud audit logs into access lines, nothing lost (T23): LogEntry objects, one on each line or in an array.

Sign-ins are access, and so is what needed read permissions only (ADMIN_READ, DATA_READ); where an entry of the data
access log does not name the kind of its permissions, the method's verb decides. Everything else (activity, system
events, denied by policy, written data) is an administrative act. A caller that is no address ("private",
"gce-internal-ip") is kept as it stands. The caller's port is not told. A project, folder or organization is an account.

An entry is the same as another when insertId, moment and project agree, so the first two are its identifier here.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote

from accounts.formats.access_lines import AccessLine, BadEvent, BadLine, first_text, read_events, require, text_at
from accounts.formats.json_records import read_records
from accounts.formats.packed import unpacked

SOURCE_SYSTEM = "gcp-audit"
LISTS = ("entries",)  # as the list method answers
AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"

_OWNER = re.compile(r"(projects|folders|organizations|billingAccounts)/([^/]+)/logs/(.+)")
_READS = frozenset({"ADMIN_READ", "DATA_READ"})
_READING = re.compile(r"(get|list|search|query|read|batchget|lookup|watch)", re.IGNORECASE)
_SIGN_IN = "login.googleapis.com"


def read(stream: BinaryIO, name: str, encoding: str | None = None) -> Iterator[AccessLine | BadLine]:
    """Yield one AccessLine or BadLine per entry; AccessFileRefused may be raised while the lines are being taken."""
    return read_events(read_records(unpacked(stream, name), name, LISTS), _describe)


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event of unknown origin is one of these."""
    return "protoPayload" in event or {"logName", "insertId"} <= event.keys()


def _describe(entry: dict[str, Any]) -> dict[str, str]:
    payload = entry.get("protoPayload")
    if not isinstance(payload, dict) or text_at(payload, "@type") not in ("", AUDIT_LOG):
        raise BadEvent("The entry is not of an audit log: its protoPayload is no AuditLog.")
    values = {
        "event_id": f"{text_at(entry, 'insertId')}@{text_at(entry, 'timestamp')}",
        "at": text_at(entry, "timestamp"),
        "action": text_at(payload, "methodName"),
        "principal": first_text(
            payload, ("authenticationInfo", "principalEmail"), ("authenticationInfo", "principalSubject")
        ),
        "source": text_at(payload, "requestMetadata", "callerIp"),
        "source_system": SOURCE_SYSTEM,
        "user_agent": text_at(payload, "requestMetadata", "callerSuppliedUserAgent"),
        "region": first_text(entry, *(("resource", "labels", key) for key in ("location", "region", "zone"))),
    }
    require(entry, "insertId", "timestamp", "logName")
    require(payload, "methodName")
    found = _OWNER.fullmatch(text_at(entry, "logName"))
    if found is None:
        raise BadEvent("logName names no project, folder, organization or billing account.")
    service = text_at(payload, "serviceName")
    is_access = _is_access(payload, service, unquote(found[3]))
    account = found[2] if found[1] == "projects" else f"{found[1]}/{found[2]}"
    name = f"{service.removesuffix('.googleapis.com')}:{values['action']}" if service else values["action"]
    return values | {"kind": "access" if is_access else "admin", "account": account, "action": name}


def _is_access(payload: dict[str, Any], service: str, log: str) -> bool:
    if service == _SIGN_IN:
        return True
    if not log.endswith("/data_access"):
        return False
    named = payload.get("authorizationInfo")
    asked = [each.get("permissionType") for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    kinds = {kind for kind in asked if isinstance(kind, str) and kind}
    if kinds:
        return kinds <= _READS
    return bool(_READING.match(text_at(payload, "methodName").rpartition(".")[2]))

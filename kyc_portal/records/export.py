"""Write the whole audit trail into one file that can be checked without the portal."""

import base64
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from kyc_portal.records import audit, stamps
from kyc_portal.records.offline.verify_audit import FORMAT, Checkpoint, Entry
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.records.verifying import items
from kyc_portal.refusal import Refusal


class CannotWrite(Refusal):
    """The file is there already, or its folder takes none."""


def export(to: Path, *, by: Actor, at: datetime, stamps_to: Path | None = None) -> int:
    """Write the trail as JSON lines into a new file for its owner only; returns the number of lines.

    The file holds no personal data of customers: of a sealed payload only its state. `stamps_to` names a new folder for
    the time stamps over its checkpoints. Raises CannotWrite.
    """
    part = to.with_name(f"{to.name}.part")
    if to.exists():
        raise CannotWrite(f"{to.name} is there already. Name a new file.")
    _write_stamps(stamps_to)
    digest, lines = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for row in _rows():
                line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                file.write(line)
                lines += 1
        part.replace(to)
    except OSError as error:
        raise CannotWrite(f"{to.name} cannot be written ({error.strerror}). Name another folder.") from error
    about = RecordRef("records.auditleaf", str(lines), "audit trail")
    audit.record(Verb.EXPORTED, about, by=by, at=at, what="audit trail", sha256=digest.hexdigest(), rows=lines)
    return lines


def _write_stamps(folder: Path | None) -> None:
    if folder is None:
        return
    try:
        stamps.write_to(folder)
    except OSError as error:
        raise CannotWrite(f"{folder.name} cannot be written ({error.strerror}). Name a new folder.") from error


def _rows():
    yield {"format": FORMAT}
    lines = 2  # the first and the last
    for item in items():
        yield _row_of(item)
        lines += 1
    yield {"end": lines}


def _row_of(item: Entry | Checkpoint | str) -> dict:
    if isinstance(item, str):
        return {"remark": item}
    if isinstance(item, Checkpoint):
        return {"checkpoint": item.number, "size": item.size, "edge": _text(item.edge), "note": item.note}
    row = {"entry": item.index, "event": item.event_id, "leaf": _text(item.leaf), "canonical": _text(item.canonical)}
    for name in ("payload", "purge", "destroyed"):
        if value := getattr(item, name):
            row[name] = value
    if item.columns is not None:
        row["columns"] = _text(item.columns)
    return row


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()

"""Check the audit trail in the database, row by row: the same judge as for an export, with the columns as well.

The trail is read in its order, a page at a time, up to the newest checkpoint at the start; what is sealed meanwhile is
left to the next check. Memory stays flat.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from kyc_portal.records import changes, checkpoints, stamps, tombstones, triggers
from kyc_portal.records.canonical import COLUMNS, commitment, spelled
from kyc_portal.records.keys import KeyProblem, key_of_subject, unseal
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    AuditPayload,
    AuditPending,
    DestroyedPayload,
    SubjectKey,
)
from kyc_portal.records.offline.verify_audit import Checkpoint, Entry, Verdict, judge, notes_in
from kyc_portal.records.sealing import audit_key
from kyc_portal.records.verbs import Verb
from kyc_portal.records.witnesses import log_files

PAGE = 2000
_UNREADABLE_ROW = (ValueError, TypeError, AttributeError, OverflowError)  # what Django raises for values no field keeps


def own_key() -> dict[str, bytes]:
    """The public half of the key that signs checkpoints now; raises KeyProblem without one."""
    key_id, key = audit_key()
    return {key_id: checkpoints.public_half(key)}


def verify(*, trusted: Mapping[str, bytes] | None = None, witnesses: Mapping[str, Path] | None = None) -> Verdict:
    """The verdict on the whole trail.

    `trusted` maps key ids to raw public keys (default: the portal's own); `witnesses` names the files to hold against
    the trail (default: the log files in KYC_WITNESSES that are within reach).
    """
    read = log_files() if witnesses is None else witnesses
    notes = {name: notes_in(path) for name, path in read.items()}
    return judge(items(), own_key() if trusted is None else trusted, notes, _stored_notes)


def _stored_notes(sizes: list[int]) -> dict[int, str]:
    return dict(AuditCheckpoint.objects.filter(size__in=sizes).values_list("size", "note"))


def items() -> Iterator[Entry | Checkpoint | str]:
    """Everything the judge wants to know, in the order of the trail."""
    newest = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
    last = AuditCheckpoint.objects.order_by("-number").first()
    end = max(-1 if newest is None else newest, last.size - 1 if last else -1)
    entries = _sealed(end)
    entry = next(entries, None)
    for checkpoint in _checkpoints(last.number if last else 0):
        while entry is not None and entry.index < checkpoint.size:
            yield entry
            entry = next(entries, None)
        yield checkpoint
    while entry is not None:
        yield entry
        entry = next(entries, None)
    yield from _unsealed()
    yield from _remarks()


def _checkpoints(last: int) -> Iterator[Checkpoint]:
    number = -(2**62)
    while True:
        page = AuditCheckpoint.objects.filter(number__gt=number, number__lte=last).order_by("number")[:PAGE]
        rows = list(page.values_list("number", "size", "edge", "note"))
        for number, size, edge, note in rows:
            yield Checkpoint(number, size, bytes(edge), note)
        if not rows:
            return


def _sealed(end: int) -> Iterator[Entry]:
    index = -(2**62)
    while True:
        page = AuditLeaf.objects.filter(index__gt=index, index__lte=end).order_by("index")[:PAGE]
        rows = [(index, event_id, bytes(leaf)) for index, event_id, leaf in page.values_list()]
        if not rows:
            return
        first, index = rows[0][0], rows[-1][0]
        yield from _entries(rows, AuditLeaf.objects.filter(index__range=(first, index)).values("event_id"))


def _unsealed() -> Iterator[Entry]:
    """What waits for its seal; an event that is sealed while this runs is left out."""
    last = UUID(int=0)
    while True:
        page = AuditPending.objects.filter(event_id__gt=last).order_by("event_id")[:PAGE]
        ids = list(page.values_list("event_id", flat=True))
        for entry in _entries([(None, event_id, b"") for event_id in ids], ids):
            if entry.canonical is not None or AuditPending.objects.filter(event_id=entry.event_id).exists():
                yield entry
        if not ids:
            return
        last = ids[-1]


def _entries(rows: list[tuple[int | None, UUID, bytes]], ids: list[UUID] | QuerySet) -> Iterator[Entry]:
    """The events of one page with what is known of their payloads; `ids` are the ids of the rows, or ask for them."""
    events = _events(ids, rows)
    payloads = {payload.event_id: payload for payload in AuditPayload.objects.filter(pk__in=ids)}
    purges = dict(DestroyedPayload.objects.filter(event_id__in=ids).values_list("event_id", "purge_event_id"))
    for index, event_id, leaf in rows:
        canonical, columns, verb, commit = events.get(event_id, (None, None, "", None))
        payload = purge = ""
        if event_id in payloads or event_id in purges or commit is not None:
            payload = _state_of(payloads.get(event_id), event_id in purges, commit)
            purge = str(purges.get(event_id, ""))
        listed = _listed(event_id) if verb == Verb.PURGED.code else ()
        yield Entry(index, str(event_id), leaf, canonical, columns, payload, purge, listed)


def _events(ids: list[UUID] | QuerySet, rows: list[tuple]) -> dict[UUID, tuple]:
    """Of each event: its canonical bytes, what its columns spell if that differs, its verb and its commitment."""
    found = AuditEvent.objects.filter(pk__in=ids).values_list(*COLUMNS, "canonical")
    try:
        return {row[0]: _compared(row) for row in found}
    except _UNREADABLE_ROW:
        return dict(filter(None, (_event_alone(event_id) for _, event_id, _ in rows)))


def _compared(row: tuple) -> tuple:
    canonical, columns = bytes(row[-1]), spelled(row[:-1])
    return canonical, None if columns == canonical else columns, row[1], row[-2]


def _event_alone(event_id: UUID) -> tuple | None:
    """One event of a page in which some row holds values its columns cannot have."""
    event = AuditEvent.objects.filter(pk=event_id)
    try:
        row = event.values_list(*COLUMNS, "canonical").first()
        return row and (event_id, _compared(row))
    except _UNREADABLE_ROW:
        return event_id, (b"", b"unreadable", "", None)


def _state_of(payload: AuditPayload | None, is_destroyed: bool, commit) -> str:
    if payload is None:
        return "destroyed" if is_destroyed else "missing"
    if is_destroyed:
        return "returned"
    if commit is None:
        return "foreign"
    if not SubjectKey.objects.filter(subject=payload.subject).exists():
        return "altered"
    try:
        key = key_of_subject(payload.subject)
    except KeyProblem:
        return "sealed away"
    try:
        clear = unseal(key, bytes(payload.ciphertext), f"records.auditpayload:{payload.event_id}")
    except KeyProblem:
        return "altered"
    return "kept" if commitment(bytes(payload.salt), clear) == bytes(commit) else "altered"


def _listed(purge: UUID) -> tuple[str, ...]:
    rows = DestroyedPayload.objects.filter(purge_event_id=purge).order_by("event_id")
    return tuple(str(event_id) for event_id in rows.values_list("event_id", flat=True))


def _remarks() -> Iterator[str]:
    """What no entry shows: rows that belong to none, and guards that are gone."""
    stray = AuditEvent.objects.exclude(Exists(AuditLeaf.objects.filter(event_id=OuterRef("pk"))))
    stray = stray.exclude(Exists(AuditPending.objects.filter(event_id=OuterRef("pk")))).order_by("pk")
    if (event_id := stray.values_list("pk", flat=True).first()) is not None:
        yield f"The event {event_id} was inserted, or its wait for a seal removed: it neither is sealed nor waits."
    for model, what in ((AuditPayload, "A sealed payload"), (DestroyedPayload, "A record of a destroyed payload")):
        orphan = model.objects.exclude(Exists(AuditEvent.objects.filter(pk=OuterRef("event_id"))))
        if (event_id := orphan.order_by("pk").values_list("pk", flat=True).first()) is not None:
            yield f"{what} belongs to the event {event_id}, which is not there."
    yield from stamps.faults()
    yield from tombstones.faults()
    for event_id in changes.altered_rounds():
        yield f"The changes of rows that the event {event_id} speaks for were altered or removed."
    for name in triggers.missing():
        yield f"The trigger {name} is missing on {connection.vendor}."

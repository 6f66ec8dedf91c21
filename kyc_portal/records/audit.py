"""Write and read the audit trail (requirement R53; construction in trust.md section 5)."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F, Q

from kyc_portal.records.acting import current_request_id
from kyc_portal.records.canonical import canonical_bytes, commitment, facts_text
from kyc_portal.records.clock import legal_day
from kyc_portal.records.keys import ensure_key, seal
from kyc_portal.records.models import AuditEvent, AuditPayload, AuditPending, DestroyedPayload, IdentityView
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import AuditVerb, Verb, grave_codes, sentence_of


class UnknownFact(ValueError):
    """An event was given a fact its verb does not list."""


def _plain(facts: dict) -> dict:
    """Facts as JSON keeps them; anything else than codes, counts and references is refused."""
    plain = {}
    for name, value in facts.items():
        if isinstance(value, (list, tuple)):
            value = [str(item) for item in value]
        elif not isinstance(value, (str, int, bool, type(None))):
            value = str(value)
        plain[name] = value
    return plain


def record(
    verb: AuditVerb,
    about: models.Model | RecordRef,
    *,
    by: Actor,
    at: datetime,
    within: models.Model | RecordRef | None = None,
    personal: dict | None = None,
    subject: UUID | None = None,
    **facts,
) -> AuditEvent:
    """Write one event in the caller's transaction; if it fails, the caller's change fails too.

    `within` names the record on whose page the event is told as well (a document within its account).
    `personal` goes, sealed under `subject`'s key, into a payload that a purge can destroy.
    Raises UnknownFact for a fact the verb does not list.
    """
    event = draft(verb, about, by=by, at=at, within=within, **facts)
    if personal is None:
        write([event])
        return event
    with transaction.atomic():
        _write_payload(event, personal, subject)
        write([event])
    return event


def draft(
    verb: AuditVerb,
    about: models.Model | RecordRef,
    *,
    by: Actor,
    at: datetime,
    within: models.Model | RecordRef | None = None,
    **facts,
) -> AuditEvent:
    """An event as `record` makes it, not written yet; the order of its trail is the order of drafting."""
    unknown = set(facts) - verb.facts
    if unknown:
        raise UnknownFact(f"{verb.code} does not know the facts {', '.join(sorted(unknown))}.")

    ref, outer = RecordRef.of(about), RecordRef.of(within) if within is not None else None
    return AuditEvent(
        verb=verb.code,
        at=at.astimezone(UTC),
        actor_kind=by.kind,
        actor_key=by.key,
        actor_label=by.label,
        actor_owner=by.owner_key,
        about_label=ref.label,
        about_key=ref.key,
        about_name=ref.name,
        within_label=outer.label if outer else "",
        within_key=outer.key if outer else "",
        facts=_plain(facts),
        request_id=current_request_id(),
    )


def write(events: Sequence[AuditEvent]) -> None:
    """Write drafted events in the caller's transaction, many with as few queries as one."""
    for event in events:
        event.canonical = canonical_bytes(event)
    with transaction.atomic(savepoint=False):  # no savepoint: the caller's change is to fail with it
        AuditEvent.objects.bulk_create(events)
        _queue([event.pk for event in events])


def _queue(ids: Sequence[UUID]) -> None:
    """Let these events wait for their seal; every act of the portal passes here, so it is one plain statement."""
    field = AuditPending._meta.pk
    with connection.cursor() as cursor:
        for part in (ids[begin : begin + 500] for begin in range(0, len(ids), 500)):
            values = ", ".join(["(%s)"] * len(part))
            cursor.execute(
                f"INSERT INTO {AuditPending._meta.db_table} ({field.column}) VALUES {values}",  # noqa: S608 own names
                [field.get_db_prep_value(each, connection) for each in part],
            )


def _write_payload(event: AuditEvent, personal: dict, subject: UUID) -> None:
    """Seal what the event says of a person beside it, bound by a salted commitment."""
    clear, salt = facts_text(personal).encode(), os.urandom(32)
    event.pii_commit = commitment(salt, clear)
    ciphertext = seal(ensure_key(subject), clear, f"records.auditpayload:{event.pk}")
    AuditPayload.objects.create(event_id=event.pk, subject=subject, salt=salt, ciphertext=ciphertext)


def record_view(about: models.Model, *, by: Actor, at: datetime, verb: AuditVerb = Verb.VIEWED) -> None:
    """Count a look at a record's identity data: one row per person, record and day, one event for the first look.

    `verb` says how it was looked at, where it was no page.
    """
    ref = RecordRef.of(about)
    key = {"actor_key": by.key, "about_label": ref.label, "about_key": ref.key, "day": legal_day(at)}
    if IdentityView.objects.filter(**key).update(count=F("count") + 1, last_at=at):
        return
    with transaction.atomic():
        row, is_first = IdentityView.objects.get_or_create(
            **key, defaults={"actor_label": by.label, "about_name": ref.name, "last_at": at}
        )
        IdentityView.objects.filter(pk=row.pk).update(count=F("count") + 1, last_at=at)
        if is_first:
            record(verb, about, by=by, at=at)


def history_of(about: models.Model | RecordRef) -> models.QuerySet[AuditEvent]:
    """The events of one record and of what happened within it, newest first."""
    ref = RecordRef.of(about)
    own = Q(about_label=ref.label, about_key=ref.key)
    inner = Q(within_label=ref.label, within_key=ref.key)
    return AuditEvent.objects.filter(own | inner).order_by("-at", "-id")


def as_sentence(event: AuditEvent) -> str:
    """What the event says, for the reader of a timeline."""
    return sentence_of(event.verb, event.facts)


def destroy_payloads(subject: UUID) -> list[UUID]:
    """Destroy the sealed payloads of one person; returns the ids of their events, for `list_destroyed`."""
    payloads = AuditPayload.objects.filter(subject=subject)
    ids = list(payloads.values_list("event_id", flat=True))
    payloads.delete()
    return ids


def list_destroyed(ids: Iterable[UUID], *, by_purge: AuditEvent) -> None:
    """Write down for each event that this purge destroyed its payload; a payload missing without this is tampering."""
    rows = [DestroyedPayload(event_id=each, purge_event_id=by_purge.pk) for each in ids]
    DestroyedPayload.objects.bulk_create(rows, batch_size=500)


def grave_events_of(request_id: str) -> list[UUID]:
    """The ids of the grave acts of one request, in their order."""
    if not request_id:
        return []
    events = AuditEvent.objects.filter(request_id=request_id, verb__in=grave_codes())
    return list(events.order_by("id").values_list("pk", flat=True))

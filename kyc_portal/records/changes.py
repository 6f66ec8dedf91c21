"""Hold what the database wrote down of each change against the trail: every change needs its event (R53, R107).

The event and the change belong to one request, command or flow, whose id both carry. What no event explains is named by
an event of its own and waits until somebody has looked into it. Each round's event carries a digest over the changes it
looked at, so that they are bound into the sealed trail.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.apps import apps

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.models import AuditEvent, RowChange, Standing
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal

PAGE = 2000
MOST_AT_ONCE = 100_000  # changes of one transaction; a busy day takes several
TELLS_OF_LOOKING = (Verb.VIEWED.code, Verb.REVEALED.code, Verb.LINES_FETCHED.code)  # these explain no change


class NothingUnexplained(Refusal):
    """The change was explained, or somebody has looked into it before."""


@dataclass(frozen=True)
class Reconciled:
    """What one reconciliation looked at, and what it found without an event."""

    rows: int
    missing: int


def reconcile(*, by: Actor, at: datetime) -> Reconciled:
    """Look at every change that waits, in as many transactions as it takes; may be repeated and killed."""
    rows = missing = 0
    while (round_ := _reconcile_some(by=by, at=at)).rows:
        rows, missing = rows + round_.rows, missing + round_.missing
    return Reconciled(rows, missing)


@flow
def _reconcile_some(*, by: Actor, at: datetime) -> Reconciled:
    """One round: at most MOST_AT_ONCE waiting changes, one event for them all and one for each kind unexplained."""
    looked_at, unexplained, digest = [], Counter(), hashlib.sha256()
    first_of: dict[tuple[str, str], RowChange] = {}
    for page in _waiting():
        ids = {change.request_id for change in page} - {""}
        explained = AuditEvent.objects.filter(request_id__in=ids).exclude(verb__in=TELLS_OF_LOOKING)
        known = set(explained.order_by().values_list("request_id", flat=True).distinct())
        for change in page:
            digest.update(_bytes_of(change))
            change.standing = Standing.EXPLAINED if change.request_id in known else Standing.UNEXPLAINED
            if change.standing == Standing.UNEXPLAINED:
                kind = (change.label, change.actor)
                unexplained[kind] += 1
                first_of.setdefault(kind, change)
        looked_at += [(change.pk, change.standing) for change in page]
    if not looked_at:
        return Reconciled(0, 0)

    for (label, actor), rows in unexplained.items():
        audit.record(
            Verb.CHANGE_UNEXPLAINED, _ref(first_of[label, actor]), by=by, at=at, rows=rows, source=actor or "nobody"
        )
    missing = sum(unexplained.values())
    event = audit.record(
        Verb.CHANGES_RECONCILED, RecordRef("records.rowchange", "all", "changes of rows"), by=by, at=at,
        rows=len(looked_at), missing=missing, digest=digest.hexdigest(),
    )  # fmt: skip
    for standing in (Standing.EXPLAINED, Standing.UNEXPLAINED):
        keys = [key for key, found in looked_at if found == standing]
        for start in range(0, len(keys), PAGE):
            RowChange.objects.filter(pk__in=keys[start : start + PAGE]).update(standing=standing, event_id=event.pk)
    return Reconciled(len(looked_at), missing)


def _waiting() -> Iterator[list[RowChange]]:
    """The changes that wait when this begins, in the order of their ids. A change that commits later with a smaller id
    waits for the next round, because rounds ask what waits and not what came after the last."""
    last = seen = 0
    while seen < MOST_AT_ONCE:
        page = list(RowChange.objects.waiting().filter(pk__gt=last).order_by("pk")[:PAGE])
        if not page:
            return
        last, seen = page[-1].pk, seen + len(page)
        yield page


def _bytes_of(change: RowChange) -> bytes:
    """A change as the digest of its reconciliation reads it; the moment as the database gave it to the microsecond."""
    said = [change.pk, change.label, change.key, change.act, change.fields, change.actor, change.request_id]
    return json.dumps([*said, change.at.isoformat(timespec="microseconds")]).encode()


def _ref(change: RowChange) -> RecordRef:
    model = apps.get_model(change.label) if change.key else None
    name = f"{model._meta.verbose_name} {change.key[:8]}" if model else f"rows of {change.label}"
    return RecordRef(change.label, change.key or "several", name[:80])


def altered_rounds() -> Iterator[UUID]:
    """The events of reconciliations whose changes were altered, removed or added to since; memory stays flat."""
    digests: dict[UUID, object] = {}
    for change in RowChange.objects.exclude(event_id=None).order_by("pk").iterator(chunk_size=PAGE):
        digests.setdefault(change.event_id, hashlib.sha256()).update(_bytes_of(change))
    for event in AuditEvent.objects.filter(verb=Verb.CHANGES_RECONCILED.code).order_by("pk").iterator():
        found = digests.pop(event.pk, None)
        if found is None or found.hexdigest() != event.facts.get("digest"):
            yield event.pk
    yield from digests


@flow
def settle(change: RowChange, *, reason: str, by: Actor, at: datetime) -> int:
    """Note that somebody looked into an unexplained change and all of its kind (same record type, actor and request).

    `reason` is a code of REASONS. Returns how many were settled; raises NothingUnexplained.
    """
    kind = RowChange.objects.unexplained().select_for_update()
    kind = kind.filter(label=change.label, actor=change.actor, request_id=change.request_id)
    keys = list(kind.values_list("pk", flat=True))
    if not keys:
        raise NothingUnexplained("This change is explained or was looked into before. See its timeline.")
    for start in range(0, len(keys), PAGE):
        RowChange.objects.filter(pk__in=keys[start : start + PAGE]).update(standing=Standing.SETTLED)
    audit.record(Verb.CHANGE_SETTLED, _ref(change), by=by, at=at, within=change, rows=len(keys), reason=reason)
    return len(keys)


REASONS = {
    "restore": "a restore or repair by the operators, recorded elsewhere",
    "defect": "a defect of the portal, which was reported",
    "incident": "an incident, which is being investigated",
}

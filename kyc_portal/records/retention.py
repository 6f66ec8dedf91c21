"""Retention rules and the purge (requirements R47-R50, R54).

Each app lists its rules in retention.py. A purge looks at one file at a time, in a transaction of its own: lock, is it
due, is it held, does something still refer to it, destroy, leave a tombstone.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import models, transaction

from kyc_portal.records import audit, holds
from kyc_portal.records.canonical import digest_of_ids
from kyc_portal.records.keys import destroy_key
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    AuditPayload,
    AuditPending,
    DestroyedPayload,
    HeldRecord,
    IdentityView,
    LegalHold,
    SubjectKey,
    Tombstone,
    WitnessedCheckpoint,
)
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.roots import Paths
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal


class NotYet(Refusal):
    """Somebody asked to execute a purge as of a day that has not come."""


@dataclass(frozen=True)
class Period:
    """One reason to keep a file, and the last day it asks for; the longest of a file's periods wins (R50)."""

    basis: str
    kept_through: date
    sentence: str


@dataclass(frozen=True)
class RetentionRule:
    """How long one kind of file is kept and what goes with it.

    `covers` names every model the rule speaks for. A rule without `candidates` never purges by itself: its rows are
    kept for good or follow their owners, and `why` says so.
    """

    code: str
    title: str
    covers: tuple[type[models.Model], ...]
    why: str
    candidates: Callable[[date], models.QuerySet] | None = None
    periods: Callable[[models.Model], list[Period]] | None = None
    guarded: Callable[[models.Model], list[models.Model]] | None = None  # rows a hold may stand on; locked first
    contents: Callable[[models.Model], Iterable[models.QuerySet]] | None = None  # in the order of destruction
    before: Callable[[models.Model], None] | None = None  # what else must go: files, clocks
    subjects: Callable[[models.Model], list] | None = None  # whose keys and payloads go
    roots: Paths = field(default_factory=dict)  # from each covered row to the rows a hold may stand on, for the gate


@dataclass
class Report:
    """What a purge did, or would do."""

    executed: bool
    gone: list[Tombstone] = field(default_factory=list)
    due: list[tuple[RecordRef, Period]] = field(default_factory=list)
    kept: list[tuple[RecordRef, str]] = field(default_factory=list)


_RULES: dict[str, RetentionRule] = {}


def register(*rules: RetentionRule) -> None:
    """Add rules to the table; each app does so when it is ready, the highest first, so cases go before accounts."""
    for rule in rules:
        _RULES[rule.code] = rule


def all_rules() -> list[RetentionRule]:
    """Every rule, in the order of registration."""
    return list(_RULES.values())


def longest(periods: list[Period]) -> Period | None:
    """The period that ends last; None while no clock runs."""
    return max(periods, key=lambda period: period.kept_through, default=None)


def purge_due(*, as_of: date, today: date, execute: bool, by: Actor, at: datetime) -> Report:
    """Purge, or only list, what no rule keeps beyond `as_of`.

    `execute=False` changes nothing. Executing as of a day after `today` raises NotYet.
    """
    if execute and as_of > today:
        raise NotYet(f"{as_of} has not come yet. Leave out --execute to see what would go then.")

    report = Report(executed=execute)
    for rule in all_rules():
        if rule.candidates is None:
            continue
        for key in _keys(rule.candidates(as_of)):
            _purge_one(rule, key, as_of, execute, by, at, report)
    return report


def purge_file(rule: RetentionRule, key, *, as_of: date, by: Actor, at: datetime) -> Tombstone | None:
    """Destroy one file if nothing keeps it beyond `as_of`; None when it is not due, held or referred to."""
    report = Report(executed=True)
    _purge_one(rule, key, as_of, True, by, at, report)
    return report.gone[0] if report.gone else None


def _keys(candidates: models.QuerySet) -> Iterator:
    """The candidates' keys, read once: each file is judged again under its lock, and a killed run starts anew."""
    yield from list(candidates.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _purge_one(rule: RetentionRule, key, as_of: date, execute: bool, by: Actor, at: datetime, report: Report) -> None:
    """Judge one file under lock and destroy it if nothing keeps it."""
    root = rule.candidates(as_of).filter(pk=key).first()
    if root is None:
        return
    guarded = _locked(rule.guarded(root))
    root = rule.candidates(as_of).filter(pk=key).first()
    if root is None or {(type(row), row.pk) for row in rule.guarded(root)} != {(type(row), row.pk) for row in guarded}:
        return  # somebody changed the file meanwhile: the next run judges it
    period = longest(rule.periods(root))
    if period is None:
        return

    ref = RecordRef.of(root)
    held = holds.why_held(guarded)
    referring = [] if held else list(_referring(rule, root))
    if period.kept_through >= as_of:
        report.kept.append((ref, f"Kept through {period.kept_through}: {period.sentence}"))
    elif held:
        report.kept.append((ref, " ".join(held)))
    elif referring:
        report.kept.append((ref, " ".join(referring)))
    elif not execute:
        report.due.append((ref, period))
    else:
        report.gone.append(_destroy(rule, root, ref, period, len(guarded), by, at))


def _locked(rows: list[models.Model]) -> list[models.Model]:
    """The rows that are still there, locked in one order for everybody, so that two cannot wait for each other."""
    in_order = sorted(rows, key=lambda row: (row._meta.label_lower, str(row.pk)))
    found = [type(row)._base_manager.select_for_update().filter(pk=row.pk).first() for row in in_order]
    return [row for row in found if row is not None]


def _referring(rule: RetentionRule, root: models.Model) -> Iterator[str]:
    """A sentence for each kind of row outside the file that still points into it."""
    contents = list(rule.contents(root))
    for rows in contents:
        for relation in rows.model._meta.get_fields(include_hidden=True):
            if not (relation.auto_created and relation.is_relation and not relation.concrete):
                continue
            if relation.many_to_many:
                continue
            outside = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows.order_by()})
            for own in contents:
                if own.model is outside.model:
                    outside = outside.exclude(pk__in=own.order_by().values("pk"))
            first = outside.first()
            if first is not None:
                yield f"{RecordRef.of(first).name} still refers to it."


def _destroy(
    rule: RetentionRule, root: models.Model, ref: RecordRef, period: Period, looked_at: int, by: Actor, at: datetime
) -> Tombstone:
    """Destroy one file with its keys and payloads; both the tombstone and the event say what went."""
    subjects = rule.subjects(root)
    if rule.before:
        rule.before(root)
    counts, digest = {}, hashlib.sha256()
    for rows in rule.contents(root):
        keys = sorted(str(pk) for pk in rows.order_by().values_list("pk", flat=True))
        digest.update(json.dumps([rows.model._meta.label_lower, keys]).encode())
        if keys:
            rows.model._base_manager.filter(pk__in=rows.order_by().values("pk"))._raw_delete(rows.db)
            counts[rows.model._meta.label_lower] = counts.get(rows.model._meta.label_lower, 0) + len(keys)
    payloads = []
    for subject in subjects:
        payloads += audit.destroy_payloads(subject)
        destroy_key(subject)
    destroyed = digest_of_ids(map(str, payloads))
    digest.update(destroyed.encode())

    event = audit.record(
        Verb.PURGED, ref, by=by, at=at, rule=rule.code, rows=sum(counts.values()), payloads=len(payloads),
        digest=digest.hexdigest(), destroyed=destroyed,
    )  # fmt: skip
    audit.list_destroyed(payloads, by_purge=event)
    return Tombstone.objects.create(
        label=ref.label, key=ref.key, name=ref.name, rule=rule.code, basis=period.basis,
        kept_through=period.kept_through, counts=counts, holds_looked_at=looked_at, digest=digest.hexdigest(),
        event_id=event.pk, purged_at=at, purged_by=by.label,
    )  # fmt: skip


register(
    RetentionRule(
        code="trail",
        title="Audit trail, holds and tombstones",
        covers=(
            *(AuditEvent, AuditPending, AuditLeaf, AuditCheckpoint, WitnessedCheckpoint, DestroyedPayload),
            *(Tombstone, LegalHold, HeldRecord, IdentityView),
        ),
        why="Kept for good: without personal data, it proves what was done and destroyed.",
    ),
    RetentionRule(
        code="sealed",
        title="Subjects' keys and sealed payloads",
        covers=(SubjectKey, AuditPayload),
        why="Go with the person they belong to.",
    ),
)

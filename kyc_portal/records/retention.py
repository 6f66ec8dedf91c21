"""Retention rules, what they say of a file, and the purge (requirements R47-R50, R54).

Each app lists its rules in retention.py. A purge looks at one file at a time, in a transaction of its own: lock, is it
due, is it held, does something still refer to it, destroy, leave a tombstone. How it is destroyed: destroying.py.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models

from kyc_portal.records import clock_watch, destroying, holds, purge_report, purge_runs, references
from kyc_portal.records.acting import acting, flow
from kyc_portal.records.clock_watch import ClockJumped
from kyc_portal.records.keys import signing_key
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    AuditPayload,
    AuditPending,
    CheckpointStamp,
    ClockWatch,
    DestroyedPayload,
    Destruction,
    DoomedRecord,
    HeldRecord,
    IdentityView,
    LegalHold,
    PurgeRun,
    RowChange,
    SubjectKey,
    Tombstone,
    WitnessedCheckpoint,
)
from kyc_portal.records.purge_report import Report
from kyc_portal.records.purge_runs import PurgeUnderWay, RunLost
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.roots import Paths
from kyc_portal.records.verdicts import Period, Verdict, Why, longest
from kyc_portal.refusal import Refusal

log = logging.getLogger(__name__)


class StillReferred(Refusal):
    """What is to be destroyed is referred to by something that stays."""


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
    figures: tuple[str, ...] = ()  # of the regime, by which its periods are counted
    candidates: Callable[[date], models.QuerySet] | None = None
    periods: Callable[[models.Model], list[Period]] | None = None
    guarded: Callable[[models.Model], list[models.Model]] | None = None  # rows a hold may stand on; locked first
    contents: Callable[[models.Model], Iterable[models.QuerySet]] | None = None  # in the order of destruction
    in_batches: Callable[[models.Model], Iterable[models.QuerySet]] | None = None  # of these, what may be very much
    before: Callable[[models.Model], None] | None = None  # what else must go: files, clocks
    subjects: Callable[[models.Model], list] | None = None  # whose keys and payloads go
    comes_and_goes: bool = False  # places in a queue, clocks, keys, sessions: their own code deletes them
    roots: Paths = field(default_factory=dict)  # from each covered row to the rows a hold may stand on, for the gate


class Ignored:
    """Stands in for what counts failures (kyc_portal.work.failures) where nothing does."""

    @staticmethod
    def held_back(kind, now):
        return set()

    @staticmethod
    def note_failure(kind, key, error, now):
        return None

    @staticmethod
    def note_success(kind, key):
        return None


FAILED = "records.purge_file"  # the kind under which a file that raised is counted, and tried again later
_failures: Any = Ignored


def count_failures_with(counter) -> None:
    """Let the layer above count what fails; called once, when it is ready."""
    global _failures
    _failures = counter


_RULES: dict[str, RetentionRule] = {}


def register(*rules: RetentionRule) -> None:
    """Add rules to the table; each app does so when it is ready, the highest first, so cases go before accounts."""
    for rule in rules:
        _RULES[rule.code] = rule


def all_rules() -> list[RetentionRule]:
    """Every rule, in the order of registration."""
    return list(_RULES.values())


def judge(
    rule: RetentionRule,
    root: models.Model,
    *,
    as_of: date,
    guarded: Sequence[models.Model] | None = None,
    contents: Sequence[models.QuerySet] | None = None,
) -> Verdict:
    """What keeps this file on that day, in sentences; changes and locks nothing.

    `guarded` and `contents` are what the rule says of them, where the caller has just asked it under lock. References
    are looked for only where neither a period nor a hold keeps the file: they cost most.
    """
    period = longest(rule.periods(root))
    if period is None:
        return Verdict(None, ("No period has begun: it is still in use.",))
    held = tuple(holds.why_held(rule.guarded(root) if guarded is None else guarded))
    if period.kept_through >= as_of:
        return Verdict(period, (f"Kept through {period.kept_through}: {period.sentence}", *held), Why.PERIOD)
    if held:
        return Verdict(period, held, Why.HOLD)
    if referring := tuple(_referring(rule, root, rule.contents(root) if contents is None else contents)):
        return Verdict(period, referring, Why.REFERENCE)
    return Verdict(period, is_due=True)


def purge_file(
    rule: RetentionRule, key, *, as_of: date, by: Actor, at: datetime, run: PurgeRun | None = None
) -> Tombstone | None:
    """Destroy one file if nothing keeps it; None when something does, or when it is gone already.

    A large file takes several transactions, each of which renews the lease of `run`. Raises RunLost and ClockJumped.
    """
    while True:
        clock_watch.require_steady()
        stone, is_left = _step(rule, key, as_of, run, by=by, at=at)
        if not is_left:
            return stone
        while _next_batch(rule, key, as_of, run, by=by, at=at):
            clock_watch.require_steady()


@flow
def _next_batch(rule: RetentionRule, key, as_of: date, run: PurgeRun | None, *, by: Actor, at: datetime) -> bool:
    """Destroy the next batch of a file whose destruction has begun; whether it was a full one, so more may be left.

    Nothing is judged again: since the mark no hold is taken, and nothing can have been added.
    """
    model = rule.candidates(as_of).model
    file = Destruction.objects.select_for_update().filter(label=model._meta.label_lower, key=str(key)).first()
    root = file and model._base_manager.filter(pk=key).first()
    count = destroying.destroy_batch(file, rule.in_batches(root), by=by, at=at) if root else 0
    if count and run is not None:
        purge_runs.keep(run)
    return count >= destroying.BATCH


@flow
def _step(
    rule: RetentionRule, key, as_of: date, run: PurgeRun | None, *, by: Actor, at: datetime
) -> tuple[Tombstone | None, bool]:
    """Judge one file under lock and destroy it, or the next batch of it; says whether there is more to do."""
    root = rule.candidates(as_of).filter(pk=key).first()
    if root is None:
        return None, False
    guarded = _locked(rule.guarded(root))
    root = rule.candidates(as_of).filter(pk=key).first()
    if root is None or {(type(row), row.pk) for row in rule.guarded(root)} != {(type(row), row.pk) for row in guarded}:
        return None, False  # somebody changed the file meanwhile: the next run judges it

    file, contents = destroying.begun(RecordRef.of(root)), list(rule.contents(root))
    if file is None:
        verdict = judge(rule, root, as_of=as_of, guarded=guarded, contents=contents)
        if not verdict.is_due:
            return None, False
        file = _file(rule, root, verdict.period, len(guarded), by=by, at=at)
    stone = _destroy(rule, root, file, guarded, contents, by=by, at=at)
    if run is not None:
        purge_report.tell_gone(run, rule.code, stone)
        purge_runs.keep(run)
    return stone, stone is None


def _file(rule: RetentionRule, root: models.Model, period: Period, looked_at: int, *, by: Actor, at: datetime):
    ref = RecordRef.of(root)
    return Destruction(
        label=ref.label, key=ref.key, name=ref.name, rule=rule.code, basis=period.basis,
        kept_through=period.kept_through, holds_looked_at=looked_at, begun_at=at, begun_by=by.label,
    )  # fmt: skip


def _destroy(
    rule: RetentionRule,
    root: models.Model,
    file: Destruction,
    guarded: list,
    contents: list,
    *,
    by: Actor,
    at: datetime,
) -> Tombstone | None:
    """Destroy the file, or if it is large its first batch: then None."""
    if rule.in_batches:
        waiting = references.with_rows(root, rule.in_batches(root))
        if destroying.destroy_first(file, waiting, guarded, by=by, at=at):
            return None
    subjects = rule.subjects(root)
    if rule.before:
        rule.before(root)
    return destroying.destroy_rest(file, references.with_rows(root, contents), subjects, by=by, at=at)


def destroy_again(rule: RetentionRule, root: models.Model, *, basis: str, kept_through: date, by: Actor, at: datetime):
    """Destroy a file that a backup brought back, whatever its period; returns its tombstone.

    For `replay_destructions` only. Raises StillHeld and StillReferred.
    """
    while True:
        stone = _again(rule, root, Period(basis, kept_through, "It was destroyed before."), by=by, at=at)
        if stone is not None:
            return stone


@flow
def _again(rule: RetentionRule, root: models.Model, period: Period, *, by: Actor, at: datetime) -> Tombstone | None:
    guarded, contents = _locked(rule.guarded(root)), list(rule.contents(root))
    if held := holds.why_held(guarded):
        raise holds.StillHeld(" ".join(held))
    if referring := list(_referring(rule, root, contents)):
        raise StillReferred(" ".join(referring))
    file = destroying.begun(RecordRef.of(root)) or _file(rule, root, period, len(guarded), by=by, at=at)
    return _destroy(rule, root, file, guarded, contents, by=by, at=at)


# --- the run over all files -------------------------------------------------------------------------------------------


def purge_due(*, as_of: date, today: date, execute: bool, by: Actor, at: datetime) -> Report:
    """Purge, or only list, what no rule keeps beyond `as_of`.

    `execute=False` changes nothing. A file that raises is counted in the report and tried again later. Raises NotYet
    for execution as of a day after `today`, PurgeUnderWay, ClockJumped, and KeyProblem without a key to sign with.
    """
    if not execute:
        return _go_through(PurgeRun(as_of=as_of, executes=False), at=at)
    run = purge_runs.ask(as_of=as_of, today=today, executes=True, by=by, at=at)
    try:
        return carry_out(run, at=at)
    except PurgeUnderWay as refusal:
        purge_runs.stop(run, str(refusal), by=by, at=at)
        raise


def carry_out(run: PurgeRun, *, at: datetime) -> Report:
    """Do what a run was asked for, as whoever asked for it; may be called again when a worker was lost.

    Raises PurgeUnderWay while another one destroys, and what `purge_due` raises; the run then says why it stopped.
    """
    by = run.asked
    run = purge_runs.begin(run, by=by, at=at)
    try:
        if run.executes:
            signing_key()
            clock_watch.require_steady()
        report = _go_through(run, at=at)
        purge_runs.finish(run, by=by, at=at)
        if report.gone:
            destroying.forget_old_pages()
    except RunLost:
        raise
    except BaseException as error:
        why = str(error) if isinstance(error, Refusal) else type(error).__name__
        purge_runs.stop(run, why, by=by, at=at)
        raise
    return report


def _go_through(run: PurgeRun, *, at: datetime) -> Report:
    report, waits = Report(executed=run.executes), _failures.held_back(FAILED, at)
    begun = set(Destruction.objects.values_list("label", "key")) if run.executes else set()
    todo = [(rule, list(_keys(rule.candidates(run.as_of)))) for rule in all_rules() if rule.candidates is not None]
    run.total = sum(len(keys) for _, keys in todo)
    for rule, keys in todo:
        for key in keys:
            if f"{rule.code}/{key}" not in waits:
                _one(rule, key, run, report, begun, at)
            run.looked_at += 1
            if run.token and run.looked_at % 50 == 0:
                with acting(run.asked):
                    purge_runs.keep(run)
    return report


def _one(rule: RetentionRule, key, run: PurgeRun, report: Report, begun: set, at: datetime) -> None:
    """Look at one file and, if the run destroys, destroy it; what raises is counted and the others go on."""
    name, told = f"{rule.code}/{key}", deepcopy(run.told)
    try:
        root = rule.candidates(run.as_of).filter(pk=key).first()
        if root is None:
            return
        ref = RecordRef.of(root)
        period = longest(rule.periods(root))
        is_over = period is not None and period.kept_through < run.as_of
        must_go = run.executes and (is_over or (ref.label, ref.key) in begun)
        stone = purge_file(rule, key, as_of=run.as_of, by=run.asked, at=at, run=run) if must_go else None
        if stone is not None:
            report.gone.append(stone)
            _failures.note_success(FAILED, name)
            return
        verdict = judge(rule, root, as_of=run.as_of)
        if not verdict.is_due:
            report.kept += purge_report.tell_kept(run, rule.code, ref, verdict)
        elif not run.executes:
            report.due.append((ref, verdict.period))
            purge_report.tell_due(run, rule.code, ref, verdict, rule.contents(root))
    except (RunLost, ClockJumped):
        raise
    except Exception as error:  # counted, logged by class, tried again by a later run
        log.error("the purge of %s failed (%s)", name, type(error).__name__)
        run.told = told
        purge_report.tell_failed(run, rule.code)
        report.failed.append((name, type(error).__name__))
        if run.executes:
            _failures.note_failure(FAILED, name, error, at)


def _keys(candidates: models.QuerySet) -> Iterator:
    """The candidates' keys, read once: each file is judged again under its lock, and a killed run starts anew."""
    yield from list(candidates.order_by("pk").values_list("pk", flat=True))


def _locked(rows: list[models.Model]) -> list[models.Model]:
    """The rows that are still there, locked in one order for everybody, so that two cannot wait for each other."""
    in_order = sorted(rows, key=lambda row: (row._meta.label_lower, str(row.pk)))
    found = [type(row)._base_manager.select_for_update().filter(pk=row.pk).first() for row in in_order]
    return [row for row in found if row is not None]


def _referring(rule: RetentionRule, root: models.Model, contents: Iterable[models.QuerySet]) -> Iterator[str]:
    in_batches = rule.in_batches(root) if rule.in_batches else ()
    return references.referring(root, contents, {rows.model for rows in in_batches})


register(
    RetentionRule(
        code="trail",
        title="Audit trail, holds and tombstones",
        covers=(
            *(AuditEvent, AuditPending, AuditLeaf, AuditCheckpoint, WitnessedCheckpoint, DestroyedPayload),
            *(CheckpointStamp, Tombstone, LegalHold, HeldRecord, IdentityView, RowChange, PurgeRun),
        ),
        why="Kept for good: without personal data, it proves what was done and destroyed.",
        comes_and_goes=True,
    ),
    RetentionRule(
        code="purge",
        title="What the purge keeps for itself",
        covers=(Destruction, DoomedRecord, ClockWatch),
        why="References and moments only: marks go with the file they stand for, the clock's one row stays.",
        comes_and_goes=True,
    ),
    RetentionRule(
        code="sealed",
        title="Subjects' keys and sealed payloads",
        covers=(SubjectKey, AuditPayload),
        why="Go with the person they belong to.",
        comes_and_goes=True,
    ),
)

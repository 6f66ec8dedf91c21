"""What a run of the purge found and did: lists for the caller, counts and the first sentences for its page."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import models

from kyc_portal.records.models import PurgeRun, Tombstone
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verdicts import Period, Verdict, Why

SHOWN = 20  # sentences a run keeps of each rule: the rest is counted


@dataclass
class Report:
    """What a purge did, or would do."""

    executed: bool
    gone: list[Tombstone] = field(default_factory=list)
    due: list[tuple[RecordRef, Period]] = field(default_factory=list)
    kept: list[tuple[RecordRef, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # rule and key, and the class of the error


def _told(run: PurgeRun, rule: str) -> dict:
    return run.told.setdefault(rule, {})


def tell_kept(run: PurgeRun, rule: str, ref: RecordRef, verdict: Verdict) -> list[tuple[RecordRef, str]]:
    """Count a file that is kept, with one sentence; returns what the report lists of it. No clock, nothing to tell."""
    if verdict.why is None:
        return []
    told = _told(run, rule)
    told[verdict.why.value] = told.get(verdict.why.value, 0) + 1
    # The ground of a hold tells of an authority's request: the run keeps no copy of it.
    sentence = "Held." if verdict.why is Why.HOLD else verdict.keeps[0]
    told["kept"] = [*told.get("kept", []), [ref.label, ref.key, ref.name, sentence[:300]]][:SHOWN]
    return [(ref, " ".join(verdict.keeps))]


def tell_due(run: PurgeRun, rule: str, ref: RecordRef, verdict: Verdict, contents: Iterable[models.QuerySet]) -> None:
    """Count a file that would go, with the rows in it."""
    told = _told(run, rule)
    told["count"] = told.get("count", 0) + 1
    told["due"] = [*told.get("due", []), [ref.label, ref.key, ref.name, verdict.period.sentence[:300]]][:SHOWN]
    _add_rows(told, {rows.model._meta.label_lower: rows.order_by().count() for rows in contents})


def tell_gone(run: PurgeRun, rule: str, stone: Tombstone | None) -> None:
    """Count a file that went, in the transaction in which it goes; nothing yet for one of which batches are left."""
    if stone is not None:
        told = _told(run, rule)
        told["gone"] = told.get("gone", 0) + 1
        _add_rows(told, stone.counts)


def tell_failed(run: PurgeRun, rule: str) -> None:
    """Count a file that raised."""
    told = _told(run, rule)
    told["failed"] = told.get("failed", 0) + 1


def _add_rows(told: dict, counts: dict[str, int]) -> None:
    rows = told.setdefault("rows", {})
    for label, count in counts.items():
        if count:
            rows[label] = rows.get(label, 0) + count

"""One delivery of access records from its lines to its rows, roll-ups and what follows, in one transaction (R18)."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from accounts.flows import access_days, access_follow_up, waiting
from accounts.flows.access_writing import Writer, Written, writer_for
from accounts.flows.batches import in_batches, made_ahead
from accounts.flows.verdicts import Judge, judge_on
from accounts.formats.access_lines import AccessLine, BadLine, content_of
from accounts.formats.access_rows import ADDRESS, Rows
from accounts.formats.text import shown
from accounts.models import AccessBatch, RefusedLine
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal, Remedy

FIRST, PART = 1_000, 10_000  # lines at once: few at first, for the database waits for them
AHEAD = 2  # parts that are read while others are written
OBJECTS_AHEAD = 400_000
_AS_EVER = gc.get_threshold()
ADDRESSES_KNOWN = 200_000
LINES_SHOWN = 20
LONGEST_REASON = 300
DOOMED = "The destruction of this account's file has begun, so nothing can be added to it."


class BadLines(Refusal):
    """Some lines of the file cannot be used, and only a whole file was wanted; `first` are the first LINES_SHOWN."""

    def __init__(self, sentence: str, first: list[BadLine]):
        super().__init__(sentence, Remedy.KEEP_GOOD)
        self.first = first


@dataclass
class _Part:
    """Some lines, read and ready to be written."""

    count: int
    sent: dict[int, str | bytes]  # each line as it came
    bad: list[BadLine]
    packed: Any
    verdicts: dict[str, Any]  # on addresses that came for the first time
    networks: list[tuple[str, str]]  # of them


@dataclass
class _Tally:
    """What became of the lines so far; `first_bad` are the first that cannot be used."""

    read: int = 0
    new: int = 0
    waiting: int = 0
    refused: int = 0
    first_bad: list[BadLine] = field(default_factory=list)


def take_in(
    batch: AccessBatch, lines: Iterable[AccessLine | BadLine], *, keep_good_rows: bool, by: Actor, at: datetime
) -> AccessBatch:
    """Write what the lines say under a batch that is there already, and account for every one of them.

    The transaction is the caller's. Raises BadLines unless `keep_good_rows`, and whatever the reader raises.
    """
    judge = judge_on(at)
    with _few_collections():
        told = _write(batch, lines, judge, keep_good_rows, at)
    if told.refused and not keep_good_rows:
        raise BadLines(_in_words(told, batch.file_name), told.first_bad)
    batch.read_count, batch.new_count, batch.waiting_count = told.read, told.new, told.waiting
    batch.refused_count = told.refused
    batch.known_count = told.read - told.new - told.waiting - told.refused
    batch.save(update_fields=["read_count", "new_count", "known_count", "waiting_count", "refused_count"])
    access_days.add("r.batch_id = %s", [_key_of(batch)])
    if told.waiting:
        waiting.note(batch, at=at)
    audit.record(
        Verb.LOG_IMPORTED, batch, by=by, at=at, within=batch.account, batch=batch.reference, read=told.read,
        new=told.new, known=batch.known_count, waiting=told.waiting, refused=told.refused, sha256=batch.sha256,
    )  # fmt: skip
    access_follow_up.follow_up(batch, by=by, at=at)
    return batch


@contextmanager
def _few_collections() -> Iterator[None]:
    """Many million rows come and go without cycles: the collector leaves alone what was there, and comes only once far
    more stays than the parts that are read ahead."""
    gc.freeze()
    gc.set_threshold(OBJECTS_AHEAD)
    try:
        yield
    finally:
        gc.set_threshold(*_AS_EVER)
        gc.unfreeze()


def _key_of(batch: AccessBatch) -> object:
    return batch._meta.pk.get_db_prep_value(batch.pk, connection)


def _write(batch: AccessBatch, lines: Iterable, judge: Judge, keep_good_rows: bool, at: datetime) -> _Tally:
    told, writer = _Tally(), writer_for(batch, judge.edition, at=at)
    read_before = AccessBatch.objects.filter(sha256=batch.sha256).exclude(pk=batch.pk).exists()
    access_days.forget_networks()
    rows = Rows(lambda address: _meaning(judge, address), at=at, names_accounts=batch.account_id is None)
    for part in made_ahead(_parts(iter(lines), rows, writer, judge, at), AHEAD):
        told.read += part.count
        bad = part.bad
        if keep_good_rows or not told.refused:  # else it only counts what is wrong
            judge.keep_ready(part.verdicts, at=at)
            access_days.note_networks(part.networks)
            written = writer.write(part.packed)
            told.new += written.new
            told.waiting += written.waiting
            if read_before:  # by another mapping, which may well put the same event into other words
                written.differing = []
            if written.doomed or written.differing:
                bad = sorted([*bad, *_not_added(part, written)], key=lambda line: line.line)
        told.refused += len(bad)
        told.first_bad += bad[: LINES_SHOWN - len(told.first_bad)]
        if keep_good_rows:
            _keep_refused(batch, bad)
    return told


def _not_added(part: _Part, written: Written) -> list[BadLine]:
    """Nothing more is kept of who is being destroyed; what contradicts a record is kept as it was sent."""
    differing = [BadLine(line, waiting.DIFFERS, content_of(part.sent[line])) for line in written.differing]
    return [*(BadLine(line, DOOMED) for line in written.doomed), *differing]


def _parts(lines: Iterator, rows: Rows, writer: Writer, judge: Judge, at: datetime) -> Iterator[_Part]:
    size, seen = min(FIRST, PART), set()
    while some := list(islice(lines, size)):
        size = min(size * 3 // 2, PART)
        bad, good, sent = [], [], {}
        for line in some:
            sent[line.line] = line.content if isinstance(line, BadLine) else line.sent
            made = line if isinstance(line, BadLine) else rows.of(line)
            (bad if isinstance(made, BadLine) else good).append(made)
        new = {row[ADDRESS] for row in good} - seen - {None}
        if len(seen) >= ADDRESSES_KNOWN:
            seen.clear()
        seen |= new
        networks = [(address, judge.of(address).network) for address in new]
        yield _Part(len(some), sent, bad, writer.pack(good), judge.ready(new, at=at), networks)


def _meaning(judge: Judge, address: str) -> tuple[str, str, str]:
    verdict = judge.of(address)
    return verdict.country, verdict.anonymiser, verdict.special_use


def _keep_refused(batch: AccessBatch, bad: list[BadLine]) -> None:
    for part in in_batches(bad):
        RefusedLine.objects.bulk_create(
            RefusedLine(batch=batch, line=line.line, reason=line.reason[:LONGEST_REASON], content=line.content)
            for line in part
        )


def _in_words(told: _Tally, file_name: str) -> str:
    first = told.first_bad[0]
    lines = ", ".join(str(bad.line) for bad in told.first_bad)
    more = " and more" if told.refused > LINES_SHOWN else ""
    which = "line cannot" if told.refused == 1 else "lines cannot"
    return (
        f"{shown(file_name)}: {told.refused:,} {which} be used ({lines}{more}), so nothing is taken in. "
        f"Line {first.line}: {first.reason}"
    )

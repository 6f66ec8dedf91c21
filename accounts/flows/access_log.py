"""Take in access logs: every line accounted for, none twice, what its address meant kept as of that day (R18, T23)."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from accounts.flows import signals
from accounts.flows.batches import in_batches
from accounts.flows.verdicts import Judge, judge_on
from accounts.formats import cloudtrail
from accounts.formats.access_lines import AccessLine, BadLine, read_csv, read_jsonl
from accounts.formats.text import make_controls_visible, shown
from accounts.models import AccessBatch, AccessRecord, Account, RefusedLine
from accounts.rules.verdicts import Verdict
from accounts.verbs import Verb
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CHUNK = 1 << 20
LINES_SHOWN = 20
LONGEST_FILE_NAME = 200
LONGEST_LINE_REASON = 300
FUTURE_TOLERANCE = timedelta(days=1)  # for clocks that run fast; a date beyond would keep a file from ever being due

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # a clock that was never set says this day

# What our columns hold; a longer value is refused rather than cut, because a cut one is no evidence.
LONGEST = {"event_id": 200, "action": 200, "principal": 300, "raw_source": 300, "source_system": 80}

NO_ADDRESS = Verdict()


class UnknownFormat(Refusal):
    """No reader is known for this kind of access log."""


class UnreadableFile(Refusal):
    """The file is missing or may not be read."""


class BadLines(Refusal):
    """Some lines of the file cannot be used, and only a whole file was wanted."""


def _read_cloudtrail(stream: BinaryIO, name: str, encoding: str | None) -> Iterator[AccessLine | BadLine]:
    return cloudtrail.read_lines(stream, name)


def _read_jsonl(stream: BinaryIO, name: str, encoding: str | None) -> Iterator[AccessLine | BadLine]:
    return read_jsonl(stream)


def _read_csv(stream: BinaryIO, name: str, encoding: str | None) -> Iterator[AccessLine | BadLine]:
    return read_csv(stream, encoding)


FORMATS: dict[str, Callable] = {"cloudtrail": _read_cloudtrail, "jsonl": _read_jsonl, "csv": _read_csv}


@dataclass
class _Tally:
    """What became of the lines read so far; read = new + known + refused."""

    read: int = 0
    new: int = 0
    known: int = 0
    refused: list[BadLine] = field(default_factory=list)
    last_at: datetime | None = None


def import_access_lines(
    account: Account,
    path_or_stream: Path | BinaryIO,
    *,
    format: str,
    file_name: str,
    keep_good_rows: bool = False,
    encoding: str | None = None,
    by: Actor,
    at: datetime,
) -> AccessBatch:
    """Take in one file of one account's access records, all or nothing, and look for red flags afterwards.

    The same bytes again add nothing: the earlier batch comes back with `is_repeat` set. With `keep_good_rows` lines
    that cannot be used are kept with their reasons, otherwise BadLines names the first of them and nothing is stored.
    Raises UnknownFormat, UnreadableFile, and the format's own refusals for a file that is wrong as a whole.
    """
    if format not in FORMATS:
        raise UnknownFormat(f"There is no log format “{shown(format)}”. Known formats: {', '.join(sorted(FORMATS))}.")
    with _Rewindable(path_or_stream) as stream:
        sha256 = _sha256_of(stream)
        with one_flow(by):
            account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
            holds.refuse_doomed(account)
            earlier = account.access_batches.filter(sha256=sha256).first()
            if earlier is not None:
                earlier.is_repeat = True
                return earlier
            stream.seek(0)
            batch = AccessBatch(
                account=account, format=format, file_name=make_controls_visible(file_name)[:LONGEST_FILE_NAME],
                sha256=sha256, imported_at=at, imported_by=by.label,
            )  # fmt: skip
            lines = FORMATS[format](stream, file_name, encoding)
            return _take_in(batch, lines, keep_good_rows, by, at)


class _Rewindable:
    """The file or stream, readable from its start; a stream that cannot go back is copied first."""

    def __init__(self, source: Path | BinaryIO):
        self.source, self.own = source, None

    def __enter__(self) -> BinaryIO:
        if isinstance(self.source, Path):
            self.own = self._opened(self.source)
        elif not self.source.seekable():
            self.own = _copied(self.source)
        return self.own or self.source

    def _opened(self, path: Path) -> BinaryIO:
        """The file, or a copy of what comes out of a pipe; one byte is read, for some can be opened but not read."""
        try:
            with path.open("rb") as file:
                if not file.seekable():
                    return _copied(file)
                file.read(1)
            return path.open("rb")
        except (OSError, ValueError) as error:
            raise UnreadableFile(f"{shown(path.name)} cannot be read. Check the file's name and its rights.") from error

    def __exit__(self, *_: object) -> None:
        if self.own is not None:
            self.own.close()


def _copied(stream: BinaryIO) -> BinaryIO:
    copy = SpooledTemporaryFile(max_size=CHUNK)  # noqa: SIM115 closed by _Rewindable
    while chunk := stream.read(CHUNK):
        copy.write(chunk)
    return copy


def _sha256_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _take_in(batch: AccessBatch, lines: Iterator, keep_good_rows: bool, by: Actor, at: datetime) -> AccessBatch:
    """Write batch and records, account for every line, then note the last access and look for red flags."""
    batch.read_count = batch.new_count = batch.known_count = batch.refused_count = 0
    batch.save(force_insert=True)
    told, judge = _Tally(), judge_on(at)
    for part in in_batches(lines):
        _write(batch, part, told, judge, at)
    if told.refused and not keep_good_rows:
        raise BadLines(_in_words(told.refused, batch.file_name))
    for part in in_batches(told.refused):
        RefusedLine.objects.bulk_create(
            RefusedLine(batch=batch, line=bad.line, reason=bad.reason[:LONGEST_LINE_REASON]) for bad in part
        )
    batch.read_count, batch.new_count, batch.known_count = told.read, told.new, told.known
    batch.refused_count = len(told.refused)
    batch.save(update_fields=["read_count", "new_count", "known_count", "refused_count"])
    _note_last_access(batch.account, told.last_at)
    audit.record(
        Verb.LOG_IMPORTED, batch, by=by, at=at, within=batch.account, batch=batch.reference, read=told.read,
        new=told.new, known=told.known, refused=len(told.refused), sha256=batch.sha256,
    )  # fmt: skip
    signals.run_detectors(batch.account, by=by, at=at)
    return batch


def _write(batch: AccessBatch, part: list[AccessLine | BadLine], told: _Tally, judge: Judge, at: datetime) -> None:
    """Write one batch of lines; an event that this account has already, from whatever file, is known."""
    told.read += len(part)
    lines = []
    for line in part:
        bad = line if isinstance(line, BadLine) else _fault(line, at)
        if bad is None:
            lines.append(line)
        else:
            told.refused.append(bad)
    there = AccessRecord.objects.filter(
        account=batch.account,
        source_system__in={line.source_system for line in lines},
        event_id__in=[line.event_id for line in lines],
    )
    known = set(there.values_list("source_system", "event_id")) if lines else set()
    rows = []
    for line in lines:
        key = (line.source_system, line.event_id)
        if key in known:
            told.known += 1
            continue
        known.add(key)
        rows.append(_as_record(batch, line, judge))
        told.last_at = max(told.last_at or line.at, line.at)
    AccessRecord.objects.bulk_create(rows, ignore_conflicts=True)
    judge.keep((row.address for row in rows if row.address), at=at)
    told.new += len(rows)


def _fault(line: AccessLine, at: datetime) -> BadLine | None:
    for name, longest in LONGEST.items():
        if len(getattr(line, name)) > longest:
            return BadLine(line.line, f"{name.replace('raw_', '')} is longer than {longest} characters.")
    if line.at < EARLIEST:
        return BadLine(line.line, f"at: {line.at.date()} lies before any log. Check the clock of the source system.")
    if line.at > at + FUTURE_TOLERANCE:
        return BadLine(line.line, f"at: {line.at:%Y-%m-%d} lies in the future. Check the clock of the source system.")
    return None


def _as_record(batch: AccessBatch, line: AccessLine, judge: Judge) -> AccessRecord:
    verdict = judge.of(line.address) if line.address else NO_ADDRESS
    agent = line.user_agent.encode()
    return AccessRecord(
        account=batch.account,
        batch=batch,
        at=line.at,
        kind=line.kind,
        action=line.action,
        principal=line.principal,
        address=line.address,
        raw_source=line.raw_source,
        user_agent_sha256=hashlib.sha256(agent).hexdigest() if agent else "",
        source_system=line.source_system,
        event_id=line.event_id,
        country=verdict.country,
        anonymiser=verdict.anonymiser,
        special_use=verdict.special_use,
        edition=judge.edition if line.address else None,
    )


def _note_last_access(account: Account, last_at: datetime | None) -> None:
    """The retention clock reads this day; it only ever moves forward."""
    if last_at is not None and (account.last_access_at is None or account.last_access_at < last_at):
        account.last_access_at = last_at
        account.save(update_fields=["last_access_at"])


def _in_words(refused: list[BadLine], file_name: str) -> str:
    first = refused[0]
    lines = ", ".join(str(bad.line) for bad in refused[:LINES_SHOWN])
    more = " and more" if len(refused) > LINES_SHOWN else ""
    which = "line cannot" if len(refused) == 1 else "lines cannot"
    return (
        f"{shown(file_name)}: {len(refused):,} {which} be used ({lines}{more}), so nothing is taken in. "
        f"Line {first.line}: {first.reason} Correct the file, or keep the good lines with --keep-good-rows."
    )

"""Take in access logs: every line accounted for, none twice, what its address meant kept as of that day (R18, T23)."""

import hashlib
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from django.db import IntegrityError, transaction

from accounts.flows import access_delivery, access_elsewhere
from accounts.flows.deadlocks import anew_after_deadlock
from accounts.formats.access_formats import AUTO, FORMATS, MAPPED, Lines
from accounts.formats.access_lines import AccessFileRefused
from accounts.formats.log_kind import recognise
from accounts.formats.mapped_log import MappedReader
from accounts.formats.text import make_controls_visible, shown
from accounts.models import AccessBatch, Account
from kyc_portal.records import holds
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CHUNK = 1 << 20
LONGEST_FILE_NAME = 200
BLANK = b" \t\r\n\xef\xbb\xbf"


class UnknownFormat(Refusal):
    """No reader is known for this kind of access log."""


class UnreadableFile(Refusal):
    """The file is missing or may not be read."""


def import_access_lines(
    account: Account | None,
    path_or_stream: Path | BinaryIO,
    *,
    format: str,
    file_name: str,
    keep_good_rows: bool = False,
    encoding: str | None = None,
    reader: MappedReader | None = None,
    by: Actor,
    at: datetime,
) -> AccessBatch:
    """Take in one delivery of access records, all or nothing, and have red flags looked for afterwards.

    `account` is whose file it is; with None each line names its own: by the provider's number, by our reference, or as
    staff named it for its source system. What belongs to nobody we know waits (flows/waiting.py).

    `format` is one of FORMATS, or "auto" to have it told by content; a `reader` of a declared mapping stands for it.
    The same bytes read the same way add nothing: the earlier batch comes back with `is_repeat` set. By another mapping
    or format they are a delivery of its own, in which events that are there count as known. With `keep_good_rows` lines
    that cannot be used are kept with their reasons, otherwise BadLines names the first of them and nothing is stored.
    Raises UnknownFormat, UnreadableFile, OthersLines when lines of one account's delivery name another account of ours,
    and the format's own refusals for a file that is wrong as a whole.
    """
    if format not in (AUTO, *FORMATS) and reader is None:
        raise UnknownFormat(f"There is no log format “{shown(format)}”. Known formats: {', '.join(sorted(FORMATS))}.")
    with _Rewindable(path_or_stream) as stream:
        _require_something(stream, file_name)
        format = MAPPED if reader else recognise(stream, file_name) if format == AUTO else format
        sha256 = _sha256_of(stream)
        batch = AccessBatch(
            account=account, format=format, file_name=make_controls_visible(file_name)[:LONGEST_FILE_NAME],
            sha256=sha256, mapping_sha256=reader.sha256 if reader else "", imported_at=at, imported_by=by.label,
            read_count=0, new_count=0, known_count=0, refused_count=0,
        )  # fmt: skip

        def take_in() -> AccessBatch:
            stream.seek(0)
            lines = (reader or FORMATS[format])(stream, file_name, encoding)
            return _take_in(batch, lines, keep_good_rows=keep_good_rows, by=by, at=at)

        return anew_after_deadlock(take_in)


def _take_in(batch: AccessBatch, lines: Lines, *, keep_good_rows: bool, by: Actor, at: datetime) -> AccessBatch:
    with one_flow(by):
        if batch.account is not None:
            batch.account = Account.objects.select_for_update(of=("self",)).get(pk=batch.account.pk)
            holds.refuse_doomed(batch.account)
        if (earlier := _earlier(batch)) is not None:
            earlier.is_repeat = True
            return earlier
        with access_elsewhere.watching(batch, lines) as watched:
            return access_delivery.take_in(batch, watched, keep_good_rows=keep_good_rows, by=by, at=at)


def _earlier(batch: AccessBatch) -> AccessBatch | None:
    """The batch that holds these bytes, read the same way; else None, and this one is written and keeps others out."""
    same = AccessBatch.objects.filter(
        account=batch.account, sha256=batch.sha256, format=batch.format, mapping_sha256=batch.mapping_sha256
    )
    if (earlier := same.first()) is not None:
        return earlier
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError:  # of many accounts, delivered twice at once: the first has been waited for
        if (earlier := same.first()) is None:
            raise
        return earlier
    return None


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


def _require_something(stream: BinaryIO, file_name: str) -> None:
    """Whoever sends nothing is told so: a source that broke down would look healthy. Leaves the stream at its start."""
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        if chunk.strip(BLANK):
            break
    else:
        raise AccessFileRefused(f"{shown(file_name)} is empty. Give a log file as the service delivered it.")
    stream.seek(0)


def _sha256_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

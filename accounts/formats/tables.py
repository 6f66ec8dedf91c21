"""The careful reader of CSV tables that every import uses (trust.md section 3, rows A1-A21, C5, C8).

A file is gone through twice: once to find every fault of the file as a whole, before the first row is handed out, and
once to hand out rows. Row numbers are line numbers of the file as an editor shows them.
"""

import codecs
import csv
import io
import re
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from accounts.formats.text import find_fault, is_blank, shown
from kyc_portal.refusal import Refusal, Remedy

# The csv module counts characters of one field against a limit of the whole process; ours stays well below it.
LARGEST_FIELD_LIMIT = 100_000
LONGEST_LINE = 1_000_000
CHUNK = 1 << 16
SPREADSHEET_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+\s*\Z")

_MARKS = (
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_END_OF_FILE = "\x1a"


class TableRefused(Refusal):
    """The file as a whole cannot be read as the table that was asked for."""


@dataclass(frozen=True)
class Columns:
    """The header names a table may have; `codes` are columns of numbers-as-text that spreadsheets spoil (A21).

    `quotes=False` keeps what stands in the file out of every sentence, where these are stored or shown to others.
    With `others` columns of other names may be there too, and are passed over.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    quotes: bool = True
    others: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True)
class Limits:
    """Characters in a field, rows after the header, bytes in the file."""

    field: int = 2_000
    rows: int = 1_000_000
    size: int = 1 << 30


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, and a value for every known column ("" where an optional one is absent).

    `sent` is the row as it stands in the file.
    """

    line: int
    values: dict[str, str]
    sent: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be used, and why, as a sentence."""

    line: int
    reason: str
    sent: str = field(default="", compare=False, repr=False)


DEFAULT_LIMITS = Limits()


def read_table(
    source: Path | BinaryIO, columns: Columns, limits: Limits = DEFAULT_LIMITS, encoding: str | None = None
) -> Iterator[Row | BadRow]:
    """Check the whole file, then return its rows in order, good and bad.

    UTF-8 with or without a mark and UTF-16 with a mark are recognised, anything else must be named in `encoding`. The
    header may be in any order. Values stay as typed; a value that shows nothing is "". Blank lines and a Ctrl-Z at the
    end are skipped. TableRefused is raised at once, not while the rows are being taken.
    """
    if limits.field > LARGEST_FIELD_LIMIT:
        raise ValueError(f"The field limit may be at most {LARGEST_FIELD_LIMIT}.")
    copy = None if isinstance(source, Path) or source.seekable() else _copy(source)
    table = _Table(copy or source, columns, limits)
    if copy:
        weakref.finalize(table, copy.close)  # the rows may never be taken
    table.inspect(encoding)
    return table.rows()


def repeated(rows: Iterable[Row], column: str) -> dict[str, tuple[int, ...]]:
    """Return each value of a key column that stands in more than one row, with all its lines (A14)."""
    lines: dict[str, list[int]] = {}
    for row in rows:
        if row.values[column]:
            lines.setdefault(row.values[column], []).append(row.line)
    return {value: tuple(places) for value, places in lines.items() if len(places) > 1}


def _copy(source: BinaryIO) -> BinaryIO:
    copy = SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 closed when the table is gone
    try:
        while chunk := source.read(CHUNK):
            copy.write(chunk)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


class _Lines:
    """Lines of a text with their line ends, counted; a lone CR ends a line too (A11)."""

    def __init__(self, text: io.TextIOBase):
        self.text = text
        self.number = 0
        self.sent: list[str] = []  # since somebody last emptied it
        self._taken = 0

    def __iter__(self) -> Iterator[str]:
        line = self._take()
        while line:
            following = self._take()
            if following or line.strip() != _END_OF_FILE:
                self.number += 1
                self.sent.append(line)
                yield line
            line = following

    def _take(self) -> str:
        self._taken += 1
        line = self.text.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise TableRefused(
                f"Line {self._taken} is longer than {LONGEST_LINE:,} characters. Check that the file is a CSV table."
            )
        return line


class _Table:
    """One file under inspection: where it starts, how it is encoded, which column stands where."""

    def __init__(self, source: Path | BinaryIO, columns: Columns, limits: Limits):
        self.source, self.columns, self.limits = source, columns, limits
        self.start = 0 if isinstance(source, Path) else source.tell()
        self.encoding = ""
        self.header: list[str] = []

    def inspect(self, encoding: str | None) -> None:
        """Raise TableRefused for every fault of the file as a whole; `encoding` is the one named by the user."""
        with self._opened() as stream:
            self.encoding = self._choose_encoding(stream, encoding)
        count = 0
        try:
            for line, cells, error, _ in self._records():
                if not self.header:
                    self.header = read_header(line, cells, error, self.columns)
                    continue
                count += 1
                if count > self.limits.rows:
                    raise TableRefused(
                        f"The file has more than {self.limits.rows:,} rows. Split it into smaller files."
                    )
        except UnicodeError as error:
            raise TableRefused(self._undecodable(), Remedy.NAME_ENCODING) from error
        if not self.header:
            raise TableRefused(f"The file is empty. Its first line must name {_listed(self.columns.required)}.")

    def rows(self) -> Iterator[Row | BadRow]:
        records = self._records()
        next(records)
        for line, cells, error, sent in records:
            yield self._row(line, cells, error, sent)

    def _row(self, line: int, cells: list[str], error: str, sent: str) -> Row | BadRow:
        if error:
            return BadRow(line, error, sent)
        if len(cells) != len(self.header):
            word = "few" if len(cells) < len(self.header) else "many"
            return BadRow(
                line,
                f"The row has too {word} columns: {len(cells)} instead of {len(self.header)}. Check its commas.",
                sent,
            )
        values = dict.fromkeys(self.columns.known, "")
        for name, value in zip(self.header, cells, strict=True):
            if self.columns.others and name not in values:
                continue
            if fault := find_fault(value, self.limits.field):
                return BadRow(line, f"Column {name} {fault}.", sent)
            if name in self.columns.codes and SPREADSHEET_NUMBER.match(value):
                return BadRow(
                    line,
                    f"Column {name} holds {self._quoted(value)}a number rewritten by a spreadsheet. Format the column "
                    "as text and type it again.",
                    sent,
                )
            values[name] = "" if is_blank(value) else value
        return Row(line, values, sent)

    def _quoted(self, value: str) -> str:
        return f"{shown(value)}, " if self.columns.quotes else ""

    def _records(self) -> Iterator[tuple[int, list[str], str, str]]:
        """Yield (line, cells, "", sent) or (line, [], reason, sent) for each record that is not a blank line."""
        with self._opened() as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            try:
                yield from _split_records(_Lines(text))
            finally:
                text.detach()  # or the wrapper would close the caller's stream

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Give the stream at its start; a path is opened and closed, a caller's stream stays open."""
        if isinstance(self.source, Path):
            with self._open_path() as stream:
                yield stream
        else:
            self.source.seek(self.start)
            yield self.source

    def _open_path(self) -> BinaryIO:
        try:
            return self.source.open("rb")
        except OSError as error:
            raise TableRefused(
                f"{shown(self.source.name)} cannot be read. Check that the file exists and may be read."
            ) from error

    def _choose_encoding(self, stream: BinaryIO, named: str | None) -> str:
        head = stream.read(256)
        end = stream.seek(0, io.SEEK_END)
        if end - self.start > self.limits.size:
            raise TableRefused(f"The file is larger than {self.limits.size:,} bytes. Split it into smaller files.")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                if encoding is None:
                    raise TableRefused("The file is encoded as UTF-32. Save it as UTF-8.")
                return encoding
        if named is not None:
            return _known_encoding(named)
        if head.count(0) * 3 > len(head):
            raise TableRefused("The file looks like UTF-16 without a byte order mark.", Remedy.NAME_UTF_16)
        return "utf-8"

    def _undecodable(self) -> str:
        """Find the first bytes that the encoding does not allow, and name their line."""
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)(), translate=True)
        line, place = 1, ""
        with self._opened() as stream:
            try:
                while chunk := stream.read(CHUNK):
                    line += decoder.decode(chunk).count("\n")
                decoder.decode(b"", final=True)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(self.encoding, errors="ignore")
                line += good.replace("\r\n", "\n").replace("\r", "\n").count("\n")
                place = f" (byte 0x{error.object[error.start]:02X})"
            except UnicodeError as error:
                place = f" ({type(error).__name__})"
        name = {"utf-8-sig": "UTF-8"}.get(self.encoding, self.encoding.upper())
        return f"Line {line} is not valid {name}{place}."


def _split_records(lines: _Lines) -> Iterator[tuple[int, list[str], str, str]]:
    reader = csv.reader(lines, strict=True)
    while True:
        before = lines.number
        lines.sent.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield before + 1, [], _explain(error, before + 1, lines.number), "".join(lines.sent)
            continue
        if cells:
            yield before + 1, cells, "", "".join(lines.sent)


def _known_encoding(named: str) -> str:
    try:
        codec = codecs.lookup(named)
        io.TextIOWrapper(io.BytesIO(), encoding=codec.name)  # refuses codecs that do not yield text, such as hex
    except (LookupError, ValueError) as error:
        raise TableRefused(f'"{shown(named)}" is not a text encoding.', Remedy.OTHER_ENCODING) from error
    return codec.name


def _explain(error: csv.Error, first: int, last: int) -> str:
    """Put the csv module's complaint into words; where the row boundaries are lost, refuse the whole file."""
    if last > first or "unexpected end" in str(error):
        raise TableRefused(
            f"The quotation mark opened in line {first} is not closed properly. Every quotation mark inside a value "
            "must be doubled."
        )
    if "field larger" in str(error):
        return f"A field is longer than {LARGEST_FIELD_LIMIT:,} characters. Shorten it."
    return "A quotation mark stands inside a quoted value. Double it."


def read_header(line: int, cells: list[str], error: str, columns: Columns) -> list[str]:
    """The known name of each cell of a header, or TableRefused; `error` is what is wrong with the line as such."""
    if error or any(find_fault(cell, DEFAULT_LIMITS.field) for cell in cells):
        raise TableRefused(f"Line {line} is not a header. It must name {_listed(columns.required)}.")
    known = {name.casefold(): name for name in columns.known}
    names = [known.get(cell.strip().casefold(), cell.strip()) for cell in cells]
    may_tell = columns.known if columns.others or not columns.quotes else names
    if doubled := sorted({name for name in names if names.count(name) > 1 and name in may_tell}):
        raise TableRefused(f"The header in line {line} names {_listed(doubled)} more than once. Remove the repetition.")
    missing = [name for name in columns.required if name not in names]
    unknown = [name for name in names if name not in known.values() and not columns.others]
    if not missing and not unknown:
        return names
    _refuse_other_delimiter(cells, known)
    parts = []
    if missing:
        parts.append(f"lacks {_listed(missing)}")
    if unknown:
        told = f"the unknown {_listed(unknown[:5])}" if columns.quotes else f"{len(unknown)} unknown columns"
        parts.append(f"has {told}")
    also = f"; {_listed(columns.optional)} may be there too" if columns.optional else ""
    raise TableRefused(
        f"The header in line {line} {' and '.join(parts)}. Expected, in any order: {', '.join(columns.required)}{also}."
    )


def _refuse_other_delimiter(cells: list[str], known: dict[str, str]) -> None:
    line = ",".join(cells)
    for delimiter, name in _OTHER_DELIMITERS.items():
        parts = [part.strip().strip('"').casefold() for part in line.split(delimiter)]
        if len(parts) > 1 and any(part in known for part in parts):
            raise TableRefused(f"The columns are separated by {name}. Save the file with commas between the columns.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name) or '""' for name in names)

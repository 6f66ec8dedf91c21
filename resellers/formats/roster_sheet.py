"""A sheet of an XLSX workbook as rows of text, read as a stream: memory stays flat but for its table of strings.

Nothing is evaluated: a formula is refused, and what it showed when it was saved is not looked at. A day is taken only
from a cell that is formatted as one; text is taken as it is.
"""

import re
import zipfile
from array import array
from collections.abc import Iterator
from datetime import date, timedelta
from typing import BinaryIO

from accounts.formats.tables import BadRow, Columns, Row, TableRefused, read_header
from accounts.formats.text import is_blank, shown
from resellers.formats.workbook import Workbook, describe, feed, opened

NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
PARTS = ("row", "c", "v", "t", "f", "is", "si", "rPh", "mergeCell")
TAGS = {f"{{{namespace}}}{part}": part for namespace in NAMESPACES for part in PARTS}
LETTERS = re.compile(r"[A-Z]{1,3}")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
MOST_COLUMNS = 200
LONGEST_CELL = 32_767  # what a spreadsheet allows
LONGEST_PART_OF_NUMBER = 15  # digits a spreadsheet keeps
LAST_DAY = 2_958_465  # 9999-12-31

# What a cell holds beside text.
FORMULA, ERROR, YES_NO, NUMBER = "formula", "error", "yes or no", "number"


class _Strings:
    """The strings that the cells share, packed: a roster may have a million, and most are seen once."""

    def __init__(self):
        self.bytes, self.ends = bytearray(), array("Q", [0])
        self._text: list[str] = []
        self._taking = self._in_reading_aid = False

    def start(self, tag, attributes):
        part = TAGS.get(tag)
        if part == "t":
            self._taking = not self._in_reading_aid
        elif part == "rPh":
            self._in_reading_aid = True

    def data(self, text):
        if self._taking:
            self._text.append(text)

    def end(self, tag):
        part = TAGS.get(tag)
        if part == "t":
            self._taking = False
        elif part == "rPh":
            self._in_reading_aid = False
        elif part == "si":
            self.bytes += "".join(self._text).encode()
            self.ends.append(len(self.bytes))
            self._text.clear()

    def close(self):
        pass

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self.ends) - 1:
            raise ValueError("a cell names a string that is not there")
        return self.bytes[self.ends[number] : self.ends[number + 1]].decode()


class _Cells:
    """Collects rows as (line, [(column from 0, type, style, text or None, is a formula)])."""

    def __init__(self):
        self.rows: list[tuple[int, list[tuple]]] = []
        self.merged = ""
        self._line = self._column = 0
        self._cells: list[tuple] = []
        self._kind = self._style = ""
        self._text: list[str] = []
        self._taking = self._is_formula = self._has_value = self._in_reading_aid = False

    def start(self, tag, attributes):
        part = TAGS.get(tag)
        if part == "c":
            place = LETTERS.match(attributes.get("r", ""))
            self._column = _number_of(place.group()) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._text.clear()
            self._is_formula = self._has_value = False
        elif part == "v" or (part == "t" and not self._in_reading_aid):
            self._taking = self._has_value = True
        elif part == "f":
            self._is_formula = True
        elif part == "row":
            self._line = int(attributes.get("r", self._line + 1))
            self._column = 0
            self._cells = []
        elif part == "rPh":
            self._in_reading_aid = True
        elif part == "mergeCell" and not self.merged:
            self.merged = attributes.get("ref", "?")

    def data(self, text):
        if self._taking:
            self._text.append(text)

    def end(self, tag):
        part = TAGS.get(tag)
        if part == "v" or part == "t":
            self._taking = False
        elif part == "c":
            if self._has_value or self._is_formula:
                self._cells.append((
                    self._column - 1, self._kind, int(self._style), "".join(self._text), self._is_formula
                ))  # fmt: skip
        elif part == "rPh":
            self._in_reading_aid = False
        elif part == "row":
            self.rows.append((self._line, self._cells))

    def close(self):
        pass


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


class _OtherText(ValueError):
    """A cell that holds something else than text; says what."""


def read_sheet(
    source: BinaryIO, columns: Columns, days: tuple[str, ...], *, most_rows: int, may_number: tuple[str, ...] = ()
) -> Iterator[Row | BadRow]:
    """The rows of the only sheet that has any, as text; of a file that can be rewound. Blank lines are left out.

    `days` are the columns in which a cell may hold a day, `may_number` those in which a whole number is as good as
    text. TableRefused for the file as a whole comes while the rows are taken, at the latest after the last one.
    """
    with opened(source) as parts:
        book, strings = describe(parts), _Strings()
        if book.strings:
            for _ in feed(parts, book.strings, strings):
                pass
        sheet, reader, count = _only_sheet(parts, book), None, 0
        for line, cells in _rows(parts, sheet):
            if reader is None:
                header = _header(line, cells, strings, columns)
                reader = _Reader(book, strings, header, columns, days, may_number)
                continue
            row = reader.row(line, cells)
            if row is None:
                continue
            count += 1
            if count > most_rows:
                raise TableRefused(f"The file has more than {most_rows:,} rows. Split it into smaller files.")
            yield row


def require_sound(source: BinaryIO) -> None:
    """Raise TableRefused for a workbook that is refused by its parts alone; reads none of its rows."""
    with opened(source) as parts:
        describe(parts)


def _rows(parts: zipfile.ZipFile, sheet: str) -> Iterator[tuple[int, list[tuple]]]:
    target = _Cells()
    for _ in feed(parts, sheet, target):
        if target.merged:
            raise TableRefused(
                f"The cells {shown(target.merged)} are merged. Unmerge all cells, and repeat the value in each row."
            )
        rows, target.rows = target.rows, []
        yield from ((line, cells) for line, cells in rows if cells)


def _only_sheet(parts: zipfile.ZipFile, book: Workbook) -> str:
    filled = [(name, part) for name, part in book.sheets if next(_rows(parts, part), None) is not None]
    if len(filled) > 1:
        raise TableRefused(
            f"{len(filled)} sheets of the workbook hold values. Leave the roster in one, and remove the others."
        )
    if not filled:
        raise TableRefused("No sheet of the workbook holds a value. Fill in the template.")
    return filled[0][1]


def _header(line: int, cells: list[tuple], strings: _Strings, columns: Columns) -> list[str]:
    names = [""] * (min(max(column for column, *_ in cells), MOST_COLUMNS) + 1)
    for column, kind, _, text, is_formula in cells:
        if column < len(names) and not is_formula and kind in ("s", "inlineStr", "str"):
            names[column] = strings[int(text)] if kind == "s" else text
    while names and is_blank(names[-1]):
        names.pop()
    return read_header(line, names, "", columns)


class _Reader:
    """Turns the cells of one row into text."""

    def __init__(self, book: Workbook, strings: _Strings, header: list[str], columns: Columns, days, may_number):
        self.book, self.strings, self.header = book, strings, header
        self.columns, self.days, self.may_number = columns, days, may_number

    def row(self, line: int, cells: list[tuple]) -> Row | BadRow | None:
        """The row, why it cannot be used, or None for a blank one."""
        values = dict.fromkeys(self.columns.known, "")
        reason, has_value = "", False
        for column, kind, style, text, is_formula in cells:
            name = self.header[column] if column < len(self.header) else ""
            try:
                value = self._text(name, kind, style, text, is_formula)
            except _OtherText as fault:
                reason, has_value = reason or str(fault), True
                continue
            if is_blank(value):
                continue
            has_value = True
            if name:
                values[name] = value
            else:
                reason = reason or "A value stands beyond the last column of the header. Remove it."
        if not has_value:
            return None
        return BadRow(line, reason) if reason else Row(line, values)

    def _text(self, name: str, kind: str, style: int, text: str, is_formula: bool) -> str:
        where = f"Column {name}" if name else "A cell beyond the last column"
        if is_formula:
            raise _OtherText(f"{where} holds a formula. Paste it as a value.")
        if kind in ("s", "inlineStr", "str"):
            value = self.strings[int(text)] if kind == "s" else text
            if len(value) > LONGEST_CELL:
                raise _OtherText(f"{where} is longer than a cell can be. Shorten it.")
            return ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
        if kind == "e":
            raise _OtherText(f"{where} shows an error of the spreadsheet. Correct it.")
        if kind == "b":
            raise _OtherText(f"{where} holds a yes-or-no value of the spreadsheet. Format the column as text.")
        if kind == "d":
            return self._iso(where, name, text)
        if style in self.book.day_styles:
            return self._day(where, name, text)
        return self._number(where, name, text)

    def _iso(self, where: str, name: str, text: str) -> str:
        if name not in self.days:
            raise _OtherText(f"{where} holds a day. Format the column as text and type it again.")
        return text.removesuffix("T00:00:00").removesuffix("T00:00:00Z")

    def _day(self, where: str, name: str, text: str) -> str:
        if name not in self.days:
            raise _OtherText(f"{where} holds a day. Format the column as text and type it again.")
        serial = float(text)
        if serial != int(serial):
            raise _OtherText(f"{where} holds a time of day as well. Enter the day alone.")
        if not 60 < serial <= LAST_DAY:  # a spreadsheet counts a 29 February 1900 that never was
            raise _OtherText(f"{where} is no day of the calendar. Write it as YYYY-MM-DD.")
        start = date(1904, 1, 1) if self.book.counts_from_1904 else date(1899, 12, 30)
        try:
            return (start + timedelta(days=int(serial))).isoformat()
        except OverflowError:
            raise _OtherText(f"{where} is no day of the calendar. Write it as YYYY-MM-DD.") from None

    def _number(self, where: str, name: str, text: str) -> str:
        if name in self.days:
            raise _OtherText(
                f"{where} is a bare number, as a spreadsheet keeps a day. Format the column as a date, or write "
                "YYYY-MM-DD."
            )
        plain = text.removesuffix(".0")
        if name in self.may_number and plain.isascii() and plain.isdigit() and len(plain) <= LONGEST_PART_OF_NUMBER:
            return plain
        raise _OtherText(f"{where} holds a number of the spreadsheet. Format the column as text and type it again.")

"""Rosters as files: CSV and XLSX in, the template and the list of bad rows out (R64; trust.md 3 A)."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO
from xml.sax.saxutils import escape  # nosec B406 writes only

from accounts.formats.tables import BadRow, Limits, Row, TableRefused, read_table
from accounts.formats.text import neutralised
from kyc_portal.refusal import Remedy
from resellers.formats.roster_sheet import read_sheet, require_sound
from resellers.formats.workbook import OLD_OR_LOCKED
from resellers.rules.roster_rows import COLUMNS, DAYS, TABLE

CSV, XLSX = "csv", "xlsx"
ZIP = b"PK\x03\x04"
OTHERS = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"MZ")
LEAST_NAMES_OF_HEADER = 3
TAKEN = "A roster is a CSV or an XLSX file. Download the template."
# What the commands' users can do about an encoding, and what whoever sends a file through a page can.
SAVE_AS_UTF_8 = "In your spreadsheet, save it as “CSV UTF-8”, and send it again."
WORDS = dict.fromkeys((Remedy.NAME_ENCODING, Remedy.NAME_UTF_16), SAVE_AS_UTF_8)
FIELD = 2_000  # characters: longer than any column takes, so that a row is told its own limit


def format_of(file: BinaryIO, file_name: str) -> str:
    """ "csv" or "xlsx", by the first bytes and the ending of the name, which must agree. Raises TableRefused."""
    file.seek(0)
    head = file.read(8)
    ending = file_name.lower().rpartition(".")[2]
    if not head:
        raise TableRefused("The file is empty. Choose it again.")
    if ending in ("xlsm", "xltm", "xlsb"):
        raise TableRefused("The workbook may hold macros. Save it as XLSX without macros.")
    if head.startswith(ZIP) or head == OLD_OR_LOCKED:
        require_sound(file)
        if ending != XLSX:
            raise TableRefused("The file is a workbook, but its name does not end in .xlsx. Give it its true ending.")
        return XLSX
    if ending == XLSX:
        raise TableRefused("The name ends in .xlsx, but the file is no workbook. Save it as XLSX or as CSV again.")
    if ending != CSV or head.startswith(OTHERS):
        raise TableRefused(TAKEN)
    return CSV


def read_roster(file: BinaryIO, *, format: str, most_rows: int, most_bytes: int) -> Iterator[Row | BadRow]:
    """The rows of a roster as text, good and bad, in the order of the file; memory stays flat.

    Raises TableRefused for the file as a whole, some of it while the rows are taken.
    """
    if format == XLSX:
        rows = read_sheet(file, TABLE, DAYS, most_rows=most_rows, may_number=TABLE.codes)
    else:
        file.seek(0)
        try:
            rows = read_table(file, TABLE, Limits(field=FIELD, rows=most_rows, size=most_bytes))
        except TableRefused as refusal:
            raise TableRefused(refusal.told(WORDS)) from None
    return map(_no_second_header, rows)


def _no_second_header(row: Row | BadRow) -> Row | BadRow:
    if isinstance(row, Row):
        first = row.values["customer_number"].strip().casefold().replace(" ", "_")
        if first == "customer_number":
            named = sum(value.strip().casefold().replace(" ", "_") == name for name, value in row.values.items())
            if named >= LEAST_NAMES_OF_HEADER:
                raise TableRefused(f"Line {row.line} is a second header. Keep one header line, above the rows.")
    return row


# --- out --------------------------------------------------------------------------------------------------------------

LINES_OF_TEMPLATE = tuple(zip(*COLUMNS, strict=True))  # the header, what each column means, an example


def template_csv() -> bytes:
    """The template: the header, a line that says what each column means, and an example; both are refused if sent."""
    text = io.StringIO()
    csv.writer(text).writerows(LINES_OF_TEMPLATE)
    return text.getvalue().encode("utf-8-sig")


def template_xlsx() -> bytes:
    """The same as a workbook, every column of which is formatted as text."""
    return workbook(LINES_OF_TEMPLATE)


def faults_csv(faults: Iterable[tuple[int, str]]) -> Iterator[bytes]:
    """A CSV of bad rows in pieces: line and reason, and nothing of what stood in them."""
    for values in chain([("line", "reason")], faults):
        text = io.StringIO()
        csv.writer(text).writerow([neutralised(str(value)) for value in values])
        yield text.getvalue().encode()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OF_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{OF_PACKAGE}/content-types"><Default Extension="rels" '
    f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KINDS}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KINDS}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{KINDS}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{OF_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{OF_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
    '<sheet name="Roster" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font>'
    '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/>'
    '</fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>',
}


def workbook(rows: Iterable[Iterable[str]]) -> bytes:
    """A workbook of one sheet whose cells are all text, whatever they begin with; written row by row."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, text in PARTS.items():
            parts.writestr(name, HEAD + text)
        with parts.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            columns = f'<cols><col min="1" max="{len(COLUMNS)}" width="24" style="1" customWidth="1"/></cols>'
            sheet.write(f'{HEAD}<worksheet xmlns="{MAIN}">{columns}<sheetData>'.encode())
            for number, row in enumerate(rows, 1):
                cells = (
                    f'<c r="{_letters(column)}{number}" s="1" t="inlineStr"><is><t xml:space="preserve">'
                    f"{escape(value)}</t></is></c>"
                    for column, value in enumerate(row) if value
                )  # fmt: skip
                sheet.write(f'<row r="{number}">{"".join(cells)}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
    return whole.getvalue()


def _letters(column: int) -> str:
    return chr(65 + column)

"""Rosters as CSV and XLSX: what is read, and what is refused as a whole or by row (trust.md 3 A, B22)."""

import io
import re
import zipfile
from datetime import date

import pytest

from accounts.formats.tables import BadRow, Row, TableRefused
from resellers.formats import roster, roster_sheet, workbook
from resellers.rules.roster_rows import COLUMNS, MEANINGS, read_row
from tests.resellers.rosters import NAMES, as_csv, as_xlsx, cells, row

TODAY = date(2026, 3, 2)
SHEET = "xl/worksheets/sheet1.xml"


def read(data: bytes, format: str = "csv", most_rows: int = 100) -> list:
    return list(roster.read_roster(io.BytesIO(data), format=format, most_rows=most_rows, most_bytes=1 << 20))


def whole_fault(data: bytes, name: str = "roster.xlsx", **given) -> str:
    """The one sentence by which a file is refused, by its door or while it is read."""
    with pytest.raises(TableRefused) as refused:
        format = roster.format_of(io.BytesIO(data), name)
        read(data, format, **given)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "Canary" not in sentence
    return sentence


def changed(data: bytes, changes: dict[str, object]) -> bytes:
    """A workbook with parts put in place of others, or altered by a function of the part's text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()}
        for name, change in changes.items():
            parts[name] = change(parts[name].decode()).encode() if callable(change) else change
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def with_cell(column: str, xml: str) -> bytes:
    """A workbook of one customer in which one cell is this XML; `{r}` and `{s}` stand for its place and style."""
    letter = chr(65 + NAMES.index(column))
    text_format = '<numFmts count="1"><numFmt numFmtId="200" formatCode="&quot;day &quot;0"/></numFmts><fonts'
    data = as_xlsx(row("1", product="x", registration_number="x", parent_number="p", email="a@b.example",
                       birth_date="2000-01-01"))  # fmt: skip
    return changed(data, {
        SHEET: lambda text: re.sub(f'<c r="{letter}2".*?</c>', xml.replace("{r}", f"{letter}2"), text),
        "xl/styles.xml": lambda text: text.replace("</cellXfs>", '<xf numFmtId="14"/><xf numFmtId="200"/></cellXfs>')
        .replace("<fonts", text_format),
    })  # fmt: skip


def first(data: bytes):
    return read(data, "xlsx")[0]


class TestBoth:
    def test_the_same_rows_give_the_same_text(self):
        first = row("007", name="=cmd|' /C calc'!A0", product="+1")
        rows = [first, row("2", name='Zoé <&> "x"', parent_number="007")]

        assert read(as_csv(*rows)) == read(as_xlsx(*rows), "xlsx")

    @pytest.mark.parametrize("make", [roster.template_csv, roster.template_xlsx])
    def test_the_template_is_read_and_each_line_of_it_refused(self, make):
        data = make()
        format = "xlsx" if make is roster.template_xlsx else "csv"

        found = [read_row(each, today=TODAY) for each in read(data, format)]

        assert roster.format_of(io.BytesIO(data), f"template.{format}") == format
        assert [each.line for each in found] == [2, 3] and all(isinstance(each, BadRow) for each in found)
        assert "what the columns mean" in found[0].reason and "example of the template" in found[1].reason
        assert set(MEANINGS) == set(NAMES) and all(meaning for _, meaning, _ in COLUMNS)

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_a17_too_many_rows(self, format):
        data = {"csv": as_csv, "xlsx": as_xlsx}[format](*(row(str(number)) for number in range(4)))

        assert "more than 3 rows" in whole_fault(data, f"roster.{format}", most_rows=3)

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_a12_a_header_that_lacks_and_one_that_is_reordered(self, format):
        make = {"csv": lambda lines: "\n".join(map(",".join, lines)).encode(), "xlsx": roster.workbook}[format]
        lines = cells([row("1")])

        assert (
            "lacks customer_number and has 1 unknown columns. Expected, in any order: customer_number"
            in whole_fault(make([["Canary", *lines[0][1:]], lines[1]]), f"roster.{format}")
        )
        assert read(make([line[::-1] for line in lines]), format) == read(make(lines), format)
        assert "names name more than once" in whole_fault(
            make([["name", *lines[0][1:]], lines[1]]), f"roster.{format}"
        )  # fmt: skip

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_two_header_rows(self, format):
        second = dict(zip(NAMES, (name.replace("_", " ").title() for name in NAMES), strict=True))

        assert whole_fault({"csv": as_csv, "xlsx": as_xlsx}[format](second, row("1")), f"roster.{format}") == (
            "Line 2 is a second header. Keep one header line, above the rows."
        )


class TestCsv:
    @pytest.mark.parametrize(
        "data",
        [as_csv(row("1")).decode().encode("utf-8-sig"), as_csv(row("1")).decode().encode("utf-16"),
         as_csv(row("1")).replace(b"\r\n", b"\r"), as_csv(row("1")) + b"\n\n\x1a"],
    )  # fmt: skip
    def test_a1_a2_a11_marks_and_line_ends_are_taken(self, data):
        assert read(data) == read(as_csv(row("1")))

    @pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
    def test_another_delimiter(self, delimiter, name):
        assert whole_fault(as_csv(row("1"), delimiter=delimiter), "roster.csv") == (
            f"The columns are separated by {name}. Save the file with commas between the columns."
        )

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            (b"1,a\x00b,entity,DE,2025-01-01", "NUL character"),
            (b"1,a,entity,DE", "too few columns"),
            (b"1,a,entity,DE,2025-01-01,x", "too many columns"),
            (b"1," + b"a" * 200_000 + b",entity,DE,2025-01-01", "longer than"),
            (b"1E+15,a,entity,DE,2025-01-01", "rewritten by a spreadsheet"),
        ],
    )
    def test_a4_a5_a8_a9_a21_bad_rows_say_their_line_and_repeat_nothing(self, line, says):
        data = b"customer_number,name,kind,country,customer_since\n2,b,entity,DE,2025-01-01\n" + line + b"\n"

        good, bad = read(data)

        assert isinstance(good, Row) and (bad.line, says in bad.reason) == (3, True) and "1E+15" not in bad.reason


class TestWhole:
    @pytest.mark.parametrize(
        ("data", "name", "says"),
        [
            (b"", "roster.csv", "is empty"),
            (b"%PDF-1.7", "roster.csv", "A roster is a CSV or an XLSX file"),
            (b"a,b", "roster.exe", "A roster is a CSV or an XLSX file"),
            (b"a,b", "roster.xlsx", "is no workbook"),
            (as_xlsx(row("1")), "roster.csv", "does not end in .xlsx"),
            (as_xlsx(row("1")), "roster.xlsm", "may hold macros"),
            (workbook.OLD_OR_LOCKED + b"\0" * 600, "roster.xlsx", "protected by a password, or of the old XLS kind"),
            (b"PK\x03\x04 and nothing", "roster.xlsx", "is no XLSX workbook, or it is damaged"),
            (as_xlsx(row("1"))[:-200], "roster.xlsx", "is no XLSX workbook, or it is damaged"),
        ],
    )
    def test_b16_kind_and_name_must_agree(self, data, name, says):
        assert says in whole_fault(data, name)

    @pytest.mark.parametrize(
        ("parts", "says"),
        [
            ({"xl/vbaProject.bin": b"x"}, "holds macros"),
            ({"[Content_Types].xml": lambda text: text.replace(
                "spreadsheetml.sheet.main+xml", "sheet.macroEnabled.main+xml")}, "holds macros"),
            ({"xl/externalLinks/externalLink1.xml": b"<x/>"}, "values from other files"),
            ({"xl/big.bin": b"\0" * 3_000_000}, "unpacks to far more than a table needs"),
            ({"../evil.xml": b"<x/>"}, "is no XLSX workbook"),
            ({SHEET: b"<worksheet"}, "is no XLSX workbook"),
            ({SHEET: b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'}, "is no XLSX workbook"),
            ({SHEET: lambda text: re.sub(r"<row.*</row>", "", text)}, "No sheet of the workbook holds a value"),
            ({SHEET: lambda text: text.replace(
                "</sheetData>", '</sheetData><mergeCells><mergeCell ref="B2:C3"/></mergeCells>')},
             "The cells B2:C3 are merged"),
        ],
    )  # fmt: skip
    def test_a_workbook_that_is_no_plain_table(self, parts, says):
        assert says in whole_fault(changed(as_xlsx(row("1")), parts))

    def test_a_zip_bomb_whose_directory_lies(self, monkeypatch):
        monkeypatch.setattr(workbook, "MOST_BYTES", 50_000)
        monkeypatch.setattr(workbook, "_require_sound", lambda parts: None)

        assert "unpacks to more than it says" in whole_fault(as_xlsx(*(row(str(number)) for number in range(200))))

    def test_a_workbook_with_a_password_on_its_parts(self):
        data = bytearray(as_xlsx(row("1")))
        for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            at = data.find(mark)
            data[at + place] |= 1

        assert "protected by a password" in whole_fault(bytes(data))

    def test_two_sheets_with_values(self):
        data = changed(as_xlsx(row("1")), {
            "xl/worksheets/sheet2.xml": zipfile.ZipFile(io.BytesIO(as_xlsx(row("2")))).read(SHEET),
            "xl/workbook.xml": lambda text: text.replace(
                "</sheets>", '<sheet name="Canary" sheetId="2" r:id="rId9"/></sheets>'),
            "xl/_rels/workbook.xml.rels": lambda text: text.replace(
                "</Relationships>", f'<Relationship Id="rId9" Type="{roster.LINKS}/worksheet" '
                'Target="/xl/worksheets/sheet2.xml"/></Relationships>'),
        })  # fmt: skip

        assert whole_fault(data).startswith("2 sheets of the workbook hold values")


class TestCells:
    @pytest.mark.parametrize(
        ("column", "xml", "says"),
        [
            ("name", '<c r="{r}" t="str"><f>A1</f><v>Canary</v></c>', "Column name holds a formula"),
            ("customer_since", '<c r="{r}" s="2"><f>TODAY()</f><v>45000</v></c>', "customer_since holds a formula"),
            ("name", '<c r="{r}" t="e"><v>#REF!</v></c>', "Column name shows an error of the spreadsheet"),
            ("product", '<c r="{r}" t="b"><v>1</v></c>', "yes-or-no value"),
            ("customer_since", '<c r="{r}"><v>45231</v></c>', "customer_since is a bare number"),
            ("customer_since", '<c r="{r}" s="3"><v>45231</v></c>', "customer_since is a bare number"),
            ("customer_since", '<c r="{r}" s="2"><v>45231.5</v></c>', "holds a time of day"),
            ("customer_since", '<c r="{r}" s="2"><v>60</v></c>', "is no day of the calendar"),
            ("product", '<c r="{r}" s="2"><v>45231</v></c>', "Column product holds a day"),
            ("product", '<c r="{r}"><v>7</v></c>', "Column product holds a number"),
            ("customer_number", '<c r="{r}"><v>1E+15</v></c>', "Column customer_number holds a number"),
            ("customer_number", '<c r="{r}"><v>1.5</v></c>', "Column customer_number holds a number"),
        ],
    )
    def test_what_is_no_text_is_refused_with_line_and_column(self, column, xml, says):
        found = first(with_cell(column, xml))

        assert isinstance(found, BadRow) and found.line == 2 and says in found.reason and "Canary" not in found.reason

    @pytest.mark.parametrize(
        ("column", "xml", "value"),
        [
            ("customer_since", '<c r="{r}" s="2"><v>45352</v></c>', "2024-03-01"),
            ("customer_since", '<c r="{r}" t="d"><v>2024-03-01</v></c>', "2024-03-01"),
            ("customer_number", '<c r="{r}"><v>4711</v></c>', "4711"),
            ("name", '<c r="{r}" t="inlineStr"><is><r><t>A</t></r><r><t>B</t></r><rPh><t>no</t></rPh></is></c>', "AB"),
            ("name", '<c r="{r}" t="inlineStr"><is><t>a_x0042_c</t></is></c>', "aBc"),
            ("product", '<c r="{r}"/>', ""),
        ],
    )
    def test_days_whole_numbers_and_pieces_of_text_are_taken(self, column, xml, value):
        assert first(with_cell(column, xml)).values[column] == value

    def test_days_counted_from_1904(self):
        data = changed(with_cell("customer_since", '<c r="{r}" s="2"><v>43890</v></c>'), {
            "xl/workbook.xml": lambda text: text.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
        })  # fmt: skip

        assert first(data).values["customer_since"] == "2024-03-01"

    def test_a_value_beyond_the_header(self):
        data = changed(as_xlsx(row("1")), {
            SHEET: lambda text: text.replace("</row></sheetData>", '<c r="Z2" t="str"><v>x</v></c></row></sheetData>')
        })  # fmt: skip

        assert "beyond the last column" in first(data).reason

    def test_shared_strings_are_read_and_one_that_is_not_there_refuses_the_file(self):
        strings = roster_sheet._Strings()
        strings.bytes, strings.ends = bytearray("aéb".encode()), strings.ends
        strings.ends.extend([1, 3, 4])

        assert [strings[number] for number in range(3)] == ["a", "é", "b"]
        assert "is no XLSX workbook" in whole_fault(with_cell("name", '<c r="{r}" t="s"><v>9</v></c>'))


def test_a18_the_list_of_bad_rows_is_inert():
    told = b"".join(roster.faults_csv([(2, "=cmd|'x'"), (3, "@SUM"), (4, "plain")])).decode()

    assert told.splitlines() == ["line,reason", "2,'=cmd|'x'", "3,'@SUM", "4,plain"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_another_encoding_is_told_in_the_words_of_a_page_and_not_of_a_command(encoding):
    told = whole_fault(as_csv(row(name="Müller")).decode().encode(encoding), "roster.csv")

    assert "save it as “CSV UTF-8”" in told and "--encoding" not in told

"""The careful table reader: rows A1-A21 and C of the bad-input catalogue."""

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.tables import DEFAULT_LIMITS, BadRow, Columns, Limits, Row, TableRefused, read_table, repeated

COLUMNS = Columns(required=("name", "country"), optional=("note",), codes=("note",))


def read(
    content: bytes | str, limits: Limits = DEFAULT_LIMITS, encoding: str | None = None, columns: Columns = COLUMNS
):
    raw = content.encode() if isinstance(content, str) else content
    return list(read_table(io.BytesIO(raw), columns, limits, encoding))


def row(line: int, name: str, country: str, note: str = "") -> Row:
    return Row(line, {"name": name, "country": country, "note": note})


class TestAccepted:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_a1_a2_encodings_with_and_without_a_mark(self, encoding):
        assert read("name,country\nZoé,FR\n".encode(encoding)) == [row(2, "Zoé", "FR")]

    def test_a2_big_endian_utf_16(self):
        assert read(b"\xfe\xff" + "name,country\nZoé,FR\n".encode("utf-16-be")) == [row(2, "Zoé", "FR")]

    @pytest.mark.parametrize("named", ["cp1252", "CP1252", "windows-1252", "latin-1"])
    def test_other_encodings_when_named(self, named):
        assert read("name,country\nZoé,FR\n".encode("cp1252"), encoding=named) == [row(2, "Zoé", "FR")]

    def test_the_mark_wins_over_a_wrong_name(self):
        assert read("name,country\nZoé,FR\n".encode("utf-8-sig"), encoding="cp1252") == [row(2, "Zoé", "FR")]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_a11_line_ends(self, end):
        assert read(end.join(["name,country", "A,FR", "B,DE"])) == [row(2, "A", "FR"), row(3, "B", "DE")]

    def test_a12_reordered_header_in_other_case(self):
        assert read(" Country ,NAME\nFR,A\n") == [row(2, "A", "FR")]

    def test_lines_are_numbered_as_in_the_file(self):
        found = read('\nname,country\n"two\nlines",FR\n\n\nB,DE\n"C",\n')

        assert [item.line for item in found] == [3, 7, 8]

    @pytest.mark.parametrize("value", ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx", " x ", "007", "it's"])
    def test_a18_values_stay_as_typed(self, value):
        assert read(f'name,country\n"{value}",FR\n') == [row(2, value, "FR")]

    def test_quotation_marks_doubled_or_loose(self):
        assert read('name,country\n"say ""hi""",FR\n5" pipe,DE\n') == [
            row(2, 'say "hi"', "FR"),
            row(3, '5" pipe', "DE"),
        ]

    @pytest.mark.parametrize("value", ["\u200b", "   ", "\u00a0\u200b", "\ufeff"])
    def test_c5_text_that_shows_nothing_is_empty(self, value):
        assert read(f"name,country\n{value},FR\n") == [row(2, "", "FR")]

    def test_a_ctrl_z_at_the_end_is_the_end(self):
        assert read("name,country\nA,FR\r\n\x1a") == [row(2, "A", "FR")]
        assert read("name,country\nA,FR\r\n\x1a\r\n") == [row(2, "A", "FR")]

    def test_a_path_may_be_given_and_left_unread(self, tmp_path):
        path = tmp_path / "people.csv"
        path.write_text("name,country\nA,FR\n")

        assert list(read_table(path, COLUMNS)) == [row(2, "A", "FR")]
        read_table(path, COLUMNS)

    def test_a_stream_that_cannot_be_rewound(self):
        class Pipe(io.BytesIO):
            def seekable(self):
                return False

        assert list(read_table(Pipe(b"name,country\nA,FR\n"), COLUMNS)) == [row(2, "A", "FR")]

    def test_a_given_stream_stays_open(self):
        stream = io.BytesIO(b"name,country\nA,FR\n")

        list(read_table(stream, COLUMNS))

        assert not stream.closed

    def test_header_alone_is_a_table_without_rows(self):
        assert read("name,country\n") == []


class TestBadRows:
    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("A\x00,FR", "Column name holds a NUL"),
            ("A,F\x1bR", r"Column country holds a control character \(U\+001B\)"),
            ("A\u202egnp.exe,FR", r"U\+202E"),
            ("A\u2067,FR", r"U\+2067"),
            ("e" + "\u0301" * 300 + ",FR", "combining marks"),
            ("x" * 2_001 + ",FR", "2,001 characters long; at most 2,000"),
            ("x" * 200_000 + ",FR", "longer than 100,000"),
            ('"' + "x" * 200_000 + '",FR', "longer than 100,000"),
            ("A", "too few columns: 1 instead of 2"),
            ("A,FR,x", "too many columns: 3 instead of 2"),
            ('"A"B,FR', "quotation mark stands inside"),
            ("A\x1a,FR", r"U\+001A"),
        ],
    )
    def test_a4_a5_a8_a9_c8_one_bad_row_is_named_and_the_others_stay(self, line, says):
        found = read(f"name,country\nA,FR\n{line}\nB,DE\n")

        assert found[0] == row(2, "A", "FR")
        assert isinstance(found[1], BadRow)
        assert found[1].line == 3
        assert re.search(says, found[1].reason)
        assert len(found[1].reason) < 250
        assert found[2] == row(4, "B", "DE")

    @pytest.mark.parametrize("value", ["1E+15", "1.23457E+15", '"1,2e+9"', "-3E+07"])
    def test_a21_numbers_rewritten_by_a_spreadsheet(self, value):
        found = read(f"name,country,note\nA,FR,{value}\n")

        assert "Format the column as text" in found[0].reason

    def test_a21_only_in_columns_of_codes(self):
        assert read("name,country\n1E+15,FR\n") == [row(2, "1E+15", "FR")]


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("", "The file is empty. Its first line must name name, country"),
            ("\n\n", "The file is empty"),
            ("name\nA\n", "lacks country. Expected, in any order: name, country; note may be there too"),
            ("name,land\nA,B\n", "lacks country and has the unknown land"),
            ("name,country,extra\n", "has the unknown extra"),
            ("name,country,\n", 'has the unknown ""'),
            ("name,country,Name\n", "names name more than once"),
            ("name;country\nA;FR\n", "separated by semicolons"),
            ("name\tcountry\nA\tFR\n", "separated by tabs"),
            ("name|country\nA|FR\n", "separated by vertical bars"),
            ('name,country\nA,FR\n"B,DE\nC,IT\n', "opened in line 3 is not closed"),
            ('name,country\n"A\nB"x,FR\n', "opened in line 2 is not closed"),
            ("na\x00me,country\n", "Line 1 is not a header"),
            ("name,country\nA," + "x" * 1_000_001 + "\n", "Line 2 is longer than 1,000,000"),
        ],
    )
    def test_a7_a12_it_says_what_is_wrong_with_the_file(self, content, says):
        with pytest.raises(TableRefused, match=re.escape(says)):
            read(content)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_cp1252_is_named_with_its_line_and_the_way_out(self, end):
        content = end.join(["name,country", "A,FR", "Zoé,FR", ""]).encode("cp1252")

        with pytest.raises(TableRefused, match=r"Line 3 is not valid UTF-8 \(byte 0xE9\).*--encoding cp1252"):
            read(content)

    def test_a_bad_byte_far_down_is_found_before_the_first_row(self):
        content = b"name,country\n" + b"A,FR\n" * 50_000 + b"\xff,FR\n"

        with pytest.raises(TableRefused, match="Line 50002"):
            read_table(io.BytesIO(content), COLUMNS)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("name,country\n".encode("utf-16-le"), "looks like UTF-16"),
            ("name,country\n".encode("utf-32"), "UTF-32"),
            (b"\xff\xfen\x00a", "not valid UTF-16"),
            (b"\xff\xfen\x00\x00\xd8", "not valid UTF-16"),
        ],
    )
    def test_a2_other_encodings_are_named(self, content, says):
        with pytest.raises(TableRefused, match=says):
            read(content)

    @pytest.mark.parametrize("named", ["nonsense", "rot13", "hex", "", "a\x00b"])
    def test_a_name_that_is_no_encoding(self, named):
        with pytest.raises(TableRefused, match="is not a text encoding"):
            read("name,country\n", encoding=named)

    def test_surrogates_do_not_get_in_by_an_odd_encoding(self):
        found = read(b"name,country\nA\\ud800,FR\n", encoding="unicode_escape")

        assert "surrogate" in found[0].reason

    def test_a17_too_many_rows_are_refused_before_the_first(self):
        content = b"name,country\n" + b"A,FR\n" * 11

        assert len(read(content, Limits(rows=11))) == 11
        with pytest.raises(TableRefused, match="more than 10 rows"):
            read_table(io.BytesIO(content), COLUMNS, Limits(rows=10))

    def test_too_many_bytes(self):
        with pytest.raises(TableRefused, match="larger than 5 bytes"):
            read("name,country\n", Limits(size=5))

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(TableRefused, match=r"absent\.csv cannot be read"):
            read_table(tmp_path / "absent.csv", COLUMNS)

    def test_a_field_limit_beyond_the_csv_module_is_a_mistake_of_the_caller(self):
        with pytest.raises(ValueError, match="100000"):
            read("name,country\n", Limits(field=200_000))


class TestSpeed:
    def test_a_hundred_thousand_rows_take_seconds_at_most(self):
        content = b"name,country\n" + "Zoé Müller,FR\n".encode() * 100_000
        began = time.perf_counter()

        assert sum(1 for _ in read_table(io.BytesIO(content), COLUMNS)) == 100_000
        assert time.perf_counter() - began < 10


class TestRepeated:
    def test_a14_both_lines_are_named(self):
        rows = [row(2, "A", "FR"), row(3, "B", "FR"), row(4, "A", "DE"), row(5, "", "DE"), row(6, "", "DE")]

        assert repeated(rows, "name") == {"A": (2, 4)}


PLAIN = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cf", "M", "Z")) | st.sampled_from(' ,"\n\t'), max_size=20
)


class TestProperties:
    @given(st.lists(st.tuples(PLAIN, PLAIN), max_size=10))
    def test_what_the_csv_module_writes_is_read_back(self, pairs):
        output = io.StringIO(newline="")
        writer = csv.writer(output)
        writer.writerows([("name", "country"), *pairs])

        found = read(output.getvalue())

        assert [(item.values["name"], item.values["country"]) for item in found] == [
            tuple(value if value.strip() else "" for value in pair) for pair in pairs
        ]

    @given(st.binary(max_size=300))
    def test_any_bytes_are_read_or_refused(self, content):
        try:
            found = read(b"name,country\n" + content)
        except TableRefused as refusal:
            assert len(str(refusal)) < 400
        else:
            assert all(isinstance(item, Row | BadRow) for item in found)

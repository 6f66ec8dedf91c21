import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address

import pytest

from accounts.formats.bag import MeasuredContent
from accounts.formats.bundle_content import (
    ACCESS_COLUMNS,
    CustodyEntry,
    IndexedFile,
    IndexPage,
    csv_lines,
    custody_document,
    custody_table,
    json_document,
    jsonl_lines,
    table_csv,
    table_jsonl,
)
from accounts.formats.text import neutralised
from tests.accounts.formats.bundles import verdict_on, write

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Kind(StrEnum):
    LOGIN = "login"


@dataclass(frozen=True)
class Fact:
    name: str
    at: datetime


def make_access(**changes):
    return {
        "batch": "2026-03-02/1",
        "at": NOON,
        "account": "A-1",
        "kind": Kind.LOGIN,
        "address": ip_address("192.0.2.7"),
        "raw_source": "192.0.2.7",
        **changes,
    }


def make_entry(path, **changes):
    return CustodyEntry(
        **{"path": path, "added_at": NOON, "added_by": "a.lead", "origin": "upload", "sha256": "ab", **changes}
    )


def read_back(lines):
    return list(csv.reader(io.StringIO(b"".join(lines).decode(), newline="")))


class TestNeutralised:
    @pytest.mark.parametrize(
        "text", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "  +1", "＝1", "-"]
    )
    def test_a18_what_a_spreadsheet_would_run_gets_an_apostrophe(self, text):
        assert neutralised(text) == "'" + text

    @pytest.mark.parametrize("text", ["", " ", "Zoé", "1-1", "a=b", "'=1", "2026-03-02"])
    def test_a18_other_text_stays_as_it_is(self, text):
        assert neutralised(text) == text


class TestCsvLines:
    def test_it_writes_plain_values_so_that_they_can_be_read_back(self):
        row = (
            1,
            -5,
            Decimal("-2.50"),
            None,
            True,
            NOON,
            date(2026, 3, 2),
            Kind.LOGIN,
            'a "b", c\r\nd',
            ["x", 1],
            {"b": 1},
        )

        header = [f"c{n}" for n in range(len(row))]
        written = read_back(csv_lines(header, [row]))

        assert written[0] == header
        assert written[1] == [
            *("1", "-5", "-2.50", "", "true", "2026-03-02T12:00:00Z", "2026-03-02", "login"),
            *('a "b", c\r\nd', '["x", 1]', '{"b": 1}'),
        ]

    def test_a18_headers_and_cells_are_neutralised_numbers_are_not(self):
        assert b"".join(csv_lines(["=a", "b"], [("@x", -1)])) == b"'=a,b\r\n'@x,-1\r\n"

    def test_it_reads_rows_one_at_a_time(self):
        taken = []

        def rows():
            for n in range(3):
                taken.append(n)
                yield (n,)

        lines = csv_lines(["n"], rows())
        next(lines), next(lines)

        assert taken == [0]

    def test_it_refuses_a_row_of_another_length(self):
        with pytest.raises(ValueError, match="Row 2 has 1 cells"):
            list(csv_lines(["a", "b"], [(1, 2), (1,)]))


class TestJson:
    def test_keys_are_sorted_and_moments_are_in_utc(self):
        moment = datetime(2026, 3, 2, 17, 30, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))

        written = json_document({"b": [Fact("Zoé", moment)], "a": {"z", "y"}, "c": Decimal("1.10")})

        assert written.decode() == (
            '{\n  "a": [\n    "y",\n    "z"\n  ],\n  "b": [\n    {\n      "at": "2026-03-02T12:00:00.000005Z",\n'
            '      "name": "Zoé"\n    }\n  ],\n  "c": "1.10"\n}\n'
        )

    def test_text_is_not_neutralised(self):
        assert json.loads(json_document({"note": "=1+1"})) == {"note": "=1+1"}

    def test_lines_hold_one_document_each_whatever_the_text(self):
        rows = [{"b": "line\nbreak\u2028", "a": 1}, {"a": None}]

        lines = list(jsonl_lines(rows))

        assert [json.loads(line) for line in lines] == rows
        assert all(line.count(b"\n") == 1 for line in lines)
        assert lines[0].startswith(b'{"a":1,"b":')

    @pytest.mark.parametrize("value", [datetime(2026, 3, 2), float("nan")])
    def test_it_refuses_a_moment_without_zone_and_numbers_json_does_not_know(self, value):
        with pytest.raises(ValueError, match=r"time zone|Out of range"):
            json_document({"a": value})

    @pytest.mark.parametrize("value", [b"raw", object(), Fact])
    def test_it_refuses_what_it_does_not_know(self, value):
        with pytest.raises(TypeError, match="cannot hold"):
            json_document([value])


class TestTables:
    def test_access_records_say_the_same_in_both_forms(self):
        records = [make_access(), make_access(address=None, raw_source="AWS Internal", secret="left out")]

        rows = read_back(table_csv(ACCESS_COLUMNS, iter(records)))
        documents = [json.loads(line) for line in table_jsonl(ACCESS_COLUMNS, iter(records))]

        assert tuple(rows[0]) == ACCESS_COLUMNS
        assert rows[1] == ["2026-03-02T12:00:00Z", "A-1", "login", "192.0.2.7", "192.0.2.7", "2026-03-02/1"]
        assert rows[2][3:5] == ["", "AWS Internal"]
        assert documents[1]["address"] is None
        assert set(documents[1]) == set(ACCESS_COLUMNS)

    def test_it_does_not_pass_over_a_missing_column(self):
        record = make_access()
        del record["raw_source"]

        with pytest.raises(KeyError, match="raw_source"):
            list(table_jsonl(ACCESS_COLUMNS, [record]))

    def test_custody_lists_every_file_by_path_in_both_forms(self):
        entries = [make_entry("b.pdf", origin="=1"), make_entry("a.csv")]

        document = json.loads(custody_document(iter(entries)))
        rows = read_back(custody_table(iter(entries)))

        assert [row["path"] for row in document["files"]] == ["a.csv", "b.pdf"]
        assert document["files"][1] == {
            "path": "b.pdf", "added_at": "2026-03-02T12:00:00Z", "added_by": "a.lead", "origin": "=1", "sha256": "ab",
        }  # fmt: skip
        assert rows[2] == ["b.pdf", "2026-03-02T12:00:00Z", "a.lead", "'=1", "ab"]


class TestMeasuredContent:
    def test_it_lets_the_last_file_of_a_bundle_name_the_digests_of_the_others(self, tmp_path):
        access = MeasuredContent(table_jsonl(ACCESS_COLUMNS, iter([make_access()])))

        def files():
            yield "access.jsonl", access
            yield "custody.json", custody_document([make_entry("access.jsonl", sha256=access.sha256)])

        write(tmp_path / "B", files=files())

        written = (tmp_path / "B/data/access.jsonl").read_bytes()
        custody = json.loads((tmp_path / "B/data/custody.json").read_bytes())
        assert custody["files"][0]["sha256"] == hashlib.sha256(written).hexdigest()
        assert access.size == len(written)
        assert verdict_on(tmp_path / "B").code == 0


class TestIndexPage:
    def test_it_adds_up_its_files(self):
        files = (IndexedFile("data/a.csv", "Access records", 10, "ab"), IndexedFile("data/b.pdf", "Passport", 5, "cd"))

        page = IndexPage("B-1", "C-1", "court", "court order", NOON, "bundles-2026", files)

        assert page.total_bytes == 15

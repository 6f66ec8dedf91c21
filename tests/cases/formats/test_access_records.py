"""Access records as CSV and JSON lines: the same rows, one pass, flat memory (R18, R114)."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.text import neutralised
from cases.formats.access_records import COLUMNS, as_csv, read_back

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def record(number: int = 0, **changes) -> tuple:
    at = (NOON + timedelta(seconds=number)).isoformat()
    told = {
        "at": f"{at[:-6]}Z", "account": "ACC-1", "kind": "access", "address": "203.0.113.9", "raw_source": "",
        "batch": "LOG-1", "action": "Login", "principal": "maría", "source_system": "log", "event_id": str(number),
    } | changes  # fmt: skip
    return tuple(told[name] for name in COLUMNS)


def written(records) -> tuple[list[dict], list[dict]]:
    spool = io.BytesIO()
    table = b"".join(as_csv(records, spool)).decode()
    lines = b"".join(read_back(spool)).decode().splitlines()
    return list(csv.DictReader(io.StringIO(table, newline=""))), [json.loads(line) for line in lines]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000])
def test_both_hold_every_record_once_in_order(count):
    table, lines = written(record(number) for number in range(count))

    assert [row["event_id"] for row in table] == [row["event_id"] for row in lines] == [str(n) for n in range(count)]


def test_a_table_of_nothing_has_its_header():
    assert b"".join(as_csv([], io.BytesIO())).decode() == ",".join(COLUMNS) + "\r\n"


def test_a_moment_stands_as_it_came_and_an_unknown_address_is_empty():
    [row], [line] = written([record(address=None)])

    assert row["at"] == line["at"] == "2026-03-02T12:00:00Z"
    assert (row["address"], line["address"], row["principal"]) == ("", None, "maría")
    assert list(line) == sorted(COLUMNS)


@pytest.mark.parametrize("column", ["raw_source", "action", "principal", "source_system", "event_id"])
@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\tx", " =1", "＝1"])
def test_a18_a_formula_is_neutralised_in_csv_only(column, start):
    [row], [line] = written([record(**{column: start})])

    assert row[column] == f"'{start}" and line[column] == start


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.text("=-@a,;\"'\\\r\n\t é", max_size=4)


@given(st.lists(ANY_TEXT, min_size=9, max_size=9))
def test_any_text_stands_in_both_as_the_libraries_write_it(texts):
    told = record(**dict(zip(COLUMNS[1:], texts, strict=True)))
    spool, buffer = io.BytesIO(), io.StringIO(newline="")
    rows = b"".join(as_csv([told], spool)).decode().removeprefix(f"{','.join(COLUMNS)}\r\n")
    csv.writer(buffer).writerow([told[0], *map(neutralised, texts)])
    line = json.dumps(dict(zip(COLUMNS, told, strict=True)), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    assert rows == buffer.getvalue()
    assert spool.getvalue().decode() == f"{line}\n"


def test_it_needs_no_more_memory_for_more_records():
    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in as_csv((record(number) for number in range(count)), io.BufferedRandom(_Nowhere())):
            pass
        told = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return told

    assert peak(20_000) < peak(2_000) + 200_000


class _Nowhere(io.RawIOBase):
    """Takes all and keeps nothing."""

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def seek(self, *_):
        return 0

    def write(self, data):
        return len(data)

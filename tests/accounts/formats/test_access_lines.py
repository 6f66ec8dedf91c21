"""Access records as JSON lines and as CSV."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.access_lines import AccessLine, BadLine, RepeatedKey, load_json
from accounts.formats.own_log import read_csv, read_jsonl
from accounts.formats.tables import TableRefused

SPECIMENS = Path(__file__).resolve().parents[2] / "specimens"
EVENT = {
    "event_id": "e-1",
    "at": "2026-03-01T10:00:00Z",
    "kind": "access",
    "action": "vm.start",
    "principal": "user:anna",
    "source": "203.0.113.7",
    "source_system": "console",
}


def read(*lines: str | bytes):
    raw = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return list(read_jsonl(io.BytesIO(raw)))


def event(**changes) -> str:
    return json.dumps(EVENT | changes)


class TestReadJsonl:
    def test_it_reads_the_specimen(self):
        with (SPECIMENS / "access.jsonl").open("rb") as stream:
            first, second, third = read_jsonl(stream)

        assert json.loads(first.sent)["event_id"] == "e-1"
        assert first._replace(sent="") == AccessLine(
            line=1,
            event_id="e-1",
            at=datetime(2026, 3, 1, 10, tzinfo=UTC),
            kind="access",
            action="vm.start",
            principal="user:anna",
            address="203.0.113.7",
            raw_source="203.0.113.7",
            source_system="console",
            account="ACC-1",
        )
        assert second.at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
        assert (second.address, second.raw_source) == ("198.51.100.9", "::ffff:198.51.100.9")
        assert (third.address, third.raw_source) == (None, "Backup Service")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", 'c"', "\\"]),
                st.one_of(
                    st.text('"\\a:,{}', max_size=3),
                    st.none(),
                    st.integers(0, 3),
                    st.sampled_from([["x"], {"a": "b"}, {"a": {"a": "b"}}]),
                ),
            ),
            max_size=4,
        ).map(lambda pairs: "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}")
    )
    def test_f8_a_key_that_stands_twice_is_found_in_every_object(self, text):
        def strict(pairs):
            assert len(dict(pairs)) == len(pairs)
            return dict(pairs)

        try:
            wanted = json.loads(text, object_pairs_hook=strict)
        except AssertionError:
            with pytest.raises(RepeatedKey):
                load_json(text)
        else:
            assert load_json(text) == wanted

    def test_blank_lines_count_but_yield_nothing(self):
        assert [line.line for line in read("", event(), "", "  ", event())] == [2, 5]

    def test_a_mark_at_the_start_is_no_fault(self):
        assert isinstance(read(b"\xef\xbb\xbf" + event().encode())[0], AccessLine)

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("{", "not valid JSON"),
            ("[]", "not a JSON object"),
            ("null", "not a JSON object"),
            (b'{"event_id": "\xff"}', "not valid UTF-8"),
            ('{"at": "x", "at": "y"}', "The key at stands twice"),
            ("[" * 100_000, "not valid JSON"),
            ("1" * 5_000, "not valid JSON"),
            ("NaN", "not valid JSON"),
            (event().replace('"event_id": "e-1", ', ""), "lacks event_id"),
            (event(colour="red"), "unknown key colour"),
            (event(action=1), "action is not a text"),
            (event(account=None), "account is not a text"),
            (event(event_id=""), "event_id is empty"),
            (event(event_id="\u200b"), "event_id is empty"),
            (event(kind="root"), 'kind is "root"'),
            (event(at="2026-03-29T02:30:00"), "no time zone"),
            (event(at="02/03/2026"), "not a moment"),
            (event(principal="\ud800"), "principal holds half of a surrogate pair"),
            (event(principal="a\x00"), "principal holds a NUL"),
            (event(user_agent="x" * 2_001), "user_agent is 2,001 characters long"),
            ('{"a": "' + "x" * 2_000_000 + '"}', "longer than 1,048,576 bytes"),
        ],
    )
    def test_one_bad_line_is_named_and_the_others_stay(self, line, says):
        found = read(event(), line, event())

        assert [item.line for item in found] == [1, 2, 3]
        assert isinstance(found[1], BadLine)
        assert says in found[1].reason
        assert len(found[1].reason) < 200
        assert isinstance(found[2], AccessLine)

    @given(
        st.lists(
            st.binary(max_size=80).filter(lambda raw: not set(b"\r\n") & set(raw) and raw.strip(b" \t\x1a")), max_size=8
        )
    )
    def test_no_line_is_ever_lost(self, lines):
        found = read(event(), *lines)

        assert [item.line for item in found] == list(range(1, len(lines) + 2))


class TestReadCsv:
    def test_it_reads_the_same_events(self):
        with (SPECIMENS / "access.jsonl").open("rb") as stream:
            expected = [(line.event_id, line.at, line.address, line.account) for line in read_jsonl(stream)]

        found = list(read_csv(SPECIMENS / "access.csv"))

        assert [(line.event_id, line.at, line.address, line.account) for line in found] == expected
        assert [line.line for line in found] == [2, 3, 4]

    def test_bad_rows_and_bad_events_are_both_bad_lines(self):
        header = "event_id,at,kind,action,principal,source,source_system\n"
        content = header + "e-1,yesterday,access,a,p,s,x\nshort\n1E+15,2026-03-01T10:00:00Z,access,a,p,s,x\n"

        found = list(read_csv(io.BytesIO(content.encode())))

        assert [type(item) for item in found] == [BadLine] * 3
        assert [item.line for item in found] == [2, 3, 4]

    def test_a_wrong_file_is_refused_at_once(self):
        with pytest.raises(TableRefused, match="lacks"):
            read_csv(io.BytesIO(b"a,b\n"))

"""JSON read record by record: every form, every cut, every odd value; and the lines it may stand on."""

import gzip
import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats import json_text, own_log
from accounts.formats.access_formats import FORMATS
from accounts.formats.access_lines import LONGEST_CONTENT, LONGEST_LINE, AccessFileRefused, AccessLine, BadLine
from accounts.formats.json_records import numbered_lines, read_records
from accounts.formats.json_text import JsonText, opening
from accounts.formats.packed import unpacked
from accounts.formats.tables import TableRefused
from tests.accounts.formats.cloud_logs import cadf_event, entry, exported, own, trail

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def values(content: bytes | str, lists=("records",), **options):
    raw = content.encode() if isinstance(content, str) else content
    return [record.value for record in read_records(unpacked(io.BytesIO(raw), "a"), "a", lists, **options)]


class TestForms:
    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ('{"records": [1, {"a": 2}]}', [1, {"a": 2}]),
            ('\ufeff \n{"next": {"x": [1]}, "records": [], "after": 5}', []),
            ('{"records": [1]}{"records": [2]}\r\n{"records": [3]}\x1a', [1, 2, 3]),
            ("[1, 2]", [1, 2]), ("[1][2]\n[]", [1, 2]), ("[ ]", []),
            ('{"a": 1}\n\n{"a": 2}', [{"a": 1}, {"a": 2}]),
            ('{"a": 1}\r{"a": 2}\r\n{"a": 3}', [{"a": 1}, {"a": 2}, {"a": 3}]),
            ('{"records": 5}', [{"records": 5}]),  # a line of its own, for the reader to judge
        ],
    )  # fmt: skip
    def test_lists_arrays_and_lines(self, content, found):
        assert values(content) == found

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("[1, 2", "record 3 does not follow"), ("[1 2]", "record 2 does not follow"),
            ("[1, ]", "record 2 is not valid"),
            ('{"records": [1]} x', "record 2"), ('{"records": [1], "records": [2]}', "stands twice"),
            ('{"records": [1], 5: 1}', "not valid JSON"), ('{"records": [1]', "does not follow"),
            ("[" * 50_000, "nested too deep"), ("[" + "9" * 5_000 + "]", "not valid JSON"),
            (b'{"records": [1, "\xff"]}', "not valid UTF-8"), ("[1] {}", "no list named"),
            ('{"records": ["' + "x" * 1_200_000 + '"]}', "longer than"),
        ],
    )  # fmt: skip
    def test_what_breaks_off_is_refused_with_its_place(self, content, says):
        with pytest.raises(AccessFileRefused, match=says) as caught:
            values(content)
        assert len(str(caught.value)) < 200 and str(caught.value).startswith("a")

    def test_one_odd_record_spoils_no_other(self):
        raw = b'[{"a": 1, "a": 2}, {"b": NaN}, {"c": {"d": 1, "d": 1}}, {"e": "\\ud800"}, {"f": 1}]'
        records = list(read_records(unpacked(io.BytesIO(raw), "a"), "a", ()))

        assert [record.fault for record in records] == [
            "The key a stands twice in one object.", "NaN is not a number of JSON.",
            "The key d stands twice in one object.", "", "",
        ]  # fmt: skip
        assert records[1].sent == '{"b": NaN}'

    @given(st.lists(JSON, max_size=6), st.integers(1, 40))
    def test_the_size_of_the_pieces_makes_no_difference(self, records, size):
        raw = json.dumps(records, ensure_ascii=False).encode(errors="surrogatepass")
        if b"\xed" in raw:
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_text, "CHUNK", size)
            text = JsonText(io.BytesIO(raw), LONGEST_LINE)
            found, _, fault = text.value()

        assert (found, fault, text.sign()) == (records, "", "")

    @pytest.mark.parametrize(
        ("head", "found"),
        [
            ("[", "["), ('{"records":[', "records"), ('{"a": {"records": []}, "records" : [', "records"),
            ('{"a": 1}', ""),
            ('{"records": {', ""), ("{5: 1", ""), ("{", ""), ("", ""), ('{"a"', ""), ('{"a": 1 "records": []', ""),
            ('{["records"]: [', ""),
        ],
    )  # fmt: skip
    def test_how_a_file_opens(self, head, found):
        assert opening(head, ("records",)) == found


class TestLines:
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_a11_every_line_end_counts_once(self, end, size, monkeypatch):
        monkeypatch.setattr("accounts.formats.json_records.CHUNK", size)
        raw = end.join([b"a", b"", b"bcd", b"e"]) + end

        assert [(n, line.strip()) for n, line, _ in numbered_lines(io.BytesIO(raw))] == [
            (1, b"a"), (2, b""), (3, b"bcd"), (4, b"e"),
        ]  # fmt: skip

    @given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bb"]), max_size=12), st.integers(1, 5))
    def test_it_cuts_as_the_whole_would_be_cut(self, parts, size):
        raw = b"".join(parts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("accounts.formats.json_records.CHUNK", size)
            found = [line for _, line, _ in numbered_lines(io.BytesIO(raw))]

        assert found == raw.splitlines(keepends=True)

    @pytest.mark.parametrize("end", [b"\n", b"\r"])
    def test_a_line_that_is_too_long_is_one_line(self, end):
        long = b"x" * (LONGEST_LINE * 2)

        found = list(numbered_lines(io.BytesIO(end.join([b"a", long, b"b", long]))))

        assert [(n, line[:1], is_whole) for n, line, is_whole in found] == [
            (1, b"a", True), (2, b"x", False), (3, b"b", True), (4, b"x", False),
        ]  # fmt: skip
        assert len(found[1][1]) == len(found[3][1]) < LONGEST_LINE

    @pytest.mark.parametrize("depth", range(100, 1_000, 25))
    def test_f8_however_deep_it_is_nested_there_is_a_line_or_a_sentence(self, depth):
        deep = (
            json.dumps(exported()).encode()[:-1] + b', "x": ' + b'{"a": [' * (depth // 2) + b"]}" * (depth // 2) + b"}"
        )

        for name, raw in (("azure-activity", deep), ("azure-activity", b"[" + deep + b"]"), ("jsonl", deep)):
            try:
                [found] = FORMATS[name](io.BytesIO(raw), "a", None)
                assert isinstance(found, BadLine | AccessLine)
            except AccessFileRefused as refusal:
                assert "nested too deep" in str(refusal)


def of(name, *events):
    """A file of these events in the form its service delivers."""
    if name == "csv":
        rows = [",".join(own()), *(",".join(event.values()) for event in events)]
        return ("\n".join(rows) + "\n").encode()
    wrapped = {"azure-activity": {"records": events}, "cloudtrail": {"Records": events}, "gcp-audit": events}
    if name in wrapped:
        return json.dumps(wrapped[name]).encode()
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


SAMPLES = {
    "azure-activity": exported, "cloudtrail": trail, "csv": own, "gcp-audit": entry, "jsonl": own,
    "openstack-cadf": cadf_event,
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
class TestCutFiles:
    def taken(self, name, raw):
        """(lines, whether the file was refused): what was taken before the refusal does not count, nor how it ended."""
        try:
            lines = FORMATS[name](io.BytesIO(raw), "a", None)
            return [line._replace(sent="") if isinstance(line, AccessLine) else line for line in lines], False
        except (AccessFileRefused, TableRefused):
            return [], True

    def test_a_file_cut_at_any_byte_gives_a_sentence_and_no_line_is_lost_in_silence(self, name):
        raw = of(name, SAMPLES[name](), SAMPLES[name]())
        whole, _ = self.taken(name, raw)
        ends = [at for at in range(len(raw)) if raw[at : at + 1] == b"\n"]
        assert [type(line) for line in whole] == [AccessLine] * 2

        for cut in range(len(raw)):
            lines, is_refused = self.taken(name, raw[:cut])
            begun = sum(1 for end in ends if end + 1 < cut) if ends else 2
            if name == "csv":
                begun -= 1 if ends else 0  # the header
            if not is_refused and ends and raw[:cut].strip():
                assert len(lines) >= begun, (cut, lines)
                assert all(line in whole or isinstance(line, BadLine) or name == "csv" for line in lines)
            elif not ends:
                assert is_refused or all(isinstance(line, BadLine) for line in lines), cut

    @given(st.data())
    def test_a_damaged_file_gives_lines_or_a_sentence_and_loses_none(self, name, data):
        raw = bytearray(of(name, *[SAMPLES[name]()] * 3))
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

        lines, is_refused = self.taken(name, bytes(raw))

        ends = sum(1 for sign in raw if sign in b"\r\n")
        assert is_refused or len(lines) >= min(3, ends - (name == "csv")) or name == "azure-activity"
        assert all(line.reason.isprintable() for line in lines if isinstance(line, BadLine))

    def test_packed_it_reads_the_same_and_cut_it_is_refused(self, name):
        raw = of(name, SAMPLES[name](), SAMPLES[name]())
        packed = gzip.compress(raw, mtime=0)

        assert self.taken(name, packed) == self.taken(name, raw)
        for cut in (11, len(packed) // 2, len(packed) - 8, len(packed) - 1):
            assert self.taken(name, packed[:cut]) == ([], True)

    def test_a_marked_file_and_one_in_utf_16(self, name):
        raw = of(name, SAMPLES[name]())

        assert isinstance(self.taken(name, b"\xef\xbb\xbf" + raw)[0][0], AccessLine)
        lines, is_refused = self.taken(name, raw.decode().encode("utf-16"))
        assert is_refused or isinstance(lines[0], AccessLine if name == "csv" else BadLine)


class TestWhatIsKept:
    def test_a_bad_line_is_kept_as_it_was_sent_up_to_a_length(self):
        raw = b'{"a": "\xff\x00"}\n{"b": "' + b"x" * 30_000 + b'"}\n'

        first, second = own_log.read_jsonl(io.BytesIO(raw), "a")

        assert first.content == '{"a": "\\xff\\u0000"}'
        assert len(second.content) == LONGEST_CONTENT and second.content.startswith('{"b"')

    def test_a_bad_row_is_kept_as_it_was_sent(self):
        raw = b"event_id,at,kind,action,principal,source,source_system\r\n" + b'e1,"x\r\ny",access,a,p,s,c\r\nshort\r\n'

        first, second = own_log.read_csv(io.BytesIO(raw), "a")

        assert (first.line, first.content) == (2, 'e1,"x\r\ny",access,a,p,s,c')
        assert (second.line, second.content) == (4, "short")

    def test_numbers_grow_by_one(self):
        found = list(own_log.read_jsonl(io.BytesIO(of("jsonl", *[own()] * 9)), "a"))

        assert all(after.line - before.line == 1 for before, after in pairwise(found))


class TestPorts:
    @pytest.mark.parametrize(
        ("changes", "address", "port"),
        [
            ({}, "203.0.113.7", None), ({"port": 443}, "203.0.113.7", 443), ({"port": "443"}, "203.0.113.7", 443),
            ({"port": 0}, "203.0.113.7", None), ({"port": ""}, "203.0.113.7", None),
            ({"source": "1.2.3.4:443"}, "1.2.3.4", 443), ({"source": "1.2.3.4:443", "port": 5}, "1.2.3.4", 5),
            ({"source": "[2001:db8::1]:443"}, "2001:db8::1", 443), ({"source": "[2001:db8::1]"}, "2001:db8::1", None),
            ({"source": "2001:db8::1:443"}, "2001:db8::1:443", None), ({"source": " 1.2.3.4:1 "}, "1.2.3.4", 1),
            ({"source": "[::ffff:1.2.3.4]:80"}, "1.2.3.4", 80), ({"source": "::ffff:1.2.3.4"}, "1.2.3.4", None),
            ({"source": "1.2.3.4:0"}, "1.2.3.4", None), ({"source": "1.2.3.4:"}, None, None),
            ({"source": "1.2.3.4:65536"}, None, None), ({"source": "1.2.3.4:-1"}, None, None),
            ({"source": "010.0.0.1:80"}, None, None), ({"source": "[1.2.3.4]:80"}, None, None),
            ({"source": "fe80::1%eth0"}, None, None), ({"source": "[fe80::1%eth0]:80"}, None, None),
            ({"source": "host:443"}, None, None), ({"source": "[2001:db8::1"}, None, None),
            ({"source": "1.2.3.4:٤٤"}, None, None), ({"source": "1.2.3.4, 5.6.7.8"}, None, None),
        ],
    )  # fmt: skip
    def test_e1_e3_e6_a_port_beside_an_address_or_glued_to_it(self, changes, address, port):
        [found] = own_log.read_jsonl(io.BytesIO(of("jsonl", own(**changes))), "a")

        assert (found.address, found.port) == (address, port)
        assert found.raw_source == changes.get("source", "203.0.113.7")

    @pytest.mark.parametrize("port", ["x", "-1", 65_536, "1e3", "４", True, 1.5, [], None, "443 80", -1])
    def test_what_is_no_port(self, port):
        [found] = own_log.read_jsonl(io.BytesIO(of("jsonl", own(port=port))), "a")

        assert isinstance(found, BadLine) and "port" in found.reason

    @pytest.mark.parametrize(
        ("at", "taken"),
        [
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00"),
            ("2017-01-01T02:59:60.5+03:00", "2016-12-31T23:59:59.999999+00:00"),
            ("2016-12-31T12:59:60Z", None), ("2016-12-30T23:59:60Z", None), ("9999-12-31T23:59:60Z", None),
            ("2016-12-31T23:60:60Z", None), ("2016-12-31T23:59:61Z", None), ("2016-12-31T23:59:59", None),
        ],
    )  # fmt: skip
    def test_d8_a_leap_second_is_the_last_moment_of_its_month(self, at, taken):
        [found] = own_log.read_jsonl(io.BytesIO(of("jsonl", own(at=at))), "a")

        assert (found.at.isoformat() if isinstance(found, AccessLine) else None) == taken

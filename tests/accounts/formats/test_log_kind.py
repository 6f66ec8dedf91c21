"""Which format a log has is told by what stands in it; what is packed, and how."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats import log_kind
from accounts.formats.access_formats import FORMATS
from accounts.formats.access_lines import AccessFileRefused, AccessLine
from accounts.formats.log_kind import recognise
from accounts.formats.packed import unpacked
from tests.accounts.formats.cloud_logs import cadf_event, entry, enveloped, exported, listed, own, trail
from tests.accounts.formats.test_cloudtrail import REAL, SPECIMEN
from tests.accounts.formats.test_json_records import SAMPLES, of

CSV = b"event_id,at,kind,action,principal,source,source_system\n"


def kind_of(content, name="log.txt"):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    stream = io.BytesIO(raw)
    stream.seek(len(raw))  # as it stands when it was written a moment ago
    kind = recognise(stream, name)
    assert stream.tell() == 0
    return kind


class TestRecognise:
    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            ({"Records": [trail()]}, "cloudtrail"), ({"Records": []}, "cloudtrail"),
            ({"records": [exported()]}, "azure-activity"), (exported(), "azure-activity"),
            ([listed()], "azure-activity"),
            ({"nextLink": "x", "value": [listed()]}, "azure-activity"), ({"records": []}, "azure-activity"),
            (entry(), "gcp-audit"), ([entry()], "gcp-audit"), ({"entries": [entry()]}, "gcp-audit"),
            (cadf_event(), "openstack-cadf"), ([cadf_event()], "openstack-cadf"),
            (enveloped(cadf_event()), "openstack-cadf"),
            (enveloped(cadf_event(), as_text=False), "openstack-cadf"),
            (own(), "jsonl"), (b"\n\n" + json.dumps(own()).encode(), "jsonl"),
            (CSV, "csv"), (CSV.decode().encode("utf-16"), "csv"), (b"\xef\xbb\xbf" + CSV.upper(), "csv"),
            (CSV.replace(b"\n", b"\r") + "Zoë".encode("cp1252"), "csv"),
            (b'{"cut off\n' + json.dumps(own()).encode(), "jsonl"),  # its reader will name the line
            (json.dumps([5, None, entry()], indent=4).encode(), "gcp-audit"),
            (gzip.compress(json.dumps(own()).encode()), "jsonl"),
        ],
    )  # fmt: skip
    def test_by_content(self, content, kind):
        assert kind_of(content) == kind

    @pytest.mark.parametrize("name", SAMPLES)
    def test_never_by_name(self, name):
        raw = of(name, SAMPLES[name]())

        assert {kind_of(raw, called) for called in ("a.csv", "cloudtrail.json", "", "x.gz")} == {name}
        assert isinstance(next(FORMATS[name](io.BytesIO(raw), "a", None)), AccessLine)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty"), (b" \r\n\x1a", "is empty"), ([], "none of the access logs"),
            ({}, "none of the access logs"),
            (b"a,b\n", "none of the access logs"), ([1, 2], "none of the access logs"), (b"\xff\xfe{", "none of"),
            ({"time": "x"}, "none of"), (b"[" * 100_000, "none of"), (b'"', "none of"), (b"<html>", "none of"),
            ({**own(), **entry()}, "looks like gcp-audit and jsonl at once"),
            ([own(), cadf_event()], "looks like jsonl and openstack-cadf at once"),
            (b"\x28\xb5\x2f\xfdxx", "packed with zstd"), (b"PK\x03\x04xx", "packed with zip"), (b"BZh9", "with bzip2"),
            (b"\xfd7zXZ\x00", "packed with xz"), (gzip.compress(gzip.compress(b"x")), "packed twice"),
            (b"\x1f\x8bnonsense", "cannot be unpacked"),
        ],
    )  # fmt: skip
    def test_none_or_more_than_one_is_said_so(self, content, says):
        with pytest.raises(AccessFileRefused, match=says) as caught:
            kind_of(content, "a\u202eb")
        assert str(caught.value).startswith("a[U+202E]b ")

    def test_no_more_than_the_beginning_is_looked_at(self, monkeypatch):
        monkeypatch.setattr(log_kind, "LOOKED_AT", 2_000)

        assert kind_of({"Records": [trail(eventID=str(n)) for n in range(99)]}) == "cloudtrail"
        assert kind_of({"Records": [trail(requestParameters="x" * 5_000)]}) == "cloudtrail"

    @given(st.binary(max_size=60) | st.text(alphabet='{}[]",:ab1\n', max_size=60).map(str.encode))
    def test_whatever_comes_gives_a_format_or_a_sentence(self, content):
        try:
            assert kind_of(content) in FORMATS
        except AccessFileRefused as refusal:
            assert "\n" not in str(refusal)

    def test_t23_the_real_files_are_recognised_and_counted(self):
        assert kind_of(SPECIMEN.read_bytes()) == "cloudtrail"
        if not REAL.is_dir():
            pytest.skip("the real log files are not there")
        assert {kind_of(path.read_bytes()) for path in REAL.glob("*.json")} == {"cloudtrail"}


class TestPacked:
    BOMB = gzip.compress(bytes(3_000_000))

    def test_a_bomb_is_refused_while_it_grows(self):
        stream = unpacked(io.BytesIO(self.BOMB), "a", 1_000_000)

        with pytest.raises(AccessFileRefused, match="holds more than 1,000,000 bytes"):
            while stream.read(10_000):
                pass

    def test_several_members_are_one_file(self):
        packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")

        assert unpacked(io.BytesIO(packed), "a").read() == b"one\ntwo\n"

    @pytest.mark.parametrize("rest", [b"rubbish", b"\x1f\x8b"])
    def test_what_follows_and_is_not_packed_is_refused(self, rest):
        with pytest.raises(AccessFileRefused, match="cannot be unpacked"):
            unpacked(io.BytesIO(gzip.compress(b"one\n") + rest), "a").read()

    @given(st.binary(max_size=200), st.integers(0, 250))
    def test_cut_or_whole_it_gives_the_content_or_a_sentence(self, content, cut):
        packed = gzip.compress(content, mtime=0)
        try:
            assert unpacked(io.BytesIO(packed[:cut]), "a").read() == (content if cut >= len(packed) else packed[:cut])
        except AccessFileRefused:
            assert 2 <= cut < len(packed) or content[:2] == b"\x1f\x8b"

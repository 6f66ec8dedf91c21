"""Cloud access logs: T23 on the real files where present, everything else on own specimens."""

import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.access_lines import AccessFileRefused, AccessLine, BadLine
from accounts.formats.addresses import special_use
from accounts.formats.cloudtrail import read as read_lines

ROOT = Path(__file__).resolve().parents[3]
SPECIMEN = ROOT / "tests" / "specimens" / "cloudtrail.json"
REAL = ROOT.parent / "shared" / "data" / "cloudtrail"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(content: bytes, **limits):
    return list(read_lines(io.BytesIO(content), "log.json", **limits))


def read_record(**changes):
    record = json.loads(SPECIMEN.read_text())["Records"][0] | changes
    return read(json.dumps({"Records": [record]}).encode())[0]


class TestReadLines:
    def test_it_reads_the_specimen(self):
        found = read(SPECIMEN.read_bytes())

        assert [(line.kind, line.action) for line in found] == [
            ("access", "ec2:DescribeInstances"),
            ("admin", "ec2:RunInstances"),
            ("access", "signin:ConsoleLogin"),
            ("admin", "logs:CreateLogStream"),
            ("access", "kms:Decrypt"),
        ]
        assert found[0]._replace(sent="") == AccessLine(
            line=1,
            event_id="00000000-0000-0000-0000-000000000001",
            at=datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC),
            kind="access",
            action="ec2:DescribeInstances",
            principal="arn:aws:iam::000000000000:user/anna",
            address="203.0.113.7",
            raw_source="203.0.113.7",
            source_system="cloudtrail",
            account="000000000000",
            user_agent="example-client/1.0",
            region="eu-example-1",
        )
        assert [line.address for line in found] == ["203.0.113.7", "10.0.0.5", "2001:db8::7", None, None]
        assert [line.raw_source for line in found[3:]] == ["logs.amazonaws.com", "AWS Internal"]
        assert [line.principal for line in found[3:]] == ["logs.amazonaws.com", "EXAMPLE"]

    def test_a_compressed_file_reads_the_same(self):
        assert read(gzip.compress(SPECIMEN.read_bytes())) == read(SPECIMEN.read_bytes())

    def test_t23_nothing_of_the_real_files_is_lost(self):
        if not REAL.is_dir():
            pytest.skip("the real log files are not there")

        kinds = Counter()
        for path in sorted(REAL.glob("*.json")):
            with path.open("rb") as stream:
                for line in read_lines(stream, path.name):
                    assert isinstance(line, AccessLine)
                    assert line.raw_source
                    kinds["none" if line.address is None else special_use(line.address) or "public"] += 1

        assert kinds == {"private": 1_433, "public": 12, "none": 222}
        assert kinds.total() == 1_667

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"readOnly": True}, "access"),
            ({"readOnly": False}, "admin"),
            ({"readOnly": None}, "admin"),
            ({"readOnly": "yes"}, "admin"),
            ({"readOnly": False, "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin"}, "access"),
            ({"readOnly": False, "eventSource": "ec2.amazonaws.com", "eventName": "ConsoleLogin"}, "admin"),
        ],
    )
    def test_reads_and_sign_ins_are_access(self, changes, kind):
        assert read_record(**changes).kind == kind

    @pytest.mark.parametrize(
        "changes", [{"userIdentity": None}, {"userIdentity": "x"}, {"sourceIPAddress": None}, {"userAgent": None}]
    )
    def test_what_may_be_absent(self, changes):
        assert isinstance(read_record(**changes), AccessLine)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"eventID": None}, "lacks eventID"),
            ({"eventID": ["x"]}, "eventID is not a text"),
            ({"eventTime": "2026-03-01T10:00:00"}, "no time zone"),
            ({"eventName": ""}, "lacks eventName"),
            ({"sourceIPAddress": 7}, "sourceIPAddress is not a text"),
            ({"userAgent": "a\ud800"}, "surrogate"),
            ({"userAgent": "a\x00"}, "NUL"),
        ],
    )
    def test_a_bad_record_is_a_bad_line(self, changes, says):
        found = read_record(**changes)

        assert isinstance(found, BadLine)
        assert says in found.reason

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty"),
            (b"   ", "is empty"),
            (b"{", "not valid JSON"),
            (b"[]", 'no list named "Records"'),
            (b'{"Records": {}}', 'no list named "Records"'),
            (b'{"Records": [], "Records": []}', "stands twice"),
            (b"\xff\xfe{", "not valid UTF-8"),
            (b'{"Records": ' + b"[" * 100_000, "nested too deep"),
            (gzip.compress(b"{}" * 500, mtime=0)[:-9], "cannot be unpacked"),
            (b"\x1f\x8bnonsense", "cannot be unpacked"),
        ],
    )
    def test_a_file_that_is_no_log_is_refused(self, content, says):
        with pytest.raises(AccessFileRefused, match=says):
            read(content)

    @pytest.mark.parametrize("content", [b" " * 2_000, gzip.compress(b" " * 10_000_000)])
    def test_a_file_that_unpacks_to_too_much(self, content):
        with pytest.raises(AccessFileRefused, match="more than 1,000 bytes"):
            read(content, largest=1_000)

    def test_a_file_is_read_record_by_record(self):
        record = json.loads(SPECIMEN.read_text())["Records"][0]
        stream = io.BytesIO(json.dumps({"Records": [record] * 2_000}).encode())
        lines = read_lines(stream, "log.json")

        assert next(lines).line == 1
        assert stream.tell() < len(stream.getvalue()) / 4
        assert sum(1 for _ in lines) == 1_999

    @given(st.lists(JSON, max_size=6))
    def test_every_record_yields_one_line(self, records):
        found = read(json.dumps({"Records": records}).encode())

        assert [line.line for line in found] == list(range(1, len(records) + 1))

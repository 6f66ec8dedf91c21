"""Logs of any system by a declared mapping: what it may say, and what is refused."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.access_lines import AccessLine, BadLine
from accounts.formats.mapped_log import LARGEST_MAPPING, MappedReader, MappingRefused, read_mapping
from accounts.formats.tables import TableRefused

MAPPING = {
    "form": "jsonl",
    "constants": {"source_system": "gateway"},
    "columns": {
        "event_id": "id", "at": "when.start", "kind": "verb", "action": "verb", "principal": "user.login",
        "source": "clients.0.address", "port": "clients.0.port", "account": ["owner.id"],
    },
    "kinds": {"GET": "access", "LOGIN": "access"},
    "other_kinds": "admin",
}  # fmt: skip
EVENT = {
    "id": 17, "when": {"start": "2026-03-01T10:00:01Z"}, "verb": "GET", "user": {"login": "anna"},
    "clients": [{"address": "203.0.113.7", "port": 443}], "owner.id": "T-9", "more": {"x": 1},
}  # fmt: skip
TABLE = {
    "form": "csv",
    "constants": {"source_system": "gateway", "kind": "admin"},
    "columns": {"event_id": "No.", "at": "Time", "action": "Verb", "source": "Client"},
}


def lines(mapping, content):
    reader = MappedReader(read_mapping(json.dumps(mapping).encode(), "map.json"))
    return list(reader(io.BytesIO(content), "log"))


def one(mapping=None, **changes):
    [found] = lines(mapping or MAPPING, json.dumps({**EVENT, **changes}).encode())
    return found


def mapped(**changes):
    return {**MAPPING, **changes}


def columns(**changes):
    return mapped(columns={**MAPPING["columns"], **changes})


class TestObjects:
    def test_each_place_becomes_ours(self):
        found = one()

        assert isinstance(found, AccessLine)
        assert (found.event_id, found.at.isoformat()) == ("17", "2026-03-01T10:00:01+00:00")
        assert (found.kind, found.action, found.principal) == ("access", "GET", "anna")
        assert (found.address, found.port, found.account) == ("203.0.113.7", 443, "T-9")
        assert found.source_system == "gateway"

    def test_other_kinds(self):
        assert one(verb="DELETE").kind == "admin"
        assert isinstance(one({key: MAPPING[key] for key in MAPPING if key != "other_kinds"}, verb="DELETE"), BadLine)

    @pytest.mark.parametrize(
        ("changes", "source"),
        [
            ({"clients": []}, ""), ({"clients": None}, ""), ({"clients": "x"}, ""),
            ({"clients": [{"address": None}]}, ""),
            ({"clients": [{"address": "the backup"}]}, "the backup"), ({"clients": [{"address": 7}]}, "7"),
            ({"clients": [{"address": True}]}, "true"),
        ],
    )  # fmt: skip
    def test_t23_what_is_not_there_or_no_address(self, changes, source):
        found = one(**changes)

        assert (found.address, found.raw_source) == (None, source)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"id": None}, "event_id is empty"), ({"id": {}}, "event_id: an object or a list"),
            ({"when": 5}, "at is empty"),
            ({"when": {"start": "2026-03-01T10:00:01"}}, "no time zone"),
            ({"clients": [{"address": ["1.2.3.4"]}]}, "source: an object or a list"),
            ({"clients": [{"address": "", "port": "x"}]}, "port is"), ({"user": {"login": "\ud800"}}, "surrogate"),
        ],
    )  # fmt: skip
    def test_an_event_that_cannot_be_used_is_a_bad_line(self, changes, says):
        found = one(**changes)

        assert isinstance(found, BadLine) and says in found.reason
        assert json.loads(found.content) == {**EVENT, **changes}

    @pytest.mark.parametrize(
        ("unit", "given", "taken"),
        [
            ("unix seconds", 1_772_359_201, "2026-03-01T10:00:01+00:00"),
            ("unix seconds", "1772359201.5", "2026-03-01T10:00:01.500000+00:00"),
            ("unix seconds", 1_772_359_201.25, "2026-03-01T10:00:01.250000+00:00"),
            ("unix milliseconds", 1_772_359_201_123, "2026-03-01T10:00:01.123000+00:00"),
            ("unix seconds", -1, None), ("unix seconds", "", None), ("unix seconds", "x", None),
            ("unix seconds", 10**14, None), ("unix seconds", 10**13, None), ("unix seconds", "1e9", None),
            ("unix milliseconds", "2026-03-01T10:00:01Z", None), ("unix seconds", ".5", None),
            ("unix seconds", "٣", None),
        ],
    )  # fmt: skip
    def test_moments_counted_since_1970(self, unit, given, taken):
        found = one(mapped(moments=unit), when={"start": given})

        assert (found.at.isoformat() if isinstance(found, AccessLine) else None) == taken

    def test_arrays_and_packed_files(self):
        content = json.dumps([EVENT, EVENT]).encode()

        assert len(lines(MAPPING, gzip.compress(content))) == len(lines(MAPPING, content)) == 2


class TestTables:
    def test_columns_by_their_names_and_others_passed_over(self):
        content = b"Client,Other,No.,Other,Time,Verb\n1.2.3.4:9,a\x00,1,b,2026-03-01T10:00:01Z,go\n,,,,,\n"

        first, second = lines(TABLE, content)

        assert (first.event_id, first.address, first.port, first.kind) == ("1", "1.2.3.4", 9, "admin")
        assert isinstance(second, BadLine) and second.content == ",,,,,"
        assert lines(TABLE, gzip.compress(content)) == [first, second]

    def test_a_header_that_lacks_one_is_refused(self):
        with pytest.raises(TableRefused, match=r"lacks No\., Time"):
            lines(TABLE, b"Client,Verb\n")

    def test_a_name_with_a_dot_is_one_column(self):
        table = {**TABLE, "columns": {**TABLE["columns"], "account": "owner.id"}}

        [found] = lines(table, b"No.,Time,Verb,Client,owner.id\n1,2026-03-01T10:00:01Z,go,x,T-9\n")

        assert found.account == "T-9"


class TestMappings:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"\xff", "not valid UTF-8"), (b"{", "not valid JSON"), (b"[]", "not a JSON object"),
            (b'{"form": 1, "form": 2}', "stands twice"), (b"[" * 90_000, "nested too deep"),
            (b" " * (LARGEST_MAPPING + 1), "larger than"),
            (mapped(form="xml"), 'form is "xml"'), (mapped(form=None), "form is not a text"),
            (mapped(colour=1), "colour"),
            (mapped(columns=[]), "columns is not an object"), (mapped(kinds=[]), "kinds is not an object"),
            (mapped(constants={}), "where source_system comes from"),
            (columns(shoe="x"), "shoe is none of our columns"),
            (mapped(constants={"source_system": "a", "source": "b"}), "source stands both"),
            (mapped(constants={"source_system": ""}), "source_system is empty"),
            (mapped(constants={"source_system": 5}), "source_system is not a text"),
            (mapped(constants={"source_system": "a\x00"}), "NUL"),
            (mapped(constants={"source_system": "x" * 300}), "300"),
            (columns(at=""), "columns.at is empty"), (columns(at="a..b"), "columns.at is empty"),
            (columns(at=5), "neither"),
            (columns(at=[]), "neither"), (columns(at=[5]), "columns.at is not a text"),
            (mapped(kinds={"GET": "read"}), 'kinds.GET is "read"'), (mapped(other_kinds="x"), 'other_kinds is "x"'),
            (mapped(kinds={}), "other_kinds without kinds"), (mapped(moments="epoch"), 'moments is "epoch"'),
            ({**TABLE, "constants": {"kind": "root", "source_system": "a"}}, 'constants.kind is "root"'),
            ({**TABLE, "kinds": {"a": "admin"}}, "kind is a constant"),
            ({**TABLE, "columns": {**TABLE["columns"], "at": ["a"]}}, "columns.at is not a text"),
            (
                {"form": "csv", "columns": {"action": "a", "source": "b", "kind": "k"},
                 "constants": {"event_id": "1", "at": "x", "source_system": "a"}},
                "event_id cannot be the same",
            ),
        ],
    )  # fmt: skip
    def test_a_wrong_one_is_refused_with_what_to_mend(self, content, says):
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()

        with pytest.raises(MappingRefused, match=r"The mapping map\.json is wrong") as caught:
            read_mapping(raw, "map.json")
        assert says in str(caught.value) and "\n" not in str(caught.value)

    @given(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["form", "columns", "constants", "kinds", "at"]), inner, max_size=4)
            ),
        )
    )
    def test_whatever_comes_gives_a_sentence(self, given):
        with pytest.raises(MappingRefused):
            read_mapping(json.dumps(given).encode(), "map.json")


class TestHash:
    def sha256(self, mapping, **how) -> str:
        return MappedReader(read_mapping(json.dumps(mapping, **how).encode(), "map.json")).sha256

    def test_it_is_of_what_the_mapping_says_and_not_of_how_it_is_written(self):
        turned = {name: MAPPING[name] for name in reversed(MAPPING)}
        turned["columns"] = {name: MAPPING["columns"][name] for name in reversed(MAPPING["columns"])}

        assert self.sha256(MAPPING) == self.sha256(turned, indent=4) != self.sha256(TABLE)

    def test_every_part_counts(self):
        columns = MAPPING["columns"]
        changed = [
            {**MAPPING, "columns": {**columns, "principal": "someone.else"}},
            {**MAPPING, "columns": {**columns, "user_agent": "agent"}},
            {**MAPPING, "constants": {**MAPPING["constants"], "source_system": "other"}},
            {**MAPPING, "kinds": {"x": "access"}},
            {**MAPPING, "moments": "unix seconds"},
        ]

        assert len({self.sha256(each) for each in (MAPPING, *changed)}) == 6

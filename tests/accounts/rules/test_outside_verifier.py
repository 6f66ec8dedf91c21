"""What an answer of our own form may say, and what is refused with the place in it (R33; trust.md F8, C2, C3)."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.outside_verifier import (
    FIELDS,
    OutsideVerifier,
    Question,
    Reading,
    UnreadableAnswer,
    VerifierGone,
    consistent,
    read,
    reference_of,
)
from accounts.rules.verifying import Result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "outside-verifier.md"
ASKED = ("legal_name", "birth_date", "address")
GOOD = {"reference": "CHK-2222-2222", "result": "match", "matched": ["legal_name", "birth_date"]}


class TestRead:
    def test_a_match_names_what_agrees(self):
        reading = read({**GOOD, "their_reference": "v-7"}, ASKED)

        assert reading == Reading(Result.MATCH, ("legal_name", "birth_date"), {}, "v-7")

    def test_what_differs_comes_with_what_was_found_or_without(self):
        reading = read({**GOOD, "result": "partial", "matched": ["legal_name"],
                        "differing": {"birth_date": "1980-01-01", "address": None}}, ASKED)  # fmt: skip

        assert reading.differing == {"birth_date": "1980-01-01", "address": ""}

    @pytest.mark.parametrize("result", ["no_match", "error"])
    def test_these_need_no_fields(self, result):
        assert read({"reference": "CHK-2222-2222", "result": result}, ASKED).result == result

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"result": "perhaps"}, "“result”"),
            ({"result": "MATCH"}, "“result”"),
            ({"result": ["match"]}, "“result”"),
            ({"result": None}, "“result”"),
            ({"matched": "legal_name"}, "“matched”"),
            ({"matched": [{}]}, "“matched”"),
            ({"matched": ["shoe_size"]}, "not asked about"),
            ({"matched": ["citizenship"]}, "not asked about"),
            ({"matched": []}, "names no field"),
            ({"matched": ["legal_name", "legal_name"]}, "twice"),
            ({"matched": ["legal_name"], "differing": {"legal_name": "x"}}, "twice"),
            ({"differing": {"address": "elsewhere"}}, "says match, and also"),
            ({"differing": ["address"]}, "“differing”"),
            ({"differing": {"shoe_size": "45"}}, "nobody knows"),
            ({"differing": {"address": 7}}, "“differing.address”"),
            ({"differing": {"address": "a\x00b"}}, "“differing.address” holds a NUL"),
            ({"differing": {"address": "\ud800"}}, "half of a surrogate pair"),
            ({"differing": {"address": "x" * 301}}, "301 characters"),
            ({"differing": {"address": "a\nb"}}, "only one line"),
            ({"their_reference": "x" * 81}, "“their_reference”"),
            ({"their_reference": "a b"}, "“their_reference”"),
            ({"score": 0.9}, "keys that nobody knows"),
        ],
    )
    def test_anything_else_is_refused_naming_the_place_and_no_value(self, changes, place):
        with pytest.raises(UnreadableAnswer, match=place) as refused:
            read({**GOOD, **changes}, ASKED)

        assert "elsewhere" not in str(refused.value) and "shoe" not in str(refused.value)
        assert len(str(refused.value)) < 200

    @pytest.mark.parametrize("reference", [None, "", 7, "x" * 81, "CHK\x00", "Ä", ["CHK-2222-2222"]])
    def test_a_reference_is_plain_text(self, reference):
        with pytest.raises(UnreadableAnswer, match="“reference”"):
            reference_of({**GOOD, "reference": reference})

    @given(
        st.dictionaries(
            st.sampled_from([*GOOD, "differing", "their_reference", "odd"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*FIELDS, "match", "error"]),
                lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*FIELDS, "x"]) | st.text(), inner),
                max_leaves=8,
            ),
        )
    )
    def test_whatever_json_comes_it_is_read_or_refused_in_one_sentence(self, message):
        message = json.loads(json.dumps(message))
        try:
            reading = read(message, ASKED)
        except UnreadableAnswer as refused:
            assert "\n" not in str(refused) and len(str(refused)) < 200
        else:
            assert {*reading.matched, *reading.differing} <= set(ASKED)
            assert reading.result != Result.MATCH or (reading.matched and not reading.differing)


class TestConsistent:
    def test_it_judges_what_other_adapters_say_too(self):
        with pytest.raises(UnreadableAnswer, match="not asked about"):
            consistent(Reading(Result.MATCH, ("email",)), ASKED)


class TestTheExampleInTheDocumentation:
    """What docs/outside-verifier.md shows is run, so that it stays true."""

    @pytest.fixture
    def adapter(self):
        code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
        names: dict = {}
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102  our own page
        return names["ExampleVerifier"]()

    def test_its_answer_is_one_of_ours(self):
        [text] = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

        reading = read(json.loads(text), FIELDS)

        assert reading.result == Result.PARTIAL and reading.differing == {"birth_date": "1980-01-02", "address": ""}

    def test_the_adapter_reads_its_vendors_message(self, adapter):
        fields = {"full_name": {"ok": True}, "dob": {"ok": False, "seen": "1980-01-02"}}
        check = {"id": "v-1", "external_id": "CHK-2222-2222", "status": "consider", "fields": fields}

        assert adapter.reference_of({"check": check}) == "CHK-2222-2222"
        found = consistent(adapter.read({"check": check}, ASKED), ASKED)
        assert found == Reading(Result.PARTIAL, ("legal_name",), {"birth_date": "1980-01-02"}, "v-1")
        with pytest.raises(UnreadableAnswer):
            adapter.read({"check": {**check, "status": "maybe"}}, ASKED)

    def test_it_says_in_one_sentence_that_the_vendor_is_gone(self, adapter, monkeypatch):
        def refuse(request, timeout):
            raise ConnectionRefusedError

        monkeypatch.setitem(type(adapter).ask.__globals__, "urlopen", refuse)

        with pytest.raises(VerifierGone, match="cannot be reached"):
            adapter.ask(Question("CHK-2222-2222", "individual", {"legal_name": "Maria"}), at=None)

    def test_the_adapter_offers_what_the_interface_asks_for(self, adapter):
        wanted = [name for name in vars(OutsideVerifier) if not name.startswith("_")] + ["code", "title"]

        assert [name for name in wanted if not hasattr(adapter, name)] == []

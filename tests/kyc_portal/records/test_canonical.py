"""The bytes that get sealed: every column inside, no two events alike, nothing two databases would keep differently."""

import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyc_portal.records import canonical
from kyc_portal.records.canonical import (
    COLUMNS,
    NotSealable,
    canonical_bytes,
    commitment,
    facts_text,
    new_event_id,
)
from kyc_portal.records.models import AuditEvent
from tests.conftest import NOON


def event(**changes) -> AuditEvent:
    """An event with something in every column."""
    given = {
        "id": uuid.UUID(int=1), "verb": "tests.did", "at": NOON, "actor_kind": "person", "actor_key": "1",
        "actor_label": "ana", "actor_owner": "2", "about_label": "accounts.account", "about_key": "a",
        "about_name": "ACC-1", "within_label": "accounts.party", "within_key": "b", "facts": {"count": 1},
        "request_id": "r", "pii_commit": b"c",
    }  # fmt: skip
    return AuditEvent(**{**given, **changes})


def changed(value):
    """Another value of the same kind."""
    if isinstance(value, dict):
        return {**value, "more": True}
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int + 1)
    if isinstance(value, bytes):
        return value + b"x"
    return value + timedelta(microseconds=1) if hasattr(value, "isoformat") else f"{value}x"


class TestCanonicalBytes:
    def test_it_covers_every_column_of_the_model(self):
        columns = {field.attname for field in AuditEvent._meta.concrete_fields}

        assert columns - {"canonical"} == set(COLUMNS)

    @pytest.mark.parametrize("column", COLUMNS)
    def test_changing_any_column_changes_the_bytes(self, column):
        first = event()

        second = event(**{column: changed(getattr(first, column))})

        assert canonical_bytes(second) != canonical_bytes(first)

    def test_they_begin_with_their_version(self):
        assert canonical_bytes(event())[:1] == canonical.VERSION

    @given(st.lists(st.text(alphabet="ab\u0001é", max_size=4), min_size=2, max_size=2))
    def test_text_cannot_slide_from_one_column_into_the_next(self, texts):
        left = canonical_bytes(event(about_label=texts[0], about_key=texts[1]))

        for cut in range(len(texts[0]) + 1):
            moved = (texts[0][:cut], texts[0][cut:] + texts[1])
            right = canonical_bytes(event(about_label=moved[0], about_key=moved[1]))
            assert (left == right) == (moved == tuple(texts))

    @pytest.mark.parametrize("column", ["verb", "actor_label", "about_name", "request_id"])
    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"], ids=["NUL", "half a character"])
    def test_text_that_cannot_be_kept_is_refused(self, column, text):
        with pytest.raises(NotSealable, match=column):
            canonical_bytes(event(**{column: text}))

    @pytest.mark.parametrize(
        "facts", [{"kind": "a\x00"}, {"a\x00": 1}, {"list": ["a", "\x00"]}, {"kind": "\ud800"}, {"list": ["\udfff"]}]
    )
    def test_facts_that_cannot_be_kept_are_refused(self, facts):
        with pytest.raises(NotSealable):
            canonical_bytes(event(facts=facts))

    def test_facts_have_one_spelling(self):
        assert facts_text({"b": 1, "a": "é"}) == facts_text({"a": "é", "b": 1}) == '{"a":"é","b":1}'

    def test_a_commitment_hangs_on_salt_and_payload(self):
        assert len({commitment(b"s", b"p"), commitment(b"S", b"p"), commitment(b"s", b"P")}) == 3


class TestEventIds:
    def test_they_are_version_7_and_unique(self):
        made = [new_event_id() for _ in range(1000)]

        assert len(set(made)) == 1000
        assert {each.version for each in made} == {7}
        assert {each.variant for each in made} == {uuid.RFC_4122}

    @given(st.lists(st.integers(min_value=0, max_value=2**60), min_size=2, max_size=50))
    def test_they_sort_as_made_whatever_the_clock_does(self, readings):
        ticks = iter(readings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(canonical.time, "time_ns", lambda: next(ticks))
            patch.setattr(canonical, "_last", 0)

            made = [new_event_id() for _ in readings]

        assert made == sorted(made)
        assert [str(each) for each in made] == sorted(str(each) for each in made)

    def test_threads_never_share_one(self, in_threads):
        made = in_threads(*[lambda: [new_event_id() for _ in range(500)] for _ in range(4)])

        assert len({each for ids in made for each in ids}) == 2000
        assert all(ids == sorted(ids) for ids in made)

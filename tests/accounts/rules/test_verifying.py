"""Methods and states of a verification (R25-R34)."""

import pytest

from accounts.rules.verifying import (
    METHODS,
    MOVES,
    Result,
    VerificationStatus,
    Way,
    WhyWithoutDocuments,
    method,
    methods_for,
)

ALLOWED = {
    "in_progress": {"verified", "failed"},
    "failed": {"escalated", "unverifiable"},
    "escalated": {"verified", "unverifiable"},
    "verified": set(),
    "unverifiable": set(),
}


class TestMoves:
    @pytest.mark.parametrize("old", list(VerificationStatus))
    @pytest.mark.parametrize("new", list(VerificationStatus))
    def test_each_pair_of_states(self, old, new):
        assert MOVES.allows(old, new) is (new.value in ALLOWED[old.value])


class TestMethods:
    def test_codes_are_unique_and_found(self):
        assert len({each.code for each in METHODS}) == len(METHODS)
        assert all(method(each.code) is each for each in METHODS)

    @pytest.mark.parametrize(
        ("kind", "code", "fits"),
        [
            ("individual", "photo_document", True),
            ("individual", "existence_document", False),
            ("entity", "existence_document", True),
            ("entity", "photo_document", False),
            ("entity", "contact_customer", True),
            ("undetermined", "photo_document", True),
            ("undetermined", "existence_document", True),
        ],
    )
    def test_r26_r27_r28_each_kind_of_party_has_its_methods(self, kind, code, fits):
        assert (method(code) in methods_for(kind)) is fits

    @pytest.mark.parametrize("kind", ["individual", "entity"])
    def test_r25_both_ways_are_open_to_everybody(self, kind):
        assert {each.way for each in methods_for(kind)} == set(Way)


class TestWords:
    @pytest.mark.parametrize("words", [Result, WhyWithoutDocuments, VerificationStatus])
    def test_every_value_has_words(self, words):
        assert len({each.label for each in words}) == len(words)

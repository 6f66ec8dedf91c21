"""Shared identifiers."""

import pytest

from accounts.rules.links import WEIGHTS, WORDS, Shared, strength


class TestStrength:
    @pytest.mark.parametrize(
        ("shared", "score"),
        [
            ([], 0.0),
            ([Shared("wallet", 2)], 0.9),
            ([Shared("wallet", 1)], 0.9),
            ([Shared("wallet", 4)], 0.45),
            ([Shared("wallet", 8)], 0.3),
            ([Shared("wallet", 8), Shared("wallet", 2)], 0.9),
            ([Shared("address", 2), Shared("phone", 2)], 0.82),
        ],
    )
    def test_common_values_count_less_and_kinds_add_up(self, shared, score):
        assert strength(shared).score == pytest.approx(score)

    def test_an_office_centre_ties_nobody(self):
        assert strength([Shared("address", 200)]).score < 0.06

    def test_it_says_why_strongest_first(self):
        found = strength([Shared("address", 7), Shared("document", 2)])

        assert found.sentence == "They share the same document number, street address (which 7 customers have)."

    def test_every_kind_has_words(self):
        assert set(WEIGHTS) == set(WORDS)

    def test_it_refuses_an_unknown_kind(self):
        with pytest.raises(ValueError, match="shoe_size"):
            strength([Shared("shoe_size", 2)])

"""Shared identifiers (T21): what is rare ties, what is common does not, what depends on one another counts once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.links import DEPENDENT, WORDS, Shared, in_words, strength
from tests.accounts.link_figures import link_figures

FIGURES = link_figures()
SHARED = st.builds(Shared, st.sampled_from(sorted(WORDS)), st.integers(2, 300))


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
            ([Shared("address", 2), Shared("phone", 2)], 0.76),
        ],
    )
    def test_common_values_count_less_and_kinds_add_up(self, shared, score):
        assert strength(shared, FIGURES).score == pytest.approx(score)

    def test_several_weak_ones_reach_what_none_reaches_alone(self):
        weak = [Shared("address", 2), Shared("access_address", 2), Shared("device", 4)]

        assert max(strength([each], FIGURES).score for each in weak) < FIGURES.flag_from
        assert strength(weak, FIGURES).score > FIGURES.flag_from

    @pytest.mark.parametrize("kind", sorted(WORDS))
    def test_what_hundreds_hold_says_nothing(self, kind):
        found = strength([Shared(kind, FIGURES.most_holders + 1)], FIGURES)

        assert (found.score, found.counted) == (0.0, ())
        assert found.sentence == "They share nothing that tells them from others."

    def test_an_office_centre_hardly_ties_anybody(self):
        assert strength([Shared("address", 100)], FIGURES).score < 0.07

    def test_behind_an_anonymiser_it_is_next_to_nothing(self):
        assert strength([Shared("access_exit", 2)], FIGURES).score == 0.05

    @pytest.mark.parametrize(("kind", "follows_from"), DEPENDENT.items())
    def test_what_follows_from_the_other_is_not_counted_twice(self, kind, follows_from):
        both = strength([Shared(kind, 2), Shared(follows_from, 2)], FIGURES)

        assert both.score == max(FIGURES.weights[kind], FIGURES.weights[follows_from])
        assert [each.kind for each in both.counted] == [follows_from]

    def test_the_rarer_of_two_that_depend_speaks(self):
        both = strength([Shared("access_address", 64), Shared("access_network", 2)], FIGURES)

        assert [each.kind for each in both.counted] == ["access_network"]

    def test_it_says_why_strongest_first(self):
        found = strength([Shared("address", 7), Shared("document", 2)], FIGURES)

        assert found.sentence == "They share the same document number and street address (which 7 customers have)."
        assert found.counted == (Shared("document", 2), Shared("address", 7))

    def test_it_refuses_an_unknown_kind(self):
        with pytest.raises(ValueError, match="shoe_size"):
            strength([Shared("shoe_size", 2)], FIGURES)
        assert in_words("shoe_size", 3) == "shoe_size (which 3 customers have)"

    @given(st.lists(SHARED, max_size=8), SHARED)
    def test_more_never_says_less_and_the_order_is_nothing(self, shared, more):
        found = strength(shared, FIGURES)

        assert 0 <= found.score <= strength([more, *shared], FIGURES).score < 1
        assert strength(reversed(shared), FIGURES) == found

    @given(SHARED, st.integers(1, 50))
    def test_rarer_never_says_less(self, shared, more):
        common = Shared(shared.kind, shared.holders + more)

        assert strength([common], FIGURES).score <= strength([shared], FIGURES).score

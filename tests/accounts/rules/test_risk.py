"""Tiers and intervals (R2, R45)."""

import pytest

from accounts.rules.risk import NoInterval, RiskFactor, Tier, TierBounds, assess, review_interval

BOUNDS = TierBounds(medium=20, high=50)


class TestAssess:
    @pytest.mark.parametrize(
        ("weights", "score", "tier"),
        [
            ([], 0, Tier.LOW),
            ([19], 19, Tier.LOW),
            ([20], 20, Tier.MEDIUM),
            ([30, 20], 44, Tier.MEDIUM),
            ([30, 30], 51, Tier.HIGH),
            ([100], 100, Tier.HIGH),
            ([100, 40], 100, Tier.HIGH),
        ],
    )
    def test_weights_rise_like_independent_chances(self, weights, score, tier):
        assessment = assess([RiskFactor(f"flag{place}", weight) for place, weight in enumerate(weights)], bounds=BOUNDS)

        assert (assessment.score, assessment.tier) == (score, tier)

    def test_a_code_counts_once_by_its_heaviest_signal(self):
        assessment = assess(
            [RiskFactor("a", 10), RiskFactor("a", 15), RiskFactor("b", 18), RiskFactor("a", 5)], bounds=BOUNDS
        )

        assert assessment.reasons == (RiskFactor("b", 18), RiskFactor("a", 15))
        assert assessment.score == 30

    def test_bounds_are_handed_in(self):
        assert assess([RiskFactor("a", 30)], bounds=TierBounds(medium=10, high=30)).tier == Tier.HIGH

    @pytest.mark.parametrize("weight", [-1, 101])
    def test_it_refuses_a_weight_off_the_scale(self, weight):
        with pytest.raises(ValueError, match="between 0 and 100"):
            assess([RiskFactor("a", weight)], bounds=BOUNDS)


class TestReviewInterval:
    def test_r45_the_regime_says_how_often(self):
        assert review_interval(Tier.HIGH, {"low": 1095, "medium": 730, "high": 365}) == 365

    @pytest.mark.parametrize("intervals", [{}, {"low": 10}, {"high": 0}])
    def test_it_refuses_a_profile_without_an_interval(self, intervals):
        with pytest.raises(NoInterval, match="high"):
            review_interval("high", intervals)

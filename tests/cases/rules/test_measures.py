from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies

from accounts.rules.ownership import Stake
from cases.rules.measure_stages import FACTORS, FITTING, MEASURE_LIFECYCLE, FactorCode, JudgedWhy, Judgement
from cases.rules.measures import (
    ALWAYS_DECIDES,
    NEVER_DECIDES,
    BadDates,
    Evidence,
    EvidenceCode,
    days_of,
    deciding,
    extended_through,
    reach,
    require_free_days,
    sentences,
)
from kyc_portal.policy.regimes import COMMON

DAY_0 = date(2026, 3, 2)
RULE = {"today": DAY_0, "wait_days": 180, "length_days": 365, "source": "15 CFR 7.307 (proposed)"}


class TestDays:
    def test_t17_it_waits_180_days_and_lasts_365(self):
        days = days_of(DAY_0, None, **RULE)

        assert days.effective_on == date(2026, 8, 29)
        assert days.expires_on == date(2027, 8, 29)
        assert days_of(DAY_0, days.effective_on, **RULE) == days

    def test_t17_counted_from_the_determination_365_days_end_a_year_later(self):
        assert days_of(DAY_0, None, **{**RULE, "wait_days": 0}).expires_on == date(2027, 3, 2)

    def test_it_may_begin_later(self):
        assert days_of(DAY_0, date(2026, 12, 1), **RULE).expires_on == date(2027, 12, 1)

    @pytest.mark.parametrize("effective_on", [DAY_0, date(2026, 8, 28), date(2020, 1, 1)])
    def test_it_cannot_begin_before_day_180(self, effective_on):
        with pytest.raises(BadDates, match=r"2026-08-29, 180 days after the determination \(15 CFR 7.307 \(proposed"):
            days_of(DAY_0, effective_on, **RULE)

    def test_a_determination_to_come_is_refused(self):
        with pytest.raises(BadDates, match="2026-03-03 lies in the future"):
            days_of(date(2026, 3, 3), None, **RULE)

    def test_a_day_beyond_every_calendar_is_refused(self):
        with pytest.raises(BadDates, match="no calendar"):
            days_of(DAY_0, date.max, **RULE)

    def test_an_extension_adds_one_period(self):
        assert extended_through(date(2027, 8, 29), None, today=date(2027, 8, 29), length_days=365) == date(2028, 8, 28)

    def test_an_extension_after_the_last_day_is_refused(self):
        with pytest.raises(BadDates, match="expired on 2027-08-29 and cannot be extended"):
            extended_through(date(2027, 8, 29), None, today=date(2027, 8, 30), length_days=365)

    @pytest.mark.parametrize("through", [date(2027, 8, 29), date(2027, 1, 1), date(2028, 8, 29)])
    def test_an_extension_lengthens_and_by_one_period_at_most(self, through):
        with pytest.raises(BadDates, match="does not fit"):
            extended_through(date(2027, 8, 29), through, today=DAY_0, length_days=365)


class TestDaysOfOverrides:
    def free(self, first, last, *others):
        require_free_days(
            DAY_0 + timedelta(first), DAY_0 + timedelta(last),
            [(f"SMO-{n}", DAY_0 + timedelta(a), DAY_0 + timedelta(b)) for n, (a, b) in enumerate(others)],
            today=DAY_0, through=DAY_0 + timedelta(100),
        )  # fmt: skip

    def test_days_beside_each_other_are_free(self):
        self.free(5, 9, (0, 4), (10, 12))

    @pytest.mark.parametrize(
        ("days", "others", "words"),
        [
            ((5, 4), (), "before the first day"),
            ((-1, 4), (), "is past"),
            ((5, 101), (), "cannot go on through"),
            ((5, 9), ((9, 12),), "SMO-0 already overrides"),
            ((5, 9), ((0, 2), (0, 50)), "SMO-1 already overrides"),
            ((5, 9), ((6, 6),), "SMO-0 already overrides"),
        ],
    )
    def test_other_days_are_refused(self, days, others, words):
        with pytest.raises(BadDates, match=words):
            self.free(*days, *others)


ONE_OF_EACH = [
    Evidence("observed", country="BY", count=3, last_on="2026-03-01"),
    Evidence("place", "residence", "BY"),
    Evidence("named"),
    Evidence("owner", via=("PTY-1",), percent="30", control=True),
    Evidence("owner", via=("PTY-2",)),
    Evidence("citizenship", country="BY"),
    Evidence("payment", country="BY"),
    Evidence("sold_through", via=("RSL-1",)),
    Evidence("roster", "by their country", "BY", count=2),
]


class TestEvidence:
    def test_each_code_has_a_sentence_and_what_decides_comes_first(self):
        told = sentences(each.as_row() for each in ONE_OF_EACH)

        assert {each.code for each in ONE_OF_EACH} == set(EvidenceCode)
        assert len(told) == len(ONE_OF_EACH)
        assert told[0] == "The customer is the person named."
        assert told[1] == "The customer's residence is in BY."
        assert "30 % of the customer is held by whom the measure hits and the customer is controlled" in told[2]
        assert told[-1].endswith("an address alone never restricts.")

    @pytest.mark.parametrize("evidence", ONE_OF_EACH)
    def test_it_is_stored_and_read_back(self, evidence):
        assert Evidence.from_row(evidence.as_row()) == evidence

    def test_an_observed_address_never_decides_even_if_policy_said_so(self):
        assert deciding(ONE_OF_EACH[:1], {code.value for code in EvidenceCode}) == []

    def test_place_and_name_always_decide_and_the_rest_as_policy_says(self):
        assert [each.code for each in deciding(ONE_OF_EACH, ())] == ["place", "named"]
        assert [each.code for each in deciding(ONE_OF_EACH, {"payment"})] == ["place", "named", "payment"]

    def test_policy_has_a_figure_for_every_other_code(self):
        figures = {
            figure.name.removeprefix("measure_decides_") for figure in COMMON if "measure_decides" in figure.name
        }

        assert figures == set(EvidenceCode) - ALWAYS_DECIDES - NEVER_DECIDES


def stake(owner, owned, percent, control=False):
    return Stake(owner, owned, Decimal(percent), control)


class TestReach:
    def test_shares_multiply_down_the_chain_and_add_up(self):
        found = reach({"A"}, [stake("A", "B", 50), stake("B", "C", 40), stake("A", "C", 10), stake("X", "C", 50)])

        assert found["B"].share == Fraction(1, 2)
        assert found["C"].share == Fraction(3, 10)
        assert found["C"].via == ("A", "B")
        assert found["C"].counts(Decimal(25)) and not found["C"].counts(Decimal(31))

    def test_persons_hit_count_together(self):
        found = reach({"A", "B"}, [stake("A", "C", 15), stake("B", "C", 10)])

        assert found["C"].counts(Decimal(25))

    def test_a_hit_owner_counts_whole_and_nobody_above_it_again(self):
        found = reach({"A", "B"}, [stake("A", "B", 50), stake("B", "C", 40)])

        assert "B" not in found
        assert found["C"].share == Fraction(2, 5)

    def test_control_goes_down_a_chain_of_control_only(self):
        stakes = [stake("A", "B", 1, True), stake("B", "C", 1, True), stake("B", "D", 1)]

        found = reach({"A"}, stakes)

        assert found["C"].control and found["C"].counts(Decimal(25))
        assert not found["D"].control and not found["D"].counts(Decimal(25))

    def test_circles_are_reckoned_exactly(self):
        found = reach({"A"}, [stake("A", "B", 50), stake("C", "B", 50), stake("B", "C", 100), stake("C", "D", 30)])

        assert found["B"].share == found["C"].share == 1
        assert found["D"].share == Fraction(3, 10)

    def test_what_nobody_can_reckon_counts_and_is_for_a_person(self):
        names = [f"P{n}" for n in range(60)]
        tangled = [stake(a, b, "1.5") for a in names for b in names if a != b]

        found = reach({"A"}, [stake("A", "P0", 10), *tangled])

        assert found["P7"].share is None and found["P7"].counts(Decimal(99))
        assert deciding([Evidence("owner", via=("PTY-1",))], {"owner"}) == []

    KEYS = tuple("ABCDEFG")
    LAYERED = strategies.lists(
        strategies.tuples(
            strategies.integers(0, 6), strategies.integers(0, 6), strategies.integers(0, 14), strategies.booleans()
        ),
        max_size=18,
    )
    HIT = strategies.sets(strategies.sampled_from(KEYS), max_size=4)

    @given(rows=LAYERED, hit=HIT, more=HIT)
    def test_it_equals_the_sum_over_all_chains_and_grows_with_whom_it_hits(self, rows, hit, more):
        """On graphs without circles, where every chain can be followed by hand."""
        stakes = [stake(self.KEYS[a], self.KEYS[b], percent, control) for a, b, percent, control in rows if a < b]

        def by_hand(party, hit):
            return sum(
                (Fraction(each.percent) / 100 * (1 if each.owner in hit else by_hand(each.owner, hit))
                 for each in stakes if each.owned == party),
                Fraction(0),
            )  # fmt: skip

        found, wider = reach(hit, stakes), reach(hit | more, stakes)

        for party in set(self.KEYS) - hit:
            assert (found[party].share if party in found else 0) == by_hand(party, hit)
        for party, each in found.items():
            assert party in more or wider[party].share >= each.share
            assert party in more or wider[party].control >= each.control


class TestLists:
    def test_only_what_was_reviewed_is_closed(self):
        assert MEASURE_LIFECYCLE.after("over") == ("reviewed",)
        assert "closed" not in MEASURE_LIFECYCLE.after("in_effect")

    def test_each_judgement_has_reasons_and_each_reason_a_judgement(self):
        assert set(FITTING) == set(Judgement) - {Judgement.OPEN}
        assert sorted(each for fits in FITTING.values() for each in fits) == sorted(JudgedWhy)

    def test_every_factor_belongs_to_a_kind(self):
        assert {each for factors in FACTORS.values() for each in factors} == set(FactorCode)

"""Country agreement: weighed by figures of the regime; an observed address alone decides nothing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.answers import About, OnFile, Origin, Outcome, PolicyFigure, Seen, Value
from accounts.rules.country_checks import NEEDED, check_countries
from kyc_portal.policy.regimes import COMMON, COUNTRIES

PASSED, FAILED, COULD_NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_RUN
FIGURES = {each.name: PolicyFigure(Decimal(each.value), "Own policy") for each in COMMON}


def on_file(*origins, seen=(), phone="", figures=FIGURES):
    values = (Value(About("telephone"), "phone", phone),) if phone else ()
    return OnFile(
        party=About("file"), on=date(2026, 3, 2), figures=figures, seen=seen, values=values, regime="The rule",
        origins=tuple(Origin(*each) for each in origins),
    )  # fmt: skip


def only(*origins, **given):
    (answer,) = check_countries(on_file(*origins, **given))
    return answer


DOCUMENT, ADDRESS, PAYMENT = ("document", "DE"), ("address", "DE"), ("payment", "DE")


class TestStated:
    def test_all_in_one_country(self):
        answer = only(DOCUMENT, ADDRESS, PAYMENT, phone="+4930901820")

        assert (answer.outcome, answer.matched) == (PASSED, ("document", "address", "payment", "phone"))
        assert answer.reason == "100 % by weight point to DE; 60 % are asked for (Own policy)."

    @pytest.mark.parametrize(
        ("origins", "phone", "outcome"),
        [
            ((DOCUMENT, ADDRESS, ("payment", "FR")), "", PASSED),
            ((DOCUMENT, ("address", "FR")), "", PASSED),  # 40 of 65
            ((DOCUMENT, ("payment", "FR")), "+33142685300", FAILED),  # 40 of 75
            ((DOCUMENT, ("address", "FR"), ("payment", "FR")), "", FAILED),
            ((DOCUMENT, ("address", "FR"), ("payment", "IT")), "+34912582852", FAILED),
            ((DOCUMENT, ("document", "FR"), ADDRESS), "", PASSED),  # two passports
        ],
    )
    def test_by_weight(self, origins, phone, outcome):
        answer = only(*origins, phone=phone)

        assert answer.outcome == outcome, answer.reason

    def test_who_does_not_agree_is_named(self):
        answer = only(DOCUMENT, ADDRESS, phone="+33142685300")

        assert "The telephone names FR." in answer.reason
        assert answer.matched == ("document", "address")

    def test_one_source_alone_could_not_run_and_none_gives_no_answer(self):
        assert only(DOCUMENT).outcome == COULD_NOT_RUN
        assert check_countries(on_file()) == ()

    @pytest.mark.parametrize("phone", ["+88213300000", "no number", "+1 000 000 0000"])
    def test_a_number_of_no_country_says_nothing(self, phone):
        assert check_countries(on_file(phone=phone)) == ()

    def test_a_regime_without_the_figures_could_not_run(self):
        answer = only(DOCUMENT, ADDRESS, figures={})

        assert answer.outcome == COULD_NOT_RUN and "country weight document" in answer.reason


COUNTRY = st.sampled_from(("DE", "FR", "US", "BR"))
KIND = st.sampled_from(("document", "address", "payment"))
ORIGINS = st.lists(st.tuples(KIND, COUNTRY), max_size=6)


class TestObserved:
    def test_r18_alone_it_decides_nothing(self):
        answer = only(DOCUMENT, seen=(Seen("BR", 500),))

        assert answer.outcome == COULD_NOT_RUN and "alone they decide nothing" in answer.reason

    def test_in_a_country_nothing_stated_names_it_changes_no_outcome(self):
        answer = only(DOCUMENT, ADDRESS, seen=(Seen("BR", 500),))

        assert answer.outcome == PASSED
        assert "Addresses were seen in BR, which nothing stated names" in answer.reason

    def test_it_adds_to_a_country_that_is_stated(self):
        split = (DOCUMENT, ("payment", "FR"), ("address", "FR"))

        assert only(*split).outcome == FAILED
        assert only(*split, seen=(Seen("FR", 9),)).reason.startswith("60 % by weight point to FR")

    def test_t22_anonymised_ones_count_little_and_say_so(self):
        split = (DOCUMENT, ("payment", "FR"), ("address", "FR"))

        answer = only(*split, seen=(Seen("FR", 9, 9),))

        assert answer.outcome == FAILED
        assert answer.reason.endswith("9 of 9 accesses came through anonymising ranges and count 10 % of others.")

    @given(ORIGINS, st.integers(1, 99), st.integers(0, 99))
    def test_an_unstated_country_never_changes_an_outcome(self, origins, count, anonymised):
        seen = (Seen("JP", count, min(count, anonymised)),)

        with_seen, without = (check_countries(on_file(*origins, seen=each)) for each in (seen, ()))

        assert [answer.outcome for answer in with_seen] == [answer.outcome for answer in without]

    @given(ORIGINS)
    def test_the_order_of_what_is_on_file_makes_no_difference(self, origins):
        one, other = check_countries(on_file(*origins)), check_countries(on_file(*reversed(origins)))

        assert [each.outcome for each in one] == [each.outcome for each in other]
        assert [each.looked_at for each in one] == [each.looked_at for each in other]
        assert [each.reason for each in one] == [each.reason for each in other]

    @given(ORIGINS)
    def test_more_agreement_asked_for_never_passes_more(self, origins):
        strict = {**FIGURES, "country_agree_percent": PolicyFigure(Decimal(100), "x")}
        plain = check_countries(on_file(*origins))

        for loose, hard in zip(plain, check_countries(replace(on_file(*origins), figures=strict)), strict=True):
            assert not (hard.outcome == PASSED and loose.outcome == FAILED)


def test_every_figure_it_needs_is_shipped_with_a_reason():
    assert {each.name for each in COUNTRIES} == set(NEEDED)
    assert all(len(each.reason) > 20 for each in COUNTRIES)

"""Allow, limit or deny: what states, restrictions, products and time make of each other (R39-R41)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import restricting
from accounts.rules.access_answer import (
    ANY_PRODUCT,
    OTHER,
    REASON_CODES,
    STATE_CODES,
    Answer,
    ProductTerms,
    Standing,
    decide,
)
from accounts.rules.onboarding import AccountStatus
from cases.rules import outcomes
from tests.conftest import NOON

HOUR = timedelta(hours=1)
LATER = NOON + HOUR


def standing(level="limited", reason="identity_in_doubt", **changes):
    given = {"reference": f"RST-{level}", "public_wording": "Words.", "applied_at": NOON - HOUR}
    return Standing(level=level, reason=reason, **{**given, **changes})


class TestStates:
    @pytest.mark.parametrize(
        ("status", "answer", "codes"),
        [
            ("prospect", "deny", ("not_open",)),
            ("data_requested", "deny", ("not_open",)),
            ("verifying", "deny", ("not_open",)),
            ("refused", "deny", ("not_opened",)),
            ("closed", "deny", ("closed",)),
            ("blocked", "deny", ("suspended",)),
            ("active", "allow", ()),
        ],
    )
    def test_each_has_its_answer(self, status, answer, codes):
        told = decide(status, [], at=NOON)

        assert (told.answer, told.codes) == (answer, codes)
        assert told.may_start == told.may_use == (answer == "allow")

    def test_none_is_left_out(self):
        assert {decide(status, [], at=NOON).answer for status in AccountStatus} == {Answer.ALLOW, Answer.DENY}
        with pytest.raises(ValueError, match="elsewhere"):
            decide("elsewhere", [], at=NOON)

    def test_what_has_ended_tells_nothing_of_its_restrictions(self):
        told = decide("closed", [standing("blocked", "listed")], at=NOON)

        assert (told.codes, told.basis) == (("closed",), ())


class TestRestrictions:
    def test_a_limit_lets_go_on_what_runs(self):
        told = decide("active", [standing()], at=NOON)

        assert (told.answer, told.may_start, told.may_use) == ("limit", False, True)
        assert told.codes == ("limited", "identity")
        assert [(ground.reference, ground.code) for ground in told.basis] == [("RST-limited", "identity")]

    def test_the_strictest_decides_and_all_are_named(self):
        told = decide("active", [standing("suspended", "abuse_reported", applied_at=NOON), standing()], at=NOON)

        assert told.answer == "deny" and told.codes == ("suspended", "identity", "terms")

    def test_a_block_reads_like_a_suspension(self):
        block = decide("blocked", [standing("blocked", "list_match_confirmed", reference="RST-1")], at=NOON)
        stop = decide("active", [standing("suspended", "outside_our_terms", reference="RST-1")], at=NOON)

        assert block == stop

    @pytest.mark.parametrize(
        ("product", "answer", "may_start", "may_use"),
        [
            (ProductTerms(True, True, True), "limit", True, True),
            (ProductTerms(True, False, True), "limit", False, True),
            (ProductTerms(True, False, False), "deny", False, False),
            (ProductTerms(False, True, True), "limit", False, True),
        ],
    )
    def test_the_product_says_what_a_limited_account_may_do(self, product, answer, may_start, may_use):
        told = decide("active", [standing()], at=NOON, product=product)

        assert (told.answer, told.may_start, told.may_use) == (answer, may_start, may_use)
        assert ("product_not_offered" in told.codes) is (not product.is_offered)

    def test_what_is_no_longer_offered_may_go_on(self):
        told = decide("active", [], at=NOON, product=replace(ANY_PRODUCT, is_offered=False))

        assert (told.answer, told.may_start, told.may_use) == ("limit", False, True)


class TestTime:
    def test_the_next_moment_of_change_is_told(self):
        rows = [standing(until=LATER + HOUR), standing("suspended", until=LATER, reference="RST-2")]

        assert decide("active", rows, at=NOON).valid_until == LATER
        assert decide("active", [standing()], at=NOON).valid_until is None

    def test_over_is_over_from_that_very_moment(self):
        rows = [standing("suspended", until=LATER)]

        assert decide("active", rows, at=LATER - timedelta(microseconds=1)).answer == "deny"
        assert decide("active", rows, at=LATER).answer == "allow"

    def test_time_settles_no_doubt(self):
        told = decide("active", [standing(until=LATER, is_doubt=True)], at=LATER)

        assert (told.answer, told.codes, told.valid_until) == ("deny", ("suspended", "identity"), None)
        assert (told.basis[0].level, told.basis[0].until) == ("suspended", None)


class TestNothingIsToldOfLists:
    EVERY = {**outcomes.REASONS, **restricting.REASONS}
    SILENT = {"listed", "authority_order", "special_measure", *(code for code in EVERY if "list" in code)}

    def test_reasons_of_lists_share_their_code_with_others(self):
        codes = {reason: decide("active", [standing(reason=reason)], at=NOON).codes[1] for reason in self.EVERY}

        assert {codes[reason] for reason in self.SILENT} == {OTHER}
        assert codes["outside_our_terms"] == OTHER  # rests on no list at all
        assert all(codes[each.code] == OTHER for each in outcomes.REASONS.values() if each.rests_on_list)
        assert set(codes.values()) == set(REASON_CODES)

    def test_decisions_with_the_same_words_have_the_same_code(self):
        codes = {}
        for reason in outcomes.REASONS.values():
            if reason.outcomes - {outcomes.OutcomeCode.NO_ACTION}:
                told = decide("active", [standing(reason=reason.code)], at=NOON).codes[1]
                codes.setdefault(reason.public_wording, set()).add(told)

        assert all(len(told) == 1 for told in codes.values()) and len(codes) == len(REASON_CODES)

    def test_what_nobody_knows_is_not_told_either(self):
        assert decide("active", [standing(reason="a_reason_to_come")], at=NOON).codes == ("limited", OTHER)


levels = st.sampled_from(restricting.LEVELS)
untils = st.none() | st.integers(-3, 3).map(lambda hours: NOON + hours * HOUR)
rows_of = st.lists(
    st.builds(
        standing, level=levels, reason=st.sampled_from(["listed", "identity_in_doubt", "x"]), until=untils,
        is_doubt=st.booleans(), reference=st.uuids().map(str),
    ),
    max_size=4,
)  # fmt: skip
products = st.builds(ProductTerms, st.booleans(), st.booleans(), st.booleans()).filter(
    lambda terms: terms.limited_may_use or not terms.limited_may_start
)


class TestWhateverIsInForce:
    @given(st.sampled_from(list(AccountStatus)), rows_of, products)
    def test_answer_and_fields_agree(self, status, rows, product):
        told = decide(status, rows, at=NOON, product=product)

        by_fields = {(True, True): {"allow", "limit"}, (False, True): {"limit"}, (False, False): {"deny"}}
        assert told.answer in by_fields[told.may_start, told.may_use]
        assert set(told.codes) <= {*STATE_CODES, *REASON_CODES} and len(set(told.codes)) == len(told.codes)
        assert told.valid_until is None or told.valid_until > NOON
        assert "block" not in repr(told).lower() and "list" not in repr(told).lower()

    @given(rows_of, products)
    def test_it_holds_until_the_moment_it_names(self, rows, product):
        told = decide("active", rows, at=NOON, product=product)

        last = (told.valid_until or NOON + 100 * HOUR) - timedelta(microseconds=1)
        then = decide("active", rows, at=last, product=product)
        assert (then.answer, then.may_start, then.codes) == (told.answer, told.may_start, told.codes)

    @given(rows_of, st.builds(standing, level=levels), products)
    def test_one_restriction_more_never_opens_anything(self, rows, more, product):
        before = decide("active", rows, at=NOON, product=product)
        after = decide("active", [*rows, more], at=NOON, product=product)

        assert after.may_start <= before.may_start and after.may_use <= before.may_use

"""May a reseller sell today (R55, R61)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from resellers.rules.cip import BY_CODE, LABELS, MOVES, REQUIREMENTS, CipStatus, Source, requirements_of
from resellers.rules.standing import StandingFacts, standing

DAY = date(2026, 3, 2)
GOOD = StandingFacts(
    on=DAY, is_foreign=True, account_is_open=True, has_contract=True, has_cip=True, has_officer=True
)  # fmt: skip


class TestStanding:
    def test_with_everything_in_place_it_may(self):
        assert standing(GOOD).may_sell and standing(GOOD).reasons == ()

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"account_is_open": False}, "Its own account is not open."),
            ({"restriction": "suspended"}, "Its own account is suspended."),
            ({"has_contract": False}, "No contract is in force."),
            ({"has_cip": False}, "It has no approved CIP."),
            ({"has_officer": False}, "Nobody is named who answers for its CIP."),
            (
                {"overdue": (("FND-1", DAY, "own policy"),)},
                "FND-1 was not cured by 2026-03-02, its last day (own policy).",
            ),
            ({"ended_on": DAY}, "The relationship ended on 2026-03-02."),
        ],
    )
    def test_each_thing_missing_keeps_it_from_selling_and_says_what_to_do(self, change, says):
        found = standing(replace(GOOD, **change))

        assert not found.may_sell and len(found.reasons) == 1
        assert found.reasons[0].startswith(says) and found.reasons[0].endswith(".")

    def test_all_reasons_are_told_at_once(self):
        bare = StandingFacts(on=DAY, is_foreign=True, account_is_open=False)

        assert len(standing(bare).reasons) == 4

    def test_r55_of_a_us_reseller_no_cip_is_asked(self):
        assert standing(replace(GOOD, is_foreign=False, has_cip=False, has_officer=False)).may_sell

    def test_an_end_in_the_future_stops_nothing_yet(self):
        assert standing(replace(GOOD, ended_on=DAY + timedelta(days=1))).may_sell


class TestCip:
    def test_every_state_has_words_and_a_way_to_it(self):
        reached = {new for state in CipStatus for new in MOVES.after(state)} | {CipStatus.SUBMITTED.value}

        assert set(LABELS) == set(CipStatus) and reached == {state.value for state in CipStatus}

    def test_r56_who_adopts_ours_is_judged_by_what_ours_cannot_say(self):
        assert {each.code for each in requirements_of(Source.ADOPTED)} == {"sublessees", "officer", "agreement"}
        assert requirements_of(Source.OWN) == REQUIREMENTS and len(BY_CODE) == len(REQUIREMENTS)

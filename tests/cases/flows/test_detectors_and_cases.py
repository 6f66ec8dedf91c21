"""What detectors of accesses learn from cases: measures, and what decisions found of a flag (R46, R82, R91)."""

import pytest

from accounts.flows import detector_counts, profiles, signals
from accounts.models import RiskSignal
from accounts.rules.detectors import DETECTORS
from cases.flows import decisions, review, special_measures
from cases.models import Case
from cases.rules.outcomes import OUTCOMES, REASONS
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.accesses import keep_days, row, rows
from tests.builders import make_open_account
from tests.cases.measures import EXPIRES, FIRST, make_in_effect, make_measure, noon_of
from tests.conftest import NOON

USE = "measured_jurisdiction_use"


def look(account, at=NOON):
    return {signal.code: signal for signal in signals.run_detectors(account, by=SCHEDULER, at=at)}


class TestMeasures:
    def test_first_use_from_there_is_flagged_with_the_measure(self, db):
        measure = make_measure(confirmed=False)
        account, other = make_open_account(), make_open_account()
        keep_days(account, row(3, "BY", count=1))
        keep_days(other, row(3, "BY", anonymiser="vpn"))

        assert look(account)[USE].evidence == {"places": {"BY": [measure.reference]}, "accesses": 1}
        assert USE not in look(other)

    def test_another_measure_is_new_evidence_and_another_access_is_not(self, db, analyst):
        make_measure()
        account = make_open_account()
        keep_days(account, row(3, "BY"))
        signals.answer_signal(look(account)[USE], answer="no_action", by=analyst, at=NOON)
        keep_days(account, row(2, "BY"))
        assert USE not in look(account)

        make_measure(title="Accounts from Belarus, again")

        assert USE in look(account)

    def test_a_measure_that_is_over_or_withdrawn_names_nobody(self, db):
        withdrawn = make_measure()
        special_measures.end_early(withdrawn, why="mistaken", by=FIRST, at=NOON)
        in_effect = make_in_effect()

        assert profiles.measured_countries(EXPIRES) == {"BY": (in_effect.reference,)}
        assert profiles.measured_countries(noon_of(EXPIRES).date().replace(year=2030)) == {}

    def test_it_costs_one_query(self, db, django_assert_num_queries):
        make_measure()

        with django_assert_num_queries(1):
            profiles.measured_countries(NOON.date())


class TestFound:
    def test_the_reasons_that_bear_a_flag_out_exist_and_do_something(self):
        named = {reason for each in DETECTORS for reason in each.borne_out_by}

        assert named <= set(REASONS)
        assert all(each.borne_out_by for each in DETECTORS)
        assert not any("no_action" in REASONS[reason].outcomes for reason in named)
        assert "no_action" in OUTCOMES

    @pytest.mark.parametrize(
        ("outcome", "reason", "found"),
        [
            ("watch", "unusual_use", "right"),
            ("watch", "payment_mismatch", "untold"),
            ("no_action", "concern_cleared", "wrong"),
        ],
    )
    def test_a_decision_says_whether_the_flag_was_right(self, analyst_user, outcome, reason, found):
        account = make_open_account()
        keep_days(account, *rows(9, "RS"))
        look(account)
        case = review.take(Case.objects.get(), user=analyst_user, at=NOON)

        decisions.propose(case, account=account, outcome=outcome, reason=reason, by=analyst_user.as_actor, at=NOON)

        assert RiskSignal.objects.get(code="use_elsewhere").found == found
        detector_counts.count_new_days(by=SCHEDULER, at=NOON.replace(day=4))
        year = detector_counts.last_year(on=NOON.date())["use_elsewhere"]
        assert year == {**detector_counts.NOTHING_COUNTED, "raised": 1, found: 1}

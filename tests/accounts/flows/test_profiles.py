"""How an account is used, gathered and looked at (R18, R46, R83)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.flows import parties, profiles, reverification, signals, us_status
from accounts.models import Account, RiskSignal
from accounts.rules.new_parties import NewAddress
from accounts.rules.us_status import StatusEvidence
from kyc_portal.policy.current import regime_on
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.accesses import DAY, LIMITS, keep_days, keep_records, row, rows, visit
from tests.builders import make_account, make_open_account
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)


def look(account, at=NOON):
    return {signal.code for signal in signals.run_detectors(account, by=SCHEDULER, at=at)}


def facts_of(account):
    return profiles.facts_of(account, on=DAY, regime=regime_on(DAY))


def again(account):
    return Account.objects.select_related("party").get(pk=account.pk)


class TestGathering:
    def test_the_figures_are_those_of_the_regime(self, db):
        assert profiles.limits_of(regime_on(DAY)) == LIMITS

    def test_it_reads_the_window_and_no_more(self, db):
        account = make_account()
        inside = [row(0), row(179), row(-1, "FR")]
        keep_days(account, *inside, row(180), row(-2))
        keep_days(make_account(), row(1, "BR"))

        assert set(facts_of(account)["access_rows"]) == set(inside)

    def test_the_profile_says_on_how_much_it_rests(self, db):
        account = make_account()
        keep_days(account, *rows(6))

        found = profiles.profile(account, on=DAY, regime=regime_on(DAY))

        assert (found.days, found.records, found.is_enough) == (6, 24, True)

    def test_where_the_product_is_used_goes_before_other_addresses(self, db):
        stated = make_open_account()
        others = make_account()

        assert facts_of(stated)["stated_countries"] == {"DE"}
        office = NewAddress(kind="business", lines="1 Side Street", region="", country="FR")
        parties.add_address(stated.party, address=office, by=SCHEDULER, at=NOON)
        assert facts_of(stated)["stated_countries"] == {"DE"}
        assert facts_of(others)["stated_countries"] == {"DE"}

    def test_single_accesses_are_read_only_where_the_days_leave_a_way_open(self, db):
        account = make_account()
        keep_records(account, visit(0, "DE"), visit(30, "PL"), visit(60, "FR"))

        assert facts_of(account)["access_visits"] == ()

        keep_records(account, visit(90, "BR"))
        assert [each.country for each in facts_of(account)["access_visits"]] == ["BR", "FR", "PL", "DE"]

    def test_its_queries_do_not_grow_with_the_accesses(self, db):
        few, many = make_account(), make_account()
        keep_records(few, visit(0, "DE"), visit(30, "BR"))
        keep_records(many, *(visit(minute, "DE") for minute in range(100)), *(visit(m, "BR") for m in range(100, 200)))
        keep_days(many, *rows(150, since=1), *rows(150, "FR", since=1, kind="admin"))
        counts = []
        for account in (again(few), again(many)):
            with CaptureQueriesContext(connection) as seen:
                signals.gather_facts(account, on=DAY)
            counts.append(len(seen))

        assert counts[0] == counts[1] == 15  # of them one for the single accesses, which most accounts do without

    def test_the_newest_single_accesses_are_read_up_to_the_policys_number(self, db, monkeypatch):
        account, regime = make_account(), regime_on(DAY)
        keep_records(account, *(visit(minute, "DE") for minute in range(10)), visit(20, "BR"))
        regime.figures["travel_most_records"].value = 3

        found = profiles.facts_of(account, on=DAY, regime=regime)["access_visits"]

        assert [each.key for each in found] == sorted((each.key for each in found), reverse=True)
        assert len(found) == 3 and found[0].country == "BR"


class TestImpossibleTravel:
    def test_t20_a_vpn_between_raises_nothing_and_two_places_do(self, db):
        account = make_account()
        keep_records(account, visit(0, "DE"), visit(30, "BR", anonymiser="vpn"))
        assert "impossible_travel" not in look(account)

        first, last = keep_records(account, visit(60, "DE"), visit(90, "BR"))

        assert "impossible_travel" in look(account)
        assert RiskSignal.objects.get(code="impossible_travel").evidence == {
            "places": ["BR-DE"], "times": 1, "records": {"earlier": first.pk, "later": last.pk},
        }  # fmt: skip

    def test_once_answered_the_same_places_do_not_raise_it_again(self, db, analyst):
        account = make_account()
        keep_records(account, visit(0, "DE"), visit(30, "BR"))
        look(account)
        signals.answer_signal(RiskSignal.objects.get(), answer="no_action", by=analyst, at=NOON)

        keep_records(account, visit(300, "DE"), visit(330, "BR"))
        assert look(account, LATER) == set()

        keep_records(account, visit(400, "JP"))
        assert look(account, LATER) == {"impossible_travel"}

    def test_documentation_addresses_are_nowhere(self, db):
        account = make_account()
        keep_records(account, visit(0, "DE"), visit(30, "BR", public=False))

        assert look(account) == set()


class TestR46LocationChange:
    """A flag of a location that changed brings the question for proof, once."""

    def elsewhere(self):
        account = make_open_account()
        keep_days(account, *rows(9, "RS"))
        return account

    def test_it_is_asked_when_the_flag_is_raised(self, db):
        account = self.elsewhere()

        assert "use_elsewhere" in look(account)
        account.refresh_from_db()
        assert (account.review_asked_on, account.review_trigger) == (NOON.date(), "location_changed")

    def test_while_the_question_is_out_it_is_not_asked_twice(self, db):
        account = self.elsewhere()
        reverification.ask(account, trigger="periodic", by=SCHEDULER, at=NOON)

        look(account, LATER)

        account.refresh_from_db()
        assert (account.review_asked_on, account.review_trigger) == (NOON.date(), "periodic")

    def test_other_flags_and_other_accounts_are_not_asked(self, db):
        traveller, prospect = make_open_account(), make_account()
        keep_records(traveller, visit(0, "DE"), visit(30, "BR"))
        keep_days(prospect, *rows(9, "RS"))

        assert look(traveller) == {"impossible_travel"} and "use_elsewhere" in look(prospect)
        for account in (traveller, prospect):
            account.refresh_from_db()
            assert account.review_asked_on is None

    def test_a_us_person_by_presence_who_left_is_asked(self, db):
        account = make_open_account()
        evidence = StatusEvidence(kind="individual", located_in_us_evidence=True)
        before = NOON - timedelta(days=30)
        us_status.settle_status(account.party, evidence=evidence, by=SCHEDULER, at=before)
        keep_days(account, *rows(9, "MX"))

        assert {"us_location_gone", "use_elsewhere"} <= look(again(account))
        account.refresh_from_db()
        assert account.review_trigger == "location_changed"

    def test_without_its_question_there_is_no_flag(self, db, monkeypatch):
        account = self.elsewhere()

        def fail(*args, **kwargs):
            raise RuntimeError("no notice can be queued")

        monkeypatch.setattr(reverification.outbox, "queue_notice", fail)
        with pytest.raises(RuntimeError):
            look(account)

        assert not RiskSignal.objects.exists()

"""Accounts in use under watch, and the days of the whole path (R40, R45; T17)."""

from datetime import date, timedelta

import pytest

from accounts import tasks
from accounts.flows import (
    closing,
    reverification,
    signals,
    unverified,
    verification,
)
from accounts.models import Account, CouldNotVerify, RiskSignal
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.unverified import DAY, LATER, ask, propose, put
from tests.builders import make_cip, make_complete_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


class TestWatch:
    def look_day(self, row):
        return NOON + timedelta(days=(row.look_again_on - DAY).days)

    def test_r45_its_day_makes_it_due_once_and_asks_for_proof(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)

        unverified.make_due(at=self.look_day(row) - timedelta(days=1))
        assert not CouldNotVerify.objects.filter(look_due_at__isnull=False).exists()
        tasks.make_watches_due(at=self.look_day(row).isoformat())
        unverified.make_due(at=self.look_day(row) + timedelta(days=1))

        account.refresh_from_db()
        assert AuditEvent.objects.filter(verb="accounts.watch_due").count() == 1
        assert account.review_trigger == "watch"
        assert CouldNotVerify.objects.look_due(row.look_again_on).get() == row

    def test_a_limit_that_ran_out_is_to_be_looked_at_too(self, analyst):
        row = put(make_open_account(), "limited", by=analyst)

        for days in (15, 16, 17):
            unverified.make_due(at=NOON + timedelta(days=days))

        row.refresh_from_db()
        assert row.look_due_at == NOON + timedelta(days=16)
        assert AuditEvent.objects.filter(verb="accounts.watch_due").count() == 1
        assert CouldNotVerify.objects.look_due(DAY + timedelta(days=16)).get() == row

    def test_nobody_looked_in_time_raises_a_flag_once(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)

        signals.run_detectors(account, by=SCHEDULER, at=self.look_day(row))
        assert not RiskSignal.objects.filter(code="watch_overdue").exists()
        for days in (1, 2):
            signals.run_detectors(account, by=SCHEDULER, at=self.look_day(row) + timedelta(days=days))

        assert RiskSignal.objects.get(code="watch_overdue").sentence.endswith("by 1 day.")

    def test_a_closed_account_is_watched_no_more(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)
        closing.close_account(account, reason="own_request", by=lead, at=LATER)

        unverified.make_due(at=self.look_day(row))

        row.refresh_from_db()
        assert (row.state, row.ended_at) == ("over", LATER)
        assert not AuditEvent.objects.filter(verb="accounts.watch_due").exists()
        assert not clocks_of(account).exists()

    def test_watching_goes_on_by_a_new_outcome_with_a_new_day(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)
        at = self.look_day(row)

        again = unverified.countersign(propose(row.verification, "watched", by=analyst, at=at), by=lead, at=at)

        assert again.look_again_on == row.look_again_on + timedelta(days=90)
        assert clocks_of(account).get(kind__startswith="look again").due_on == again.look_again_on


class TestDaysOfT17:
    """Day 0 is 2 March 2026: +15 days are 17 March, +30 are 1 April, +180 are 29 August."""

    def test_t17_the_days_to_verify_and_to_limit(self, analyst):
        prospect, account = make_complete_account(), make_open_account()

        verification.start(prospect, prospect.party, trigger="opening", by=analyst, at=NOON)
        row = put(account, "limited", by=analyst)

        assert clocks_of(prospect).get().due_on == date(2026, 3, 17)
        assert row.limited_until.date() == date(2026, 3, 17)

    def test_t17_the_days_to_ask_for_and_to_answer_redress(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)

        assert (row.redress_by, ask(row).due_on) == (date(2026, 4, 1), date(2026, 4, 1))

    def test_t17_the_days_to_answer_a_review_and_to_the_next_at_high_risk(self, analyst, lead):
        account, asked = make_open_account(), make_open_account()

        put(account, "watched", by=analyst, second=lead)
        reverification.ask(asked, trigger="by hand", by=analyst, at=NOON)

        assert Account.objects.get(pk=asked.pk).review_answer_by == date(2026, 4, 1)
        assert Account.objects.get(pk=account.pk).next_review_on == date(2026, 8, 29)

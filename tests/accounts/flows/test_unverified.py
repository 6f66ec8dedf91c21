"""What follows when an identity could not be verified (R38-R41, R43)."""

import re
from datetime import timedelta

import pytest

from accounts.flows import (
    activation,
    customer_links,
    objections,
    restrictions,
    reverification,
    signals,
    unverified,
    verification,
)
from accounts.models import CouldNotVerify, Verification
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.unverified import DAY, LATER, could_not, levels, propose, prove, put, told
from tests.builders import make_cip, make_complete_account, make_hit, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


class TestOutcomes:
    def test_r38_not_opened_refuses_the_prospect_at_once(self, analyst):
        account = make_complete_account()

        row = put(account, "not_opened", by=analyst)

        account.refresh_from_db()
        assert (row.state, row.answered_by, row.in_effect_at) == ("in_effect", "", NOON)
        assert (account.status, account.closing_reason) == ("refused", "identity_not_verified")
        assert row.redress_by == DAY + timedelta(days=30)

    def test_r39_limited_has_an_expiry_and_takes_the_place_of_the_limit_until_decided(self, analyst):
        account = make_open_account()
        attempt = could_not(account, by=analyst)
        assert levels(account) == {("limited", f"{attempt.reference} concluded")}

        row = propose(attempt, "limited", by=analyst)

        assert row.state == "in_effect" and row.limited_until == LATER + timedelta(days=15)
        assert levels(account) == {("limited", row.reference)}
        assert not Notice.objects.filter(kind="restriction_lifted").exists()

    def test_r39_when_the_limit_runs_out_use_stops_and_only_proof_gives_it_back(self, analyst):
        account = make_open_account()
        row = put(account, "limited", by=analyst)

        restrictions.end_expired(at=NOON + timedelta(days=14))
        assert levels(account) == {("limited", row.reference)}
        for _ in range(2):
            restrictions.end_expired(at=NOON + timedelta(days=16))
        assert levels(account) == {("suspended", f"{row.reference} overdue")}
        prove(account, by=analyst, at=NOON + timedelta(days=17))

        row.refresh_from_db()
        assert levels(account) == set() and row.state == "ended"

    def test_r40_closing_waits_for_a_second_person(self, analyst, lead):
        account = make_open_account()

        row = propose(could_not(account, by=analyst), "closed", by=analyst)

        account.refresh_from_db()
        assert row.state == "proposed" and account.status == "active"
        with pytest.raises(SecondPersonNeeded, match="first step yourself"):
            unverified.countersign(row, by=analyst, at=LATER)
        unverified.countersign(row, by=lead, at=LATER)
        account.refresh_from_db()
        row.refresh_from_db()
        assert (account.status, account.closing_reason) == ("closed", "not_verifiable")
        assert (row.state, row.proposed_by, row.answered_by) == ("in_effect", "ana", "lea")

    def test_r40_watched_stays_in_use_at_high_risk_with_a_day_to_look_again(self, analyst, lead):
        account = make_open_account()
        assert account.risk_tier == "low"

        row = put(account, "watched", by=analyst, second=lead)

        account.refresh_from_db()
        assert account.is_open and levels(account) == set()
        assert (account.risk_tier, account.risk_score) == ("high", 50)
        assert account.next_review_on == DAY + timedelta(days=180)
        assert row.look_again_on == DAY + timedelta(days=90)
        clock = clocks_of(account).get(kind__startswith="look again")
        assert (clock.due_on, clock.citation.mark) == (row.look_again_on, "D")

    def test_r40_the_detectors_look_harder_at_a_watched_account(self, analyst, lead):
        account = make_open_account()
        assert not signals.gather_facts(account, on=DAY).is_watched

        put(account, "watched", by=analyst, second=lead)

        assert signals.gather_facts(account, on=DAY).is_watched

    def test_nobody_but_a_person_countersigns(self, analyst):
        row = propose(could_not(make_open_account(), by=analyst), "watched", by=analyst)

        with pytest.raises(SecondPersonNeeded, match="scheduler"):
            unverified.countersign(row, by=SCHEDULER, at=LATER)

    def test_proof_ends_a_watch_its_clock_and_its_weight(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)

        prove(account, by=analyst, at=NOON + timedelta(days=2))

        row.refresh_from_db()
        account.refresh_from_db()
        assert row.state == "ended" and account.risk_tier == "low"
        assert not clocks_of(account).filter(kind__startswith="look again").exists()

    def test_proof_ends_a_proposal_that_waits(self, analyst, lead):
        account = make_open_account()
        row = propose(could_not(account, by=analyst), "closed", by=analyst)

        prove(account, by=lead, at=NOON + timedelta(days=1))

        row.refresh_from_db()
        assert row.state == "ended"
        with pytest.raises(unverified.AlreadyAnswered, match="the identity is verified"):
            unverified.countersign(row, by=lead, at=NOON + timedelta(days=2))

    def test_another_outcome_takes_the_place_of_the_former(self, analyst, lead):
        account = make_open_account()
        attempt = could_not(account, by=analyst)
        first = propose(attempt, "limited", by=analyst)

        second = unverified.countersign(propose(attempt, "watched", by=analyst), by=lead, at=LATER)

        first.refresh_from_db()
        assert (first.state, first.superseded_by) == ("superseded", second.reference)
        assert levels(account) == set()

    def test_a_closed_account_is_taken_up_again_limited_by_two(self, analyst, lead):
        account = make_open_account()
        row = put(account, "closed", by=analyst, second=lead)

        again = propose(row.verification, "limited", by=analyst)
        assert again.state == "proposed"
        unverified.countersign(again, by=lead, at=LATER)

        account.refresh_from_db()
        assert account.status == "active" and account.closed_at is None
        assert levels(account) == {("limited", again.reference)}

    def test_a_closed_account_is_not_taken_up_again_while_something_else_is_missing(self, analyst, lead):
        account = make_open_account()
        row = put(account, "closed", by=analyst, second=lead)
        make_hit(account.party)
        again = propose(row.verification, "limited", by=analyst)

        with pytest.raises(activation.NotReady):
            unverified.countersign(again, by=lead, at=LATER)

        account.refresh_from_db()
        assert account.status == "closed" and account.restrictions.in_force().count() == 1

    def test_r43_every_outcome_leaves_a_row_and_events(self, analyst, lead):
        row = put(make_open_account(), "watched", by=analyst, second=lead)

        events = AuditEvent.objects.filter(about_key=str(row.pk)).order_by("pk")
        assert [event.verb for event in events] == ["accounts.unverified_proposed", "accounts.unverified_in_effect"]
        assert events[1].facts["outcome"] == "watched" and "explanation" not in events[1].facts


class TestTelling:
    @pytest.mark.parametrize("outcome", ["limited", "watched", "closed"])
    def test_r41_the_customer_reads_what_follows_and_until_when_to_ask(self, analyst, lead, outcome):
        account = make_open_account()

        put(account, outcome, by=analyst, second=None if outcome == "limited" else lead)

        [text] = told("identity_not_verified")
        assert (DAY + timedelta(days=30)).isoformat() in text and account.reference in text
        assert not re.search(r"list|sanction|hit|risk|watch|case", text, re.I)

    def test_a_link_for_redress_is_sent_after_refusing(self, analyst):
        account = make_complete_account()

        put(account, "not_opened", by=analyst)

        link = customer_links.standing(account)
        assert link.purpose == "redress" and customer_links.is_asked(link)

    def test_a_link_that_is_out_already_is_left_and_takes_it(self, analyst):
        account = make_open_account()
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)
        asked = customer_links.standing(account)

        row = put(account, "limited", by=analyst)

        assert customer_links.standing(account) == asked
        taken = objections.raise_objection(asked, text="I am me.", by=customer_links.as_customer(asked), at=LATER)
        assert taken.against == row


class TestQueues:
    def test_what_nobody_decided_waits_until_somebody_does(self, analyst, lead):
        attempt = could_not(make_open_account(), by=analyst)
        assert Verification.objects.undecided().get() == attempt

        row = propose(attempt, "closed", by=analyst)
        assert not Verification.objects.undecided().exists()
        unverified.decline(row, why="Try again.", by=lead, at=LATER)
        assert Verification.objects.undecided().get() == attempt
        verification.start(attempt.account, attempt.party, trigger="doubt", by=analyst, at=LATER)
        assert not Verification.objects.undecided().exists()

    def test_nobody_is_offered_their_own_proposal(self, analyst, analyst_user, lead_user):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)

        assert CouldNotVerify.objects.awaiting_second(lead_user).get() == row
        assert not CouldNotVerify.objects.awaiting_second(analyst_user).exists()

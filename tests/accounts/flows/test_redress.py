"""Redress for people who could not be verified (R41)."""

from datetime import date, timedelta

import pytest

from accounts.flows import (
    objections,
    redress,
    restrictions,
    unverified,
    verification,
)
from accounts.flows.texts import BadField
from accounts.models import CouldNotVerify, Objection, Verification
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.models import Deadline
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.accounts.unverified import DAY, LATER, THIRD, ask, could_not, levels, propose, put, reply, told
from tests.builders import make_cip, make_complete_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


class TestAskingForRedress:
    def test_r41_by_link_it_has_an_answer_day_of_its_own_figure(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)

        asked = ask(row)

        clock = clocks_of(asked).get()
        assert asked.against == row and asked.due_on == clock.due_on == DAY + timedelta(days=30)
        assert clock.citation.mark == "D"

    def test_by_mail_the_clock_counts_from_the_day_received(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)

        asked = redress.enter(
            row, text="It is me.", received_on=DAY + timedelta(days=1), by=analyst, at=NOON + timedelta(days=4)
        )

        assert asked.due_on == DAY + timedelta(days=31) and asked.raised_through == "mail"
        assert asked.text.reveal() == "It is me." and told("objection_received")

    def test_an_overdue_answer_is_on_the_list_of_clocks(self, analyst):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))

        late = Deadline.objects.running().filter(due_on__lt=DAY + timedelta(days=31))
        assert late.filter(key=str(asked.pk)).exists()

    @pytest.mark.parametrize("received", [DAY - timedelta(days=1), DAY + timedelta(days=5)])
    def test_a_day_that_cannot_be_is_refused(self, analyst, received):
        row = put(make_complete_account(), "not_opened", by=analyst)

        with pytest.raises(redress.NoRedress, match="not between"):
            redress.enter(row, text="It is me.", received_on=received, by=analyst, at=NOON + timedelta(days=4))

    def test_the_last_day_is_in_time_and_the_next_is_not(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)
        late = NOON + timedelta(days=40)

        with pytest.raises(redress.NoRedress, match="through 2026-04-01"):
            redress.enter(row, text="It is me.", received_on=date(2026, 4, 2), by=analyst, at=late)
        assert redress.enter(row, text="It is me.", received_on=date(2026, 4, 1), by=analyst, at=late).against == row

    def test_against_what_is_not_in_effect(self, analyst):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)

        with pytest.raises(redress.NoRedress, match="waits for a second person"):
            redress.enter(row, text="It is me.", received_on=DAY, by=analyst, at=LATER)

    def test_twice_against_the_same(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)
        asked = ask(row)

        with pytest.raises(redress.NoRedress, match=asked.reference):
            redress.enter(row, text="Again.", received_on=DAY, by=analyst, at=LATER)

    def test_without_words(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)

        with pytest.raises(BadField, match="Objection"):
            redress.enter(row, text=" ", received_on=DAY, by=analyst, at=LATER)

    def test_after_the_window_a_link_takes_an_objection_like_any_other(self, analyst):
        row = put(make_complete_account(), "not_opened", by=analyst)

        assert ask(row, at=NOON + timedelta(days=31)).against is None


class TestAnsweringRedress:
    def test_upheld_leaves_everything_and_says_so(self, analyst):
        account = make_complete_account()
        row = put(account, "not_opened", by=analyst)

        answered = reply(ask(row), "upheld")

        account.refresh_from_db()
        row.refresh_from_db()
        assert (account.status, row.state, answered.outcome, answered.answered_by) == (
            "refused", "in_effect", "upheld", "theo",
        )  # fmt: skip
        assert answered.answered_why == "Looked at the whole file." and not clocks_of(answered).exists()
        [text] = told("objection_answered")
        assert "stay with what we told you" in text and "whole file" not in text

    def test_reversed_after_not_opened_begins_to_verify_anew(self, analyst):
        account = make_complete_account()
        row = put(account, "not_opened", by=analyst)

        reply(ask(row), "reversed", at=LATER)

        account.refresh_from_db()
        row.refresh_from_db()
        assert (account.status, account.closed_at, row.state) == ("verifying", None, "reversed")
        assert Verification.objects.unfinished().get(account=account).trigger == "redress"

    def test_what_is_verified_anew_and_fails_again_stays_limited_until_the_same_end(self, analyst):
        account = make_open_account()
        reply(ask(put(account, "limited", by=analyst)), "reversed")
        attempt = Verification.objects.unfinished().get(account=account)
        end = account.restrictions.in_force().get().until

        attempt = verification.conclude(
            attempt, verified=False, reason="None.", by=analyst, at=LATER + timedelta(days=1)
        )  # fmt: skip

        assert attempt.status == "failed"
        assert account.restrictions.in_force().get().until == end

    @pytest.mark.parametrize("outcome", ["limited", "watched", "closed"])
    def test_reversed_limits_an_account_while_it_is_verified_anew(self, analyst, lead, outcome):
        account = make_open_account()
        row = put(account, outcome, by=analyst, second=None if outcome == "limited" else lead)

        reply(ask(row), "reversed")

        account.refresh_from_db()
        attempt = Verification.objects.unfinished().get(account=account)
        assert account.status == "active" and levels(account) == {("limited", attempt.reference)}
        assert account.restrictions.in_force().get().until == LATER + timedelta(days=15)
        assert not CouldNotVerify.objects.in_effect().exists()

    def test_changed_says_that_another_outcome_is_in_effect(self, analyst, lead):
        row = put(make_open_account(), "limited", by=analyst)
        asked = ask(row)

        with pytest.raises(redress.AnswerDoesNotFit, match="still in effect"):
            reply(asked, "changed")
        unverified.countersign(propose(row.verification, "watched", by=analyst), by=lead, at=LATER)
        with pytest.raises(redress.AnswerDoesNotFit, match="something else holds now"):
            reply(asked, "upheld")
        assert reply(asked, "changed").outcome == "changed"

    def test_r41_nobody_who_took_part_answers(self, analyst, lead):
        row = put(make_open_account(), "watched", by=analyst, second=lead)
        asked = ask(row)

        for somebody in (analyst, lead):
            with pytest.raises(objections.TookPart, match="Somebody else"):
                reply(asked, "upheld", by=somebody)

    def test_nobody_who_recorded_a_method_answers(self, analyst, lead):
        account = make_open_account()
        attempt = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)
        verification.record_method(attempt, method="references", result="no_match", source="x", by=THIRD, at=NOON)
        for _ in range(2):
            attempt = verification.conclude(attempt, verified=False, reason="None.", by=analyst, at=NOON)
        asked = ask(propose(attempt, "limited", by=analyst, at=NOON))

        with pytest.raises(objections.TookPart):
            reply(asked, "upheld")

    def test_only_a_person_answers(self, analyst):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))

        with pytest.raises(SecondPersonNeeded, match="scheduler"):
            reply(asked, "upheld", by=SCHEDULER)

    def test_it_is_answered_once(self, analyst):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))
        reply(asked, "upheld")

        with pytest.raises(objections.NotOpen, match="was answered"):
            reply(asked, "reversed")

    @pytest.mark.parametrize(("answer", "why"), [("perhaps", "x"), ("upheld", " "), ("upheld", "x" * 501)])
    def test_an_answer_that_says_nothing(self, analyst, answer, why):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))

        with pytest.raises(BadField):
            reply(asked, answer, why=why)
        assert Objection.objects.open().get() == asked

    def test_redress_is_not_answered_as_an_objection_nor_the_other_way(self, analyst):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))
        with pytest.raises(objections.IsRedress, match="Answer it as redress"):
            objections.answer(asked, outcome="stands", by=THIRD, at=LATER)

        Objection.objects.filter(pk=asked.pk).update(against=None)
        with pytest.raises(redress.NoRedress, match="Answer it as an objection"):
            reply(asked, "upheld")

    def test_a_blocked_account_is_not_given_back_and_nothing_is_half_done(self, analyst, lead):
        account = make_open_account()
        row = put(account, "limited", by=analyst)
        asked = ask(row)
        restrictions.block(account, reason="listed", public_wording="No.", basis="t", by=SCHEDULER, at=LATER)

        with pytest.raises(redress.AnswerDoesNotFit, match="is blocked"):
            reply(asked, "reversed")

        row.refresh_from_db()
        assert row.state == "in_effect" and Objection.objects.open().get() == asked


class TestEarlierRounds:
    """Who proposed or judged an outcome before the one in effect is not somebody new, whatever became of it (R41)."""

    MIA, NOA, ODA = (Actor(kind="person", key=name, label=name) for name in ("mia", "noa", "oda"))

    @pytest.mark.parametrize("how", ["declined", "withdrawn"])
    def test_r41_who_proposed_or_judged_what_came_to_nothing_does_not_answer(self, analyst, lead, how):
        attempt = could_not(make_open_account(), by=analyst)
        first = propose(attempt, "closed", by=self.MIA)
        if how == "declined":
            unverified.decline(first, why="Too hard.", by=self.NOA, at=LATER)
        else:
            unverified.withdraw(first, by=self.MIA, at=LATER)
        row = unverified.countersign(propose(attempt, "closed", by=self.ODA), by=lead, at=LATER)
        asked = ask(row)

        for somebody in (self.MIA, self.ODA, lead, *([self.NOA] if how == "declined" else [])):
            with pytest.raises(objections.TookPart, match="Somebody else"):
                reply(asked, "upheld", by=somebody)
        assert reply(asked, "upheld", by=THIRD).state == "answered"

    def test_r41_who_chose_what_was_replaced_does_not_answer(self, analyst, lead):
        attempt = could_not(make_open_account(), by=analyst)
        propose(attempt, "limited", by=self.MIA)
        row = unverified.countersign(propose(attempt, "watched", by=self.ODA), by=lead, at=LATER)
        asked = ask(row)

        with pytest.raises(objections.TookPart):
            reply(asked, "upheld", by=self.MIA)
        assert reply(asked, "upheld", by=self.NOA).state == "answered"

    def test_r41_after_a_reversal_the_first_deciders_do_not_answer_the_next_request(self, analyst, lead):
        """Reversed, verified anew by others, and again not verified: it is the same matter."""
        account = make_open_account()
        first = unverified.countersign(
            propose(could_not(account, by=analyst), "closed", by=self.MIA), by=lead, at=LATER
        )
        reply(ask(first), "reversed", by=THIRD)
        attempt = Verification.objects.unfinished().get(account=account)
        for _ in range(2):
            attempt = verification.conclude(attempt, verified=False, reason="None.", by=self.NOA, at=LATER)
        asked = ask(propose(attempt, "limited", by=self.NOA))

        for somebody in (self.MIA, lead, self.NOA, THIRD):
            with pytest.raises(objections.TookPart):
                reply(asked, "upheld", by=somebody)
        assert reply(asked, "upheld", by=self.ODA).state == "answered"

    def test_r41_whoever_changes_it_afterwards_may_say_so(self, analyst, lead):
        """What came after the outcome is how a request is met, and no part in what it is against."""
        row = put(make_open_account(), "limited", by=analyst)
        asked = ask(row)
        unverified.countersign(propose(row.verification, "watched", by=self.MIA), by=lead, at=LATER)

        assert reply(asked, "changed", by=self.MIA).outcome == "changed"

    def test_r41_another_customers_outcomes_bar_nobody(self, analyst):
        put(make_open_account(), "limited", by=self.MIA)
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))

        assert reply(asked, "upheld", by=self.MIA).state == "answered"

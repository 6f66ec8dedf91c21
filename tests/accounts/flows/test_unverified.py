"""What follows when an identity could not be verified, and redress against it (R38-R41, R43)."""

import re
from datetime import date, timedelta

import pytest

from accounts import tasks
from accounts.flows import (
    activation,
    closing,
    customer_links,
    objections,
    redress,
    restrictions,
    reverification,
    signals,
    unverified,
    verification,
)
from accounts.flows.texts import BadField
from accounts.models import CouldNotVerify, CustomerLink, Objection, RiskSignal, Verification
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.models import Deadline
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.builders import make_cip, make_complete_account, make_hit, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

DAY = NOON.date()
LATER = NOON + timedelta(hours=1)
THIRD = Actor(kind="person", key="third", label="theo")


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


def could_not(account, *, by, at=NOON, party=None) -> Verification:
    """A verification that ended as “could not be verified”."""
    attempt = verification.start(account, party or account.party, trigger="doubt", by=by, at=at)
    for _ in range(2):
        attempt = verification.conclude(attempt, verified=False, reason="No source knows them.", by=by, at=at)
    return attempt


def propose(attempt, outcome, *, by, at=LATER, reason="no_source", explanation="Three sources, no answer."):
    return unverified.propose(attempt, outcome=outcome, reason=reason, explanation=explanation, by=by, at=at)


def put(account, outcome, *, by, second=None, at=NOON) -> CouldNotVerify:
    """An outcome in effect."""
    row = propose(could_not(account, by=by, at=at), outcome, by=by, at=at)
    return unverified.countersign(row, by=second, at=at) if second else row


def prove(account, *, by, at) -> Verification:
    attempt = verification.start(account, account.party, trigger="doubt", by=by, at=at)
    verification.record_method(attempt, method="public_database", result="match", source="register", by=by, at=at)
    return verification.conclude(attempt, verified=True, reason="Agrees.", by=by, at=at)


def levels(account) -> set[tuple[str, str]]:
    return set(account.restrictions.in_force().values_list("level", "basis"))


def told(kind: str) -> list[str]:
    return [" ".join(wording_of(each)) for each in Notice.objects.filter(kind=kind).order_by("queued_at")]


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


class TestRefused:
    def test_before_the_attempts_have_failed(self, analyst):
        account = make_open_account()
        attempt = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)

        with pytest.raises(unverified.NotUnverifiable, match="in progress"):
            propose(attempt, "limited", by=analyst)

    def test_after_a_later_attempt(self, analyst):
        account = make_open_account()
        attempt = could_not(account, by=analyst)
        later = verification.start(account, account.party, trigger="doubt", by=analyst, at=LATER)

        with pytest.raises(unverified.NotUnverifiable, match=later.reference):
            propose(attempt, "limited", by=analyst)

    @pytest.mark.parametrize("outcome", ["limited", "watched", "closed"])
    def test_use_that_never_began(self, analyst, outcome):
        with pytest.raises(unverified.DoesNotFit, match="not opened"):
            propose(could_not(make_complete_account(), by=analyst), outcome, by=analyst)

    def test_an_account_in_use_is_not_refused(self, analyst):
        with pytest.raises(unverified.DoesNotFit, match="limited while verifying"):
            propose(could_not(make_open_account(), by=analyst), "not_opened", by=analyst)

    def test_a_blocked_account_is_for_a_case(self, analyst):
        account = make_open_account()
        attempt = could_not(account, by=analyst)
        restrictions.block(account, reason="listed", public_wording="No.", basis="t", by=SCHEDULER, at=NOON)

        with pytest.raises(unverified.DoesNotFit, match="two people decide in a case"):
            propose(attempt, "closed", by=analyst)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"explanation": " "}, BadField),
            ({"explanation": "x" * 501}, BadField),
            ({"reason": "because"}, unverified.DoesNotFit),
        ],
    )
    def test_words_that_say_nothing(self, analyst, change, error):
        attempt = could_not(make_open_account(), by=analyst)

        with pytest.raises(error):
            propose(attempt, "limited", by=analyst, **change)
        assert not CouldNotVerify.objects.exists()

    def test_an_unknown_outcome(self, analyst):
        with pytest.raises(BadField, match="Outcome"):
            propose(could_not(make_open_account(), by=analyst), "forgiven", by=analyst)

    def test_two_proposals_at_once(self, analyst, lead):
        attempt = could_not(make_open_account(), by=analyst)
        first = propose(attempt, "closed", by=analyst)

        with pytest.raises(unverified.AlreadyDecided, match=first.reference):
            propose(attempt, "limited", by=lead)

    def test_a_second_answer(self, analyst, lead):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)
        unverified.decline(row, why="Try the register again.", by=lead, at=LATER)

        for act in (unverified.countersign, unverified.withdraw):
            with pytest.raises(unverified.AlreadyAnswered, match="declined"):
                act(row, by=lead, at=LATER)

    def test_declining_is_for_somebody_else_and_says_why(self, analyst, lead):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)

        with pytest.raises(SecondPersonNeeded):
            unverified.decline(row, why="No.", by=analyst, at=LATER)
        with pytest.raises(BadField, match="Why"):
            unverified.decline(row, why=" ", by=lead, at=LATER)

    def test_withdrawing_is_for_whoever_proposed(self, analyst, lead):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)

        with pytest.raises(unverified.NotYours, match="ana"):
            unverified.withdraw(row, by=lead, at=LATER)
        assert unverified.withdraw(row, by=analyst, at=LATER).state == "withdrawn"

    def test_one_person_alone_does_not_close_because_of_it(self, lead):
        account = make_open_account()

        with pytest.raises(closing.UnknownReason, match="Two people"):
            closing.close_by_hand(account, reason="not_verifiable", by=lead, at=NOON)

    def test_what_no_longer_fits_is_not_signed(self, analyst, lead):
        account = make_open_account()
        row = propose(could_not(account, by=analyst), "watched", by=analyst)
        closing.close_account(account, reason="own_request", by=lead, at=LATER)

        with pytest.raises(unverified.DoesNotFit, match="closed"):
            unverified.countersign(row, by=lead, at=LATER)


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

        assert not AuditEvent.objects.filter(verb="accounts.watch_due").exists()
        assert not clocks_of(account).exists()

    def test_watching_goes_on_by_a_new_outcome_with_a_new_day(self, analyst, lead):
        account = make_open_account()
        row = put(account, "watched", by=analyst, second=lead)
        at = self.look_day(row)

        again = unverified.countersign(propose(row.verification, "watched", by=analyst, at=at), by=lead, at=at)

        assert again.look_again_on == row.look_again_on + timedelta(days=90)
        assert clocks_of(account).get(kind__startswith="look again").due_on == again.look_again_on


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


def ask(row, *, at=LATER, text="It is me.") -> Objection:
    link = CustomerLink.objects.filter(account=row.account).latest("issued_at")
    return objections.raise_objection(link, text=text, by=customer_links.as_customer(link), at=at)


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


def reply(asked, answer, *, by=THIRD, at=LATER, why="Looked at the whole file."):
    return redress.answer(asked, answer=answer, why=why, by=by, at=at)


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

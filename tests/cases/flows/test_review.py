import threading

import pytest
from django.db import connection

from cases.flows import decisions, review
from cases.models import Assignment, CaseNote
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.sealed import MASK
from tests.cases.builders import make_case, make_open_account, make_request
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"


class TestTake:
    def test_it_gives_a_free_case_to_whoever_takes_it(self, analyst_user):
        case = review.take(make_case(), user=analyst_user, at=NOON)

        assert (case.assigned_to, case.status) == (analyst_user, "in_review")
        assert Assignment.objects.get(case=case).to_at is None

    def test_it_says_who_has_it_and_since_when(self, analyst_user, lead_user):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(review.AlreadyTaken, match="taken by ana on 2 Mar 2026 at 12:00 UTC"):
            review.take(case, user=lead_user, at=NOON)

    def test_it_does_nothing_the_second_time(self, analyst_user):
        case = make_case(worked_by=analyst_user)

        review.take(case, user=analyst_user, at=NOON)

        assert Assignment.objects.count() == 1

    def test_it_refuses_people_who_do_not_review(self, auditor_user):
        with pytest.raises(review.CannotWorkCases):
            review.take(make_case(), user=auditor_user, at=NOON)

    def test_it_lets_legal_take_a_legal_case(self, counsel_user, counsel):
        request = make_request(by=counsel)

        assert review.take(request.case, user=counsel_user, at=NOON).assigned_to == counsel_user

    def test_it_refuses_an_ended_case(self, analyst_user, lead_user, lead):
        case = make_case(worked_by=analyst_user)
        account = case.subjects.get().account
        decisions.propose(
            case, account=account, outcome="no_action", reason="concern_cleared", by=analyst_user.as_actor, at=NOON
        )

        with pytest.raises(review.CaseEnded, match="Open it again"):
            review.assign(case, to=lead_user, by=lead, at=NOON)


class TestAssign:
    def test_it_hands_a_case_over_and_keeps_who_had_it(self, analyst_user, lead_user, lead):
        case = make_case(worked_by=analyst_user)

        review.assign(case, to=lead_user, by=lead, at=NOON)

        had, has = Assignment.objects.order_by("pk")
        assert (had.user, had.to_at, has.user, has.to_at) == (analyst_user, NOON, lead_user, None)

    def test_it_needs_the_right_to_give_to_others(self, analyst, lead_user):
        with pytest.raises(review.CannotWorkCases, match="cannot give cases to others"):
            review.assign(make_case(), to=lead_user, by=analyst, at=NOON)

    def test_it_needs_that_right_also_to_take_away_for_oneself(self, lead_user, analyst_user, analyst):
        case = make_case(worked_by=lead_user)

        with pytest.raises(review.CannotWorkCases):
            review.assign(case, to=analyst_user, by=analyst, at=NOON)


class TestNotes:
    def test_it_seals_the_text(self, analyst):
        note = review.add_note(make_case(), text="The customer called.", by=analyst, at=NOON)

        kept = CaseNote.objects.get(pk=note.pk)
        assert str(kept.text) == MASK
        assert kept.text.reveal() == "The customer called."

    def test_it_masks_card_numbers_before_they_are_stored(self, analyst):
        note = review.add_note(make_case(), text=f"Paid with {CARD}.", by=analyst, at=NOON)

        kept = CaseNote.objects.get(pk=note.pk).text.reveal()
        assert CARD not in kept
        assert kept.endswith("1111.")

    @pytest.mark.parametrize(
        ("text", "fault"),
        [("  \u200b ", "empty"), ("x" * 10_001, "10,001 characters"), ("a\x00b", "not text"), ("a\ud800", "not text")],
    )
    def test_it_refuses(self, analyst, text, fault):
        with pytest.raises(review.BadNote, match=fault):
            review.add_note(make_case(), text=text, by=analyst, at=NOON)

    def test_it_takes_ten_thousand_characters(self, analyst):
        assert review.add_note(make_case(), text="x" * 10_000, by=analyst, at=NOON).pk

    def test_it_tells_the_trail_that_and_not_what(self, analyst):
        case = make_case()

        review.add_note(case, text="Secret words", by=analyst, at=NOON)

        assert "Secret" not in str([event.facts for event in audit.history_of(case)])


class TestEnding:
    def test_it_refuses_to_close_over_an_unanswered_flag(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(review.NotFinished, match="red flag in this case is not answered"):
            review.close_case(case, why="decided", by=analyst, at=NOON)

    def test_it_refuses_to_close_over_a_running_request(self, counsel):
        request = make_request(by=counsel)

        with pytest.raises(review.NotFinished, match=request.reference):
            review.close_case(request.case, why="answered", by=counsel, at=NOON)

    def test_it_closes_a_decided_case_and_stops_its_clock(self, analyst_user, analyst):
        case = _decided(analyst_user)

        case = review.close_case(case, why="decided", by=analyst, at=NOON)

        assert (case.status, case.closed_at) == ("closed", NOON)
        assert not Deadline.objects.running().filter(key=str(case.pk)).exists()
        assert Assignment.objects.get(case=case).to_at == NOON

    def test_it_opens_a_closed_case_again_with_a_new_clock(self, analyst_user, analyst):
        case = review.close_case(_decided(analyst_user), why="decided", by=analyst, at=NOON)

        case = review.reopen(case, why="objection", by=analyst, at=NOON)

        assert (case.status, case.assigned_to, case.closed_at) == ("open", None, None)
        assert Deadline.objects.running().filter(key=str(case.pk), kind="triage").count() == 1

    def test_it_refuses_to_close_twice(self, analyst_user, analyst):
        case = review.close_case(_decided(analyst_user), why="decided", by=analyst, at=NOON)

        with pytest.raises(MoveNotAllowed):
            review.close_case(case, why="decided", by=analyst, at=NOON)

    def test_it_knows_its_reasons(self, analyst):
        with pytest.raises(review.UnknownWhy, match="Choose one of"):
            review.close_case(make_case(), why="no more time", by=analyst, at=NOON)


def _decided(analyst_user):
    case = make_case(worked_by=analyst_user)
    account = case.subjects.get().account
    decisions.propose(
        case, account=account, outcome="no_action", reason="concern_cleared", by=analyst_user.as_actor, at=NOON
    )
    case.refresh_from_db()
    return case


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush")
class TestTwoPeopleAtOnce:
    def test_one_gets_the_case_and_the_other_reads_who(self, roles_there):
        case = make_case(make_open_account())
        people, gate, told = [person("uma", "reviewer"), person("ugo", "reviewer")], threading.Barrier(2), []

        def take(user):
            try:
                gate.wait(10)
                told.append(review.take(case, user=user, at=NOON).assigned_to.username)
            except review.AlreadyTaken as refusal:
                told.append(str(refusal))
            finally:
                connection.close()

        threads = [threading.Thread(target=take, args=[user]) for user in people]
        [thread.start() for thread in threads]
        [thread.join(30) for thread in threads]

        winner, refusal = sorted(told, key=len)
        assert winner in ("uma", "ugo")
        assert f"taken by {winner} on 2 Mar 2026" in refusal
        assert Assignment.objects.count() == 1

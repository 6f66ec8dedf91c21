"""Commerce's reviews, questions and measures, and what it looks at is held at once (R78-R80)."""

from datetime import timedelta

import pytest

from cases import tasks
from cases.flows import commerce
from cases.models import FlaggedClass
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records import holds
from tests.cases.builders import make_case, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
SOON = TODAY + timedelta(days=10)


@pytest.fixture
def review(counsel):
    return commerce.log_review(kind="assessment", about="The CIP of 2026", opened_on=TODAY, by=counsel, at=NOON)


class TestReview:
    def test_r78_it_keeps_what_is_asked_by_when_and_what_was_answered(self, review, counsel):
        ask = commerce.add_ask(review, question="Which lists?", asked_on=TODAY, due_on=SOON, by=counsel, at=NOON)
        with pytest.raises(commerce.NotDone, match=ask.reference):
            commerce.close(review, by=counsel, at=NOON)

        answered = commerce.answer(ask, words="OFAC's and the EU's.", by=counsel, at=NOON)

        assert (answered.answer, answered.answered_by) == ("OFAC's and the EU's.", "carl")
        assert commerce.close(review, by=counsel, at=NOON).state == "closed"
        with pytest.raises(commerce.BadMatter, match="is closed"):
            commerce.add_ask(review, question="More?", asked_on=TODAY, due_on=SOON, by=counsel, at=NOON)

    def test_a_question_is_answered_once(self, review, counsel):
        ask = commerce.add_ask(review, question="Which lists?", asked_on=TODAY, due_on=SOON, by=counsel, at=NOON)
        commerce.answer(ask, words="All.", by=counsel, at=NOON)

        with pytest.raises(commerce.BadMatter, match="already answered by carl"):
            commerce.answer(ask, words="None.", by=counsel, at=NOON)

    @pytest.mark.parametrize(
        ("asked_on", "due_on", "question"),
        [(SOON, SOON, "Which?"), (TODAY, TODAY - timedelta(days=1), "Which?"), (TODAY, SOON, " ")],
    )
    def test_a_question_that_cannot_be_is_refused(self, review, counsel, asked_on, due_on, question):
        with pytest.raises(commerce.Refusal):
            commerce.add_ask(review, question=question, asked_on=asked_on, due_on=due_on, by=counsel, at=NOON)

        assert not review.asks.exists()

    def test_r79_a_measure_is_followed_to_proof_that_another_person_accepts(self, review, counsel, second_counsel):
        remedy = commerce.recommend(review, action="Train staff", owner="Ana", due_on=SOON, by=counsel, at=NOON)
        review.refresh_from_db()
        assert review.state == "remediation"
        commerce.show(remedy, evidence="TRN-7", by=counsel, at=NOON)
        shown = commerce.digest_of(review)
        with pytest.raises(SecondPersonNeeded):
            commerce.judge(remedy, is_proven=True, shown=shown, by=counsel, at=NOON)
        again = commerce.judge(remedy, is_proven=False, shown=shown, by=second_counsel, at=NOON)
        assert again.state == "open"
        commerce.show(remedy, evidence="TRN-8", by=counsel, at=NOON)

        shown = commerce.digest_of(review)
        assert commerce.judge(remedy, is_proven=True, shown=shown, by=second_counsel, at=NOON).state == "proven"
        assert commerce.close(review, by=counsel, at=NOON).state == "closed"


class TestFlag:
    def test_r80_what_fits_is_held_at_once_with_customer_and_cases(self, counsel):
        inside, outside = make_open_account(citizenship="JP"), make_open_account(citizenship="FR")
        case = make_case(inside)

        flagged = commerce.flag(title="Deals with Japan", in_country="jp", by=counsel, at=NOON)

        for record in (inside, inside.party, case):
            assert holds.why_held([record]) == [
                f"{flagged.holds.get().hold.reference} holds {record.reference}: {flagged.reference}."
            ]
        assert not holds.why_held([outside])

    def test_who_comes_to_fit_is_held_in_the_night_once(self, counsel):
        make_open_account(citizenship="DE")
        flagged = commerce.flag(title="Deals with DE", in_country="DE", by=counsel, at=NOON)
        late = make_open_account(citizenship="DE")

        for _ in range(2):
            tasks.hold_flagged(at=NOON.isoformat())

        assert holds.why_held([late]) and flagged.holds.count() == 2

    def test_ended_only_its_own_holds_go(self, counsel):
        account = make_open_account()
        other = holds.place_hold([account], reason="litigation", ground="Doe", by=counsel, at=NOON)
        flagged = commerce.flag(title="One deal", accounts=[account], by=counsel, at=NOON)

        commerce.end_flag(flagged, by=counsel, at=NOON)

        assert [row.hold for row in holds.held_records([account])] == [other]
        with pytest.raises(commerce.BadMatter, match="already ended"):
            commerce.end_flag(flagged, by=counsel, at=NOON)

    @pytest.mark.parametrize("limits", [{}, {"product": "none"}, {"opened_from": SOON, "opened_through": TODAY}])
    def test_it_must_say_which_and_something_must_fit(self, counsel, limits):
        make_open_account()

        with pytest.raises(commerce.BadMatter):
            commerce.flag(title="Deals", **limits, by=counsel, at=NOON)

        assert not FlaggedClass.objects.exists()


class TestPages:
    def test_staff_work_a_review_on_its_page(self, client, counsel_user, review):
        base = f"/admin/cases/commercereview/{review.pk}"
        client.force_login(counsel_user)
        client.post(f"{base}/do/add-ask/", {"question": "Which lists?", "asked_on": TODAY, "due_on": SOON})
        ask = review.asks.get()
        client.post(f"{base}/do/answer/", {"which": ask.reference, "words": "All of them."})
        shown = client.get(f"{base}/change/").content.decode()

        assert "All of them." in shown and "7.305" in shown and "proposed" in shown

    def test_the_page_of_a_flagged_class_names_its_holds(self, client, counsel_user, counsel):
        flagged = commerce.flag(title="One deal", accounts=[make_open_account()], by=counsel, at=NOON)
        client.force_login(counsel_user)

        shown = client.get(f"/admin/cases/flaggedclass/{flagged.pk}/change/").content.decode()

        assert flagged.holds.get().hold.reference in shown and "791.106" in shown

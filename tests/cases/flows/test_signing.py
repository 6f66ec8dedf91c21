"""Who may countersign: somebody else in every respect, and the sentence for whoever may not."""

from datetime import timedelta

import pytest

from cases.flows import absences, decisions, review
from cases.models import Assignment, Decision
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.refs import Actor
from tests.cases.builders import make_case
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def leo(db):
    return person("leo", "lead reviewer")


def proposed(user, *, outcome="suspend", had_by=None, until=NOON, at=NOON) -> Decision:
    """A proposal in a case that somebody else may have had before."""
    case = make_case(at=at)
    if had_by:
        review.take(case, user=had_by, at=until - DAY)
        Assignment.objects.update(from_at=until - DAY, to_at=until)
        case.refresh_from_db()
        case.assigned_to = None
        case.save(update_fields=["assigned_to"])
    review.take(case, user=user, at=at)
    reason = "unusual_use" if outcome == "suspend" else "list_match_dismissed"
    return decisions.propose(
        case, account=case.subjects.get().account, outcome=outcome, reason=reason, by=user.as_actor, at=at
    )


class TestTheProposer:
    def test_the_sentence_says_who_could(self, lead_user, lead, leo):
        with pytest.raises(SecondPersonNeeded, match=r"first step yourself.*Ask leo to do it\."):
            decisions.countersign(proposed(lead_user), by=lead, at=LATER)

    def test_neither_does_a_key_of_theirs(self, lead_user, leo):
        key = Actor.api_client("key-1", "client", owner=lead_user)

        with pytest.raises(SecondPersonNeeded, match=r"An API client cannot .* for DEC-.*\. Ask leo to do it\."):
            decisions.countersign(proposed(lead_user), by=key, at=LATER)

    def test_who_is_away_is_not_named(self, lead_user, lead, leo):
        absences.enter(user=leo, from_on=NOON.date(), to_on=NOON.date(), by=lead, at=NOON)

        with pytest.raises(SecondPersonNeeded, match="Nobody else here today may sign it: ask an administrator"):
            decisions.countersign(proposed(lead_user), by=lead, at=LATER)

    def test_of_many_three_are_named(self, lead_user, lead, leo):
        for name in ("lia", "lou", "lux", "lyn"):
            person(name, "lead reviewer")

        with pytest.raises(SecondPersonNeeded, match="Ask leo, lia, lou or one of 2 others to do it"):
            decisions.countersign(proposed(lead_user), by=lead, at=LATER)


class TestStandIns:
    def test_who_stands_in_for_the_proposer_does_not_sign(self, analyst_user, analyst, lead_user, lead, leo):
        decision = proposed(analyst_user)
        absences.enter(
            user=analyst_user, stands_in=lead_user, from_on=NOON.date(), to_on=NOON.date() + DAY, by=analyst, at=NOON
        )

        with pytest.raises(SecondPersonNeeded, match=r"You stand in for ana, who proposed it\. .* Ask leo to do it\."):
            decisions.countersign(decision, by=lead, at=LATER)

        assert decisions.countersign(decision, by=leo.as_actor, at=LATER).answered_by == "leo"

    def test_nor_for_whom_the_proposer_stands_in(self, analyst_user, lead_user, lead):
        absences.enter(user=lead_user, stands_in=analyst_user, from_on=NOON.date(), to_on=NOON.date(), by=lead, at=NOON)
        decision = proposed(analyst_user)

        with pytest.raises(SecondPersonNeeded, match="ana, who proposed it, stands in for you"):
            decisions.countersign(decision, by=lead, at=LATER + DAY)

    def test_what_is_over_before_the_proposal_bars_nobody(self, analyst_user, analyst, lead_user, lead):
        absences.enter(
            user=analyst_user, stands_in=lead_user, from_on=NOON.date(), to_on=NOON.date(), by=analyst, at=NOON
        )
        decision = proposed(analyst_user, at=NOON + 2 * DAY)

        assert decisions.countersign(decision, by=lead, at=NOON + 2 * DAY).answered_by == "lea"

    def test_what_was_ended_early_before_it_does_not_either(self, analyst_user, analyst, lead_user, lead):
        absence = absences.enter(
            user=analyst_user, stands_in=lead_user, from_on=NOON.date(), to_on=NOON.date(), by=analyst, at=NOON
        )
        absences.end(absence, by=analyst, at=NOON + timedelta(minutes=1))
        decision = proposed(analyst_user, at=NOON + timedelta(minutes=2))

        assert decisions.countersign(decision, by=lead, at=LATER).answered_by == "lea"

    def test_nobody_stands_in_for_themselves(self, analyst_user, analyst):
        with pytest.raises(absences.BadAbsence, match="Name a colleague"):
            absences.enter(
                user=analyst_user, stands_in=analyst_user, from_on=NOON.date(), to_on=NOON.date(), by=analyst, at=NOON
            )


class TestWhoHadTheCase:
    @pytest.mark.parametrize(("days", "may"), [(0, False), (7, False), (8, True)])
    def test_who_had_it_in_the_last_days_does_not_sign_what_takes_the_account_away(
        self, analyst_user, lead_user, lead, leo, days, may
    ):
        decision = proposed(analyst_user, had_by=lead_user, until=LATER - days * DAY)

        if may:
            assert decisions.countersign(decision, by=lead, at=LATER).answered_by == "lea"
            return
        with pytest.raises(SecondPersonNeeded, match=r"You had CSE-.* in the last 7 days.*Ask leo to do it\."):
            decisions.countersign(decision, by=lead, at=LATER)

    def test_the_days_are_the_policys(self, analyst_user, lead_user, lead):
        RegimeNumber.objects.filter(name="uninvolved_days").update(value=2)
        decision = proposed(analyst_user, had_by=lead_user, until=LATER - 3 * DAY)

        assert decisions.countersign(decision, by=lead, at=LATER).answered_by == "lea"

    def test_what_takes_nothing_away_may_be_signed_by_them(self, analyst_user, lead_user, lead):
        decision = proposed(analyst_user, outcome="no_action", had_by=lead_user)

        assert decisions.countersign(decision, by=lead, at=LATER).answered_by == "lea"

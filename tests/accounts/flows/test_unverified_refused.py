"""What is refused when somebody decides what follows after “could not be verified” (R37-R40)."""

import pytest

from accounts.flows import (
    closing,
    restrictions,
    unverified,
    verification,
)
from accounts.flows.texts import BadField
from accounts.models import CouldNotVerify
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.unverified import LATER, could_not, propose
from tests.builders import make_cip, make_complete_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


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

    def test_a_proposal_is_over_when_the_account_is_closed(self, analyst, lead):
        account = make_open_account()
        row = propose(could_not(account, by=analyst), "watched", by=analyst)
        closing.close_account(account, reason="own_request", by=lead, at=LATER)

        with pytest.raises(unverified.AlreadyAnswered, match="the account was closed"):
            unverified.countersign(row, by=lead, at=LATER)

    def test_what_no_longer_fits_is_not_signed(self, analyst, lead):
        account = make_open_account()
        row = propose(could_not(account, by=analyst), "watched", by=analyst)
        restrictions.block(account, reason="listed", public_wording="No.", basis="t", by=SCHEDULER, at=LATER)

        with pytest.raises(unverified.DoesNotFit, match="blocked"):
            unverified.countersign(row, by=lead, at=LATER)

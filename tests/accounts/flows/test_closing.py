"""Closing an account, and taking it up again."""

from datetime import timedelta

import pytest

from accounts import events
from accounts.flows import activation, closing, intake, restrictions, reverification
from accounts.models import Account
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from tests.builders import make_account, make_hit, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=9)


def restrict(act, account, by):
    return act(account, reason="listed", public_wording="–", basis="DEC-1", by=by, at=NOON)


class TestClose:
    def test_it_sets_the_closing_day_and_tells_everybody(self, lead):
        account, heard = make_open_account(), []

        def listen(sender, account, by, at, **kwargs):
            heard.append((account.reference, by, at))

        events.account_closed.connect(listen)
        try:
            closed = closing.close_account(account, reason="own_request", by=lead, at=LATER)
        finally:
            events.account_closed.disconnect(listen)

        assert (closed.status, closed.closed_at, closed.closing_reason) == ("closed", LATER, "own_request")
        assert heard == [(account.reference, lead, LATER)]
        assert Notice.objects.filter(kind="account_closed").count() == 1

    def test_its_own_clocks_and_questions_end(self, lead):
        account = make_open_account()
        reverification.ask(account, trigger="by hand", by=lead, at=NOON)

        closed = closing.close_account(account, reason="own_request", by=lead, at=LATER)

        assert closed.review_asked_on is None
        assert not clocks_of(account).exists()

    def test_the_report_on_blocked_property_is_still_due(self, lead):
        account = make_open_account()
        restrict(restrictions.block, account, lead)

        closing.close_account(account, reason="decision", by=lead, at=LATER)

        assert clocks_of(account.property_reports.get()).exists() and not clocks_of(account).exists()

    def test_it_lifts_nothing(self, lead):
        account = make_open_account()
        restrict(restrictions.suspend, account, lead)

        closing.close_account(account, reason="decision", by=lead, at=LATER)

        assert account.restrictions.in_force().exists()

    def test_a_prospect_is_refused_and_not_closed(self, lead):
        with pytest.raises(MoveNotAllowed):
            closing.close_account(make_account(), reason="own_request", by=lead, at=NOON)


class TestReopen:
    def closed(self, lead):
        return closing.close_account(make_open_account(), reason="own_request", by=lead, at=NOON)

    def test_r48_it_resets_the_retention_clock(self, lead):
        account = self.closed(lead)

        again = closing.reopen_account(account, reason="changed their mind", by=lead, at=LATER)

        assert (again.status, again.closed_at, again.closing_reason) == ("active", None, "")
        assert account not in Account.objects.ended()

    def test_it_refuses_with_every_reason(self, lead):
        account = self.closed(lead)
        hit = make_hit(account.party)

        with pytest.raises(activation.NotReady, match=hit.reference):
            closing.reopen_account(account, reason="–", by=lead, at=LATER)

        account.refresh_from_db()
        assert account.status == "closed"

    def test_a_block_that_stands_keeps_it_closed(self, lead):
        account = make_open_account()
        block = restrict(restrictions.block, account, lead)
        closing.close_account(account, reason="decision", by=lead, at=NOON)

        with pytest.raises(activation.NotReady, match=block.reference):
            closing.reopen_account(account, reason="–", by=lead, at=LATER)

    def test_what_never_was_in_use_begins_anew_as_a_prospect(self, lead):
        account = intake.refuse_prospect(make_account(), reason="data_not_given", by=lead, at=NOON)

        again = closing.reopen_account(account, reason="data came", by=lead, at=LATER)

        assert (again.status, again.closed_at) == ("prospect", None)

    def test_an_account_in_use_is_not_reopened(self, lead):
        with pytest.raises(MoveNotAllowed):
            closing.reopen_account(make_open_account(), reason="–", by=lead, at=LATER)

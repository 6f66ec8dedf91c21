"""Limiting, suspending, blocking and releasing accounts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.flows import restrictions
from accounts.models import Account
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import Holiday
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.builders import make_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

WORDING = "We need an explanation."


def restrict(act, account, *, by, basis="DEC-1", at=NOON, **more):
    return act(account, reason="listed", public_wording=WORDING, basis=basis, by=by, at=at, **more)


class TestSuspend:
    def test_the_customer_reads_the_public_wording_and_never_the_reason(self, lead):
        account = make_open_account()

        restrict(restrictions.suspend, account, by=lead, object_by=date(2026, 4, 1))

        subject, body = wording_of(Notice.objects.get(kind="account_restricted"))
        assert WORDING in body
        assert "1 Apr" in body or "2026-04-01" in body
        assert "listed" not in (subject + body).lower()

    def test_it_refuses_a_second_one_on_the_same_basis(self, lead):
        account = make_open_account()
        first = restrict(restrictions.suspend, account, by=lead)

        with pytest.raises(restrictions.AlreadyRestricted, match=f"already suspended on this basis .{first.reference}"):
            restrict(restrictions.limit, account, by=lead)

    def test_it_refuses_an_account_that_is_not_in_use(self, lead):
        with pytest.raises(restrictions.NotInUse, match="is prospect"):
            restrict(restrictions.suspend, make_account(), by=lead)


class TestStrictest:
    def test_several_stand_side_by_side_and_the_strictest_applies(self, lead):
        account = make_open_account()
        restrict(restrictions.limit, account, by=lead, basis="A")
        severe = restrict(restrictions.suspend, account, by=lead, basis="B")
        restrict(restrictions.limit, account, by=lead, basis="C")

        assert restrictions.strictest(account) == severe
        restrictions.lift(severe, why="answered", by=lead, at=NOON)

        assert restrictions.strictest(account).basis == "A"

    def test_there_is_none_on_a_free_account(self):
        assert restrictions.strictest(make_account()) is None


class TestLift:
    def test_it_tells_the_customer_only_when_nothing_is_left(self, lead):
        account = make_open_account()
        both = [restrict(restrictions.limit, account, by=lead, basis=basis) for basis in "AB"]

        restrictions.lift(both[0], why="answered", by=lead, at=NOON)
        assert not Notice.objects.filter(kind="restriction_lifted").exists()
        restrictions.lift(both[1], why="answered", by=lead, at=NOON)

        assert Notice.objects.filter(kind="restriction_lifted").count() == 1

    def test_it_happens_once(self, lead):
        one = restrict(restrictions.limit, make_open_account(), by=lead)
        restrictions.lift(one, why="answered", by=lead, at=NOON)

        with pytest.raises(restrictions.NotInForce, match="lea"):
            restrictions.lift(one, why="again", by=lead, at=NOON)


class TestBlock:
    def test_it_blocks_and_opens_the_report_in_business_days(self, lead):
        account = make_open_account()
        monday = datetime(2026, 6, 29, 12, tzinfo=UTC)
        Holiday.objects.create(day=date(2026, 7, 3), title="Independence Day, observed")

        restrict(restrictions.block, account, by=lead, at=monday)

        account.refresh_from_db()
        assert account.status == "blocked"
        report = account.property_reports.get()
        assert (report.due_on, clocks_of(report).get().standing) == (date(2026, 7, 14), "in_force")
        assert not clocks_of(account).exists()

    def test_being_blocked_reads_like_being_suspended(self, lead):
        restrict(restrictions.block, make_open_account(), by=lead)

        subject, body = wording_of(Notice.objects.get(kind="account_restricted"))

        assert "suspended" in body
        assert "block" not in (subject + body).lower()

    def test_a_second_block_stands_beside_the_first(self, lead):
        account = make_open_account()
        first = restrict(restrictions.block, account, by=lead, basis="A")
        second = restrict(restrictions.block, account, by=lead, basis="B")

        restrictions.lift(first, why="wrong person", by=lead, at=NOON)
        account.refresh_from_db()
        assert account.status == "blocked"
        restrictions.lift(second, why="wrong person", by=lead, at=NOON)

        account.refresh_from_db()
        assert account.status == "active"
        assert account.property_reports.count() == 1

    def test_a_prospect_that_was_blocked_is_not_let_in_by_lifting(self, lead):
        account = make_account()
        block = restrict(restrictions.block, account, by=lead)

        restrictions.lift(block, why="wrong person", by=lead, at=NOON)

        account.refresh_from_db()
        assert (account.status, account.closed_at) == ("refused", NOON)

    @pytest.mark.parametrize("actor", [SCHEDULER, Actor(kind="operator", key="os:x", label="operator x")])
    def test_only_a_person_lifts_it(self, lead, actor):
        block = restrict(restrictions.block, make_open_account(), by=lead)

        with pytest.raises(SecondPersonNeeded):
            restrictions.lift(block, why="–", by=actor, at=NOON)

    def test_it_has_no_end_day(self, lead):
        with pytest.raises(restrictions.BlockHasNoEnd):
            restrict(restrictions.block, make_open_account(), by=lead, until=NOON)

    def test_what_has_ended_cannot_be_blocked(self, lead):
        account = make_open_account()
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON)

        with pytest.raises(MoveNotAllowed):
            restrict(restrictions.block, account, by=lead)
        assert not account.restrictions.exists()


class TestEndExpired:
    def test_it_lifts_what_has_run_out_and_nothing_else(self, lead):
        account = make_open_account()
        over = restrict(restrictions.limit, account, by=lead, basis="A", until=NOON + timedelta(days=1))
        stays = restrict(restrictions.limit, account, by=lead, basis="B", until=NOON + timedelta(days=3))
        endless = restrict(restrictions.limit, account, by=lead, basis="C")

        told = restrictions.end_expired(at=NOON + timedelta(days=1))

        assert told == {"done": 1, "failed": 0}
        assert set(account.restrictions.in_force()) == {stays, endless}
        over.refresh_from_db()
        assert over.lifted_by == "the scheduler"

    def test_it_may_be_repeated(self, lead):
        restrict(restrictions.limit, make_open_account(), by=lead, until=NOON)
        restrictions.end_expired(at=NOON)

        assert restrictions.end_expired(at=NOON) == {"done": 0, "failed": 0}

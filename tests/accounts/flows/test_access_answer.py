"""The answer in one query that an index carries, and its change noticed whichever flow wrote the rows."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import events
from accounts.flows import access_answer, closing, keeping, restrictions, verification
from accounts.flows.access_answer import answer_for, look_again
from accounts.models import AccessAnswer, Account, Restriction
from kyc_portal.records import audit
from kyc_portal.records.models import RowChange
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def account():
    return make_open_account()


@pytest.fixture
def told():
    """What is announced, as it is announced."""
    heard = []

    def hear(sender, *, changes, by, at, **signal):
        heard.extend((change.old, change.new, change.new_codes, change.number) for change in changes)

    events.access_changed.connect(hear)
    yield heard
    events.access_changed.disconnect(hear)


def limit(account, basis="DEC-1", *, until=None, reason="unusual_use", by=SCHEDULER, at=NOON):
    words = "Please explain."
    return restrictions.limit(
        account, reason=reason, public_wording=words, basis=basis, until=until, by=by, at=at
    )  # fmt: skip


def suspend(account, basis="DEC-2", *, until=None, by=SCHEDULER, at=NOON):
    return restrictions.suspend(
        account, reason="abuse_reported", public_wording="Stopped.", basis=basis, until=until, by=by, at=at
    )


def ask(account, product="compute", at=NOON):
    return answer_for(Account.objects.all(), reference=account.reference, product=product, at=at)


class TestAsking:
    def test_it_takes_one_query_however_much_is_in_force(self, account, django_assert_num_queries):
        limit(account)
        suspend(account)
        lifted = limit(account, "DEC-3")
        restrictions.lift(lifted, why="Explained.", by=SCHEDULER, at=NOON)

        with django_assert_num_queries(1):
            told = ask(account)

        assert told.decided.answer == "deny" and told.decided.codes == ("suspended", "use", "terms")
        assert len(told.decided.basis) == 2 and told.seconds == 60 and told.number == AccessAnswer.objects.get().number

    def test_the_product_decides_with_it(self, account):
        limit(account)

        assert [ask(account, code).decided.may_use for code in ("compute", "gpu", "support")] == [True, False, True]
        assert ask(account, "support").decided.may_start
        assert ask(account).catalogue["is_iaas"] and not ask(account, "support").catalogue["is_iaas"]

    def test_what_is_not_known_is_not_guessed(self, account):
        assert ask(account, "teapot").catalogue == {}
        assert answer_for(Account.objects.all(), reference="ACC-0000-0000", product="compute", at=NOON) is None
        assert answer_for(Account.objects.none(), reference=account.reference, product="compute", at=NOON) is None

    def test_an_account_that_never_was_open_has_number_nought(self):
        assert (ask(make_account()).decided.codes, ask(make_account()).number) == (("not_open",), 0)

    def test_every_table_is_entered_by_an_index(self, account):
        limit(account, until=NOON + DAY)
        rows = access_answer._question(Account.objects.all(), account.reference, "compute", NOON)

        with unwilling_to_scan():
            plan = rows.explain()

        assert "INDEX" in plan.upper(), plan
        assert "SEQ SCAN" not in plan.upper() and "SCAN ACCOUNTS" not in plan.upper(), plan
        assert "SCAN POLICY" not in plan.upper(), plan


@contextmanager
def unwilling_to_scan():
    """A table of three rows is read whole by PostgreSQL, whatever indexes it has."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on")


class TestNoticing:
    def test_opening_closing_and_all_between(self, account, told, lead):
        limited = limit(account)
        restrictions.lift(limited, why="Explained.", by=lead, at=NOON)
        closing.close_account(account, reason="unused", by=lead, at=NOON)

        assert told == [
            ("allow", "limit", ("limited", "use"), 2), ("limit", "allow", (), 3), ("allow", "deny", ("closed",), 4),
        ]  # fmt: skip
        assert ask(account).number == 4

    def test_a_prospect_is_not_told_of_until_it_opens(self, told):
        waiting = make_account()
        assert (AccessAnswer.objects.count(), told) == (0, [])

        opened = make_open_account()

        assert told == [("deny", "allow", (), 1)] and not AccessAnswer.objects.filter(account=waiting).exists()
        assert AccessAnswer.objects.get().account == opened

    def test_what_a_flow_passes_through_is_not_told(self, account, told, lead):
        restriction = restrictions.block(
            account, reason="listed", public_wording="The account cannot be used for now.", basis="HIT-1", by=lead,
            at=NOON,
        )  # fmt: skip
        suspend(account)
        restrictions.lift(restriction, why="Another person.", by=lead, at=NOON)

        assert told == [
            ("allow", "deny", ("suspended", "rules"), 2),
            ("deny", "deny", ("suspended", "terms", "rules"), 3),
            ("deny", "deny", ("suspended", "terms"), 4),
        ]

    def test_a_second_ground_with_the_same_code_is_no_change(self, account, told):
        limit(account)
        limit(account, "DEC-9", reason="masked_access")

        assert len(told) == 1 and AccessAnswer.objects.get().number == 2

    def test_a_change_that_is_undone_is_told_to_nobody(self, account, told, monkeypatch):
        def fail(*args, **named):
            raise RuntimeError("the notice cannot be queued")

        monkeypatch.setattr(restrictions.outbox, "queue_notice", fail)

        with pytest.raises(RuntimeError):
            limit(account)

        assert told == [] and AccessAnswer.objects.get().number == 1 and not Restriction.objects.exists()

    def test_other_writes_cost_no_query(self, account):
        with CaptureQueriesContext(connection) as seen:
            account.save(update_fields=["risk_score"])

        assert not [query for query in seen if "accessanswer" in query["sql"].lower()]

    def test_the_rows_are_explained_by_the_flow_that_caused_them(self, account):
        before = RowChange.objects.count()
        limit(account)
        new = RowChange.objects.filter(label="accounts.accessanswer").order_by("-pk").first()

        explained = audit.history_of(account).filter(request_id=new.request_id)
        assert RowChange.objects.count() > before and explained.exists()


class TestTime:
    def test_the_answer_changes_at_the_moment_itself_and_is_told_by_the_next_look(self, account, told):
        limit(account, until=NOON + HOUR)
        assert ask(account, at=NOON + HOUR).decided.answer == "allow"

        early, late = look_again(at=NOON), look_again(at=NOON + HOUR)

        assert (early["done"], late["done"]) == (0, 1)
        assert told[1:] == [("limit", "allow", (), 3)]
        assert look_again(at=NOON + HOUR)["done"] == 0

    def test_a_limit_in_doubt_becomes_a_stop_and_lifting_the_rows_later_tells_nothing_twice(self, told):
        account = make_open_account()
        under_way = verification.start(account, account.party, trigger="review", by=SCHEDULER, at=NOON)
        limit(account, under_way.reference, until=NOON + HOUR, reason="identity_in_doubt")

        look_again(at=NOON + HOUR)
        restrictions.end_expired(at=NOON + HOUR)

        assert told[-1] == ("limit", "deny", ("suspended", "identity"), 3) and len(told) == 3
        assert Restriction.objects.in_force().get().level == "suspended"
        assert ask(account, at=NOON + HOUR).decided.answer == "deny"

    def test_a_look_has_an_event(self, account):
        limit(account, until=NOON + HOUR)
        look_again(at=NOON + HOUR)

        assert audit.history_of(account).filter(verb="accounts.access_looked_at").count() == 1


def test_the_answer_goes_with_the_file(account):
    swept = [rows.model for rows in keeping.contents_of(account)]

    assert swept.index(AccessAnswer) < swept.index(Account)

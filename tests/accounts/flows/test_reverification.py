"""Asking again for proof: by time, by event, with a reminder and a flag for silence."""

from datetime import date, timedelta

import pytest

from accounts.flows import identification, reverification, verification
from accounts.models import Account, IdentityDocument, RiskSignal
from accounts.tasks import request_due_reverifications
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records import changes
from kyc_portal.records.models import RowChange
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_open_account, make_verified
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 2)


def due_account(**changes) -> Account:
    account = make_open_account(**changes)
    Account.objects.filter(pk=account.pk).update(next_review_on=DAY)
    account.refresh_from_db()
    return account


def run(days: int = 0) -> dict:
    told = reverification.request_due(at=NOON + timedelta(days=days))
    return {step: counts["done"] for step, counts in told.items() if counts["done"]}


def answer(account, *, at) -> None:
    make_verified(account, at=at)
    account.refresh_from_db()


class TestRequestDue:
    def test_it_asks_with_a_day_to_answer(self):
        account = due_account()

        assert run() == {"asked": 1}

        account.refresh_from_db()
        assert (account.review_asked_on, account.review_answer_by) == (DAY, DAY + timedelta(days=30))
        assert account.review_trigger == "periodic"
        assert clocks_of(account).get().due_on == DAY + timedelta(days=30)
        assert Notice.objects.filter(kind="reverification_asked").count() == 1

    def test_each_step_is_a_flow_when_the_task_does_it(self):
        due_account()
        changes.reconcile(by=SCHEDULER, at=NOON)  # what was arranged

        for days in (0, 31, 62):
            told = request_due_reverifications(at=(NOON + timedelta(days=days)).isoformat())
            assert sum(step["done"] for step in told.values()) == 1
            assert sum(step["failed"] for step in told.values()) == 0

        written = set(RowChange.objects.waiting().values_list("label", "act"))
        assert {("accounts.account", "update"), ("accounts.risksignal", "insert")} <= written
        assert changes.reconcile(by=SCHEDULER, at=NOON).missing == 0

    def test_it_may_be_repeated(self):
        due_account()
        run()

        assert run() == {}
        assert Notice.objects.filter(kind="reverification_asked").count() == 1

    def test_it_leaves_alone_whose_day_has_not_come(self):
        make_open_account()

        assert run() == {}

    def test_the_last_day_to_answer_is_still_in_time(self):
        due_account()
        run()

        assert run(30) == {}

    def test_silence_brings_one_reminder_with_a_last_day(self):
        account = due_account()
        run()

        assert run(31) == {"reminded": 1}
        assert run(31) == {}

        account.refresh_from_db()
        assert account.review_answer_by == DAY + timedelta(days=31 + 14)
        assert clocks_of(account).get().kind == "last day to answer the review"
        assert Notice.objects.filter(kind="reverification_overdue").count() == 1

    def test_more_silence_raises_the_flag_once(self):
        due_account()
        run()
        run(31)

        assert run(45) == {}
        assert run(46) == {"flagged": 1}
        assert run(47) == {}

        assert RiskSignal.objects.get().code == "reverification_overdue"

    def test_one_account_that_fails_does_not_stop_the_others(self, monkeypatch):
        broken, sound = due_account(), due_account()
        real = reverification.ReverificationAsked

        def notice(*, account, **fields):
            if account == broken.reference:
                raise RuntimeError("template missing")
            return real(account=account, **fields)

        monkeypatch.setattr(reverification, "ReverificationAsked", notice)
        told = reverification.request_due(at=NOON)

        assert told["asked"] == {"done": 1, "failed": 1}
        broken.refresh_from_db()
        sound.refresh_from_db()
        assert (broken.review_asked_on, sound.review_asked_on) == (None, DAY)


class TestExpiredDocuments:
    def expire(self, account, on):
        IdentityDocument.objects.filter(party=account.party).update(expires_on=on)

    def test_r46_a_document_that_expired_since_brings_the_question(self):
        account = make_open_account()
        self.expire(account, DAY + timedelta(days=5))

        assert run(5) == {}
        assert run(6) == {"expired": 1}

        account.refresh_from_db()
        assert account.review_trigger == "document_expired"

    def test_it_is_not_asked_again_once_it_was_answered(self):
        account = make_open_account()
        self.expire(account, DAY + timedelta(days=5))
        run(6)
        identification.add_document(
            account.party, kind="passport", number="N1", expires_on=date(2035, 1, 1), by=SCHEDULER, at=NOON
        )
        document = account.party.documents.get(expires_on=date(2035, 1, 1))
        at = NOON + timedelta(days=8)
        again = verification.start(account, account.party, trigger="document_expired", by=SCHEDULER, at=at)
        verification.record_method(
            again,
            method="photo_document",
            result="match",
            matched=["legal_name"],
            source="sight",
            document=document,
            by=SCHEDULER,
            at=at,
        )
        verification.conclude(again, verified=True, reason="Valid.", by=SCHEDULER, at=at)

        assert run(9) == {}

    def test_a_document_nobody_relied_on_brings_none(self):
        account = make_open_account()
        identification.add_document(
            account.party, kind="passport", number="OLD", expires_on=DAY + timedelta(days=1), by=SCHEDULER, at=NOON
        )

        assert run(5) == {}


class TestAsk:
    def test_it_refuses_an_account_not_in_use(self, analyst):
        with pytest.raises(reverification.NotInUse, match="is prospect"):
            reverification.ask(make_account(), trigger="by hand", by=analyst, at=NOON)

    def test_it_refuses_a_second_question(self, analyst):
        account = make_open_account()
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)

        with pytest.raises(reverification.AlreadyAsked, match="2026-04-01"):
            reverification.ask(account, trigger="by hand", by=analyst, at=NOON)

    def test_an_event_asks_once_and_quietly(self, analyst):
        account = make_open_account()

        assert reverification.request_after(account, trigger="list_hit", by=analyst, at=NOON)
        assert not reverification.request_after(account, trigger="payment changed", by=analyst, at=NOON)
        assert not reverification.request_after(make_account(), trigger="list_hit", by=analyst, at=NOON)


class TestTakeAnswer:
    def test_a_verification_begun_since_answers_and_sets_the_next_day(self):
        account = due_account()
        run()

        answer(account, at=NOON + timedelta(days=10))

        assert account.review_asked_on is None
        assert account.next_review_on == DAY + timedelta(days=10 + 730)
        assert not clocks_of(account).exists()

    def test_one_begun_before_the_question_does_not(self, analyst):
        account = due_account(at=NOON - timedelta(days=10))
        earlier = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON - timedelta(days=1))
        run()
        verification.record_method(
            earlier,
            method="public_database",
            result="match",
            matched=["legal_name"],
            source="register",
            by=analyst,
            at=NOON,
        )

        verification.conclude(earlier, verified=True, reason="Found.", by=analyst, at=NOON)

        account.refresh_from_db()
        assert account.review_asked_on == DAY

    def test_without_a_question_there_is_nothing_to_answer(self, analyst):
        assert not reverification.take_answer(make_open_account(), by=analyst, at=NOON)

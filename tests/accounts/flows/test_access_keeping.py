"""How long access evidence is kept: with its account, or some days of its own; holds; others are not stopped (R54)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.flows import access_days, access_keeping, access_log, keeping
from accounts.models import (
    AccessBatch,
    AccessDay,
    AccessRecord,
    Account,
    CloudAccount,
    RefusedLine,
    UnknownAccount,
    WaitingLine,
)
from kyc_portal.records import destroying, holds, retention
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import event, jsonl
from tests.at_once import needs_row_locks
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=5 * 366)


def deliver(account, *events, **options):
    return access_log.import_access_lines(
        account, jsonl(*events), format="jsonl", file_name="log", by=SCHEDULER, at=NOON, **options
    )


def closed(account):
    with one_flow(SCHEDULER):
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON - timedelta(days=30))
    account.refresh_from_db()
    return account


def purge(at=LATER):
    return retention.purge_due(as_of=at.date(), today=at.date(), execute=True, by=SCHEDULER, at=at)


def cloud(account):
    with one_flow(SCHEDULER):
        return CloudAccount.objects.create(
            account=account, source_system="s", key=str(account.pk), named_at=NOON, named_by="ana"
        )


class TestWithTheAccount:
    def test_days_records_and_names_go_with_it_and_the_delivery_of_many_stays(self):
        going, staying = make_account(), make_account()
        for account in (going, staying):
            cloud(account)
        deliver(going, event(1))
        many = deliver(None, event(2, account=going.reference), event(3, account=staying.reference))
        closed(going)

        report = purge()

        assert not report.failed and Tombstone.objects.filter(key=str(going.pk)).exists()
        for model in (AccessRecord, AccessDay, CloudAccount):
            assert set(model.objects.values_list("account", flat=True)) == {staying.pk}
        assert list(AccessBatch.objects.all()) == [many]

    def test_a_hold_on_any_account_keeps_its_records(self):
        held, going = make_account(), make_account()
        deliver(None, event(1, account=held.reference), event(2, account=going.reference))
        for account in (held, going):
            closed(account)
        holds.place_hold([held], reason="order", ground="Order 1", by=SCHEDULER, at=NOON)

        purge()

        for model in (AccessRecord, AccessDay):
            assert set(model.objects.values_list("account", flat=True)) == {held.pk}
            with pytest.raises(IntegrityError), transaction.atomic(), one_flow(SCHEDULER):
                model.objects.all()._raw_delete(model.objects.db)

    def test_the_clock_reads_an_access_whose_delivery_was_not_followed_up_yet(self):
        account = closed(make_account())
        deliver(None, event(1, account=account.reference, at=NOON.isoformat()))

        account.refresh_from_db()
        period = next(each for each in keeping.periods_of(account) if each.basis == "retention_years")

        assert account.last_access_at is None and access_days.last_access(account) == NOON
        assert "the last access" in period.sentence

    @needs_row_locks
    def test_another_delivery_comes_in_while_a_purge_is_in_the_middle(self, transactional_db, in_threads, monkeypatch):
        monkeypatch.setattr(destroying, "BATCH", 5)
        going, other = make_account(), make_account()
        deliver(going, *(event(n) for n in range(12)))
        closed(going)
        told, tell_batch = [], destroying._tell_batch

        def in_the_middle(*args, **options):
            """Within the transaction of a batch: another connection takes a delivery in, and commits."""
            if not told:
                told.append(None)
                [told[0]] = in_threads(lambda: deliver(None, event(50, account=other.reference)))
                assert AccessRecord.objects.filter(account=other).count() == 1
            return tell_batch(*args, **options)

        monkeypatch.setattr(destroying, "_tell_batch", in_the_middle)
        report = purge()

        assert not report.failed and told[0].new_count == 1
        assert set(AccessRecord.objects.values_list("account", flat=True)) == {other.pk}


class TestOnTheirOwn:
    def test_what_nobody_claimed_goes_after_its_days_and_its_delivery_after_its_own(self):
        deliver(None, event(1, account="k"), event(2, account="k"))
        [unknown] = UnknownAccount.objects.all()

        purge(NOON + timedelta(days=179))
        assert WaitingLine.objects.count() == 2
        purge(NOON + timedelta(days=182))

        assert not WaitingLine.objects.exists() and not UnknownAccount.objects.exists()
        assert Tombstone.objects.get().name == unknown.reference
        assert AccessBatch.objects.count() == 1
        purge(NOON + timedelta(days=367))
        assert not AccessBatch.objects.exists()

    def test_a_delivery_stays_while_a_record_or_a_refused_line_names_it(self):
        account = make_account()
        with_record = deliver(None, event(1, account=account.reference))
        with_line = deliver(None, event(2), keep_good_rows=True)

        purge(NOON + timedelta(days=500))
        assert {batch.pk for batch in AccessBatch.objects.all()} == {with_record.pk, with_line.pk}

        access_keeping.let_refused_lines_go(by=SCHEDULER, at=NOON + timedelta(days=500))
        purge(NOON + timedelta(days=500))
        assert list(AccessBatch.objects.all()) == [with_record] and not RefusedLine.objects.exists()

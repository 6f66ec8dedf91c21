"""Deliveries for many accounts: whose each line is, what waits, what follows."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from accounts.flows import (
    access_days,
    access_delivery,
    access_follow_up,
    access_keeping,
    access_log,
    access_refused,
    access_writing,
    waiting,
)
from accounts.models import AccessBatch, AccessDay, AccessRecord, CloudAccount, RefusedLine, UnknownAccount, WaitingLine
from kyc_portal.records.acting import one_flow
from kyc_portal.records.holds import AlreadyDestroyed
from kyc_portal.records.models import AuditEvent, Destruction, DoomedRecord
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.logs import csv_file, event, jsonl
from tests.at_once import needs_row_locks
from tests.builders import make_account, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def deliver(*events, format="jsonl", at=NOON, **options):
    stream = jsonl(*events) if format == "jsonl" else csv_file(*events)
    return access_log.import_access_lines(
        None, stream, format=format, file_name="log.txt", by=SCHEDULER, at=at, **options
    )


def counts(batch):
    return batch.read_count, batch.new_count, batch.known_count, batch.waiting_count, batch.refused_count


def numbered(key, **changes):
    account = make_account(**changes)
    with one_flow(SCHEDULER):
        account.external_key = key
        account.save(update_fields=["external_key"])
    return account


def doom(account):
    """Its destruction has begun."""
    file = Destruction.objects.create(
        label="accounts.account", key=str(account.pk), name=account.reference, rule="customer_file", basis="b",
        kept_through=NOON.date(), holds_looked_at=0, begun_at=NOON, begun_by="x",
    )  # fmt: skip
    DoomedRecord.objects.create(destruction=file, label="accounts.account", key=str(account.pk))


def plan_of_whose() -> list[str]:
    """The lines of the plan by which accounts are looked up."""
    keys = "(SELECT 'x' AS source_system, 'k' AS account_key)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{plan} {access_writing.WHOSE.format(keys=keys)}")
        return [" ".join(map(str, row)) for row in cursor.fetchall()]


class TestWhose:
    def test_a_line_goes_to_the_account_it_names_in_any_of_three_ways(self):
        ours, theirs, named = make_account(), numbered("cust-7"), make_account()
        with one_flow(SCHEDULER):
            CloudAccount.objects.create(
                account=named, source_system="console", key="1234", named_at=NOON, named_by="ana"
            )  # fmt: skip

        batch = deliver(
            event(1, account=ours.reference), event(2, account="cust-7"), event(3, account="1234"),
            event(4, account="1234", source_system="other"),
        )  # fmt: skip

        assert counts(batch) == (4, 3, 0, 1, 0) and batch.account is None
        assert dict(AccessRecord.objects.values_list("event_id", "account")) == {
            "e1": ours.pk, "e2": theirs.pk, "e3": named.pk,
        }  # fmt: skip
        assert WaitingLine.objects.get().event_id == "e4"

    def test_our_reference_is_found_in_any_letter_case_and_others_as_they_are_written(self):
        ours, theirs = make_account(), numbered("Cust-7")

        batch = deliver(
            event(1, account=ours.reference.lower()), event(2, account=ours.reference.title()),
            event(3, account="cust-7"), event(4, account="CUST-7"), event(5, account="Cust-7"),
        )  # fmt: skip

        assert counts(batch) == (5, 3, 0, 2, 0)
        found = dict(AccessRecord.objects.values_list("event_id", "account"))
        assert found == {"e1": ours.pk, "e2": ours.pk, "e5": theirs.pk}

    def test_two_spellings_of_one_account_give_one_event(self):
        account = make_account()

        batch = deliver(event(1, account=account.reference), event(1, account=account.reference.lower()))

        assert counts(batch) == (2, 1, 1, 0, 0)

    def test_an_index_serves_it(self):
        told = plan_of_whose()

        by_index = "Index Cond: ((reference)" if connection.vendor == "postgresql" else "(reference=?)"
        assert any(by_index in line for line in told), told

    def test_a_line_without_an_account_is_refused_with_all_it_said(self):
        batch = deliver(event(1), event(2, account=make_account().reference, user_agent="x"), keep_good_rows=True)

        assert counts(batch) == (2, 1, 0, 0, 1)
        line = RefusedLine.objects.get()
        assert line.reason.startswith("account is empty") and json.loads(line.content)["event_id"] == "e1"

    def test_one_bad_line_keeps_everything_out(self):
        with pytest.raises(access_delivery.BadLines, match="1 line cannot be used"):
            deliver(event(1, account=make_account().reference), event(2, account="nobody"), event(3, at="soon"))

        for model in (AccessBatch, AccessRecord, WaitingLine, UnknownAccount, AccessDay):
            assert not model.objects.exists()

    def test_the_same_file_again_adds_nothing(self):
        account = make_account()
        first = deliver(event(1, account=account.reference), event(2, account="nobody"))

        second = deliver(event(1, account=account.reference), event(2, account="nobody"))

        assert second == first and second.is_repeat
        assert UnknownAccount.objects.get().line_count == 1

    def test_events_are_counted_once_within_a_file_and_across(self):
        account = make_account()
        first = deliver(event(1, account=account.reference), event(1, account=account.reference))
        second = deliver(event(1, account=account.reference), event(2, account="x"), event(2, account="x"))

        assert (counts(first), counts(second)) == ((2, 1, 1, 0, 0), (3, 0, 2, 1, 0))

    def test_parts_are_written_one_after_another(self, monkeypatch):
        monkeypatch.setattr(access_delivery, "PART", 3)
        one, other = make_account(), make_account()
        events = [event(n, account=(one, other)[n % 2].reference) for n in range(10)]

        batch = deliver(*events, event(3, account=other.reference), event(11, kind="x"), keep_good_rows=True)

        assert counts(batch) == (12, 10, 1, 0, 1)
        assert sorted(each.count for each in AccessDay.objects.all()) == [1] * 0 + [5, 5]

    def test_nothing_is_added_to_a_file_that_is_being_destroyed(self):
        going, staying = make_account(), make_account()
        doom(going)

        batch = deliver(
            event(1, account=going.reference), event(2, account=staying.reference), keep_good_rows=True
        )  # fmt: skip

        assert counts(batch) == (2, 1, 0, 0, 1)
        assert RefusedLine.objects.get().content == "" and AccessRecord.objects.get().account == staying

    def test_text_of_every_kind_arrives_as_it_was_sent(self):
        account = make_account()
        odd = 'C:\\temp\\n "quoted" \\N \\. żółć 日本 \u2028'

        deliver(event(1, account=account.reference, principal=odd, action="a\tb\nc\rd", source="\\N"))

        row = AccessRecord.objects.get()
        assert (row.principal, row.action, row.raw_source, row.address) == (odd, "a\tb\nc\rd", "\\N", None)

    def test_it_does_so_beside_a_repeat_and_while_it_waits(self):
        account, odd = make_account(), "C:\\temp\\n \\N \t \\. żółć"
        sent = {"principal": odd, "action": "a\tb\nc\rd", "source": "192.0.2.7:81"}
        deliver(event(1, account=account.reference))

        batch = deliver(
            event(1, account=account.reference), event(2, account=account.reference, **sent),
            event(3, account=odd, **sent), event(4, account=odd, source="x"),
        )  # fmt: skip

        assert counts(batch) == (4, 1, 1, 2, 0)
        record, waits = AccessRecord.objects.get(event_id__endswith="2"), WaitingLine.objects.order_by("line")
        for row in (record, waits[0]):
            assert (row.principal, row.action, row.raw_source) == (odd, "a\tb\nc\rd", "192.0.2.7:81")
            assert (row.address, row.port, row.batch) == ("192.0.2.7", 81, batch)
        assert (record.edition is None, record.special_use) == (False, "documentation")
        assert [(row.line, row.account_key, row.address) for row in waits] == [(3, odd, "192.0.2.7"), (4, odd, None)]

    @pytest.mark.parametrize("batch_of", ["one", "many"])
    @pytest.mark.parametrize(
        "changed", [{"principal": "user:eve"}, {"source": "8.8.4.4"}, {"at": "2026-01-31T00:00:00.000001Z"}]
    )
    def test_an_event_that_is_there_and_says_something_else_is_refused_and_kept(self, batch_of, changed):
        account = make_account()
        given = account if batch_of == "one" else None

        def take(*events, **options):
            return access_log.import_access_lines(
                given, jsonl(*events), format="jsonl", file_name="log", by=SCHEDULER, at=NOON, **options
            )

        said = [event(n, account=account.reference) for n in range(3)]
        take(*said[:2])
        contradicts = said[1] | changed

        with pytest.raises(access_delivery.BadLines, match=r"line cannot be used \(2\).*says something else"):
            take(said[0], contradicts, said[2])
        batch = take(said[0], contradicts, said[2], keep_good_rows=True)

        assert counts(batch) == (3, 1, 1, 0, 1)
        refused = RefusedLine.objects.get()
        assert (refused.line, json.loads(refused.content)) == (2, contradicts)
        assert AccessRecord.objects.filter(event_id=said[1]["event_id"], principal=said[1]["principal"]).count() == 1
        assert sum(AccessDay.objects.values_list("count", flat=True)) == 3

    def test_once_something_repeats_all_that_follows_is_looked_at(self, monkeypatch):
        monkeypatch.setattr(access_delivery, "PART", 2)
        one, other = make_account(), make_account()
        deliver(*(event(n, account=one.reference) for n in (3, 6)))

        batch = deliver(*(event(n, account=(one, other)[n % 2].reference) for n in (1, 2, 3, 6, 5, 6, 7, 8, 8, 9)))

        assert counts(batch) == (10, 7, 3, 0, 0)
        assert AccessRecord.objects.count() == 9
        assert sum(AccessDay.objects.values_list("count", flat=True)) == 9

    def test_two_deliveries_at_once_of_the_same_bytes_are_one(self, transactional_db, in_threads):
        account = make_account()

        batches = in_threads(*[lambda: deliver(event(1, account=account.reference), event(2, account="k"))] * 3)

        assert {batch.pk for batch in batches} == {AccessBatch.objects.get().pk}
        assert sorted(batch.is_repeat for batch in batches) == [False, True, True]
        assert (AccessRecord.objects.count(), UnknownAccount.objects.get().line_count) == (1, 1)

    def test_two_deliveries_at_once_for_the_same_accounts_both_come_in(self, transactional_db, in_threads):
        accounts = [make_account() for _ in range(4)]

        def one(start, order):
            return lambda: deliver(*(event(start + n, account=a.reference) for n, a in enumerate(order)))

        batches = in_threads(one(0, accounts), one(10, accounts[::-1]), one(20, accounts))

        assert [batch.new_count for batch in batches] == [4, 4, 4]
        assert sum(AccessDay.objects.values_list("count", flat=True)) == 12

    @needs_row_locks
    def test_two_deliveries_that_wait_for_each_other_both_come_in(self, transactional_db, in_threads, monkeypatch):
        """Each has written what the other goes on to write."""
        monkeypatch.setattr(access_delivery, "PART", 1)
        accounts, half_way, write = [make_account(), make_account()], threading.Barrier(2), access_writing.Writer.write
        begun = threading.local()
        deliver(event(9, account=accounts[0].reference))  # whose edition of the lists both will find

        def written(writer, rows):
            told = write(writer, rows)
            if not getattr(begun, "is_over", False):
                begun.is_over = True
                half_way.wait(20)
            return told

        monkeypatch.setattr(access_writing.Writer, "write", written)
        events = [event(n, account=account.reference) for n, account in enumerate(accounts)]

        batches = in_threads(lambda: deliver(*events), lambda: deliver(*events[::-1]))

        assert sorted((batch.new_count, batch.known_count) for batch in batches) == [(0, 2), (2, 0)]
        assert AccessRecord.objects.count() == sum(AccessDay.objects.values_list("count", flat=True)) == 3


class TestWhatFollows:
    def test_the_last_access_of_each_moves_forward(self):
        one, other = make_account(), make_account()
        deliver(event(1, account=one.reference, at="2026-02-09T10:00:00Z"), event(2, account=other.reference))
        deliver(event(3, account=one.reference, at="2026-02-08T10:00:00Z"))
        assert access_days.last_access(one).isoformat() == "2026-02-09T10:00:00+00:00"

        queue.run_due(NOON, by=SCHEDULER)
        one.refresh_from_db()
        other.refresh_from_db()

        assert one.last_access_at.isoformat() == "2026-02-09T10:00:00+00:00" and other.last_access_at

    def test_flags_are_looked_for_by_a_job_some_accounts_at_a_time(self, monkeypatch):
        monkeypatch.setattr(access_follow_up, "AT_ONCE", 2)
        looked = []
        monkeypatch.setattr(
            access_follow_up.signals, "run_detectors", lambda account, by, at: looked.append(account.pk)
        )  # fmt: skip
        accounts = [make_open_account() for _ in range(5)]
        batch = deliver(*(event(n, account=accounts[n % 5].reference) for n in range(10)))
        assert looked == [] and Job.objects.filter(kind=access_follow_up.FOLLOW_UP).count() == 1

        queue.run_due(NOON, by=SCHEDULER)

        assert looked == sorted(account.pk for account in accounts)
        jobs = Job.objects.filter(kind=access_follow_up.FOLLOW_UP)
        assert {job.state for job in jobs} == {"done"}
        assert all(job.key.startswith(batch.reference) for job in jobs)

    def test_nothing_personal_and_no_key_stands_in_the_trail(self):
        deliver(event(1, account="maria-secret", principal="maria.secret"))

        told = " ".join(str(each.facts) for each in AuditEvent.objects.all())
        assert "maria" not in told and "8.8.8.8" not in told


class TestWaiting:
    def test_keys_are_counted_by_source_system_with_their_moments(self):
        deliver(
            event(1, account="k"), event(2, account="k", at="2026-02-07T00:00:00Z"), event(3, account="j"),
            event(4, account="k", source_system="other"),
        )  # fmt: skip
        deliver(event(5, account="k", at="2026-01-07T00:00:00Z"), event(1, account="k"), at=NOON + timedelta(days=1))

        rows = UnknownAccount.objects.order_by("source_system", "key")
        assert [(row.source_system, row.key, row.line_count) for row in rows] == [
            ("console", "j", 1), ("console", "k", 3), ("other", "k", 1),
        ]  # fmt: skip
        row = rows[1]
        assert (row.first_at.isoformat()[:10], row.last_at.isoformat()[:10]) == ("2026-01-07", "2026-02-07")
        assert (row.waiting_since, row.last_delivered_at) == (NOON, NOON + timedelta(days=1))

    def test_a_named_key_moves_its_lines_once_and_later_ones_go_there_at_once(self, monkeypatch, analyst):
        monkeypatch.setattr(waiting, "AT_ONCE", 3)
        account = make_account()
        deliver(*(event(n, account="k") for n in range(7)))
        with one_flow(SCHEDULER):
            access_log.import_access_lines(
                account, jsonl(event(0)), format="jsonl", file_name="own", by=SCHEDULER, at=NOON
            )  # fmt: skip

        named = waiting.name_account(
            UnknownAccount.objects.get(), account=f" {account.reference.lower()} ", by=analyst, at=NOON
        )  # fmt: skip
        queue.run_due(NOON, by=SCHEDULER)

        assert named.named_by == analyst.label
        assert AccessRecord.objects.filter(account=account).count() == 7
        assert not WaitingLine.objects.exists() and not UnknownAccount.objects.exists()
        assert sum(AccessDay.objects.values_list("count", flat=True)) == 7
        moved = AuditEvent.objects.filter(verb="accounts.accesses_moved")
        assert [sum(each.facts[fact] for each in moved) for fact in ("count", "new")] == [7, 6]
        account.refresh_from_db()
        assert account.last_access_at is not None
        assert counts(deliver(event(9, account="k"))) == (1, 1, 0, 0, 0)

    def test_what_waited_and_contradicts_a_record_is_refused_with_all_it_said(self, analyst):
        account = make_account()
        here = deliver(event(1, account=account.reference), event(2, account=account.reference))
        batch = deliver(event(1, account="k"), event(2, account="k", principal="user:eve"), event(3, account="k"))

        waiting.name_account(UnknownAccount.objects.get(), account=account.reference, by=analyst, at=NOON)
        queue.run_due(NOON)

        batch.refresh_from_db()
        assert counts(batch) == (3, 0, 0, 2, 1) and counts(here) == (2, 2, 0, 0, 0)
        refused = batch.refused_lines.get()
        assert (refused.line, refused.reason) == (2, waiting.DIFFERS)
        assert json.loads(refused.content)["principal"] == "user:eve"
        assert AccessRecord.objects.filter(account=account).count() == 3
        assert not AccessRecord.objects.filter(principal="user:eve").exists()

    def test_a_worker_lost_in_the_middle_is_made_good_by_the_next(self, monkeypatch, analyst):
        monkeypatch.setattr(waiting, "AT_ONCE", 2)
        account = make_account()
        deliver(*(event(n, account="k") for n in range(5)))
        unknown = UnknownAccount.objects.get()
        waiting.name_account(unknown, account=account.reference, by=analyst, at=NOON)
        waiting._move_some(unknown.reference, by=SCHEDULER, at=NOON)
        assert UnknownAccount.objects.get().line_count == 3

        waiting.move(unknown.reference, by=SCHEDULER, at=NOON)
        waiting.move(unknown.reference, by=SCHEDULER, at=NOON)

        assert AccessRecord.objects.count() == 5 and not UnknownAccount.objects.exists()

    def test_they_are_judged_by_the_lists_of_the_day_they_are_moved(self, analyst, tmp_path):
        from accounts.flows import address_ranges

        account = make_account()
        deliver(event(1, account="k"))
        path = tmp_path / "vpn.txt"
        path.write_text("8.8.8.0/24\n")
        snapshot = address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON).snapshot
        waiting.name_account(UnknownAccount.objects.get(), account=account.reference, by=analyst, at=NOON)

        queue.run_due(NOON, by=SCHEDULER)

        row = AccessRecord.objects.get()
        assert (row.anonymiser, row.edition.lists) == ("vpn", [snapshot.reference])
        assert AccessDay.objects.get().anonymiser == "vpn"

    def test_a_new_account_with_that_number_claims_them_by_itself(self):
        deliver(event(1, account="cust-9"), event(2, account="cust-9"))

        account = numbered("cust-9")
        queue.run_due(NOON + timedelta(days=900), by=SCHEDULER)

        assert AccessRecord.objects.filter(account=account).count() == 2

    def test_what_was_overlooked_is_claimed_within_the_hour(self):
        account = make_account()
        deliver(event(1, account="k"))
        with one_flow(SCHEDULER):
            type(account).objects.filter(pk=account.pk).update(external_key="k")

        assert waiting.claim_due(by=SCHEDULER, at=NOON) == 1
        queue.run_due(NOON, by=SCHEDULER)

        assert AccessRecord.objects.get().account == account
        assert waiting.claim_due(by=SCHEDULER, at=NOON) == 0

    def test_what_waited_under_our_reference_in_small_letters_is_claimed(self):
        account = make_account()
        deliver(event(1, account="k"))
        with one_flow(SCHEDULER):
            UnknownAccount.objects.update(key=account.reference.lower())
            WaitingLine.objects.update(account_key=account.reference.lower())

        assert waiting.claim_due(by=SCHEDULER, at=NOON) == 1
        queue.run_due(NOON, by=SCHEDULER)

        assert AccessRecord.objects.get().account == account and not WaitingLine.objects.exists()

    def test_what_waits_for_a_file_that_is_being_destroyed_waits_on(self, analyst):
        account = make_account()
        deliver(event(1, account="k"))
        waiting.name_account(UnknownAccount.objects.get(), account=account.reference, by=analyst, at=NOON)
        doom(account)

        queue.run_due(NOON, by=SCHEDULER)

        assert Job.objects.get(kind=waiting.MOVE).state == "done"
        assert WaitingLine.objects.count() == 1 and not AccessRecord.objects.exists()

    def test_it_refuses_what_is_no_account_and_what_is_named(self, analyst):
        deliver(event(1, account="k"))
        unknown, account = UnknownAccount.objects.get(), make_account()

        with pytest.raises(waiting.NoSuchAccount, match="begins with ACC-"):
            waiting.name_account(unknown, account="ACC-0", by=analyst, at=NOON)
        waiting.name_account(unknown, account=account.reference, by=analyst, at=NOON)
        with pytest.raises(waiting.NamedAlready, match=account.reference):
            waiting.name_account(unknown, account=account.reference, by=analyst, at=NOON)


class TestEndedNamings:
    @pytest.fixture
    def named(self, analyst):
        deliver(event(1, account="k"), event(2, account="k"))
        named = waiting.name_account(
            UnknownAccount.objects.get(), account=make_account().reference, by=analyst, at=NOON
        )  # fmt: skip
        queue.run_due(NOON, by=SCHEDULER)
        return named

    def test_later_lines_wait_again_and_those_that_were_moved_stay(self, named, analyst):
        waiting.end_naming(named, reason="reused", by=analyst, at=NOON)

        assert counts(deliver(event(3, account="k"))) == (1, 0, 0, 1, 0)
        assert waiting.account_of("console", "k") is None and waiting.claim_due(by=SCHEDULER, at=NOON) == 0
        assert AccessRecord.objects.filter(account=named.account).count() == 2
        named.refresh_from_db()
        assert (named.moved_count, named.ended_at, named.ended_by) == (2, NOON, analyst.label)
        told = AuditEvent.objects.get(verb="accounts.naming_ended")
        assert told.facts == {
            "row": named.named_as, "account": named.account.reference,
            "reason": "the source system uses the key for somebody else now",
        }  # fmt: skip

    def test_the_key_may_be_named_anew_as_another_and_the_old_naming_stays(self, named, analyst):
        waiting.end_naming(named, reason="wrong", by=analyst, at=NOON)
        deliver(event(3, account="k"))
        other = make_account()

        waiting.name_account(UnknownAccount.objects.get(), account=other.reference, by=analyst, at=NOON)
        queue.run_due(NOON, by=SCHEDULER)

        assert AccessRecord.objects.filter(account=other).count() == 1
        assert counts(deliver(event(4, account="k"))) == (1, 1, 0, 0, 0)
        assert AccessRecord.objects.filter(account=other).count() == 2
        assert CloudAccount.objects.count() == 2 and CloudAccount.objects.standing().get().account == other

    def test_lines_that_were_not_moved_yet_wait_on(self, analyst):
        deliver(event(1, account="k"))
        named = waiting.name_account(
            UnknownAccount.objects.get(), account=make_account().reference, by=analyst, at=NOON
        )  # fmt: skip
        waiting.end_naming(named, reason="wrong", by=analyst, at=NOON)

        queue.run_due(NOON, by=SCHEDULER)

        assert WaitingLine.objects.count() == 1 and not AccessRecord.objects.exists()

    def test_it_is_ended_once_and_in_no_file_that_is_going(self, named, analyst):
        doom(named.account)
        with pytest.raises(AlreadyDestroyed):
            waiting.end_naming(named, reason="wrong", by=analyst, at=NOON)
        with one_flow(SCHEDULER):
            DoomedRecord.objects.all().delete()
        waiting.end_naming(named, reason="wrong", by=analyst, at=NOON)

        with pytest.raises(waiting.NamingEnded, match=f"by {analyst.label}"):
            waiting.end_naming(named, reason="wrong", by=analyst, at=NOON)
        assert AuditEvent.objects.filter(verb="accounts.naming_ended").count() == 1

    def test_an_index_serves_whose_it_is(self):
        told = plan_of_whose()

        assert any("one_standing_account_per_source_key" in line for line in told), told


class TestRefusedLines:
    def test_they_are_handed_out_as_sent_and_harmless_in_a_spreadsheet(self, analyst):
        batch = deliver(event(1), event(2, principal="x" * 301, account="k"), keep_good_rows=True)
        with one_flow(SCHEDULER):
            RefusedLine.objects.create(batch=batch, line=3, reason="x", content="=cmd()")

        first, second, third = b"".join(access_refused.as_text(batch, by=analyst, at=NOON)).decode().splitlines()

        assert json.loads(first)["event_id"] == "e1" and json.loads(second)["principal"] == "x" * 301
        assert third == "'=cmd()"
        assert AuditEvent.objects.get(verb="records.exported").facts["rows"] == 3

    def test_a_mended_line_comes_in(self, analyst):
        batch = deliver(event(1), event(2, account="k"), keep_good_rows=True)
        [text] = access_refused.as_text(batch, by=analyst, at=NOON)
        mended = {**json.loads(text), "account": make_account().reference}

        assert counts(deliver(mended)) == (1, 1, 0, 0, 0)

    def test_they_go_after_their_days(self):
        batch = deliver(event(1), event(2, account="k"), keep_good_rows=True)

        assert access_keeping.let_refused_lines_go(by=SCHEDULER, at=NOON + timedelta(days=90)) == 0
        assert access_keeping.let_refused_lines_go(by=SCHEDULER, at=NOON + timedelta(days=93)) == 1
        assert not RefusedLine.objects.exists()
        batch.refresh_from_db()
        assert batch.refused_count == 1

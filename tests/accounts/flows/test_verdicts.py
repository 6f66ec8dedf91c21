"""Verdicts are added, never rewritten; lately seen addresses are judged anew; what nothing names goes (R18, R47)."""

import importlib
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.flows import access_log, address_ranges, editions, forgetting_verdicts, intake, judging_anew, verdicts
from accounts.models import AccessRecord, AddressVerdict, RangeEdition, WaitingLine
from accounts.verbs import Verb
from kyc_portal.records import audit, holds, retention
from kyc_portal.records.acting import one_flow
from kyc_portal.records.changes import reconcile
from kyc_portal.records.models import AuditEvent, RowChange
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.lists import REAL, real
from tests.accounts.logs import event, jsonl
from tests.at_once import needs_row_locks
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=3)


def load(tmp_path, kind, *networks, source="maker", at=NOON):
    path = tmp_path / f"{kind}.txt"
    path.write_text("\n".join(networks) + "\n")
    return address_ranges.load_ranges(kind, path, source=source, by=SCHEDULER, at=at).snapshot


def take_in(account, *events, at=NOON):
    return access_log.import_access_lines(
        account, jsonl(*events), format="jsonl", file_name="log.jsonl", by=SCHEDULER, at=at
    )


def said(address):
    rows = AddressVerdict.objects.filter(address=address).order_by("pk")
    return [(row.edition.lists, row.anonymiser) for row in rows.select_related("edition")]


class TestEditions:
    def test_the_same_lists_are_the_same_edition(self, tmp_path):
        first = load(tmp_path, "vpn", "8.8.8.0/24")
        second = load(tmp_path, "vpn", "9.9.9.0/24")
        load(tmp_path, "vpn", "8.8.8.0/24")

        assert sorted(RangeEdition.objects.values_list("lists", flat=True)) == sorted(
            [[first.reference], [second.reference]]
        )
        assert verdicts.judge_on(NOON).edition.lists == [first.reference]

    def test_without_any_list_there_is_an_edition_that_says_so(self):
        with one_flow(SCHEDULER):
            judge = verdicts.judge_on(NOON)

        assert judge.edition.lists == [] and judge.of("8.8.8.8").confidence == "none"


class TestKeep:
    def test_a_record_names_its_edition_and_the_verdict_says_which_list_said_what(self, tmp_path):
        snapshot = load(tmp_path, "vpn", "8.8.8.0/24")

        take_in(make_account(), event(1), event(2), event(3, source="10.0.0.1"), event(4, source="batch service"))

        record, _, private, nowhere = AccessRecord.objects.order_by("event_id")
        verdict = AddressVerdict.objects.get(address="8.8.8.8")
        assert record.edition == verdict.edition and nowhere.edition is None
        assert verdict.findings == [
            {"about": "vpn", "says": "yes", "list": snapshot.reference, "as_of": "2026-03-02", "age_days": 0}
        ]
        assert AddressVerdict.objects.get(address="10.0.0.1", edition=private.edition).special_use == "private"
        assert AddressVerdict.objects.count() == 2

    @pytest.mark.both
    def test_no_row_is_written_anew(self, tmp_path):
        """Nor one that PostgreSQL writes in another way than Python, as ::1.2.3.4."""
        load(tmp_path, "vpn", "8.8.8.0/24")
        with one_flow(SCHEDULER):
            first = verdicts.judge_on(NOON).keep(["8.8.8.8", "8.8.8.8", "9.9.9.9", "::102:304"], at=NOON)
            second = verdicts.judge_on(LATER).keep(["::102:304", "9.9.9.9", "7.7.7.7", "8.8.8.8"], at=LATER)

        assert (first, second) == (3, 1)
        assert list(AddressVerdict.objects.order_by("pk").values_list("judged_at", flat=True)) == [NOON] * 3 + [LATER]

    @pytest.mark.parametrize("change", [{"country": "DE"}, {"findings": []}])
    def test_the_database_refuses_to_change_one(self, tmp_path, change):
        load(tmp_path, "vpn", "8.8.8.0/24")
        take_in(make_account(), event(1))

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), one_flow(SCHEDULER):
            AddressVerdict.objects.update(**change)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), one_flow(SCHEDULER):
            RangeEdition.objects.update(lists=[])

    def test_its_queries_grow_by_the_batch_and_not_by_the_address(
        self, django_assert_max_num_queries, django_assert_num_queries
    ):
        with one_flow(SCHEDULER):
            judge = verdicts.judge_on(NOON)
            with django_assert_max_num_queries(10):
                judge.keep([f"8.8.{n // 250}.{n % 250}" for n in range(500)], at=NOON)
            with django_assert_num_queries(0):
                judge.keep(["8.8.0.1", "8.8.1.1"], at=NOON)


class TestJudgeAnew:
    def test_a_newer_list_adds_a_verdict_and_rewrites_none(self, tmp_path):
        old = load(tmp_path, "vpn", "8.8.8.0/24")
        take_in(make_account(), event(1), event(2, source="9.9.9.9"))
        new = load(tmp_path, "vpn", "9.9.9.0/24", at=LATER)

        told = queue.run_due(LATER)

        assert told == {"done": 2, "failed": 0, "dead": 0}
        assert said("8.8.8.8") == [([old.reference], "vpn"), ([new.reference], "")]
        assert said("9.9.9.9") == [([old.reference], ""), ([new.reference], "vpn")]
        assert {each.edition.lists[0] for each in AccessRecord.objects.all()} == {old.reference}
        assert AccessRecord.objects.get(event_id="e1").anonymiser == "vpn"
        reconcile(by=SCHEDULER, at=LATER)
        assert not RowChange.objects.unexplained().exists()
        [judged] = AuditEvent.objects.filter(verb="accounts.addresses_judged")
        assert judged.facts["count"] == 2 and "8.8.8.8" not in str(judged.facts)

    def test_it_may_be_killed_and_done_again(self, tmp_path, monkeypatch):
        load(tmp_path, "vpn", "8.8.8.0/24")
        take_in(make_account(), *(event(n, source=f"8.8.{n}.1") for n in range(10)))
        load(tmp_path, "vpn", "9.9.9.0/24", at=LATER)
        edition = RangeEdition.objects.order_by("pk").last()
        monkeypatch.setattr(judging_anew, "BATCH", 3)
        keep, calls = verdicts.Judge.keep, []

        def killed_at_the_third(self, addresses, *, at):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return keep(self, addresses, at=at)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(verdicts.Judge, "keep", killed_at_the_third)
            judging_anew.judge_anew(str(edition.pk), by=SCHEDULER, at=LATER)
        assert AddressVerdict.objects.filter(edition=edition).count() == 6

        assert judging_anew.judge_anew(str(edition.pk), by=SCHEDULER, at=LATER) == 4
        assert judging_anew.judge_anew(str(edition.pk), by=SCHEDULER, at=LATER) == 0

    def test_what_was_taken_in_long_ago_is_left_as_it_was_judged(self, tmp_path):
        load(tmp_path, "vpn", "8.8.8.0/24")
        take_in(make_account(), event(1))
        much_later = NOON + timedelta(days=31)
        load(tmp_path, "vpn", "9.9.9.0/24", at=much_later)

        queue.run_due(much_later)

        assert len(said("8.8.8.8")) == 1

    def test_waiting_accesses_are_judged_too(self, tmp_path):
        load(tmp_path, "vpn", "8.8.8.0/24")
        batch = take_in(make_account(), event(1))
        make_waiting(batch, "7.7.7.7")
        load(tmp_path, "vpn", "7.7.7.0/24", at=LATER)

        queue.run_due(LATER)

        assert [anonymiser for _, anonymiser in said("7.7.7.7")] == ["vpn"]


def make_waiting(batch, address):
    with one_flow(SCHEDULER):
        WaitingLine.objects.create(
            batch=batch, line=1, account_key="who", waiting_since=NOON, at=NOON, kind="access", action="Login",
            address=address, source_system="console", event_id="w1",
        )  # fmt: skip


class TestForget:
    def test_what_nothing_names_goes_after_its_days_and_what_is_named_stays(self):
        batch = take_in(make_account(), event(1))
        make_waiting(batch, "7.7.7.7")
        with one_flow(SCHEDULER):
            verdicts.judge_on(NOON).keep(["7.7.7.7", "9.9.9.9"], at=NOON)

        early = forgetting_verdicts.forget_unnamed(by=SCHEDULER, at=NOON + timedelta(days=90))
        due = forgetting_verdicts.forget_unnamed(by=SCHEDULER, at=NOON + timedelta(days=91))

        assert (early, due) == (0, 1)
        assert set(AddressVerdict.objects.values_list("address", flat=True)) == {"8.8.8.8", "7.7.7.7"}
        assert AuditEvent.objects.get(verb="accounts.verdicts_forgotten").facts == {"count": 1}

    def test_r54_a_hold_on_an_account_keeps_the_verdicts_on_its_addresses(self, counsel, lead):
        held, free = make_account(), make_account()
        for account, number, address in ((held, 1, "8.8.8.8"), (free, 2, "9.9.9.9")):
            take_in(account, event(number, source=address))
            intake.refuse_prospect(account, reason="withdrawn", by=SCHEDULER, at=NOON)
        holds.place_hold([held], reason="Letter of 2 March", ground="preservation", by=counsel, at=NOON)
        much_later = NOON + timedelta(days=4000)

        retention.purge_due(as_of=much_later.date(), today=much_later.date(), execute=True, by=SCHEDULER, at=much_later)
        forgetting_verdicts.forget_unnamed(by=SCHEDULER, at=much_later)

        assert list(AddressVerdict.objects.values_list("address", flat=True)) == ["8.8.8.8"]
        assert RangeEdition.objects.exists()

    def test_it_goes_along_in_batches(self, monkeypatch):
        monkeypatch.setattr(forgetting_verdicts, "BATCH", 2)
        with one_flow(SCHEDULER):
            verdicts.judge_on(NOON).keep([f"8.8.8.{n}" for n in range(7)], at=NOON)
        take_in(make_account(), event(1, source="8.8.8.3"))

        assert forgetting_verdicts.forget_unnamed(by=SCHEDULER, at=NOON + timedelta(days=91)) == 6


class TestTheMigration:
    """What records were judged by becomes editions: the part of migration 0020 that needs no database."""

    def test_records_are_sorted_by_their_lists_and_the_earliest_import_speaks(self):
        migration = importlib.import_module("accounts.migrations.0020_access_evidence")
        rows = [
            (1, ["RNG-B", "RNG-A"], "8.8.8.8", "US", "vpn", "", NOON),
            (2, ["RNG-A", "RNG-B"], "8.8.8.8", "US", "vpn", "", LATER),
            (3, ["RNG-A"], "8.8.8.8", "", "", "", LATER),
            (4, [], "10.0.0.1", "", "", "private", NOON),
            (5, [], None, "", "", "", NOON),
        ]

        keys, told = migration.sorted_out(rows)

        assert keys == {("RNG-A", "RNG-B"): [1, 2], ("RNG-A",): [3], (): [4]}
        assert told == {
            (("RNG-A", "RNG-B"), "8.8.8.8"): ("US", "vpn", "", NOON),
            (("RNG-A",), "8.8.8.8"): ("", "", "", LATER),
            ((), "10.0.0.1"): ("", "", "private", NOON),
        }

    def test_it_names_editions_as_the_flow_does(self, tmp_path):
        migration = importlib.import_module("accounts.migrations.0020_access_evidence")
        load(tmp_path, "vpn", "8.8.8.0/24")
        load(tmp_path, "tor", "9.9.9.0/24")

        for edition in RangeEdition.objects.all():
            assert migration.digest_of(edition.lists) == edition.sha256


@real("mmdb")
@real("vpn")
def test_t22_lists_of_several_makers_together(tmp_path):
    for kind, name in (("country", "GeoLite2-Country-Test"), ("asn", "GeoLite2-ASN-Test"),
                       ("anonymous", "GeoIP2-Anonymous-IP-Test")):  # fmt: skip
        address_ranges.load_ranges(kind, REAL / "mmdb" / f"{name}.mmdb", by=SCHEDULER, at=NOON)
    address_ranges.load_ranges("vpn", REAL / "vpn" / "vpn-ipv4.txt", source="list", by=SCHEDULER, at=NOON)
    judge = verdicts.judge_on(NOON)

    said = judge.of("81.2.69.142")

    assert (said.country, said.anonymiser) == ("GB", "hosting, proxy, residential proxy, tor, vpn")
    assert said.confidence == "low" and len(said.judged_by) == 4
    assert {each["list"] for each in said.findings} <= set(said.judged_by)
    assert judge.of("192.0.2.1").special_use == judge.of("3fff::1").special_use == "documentation"
    assert judge.of("1.128.0.1").network == "AS1221 Telstra Pty Ltd"


class TestAtOnce:
    @needs_row_locks
    def test_two_who_write_the_same_addresses_in_different_order_do_not_wait_for_each_other(
        self, transactional_db, in_threads
    ):
        """On PostgreSQL they would; SQLite has one writer, so there the second begins when the first is done."""
        with one_flow(SCHEDULER):
            edition = verdicts.judge_on(NOON).edition
            audit.record(Verb.ADDRESSES_JUDGED, edition, by=SCHEDULER, at=NOON, count=0, digest=edition.sha256)
        both_wrote = threading.Barrier(2, timeout=20)

        def write(*addresses):
            with one_flow(SCHEDULER):
                judge = verdicts.judge_on(NOON)
                judge.keep(addresses[:1], at=NOON)
                both_wrote.wait()
                judge.keep(addresses[1:], at=NOON)

        in_threads(lambda: write("8.8.8.8", "9.9.9.9"), lambda: write("9.9.9.9", "8.8.8.8"))

        kept = set(AddressVerdict.objects.values_list("address", flat=True))
        assert len(kept) == 2
        assert Job.objects.get().kind == editions.JUDGE_ANEW  # whoever left it to the job asked for it

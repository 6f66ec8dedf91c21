"""Sealing: one at a time, once each, in order, killed at any point; writers never wait (trust.md 5.2, 4)."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

from kyc_portal.records import acting, audit, merkle, sealing, tasks, verifying
from kyc_portal.records.checkpoints import public_half, root_in
from kyc_portal.records.keys import KeyProblem
from kyc_portal.records.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditPending
from kyc_portal.records.offline.verify_audit import NO_WITNESS
from tests.at_once import needs_row_locks
from tests.kyc_portal.records.trails import code_of, rewrite, sealed, unguarded, write
from tests.kyc_portal.test_worker import database_url

ROOT = Path(__file__).resolve().parents[3]
NEXT = "test-2:" + "bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="


@pytest.mark.django_db
class TestRound:
    def test_it_appends_in_the_order_of_the_ids_and_signs(self):
        sealing.seal_pending()
        start = AuditLeaf.objects.count()
        events = write(5)

        before, checkpoint = sealing.seal_round()

        leaves = AuditLeaf.objects.filter(index__gte=start).order_by("index")
        assert (before, checkpoint.size) == (start, start + 5)
        assert [leaf.event_id for leaf in leaves] == [event.pk for event in events]
        hashes = [bytes(leaf.leaf_hash) for leaf in AuditLeaf.objects.order_by("index")]
        assert hashes[start:] == [merkle.leaf_hash(event.canonical) for event in events]
        assert root_in(checkpoint.note) == merkle.root_of_leaves(hashes)
        assert not AuditPending.objects.exists()

    def test_nothing_waiting_makes_no_checkpoint(self):
        sealed(2)
        count = AuditCheckpoint.objects.count()

        assert sealing.seal_round() == (0, None)
        assert sealing.seal_pending() == 0
        assert AuditCheckpoint.objects.count() == count

    def test_a_long_queue_goes_in_several_rounds(self):
        sealing.seal_pending()
        events = write(7)

        rounds = [sealing.seal_round(most=3)[1] for _ in range(4)]

        assert [each and each.size - rounds[0].size for each in rounds] == [0, 3, 4, None]
        assert AuditLeaf.objects.get(index=rounds[2].size - 1).event_id == events[-1].pk

    def test_what_is_written_while_it_seals_waits_for_the_next_call(self, monkeypatch):
        sealing.seal_pending()
        monkeypatch.setattr(sealing, "BATCH", 3)
        ask = sealing._ask_witnesses
        monkeypatch.setattr(sealing, "_ask_witnesses", lambda size: (ask(size), write(1)))
        count = AuditCheckpoint.objects.count()
        write(4)

        assert sealing.seal_pending() == 3 + 2  # the second round finds one more, and is not full

        assert AuditCheckpoint.objects.count() == count + 2
        assert AuditPending.objects.count() == 1

    def test_an_event_goes_back_with_its_transaction(self):
        sealing.seal_pending()
        with pytest.raises(RuntimeError), transaction.atomic():
            write(2)
            raise RuntimeError

        assert sealing.seal_pending() == 0

    @override_settings(AUDIT_KEY="")
    def test_without_a_key_nothing_is_sealed(self):
        write(1)

        with pytest.raises(KeyProblem):
            sealing.seal_round()
        assert AuditPending.objects.exists()

    def test_nothing_is_built_upon_a_broken_edge(self):
        sealed(3)
        write(1)
        with unguarded():
            AuditCheckpoint.objects.update(edge=bytes(64))

        with pytest.raises(sealing.TrailBroken, match="right edge"):
            sealing.seal_round()
        assert AuditPending.objects.count() == 1

    def test_the_task_seals(self):
        sealing.seal_pending()
        write(2)

        assert tasks.seal_pending.run() == {"sealed": 2, "handed over": 0}
        assert not AuditPending.objects.exists()


@pytest.mark.django_db
class TestReceipt:
    def test_it_seals_by_itself_and_tells_the_place(self):
        sealed(3)
        [event] = write()

        found = sealing.receipt(event)

        leaf = AuditLeaf.objects.get(event_id=event.pk)
        checkpoint = AuditCheckpoint.objects.get(size=found.size)
        assert (found.entry, found.size) == (leaf.index + 1, leaf.index + 1)
        assert found.root == root_in(checkpoint.note).hex()

    def test_it_can_be_proven_against_the_checkpoint(self):
        events = sealed(11)
        found = sealing.receipt(events[4])

        hashes = [bytes(leaf.leaf_hash) for leaf in AuditLeaf.objects.order_by("index")][: found.size]
        path = merkle.inclusion_path(hashes, found.entry - 1)

        leaf = merkle.leaf_hash(bytes(AuditEvent.objects.get(pk=events[4].pk).canonical))
        assert merkle.is_included(leaf, found.entry - 1, found.size, path, bytes.fromhex(found.root))

    def test_it_waits_no_longer_than_it_is_told(self, monkeypatch):
        [event] = write()
        monkeypatch.setattr(sealing, "seal_round", lambda: (0, None))
        begun = time.monotonic()

        assert sealing.receipt(event, timeout=0.2) is None
        assert 0.2 <= time.monotonic() - begun < 2

    def test_few_queries(self, django_assert_max_num_queries):
        events = write(3)

        with django_assert_max_num_queries(20):
            assert len(sealing.receipts([event.pk for event in events])) == 3
        with django_assert_max_num_queries(2):
            assert len(sealing.receipts([event.pk for event in events])) == 3

    def test_another_transaction_in_the_way_is_waited_for_within_the_time(self, transactional_db, in_threads):
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite has one writer")
        [event] = write()

        def hold_the_lock():
            with transaction.atomic():
                AuditPending.objects.count()
                time.sleep(1.5)

        def ask():
            time.sleep(0.3)
            begun = time.monotonic()
            return sealing.receipt(event, timeout=0.4), time.monotonic() - begun

        _, (found, took) = in_threads(hold_the_lock, ask)

        assert found is None and took < 1.2


class TestTogether:
    """Real transactions, several connections."""

    def test_two_sealers_at_once_seal_each_event_once(self, transactional_db, in_threads):
        sealing.seal_pending()
        for _ in range(5):
            write(20)

            told = in_threads(*[sealing.seal_pending] * 4)

            assert sum(told) == 20, told
        assert AuditLeaf.objects.count() == AuditEvent.objects.count() >= 100
        assert code_of() == NO_WITNESS

    def test_writers_and_a_sealer_lose_and_double_nothing(self, transactional_db, in_threads):
        def write_some():
            for _ in range(25):
                write(2)

        def seal_some():
            end = time.monotonic() + 2
            while time.monotonic() < end:
                sealing.seal_pending()
                time.sleep(0.01)

        told = in_threads(write_some, write_some, write_some, seal_some, seal_some)
        sealing.seal_pending()

        assert told == [None] * 5
        assert AuditLeaf.objects.count() == AuditEvent.objects.count() >= 150
        indexes = AuditLeaf.objects.order_by("index").values_list("index", flat=True)
        assert list(indexes) == list(range(AuditEvent.objects.count()))
        assert code_of() == NO_WITNESS

    @needs_row_locks
    def test_a_writer_does_not_wait_for_a_sealer(self, transactional_db, in_threads):
        write(3)

        def seal_slowly():
            with transaction.atomic():
                sealing.seal_round()
                time.sleep(1.5)

        def write_meanwhile():
            time.sleep(0.5)
            begun = time.monotonic()
            write(3)
            return time.monotonic() - begun

        _, took = in_threads(seal_slowly, write_meanwhile)

        assert took < 0.5


SEAL_WITHOUT_END = """
import django, time
django.setup()
from kyc_portal.records import sealing
print("ready", flush=True)
while True:
    sealing.seal_round(most=7)
"""


class TestKilled:
    @pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.1, 0.2])
    def test_th25_a_sealer_that_is_killed_leaves_nothing_half_done(self, transactional_db, tmp_path, delay):
        write(300)
        given = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests", "DATABASE_URL": database_url(),
            "KYC_LOCAL_DIR": str(tmp_path),
        }  # fmt: skip
        with subprocess.Popen(
            [sys.executable, "-c", SEAL_WITHOUT_END], cwd=ROOT, env=given, stdout=subprocess.PIPE
        ) as sealer:
            assert sealer.stdout.readline() == b"ready\n"
            time.sleep(delay)
            sealer.send_signal(signal.SIGKILL)

        written = AuditEvent.objects.count()
        assert AuditPending.objects.count() + AuditLeaf.objects.count() == written >= 300
        assert code_of() == NO_WITNESS
        end = time.monotonic() + 20  # PostgreSQL may need a moment to see that the other side is gone
        while AuditPending.objects.exists() and time.monotonic() < end:
            sealing.seal_pending()
        assert AuditLeaf.objects.count() == written
        assert code_of() == NO_WITNESS


@pytest.mark.django_db
class TestKeys:
    """Rotation: an event sealed by the old key names the new one."""

    def public(self, text: str | None = None) -> dict[str, bytes]:
        key_id, key = sealing.audit_key(text)
        return {key_id: public_half(key)}

    def rotate(self) -> None:
        with override_settings(AUDIT_KEY_NEXT=NEXT):
            call_command("name_audit_key", stdout=io.StringIO())

    def test_who_trusts_the_old_key_follows_to_the_new(self):
        sealed(2)
        old = self.public()
        self.rotate()
        with override_settings(AUDIT_KEY=NEXT):
            sealed(3)

        assert verifying.verify(trusted=old, witnesses={}).code == NO_WITNESS

    def test_who_knows_neither_is_told_so(self):
        sealed(2)

        verdict = verifying.verify(trusted={"other": bytes(32)}, witnesses={})

        assert verdict.code == 3 and "the key “test-1”, which is not among the trusted" in verdict.sentence

    def test_a_new_key_that_nobody_named_is_unknown(self):
        sealed(2)
        old = self.public()
        with override_settings(AUDIT_KEY=NEXT):
            sealed(3)

        verdict = verifying.verify(trusted=old, witnesses={})

        assert verdict.code == 3 and "“test-2”" in verdict.sentence

    def test_the_old_key_does_not_sign_after_the_new_one(self):
        sealed(2)
        old = self.public()
        self.rotate()
        with override_settings(AUDIT_KEY=NEXT):
            sealed(1)
        sealed(1)

        verdict = verifying.verify(trusted=old, witnesses={})

        assert verdict.code == 1 and "which had named its successor" in verdict.sentence

    def test_a_naming_that_was_forged_into_the_trail_is_found(self):
        sealed(2)
        old = self.public()
        self.rotate()
        named = AuditEvent.objects.get(verb="records.audit_key_named")
        with unguarded():
            rewrite(named, facts={**named.facts, "public_key": "00" * 32})

        verdict = verifying.verify(trusted=old, witnesses={})

        assert verdict.code == 1 and f"(event {named.pk}) was edited" in verdict.sentence
        assert re.fullmatch("[0-9a-f]{64}", named.facts["public_key"])


@pytest.mark.django_db
class TestGraveEvents:
    def test_only_those_of_the_request_and_only_grave_ones(self):
        with acting.within_request("click-1"):
            events = write(2)
        write(1)

        assert audit.grave_events_of("click-1") == [event.pk for event in events]
        assert audit.grave_events_of("") == audit.grave_events_of("click-2") == []

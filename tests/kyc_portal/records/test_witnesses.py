"""Handing checkpoints to witnesses: once each, in order, again until they are taken (trust.md 5.2, 5)."""

import mailbox
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone

from kyc_portal.records import sealing, tasks
from kyc_portal.records.models import AuditCheckpoint, AuditPending, WitnessedCheckpoint
from kyc_portal.records.offline.verify_audit import TAMPERED, WHOLE, notes_in
from kyc_portal.records.witnesses import BETWEEN_MAILS, TRY_AGAIN_AFTER, WitnessOutOfReach, faults_of, hand_over
from tests.conftest import NOON
from tests.kyc_portal.records.trails import code_of, rehash, rewrite, sealed, sign_again, spoiled, write

pytestmark = pytest.mark.django_db
LEGAL = "mail:legal@provider.example"


@pytest.fixture
def places(settings, tmp_path):
    """Two log files; everything that waited before is sealed, and named to nobody."""
    sealing.seal_pending()
    files = [tmp_path / "a" / "log", tmp_path / "b" / "log"]
    settings.WITNESSES = [f"file:{path}" for path in files]
    return files


def sizes_in(path: Path) -> list[int]:
    return [int(note[1]) for note in notes_in(path)]


def own_sizes(count: int) -> list[int]:
    newest = AuditCheckpoint.objects.order_by("-size").values_list("size", flat=True)[:count]
    return sorted(newest)


class TestFiles:
    def test_each_checkpoint_goes_to_each_witness_once(self, places):
        sealed(2, 3)

        told = [hand_over(at=NOON), hand_over(at=NOON)]

        assert told == [{"file": 4}, {"file": 0}]
        assert [sizes_in(path) for path in places] == [own_sizes(2)] * 2
        assert code_of(places[0]) == WHOLE

    def test_the_log_only_grows(self, places):
        sealed(1)
        hand_over(at=NOON)
        before = places[0].read_bytes()
        sealed(1)

        hand_over(at=NOON)

        assert places[0].read_bytes().startswith(before)
        assert NOON.isoformat() in places[0].read_text()

    def test_a_witness_out_of_reach_is_told_and_tried_again(self, places, settings, tmp_path):
        (tmp_path / "blocked").write_text("a file where a folder should be")
        settings.WITNESSES = [f"file:{tmp_path / 'blocked' / 'log'}", f"file:{places[1]}"]
        sealed(2)

        with pytest.raises(WitnessOutOfReach, match="file"):
            hand_over(at=NOON)
        assert sizes_in(places[1]) == own_sizes(1)
        (tmp_path / "blocked").unlink()
        assert hand_over(at=NOON + TRY_AGAIN_AFTER / 2) == {"file": 0}
        assert hand_over(at=NOON + TRY_AGAIN_AFTER) == {"file": 1}

        assert sizes_in(tmp_path / "blocked" / "log") == own_sizes(1)

    def test_one_that_is_back_gets_what_waits_though_more_is_sealed_every_ten_seconds(self, places, tmp_path, settings):
        (tmp_path / "blocked").write_text("a file where a folder should be")
        settings.WITNESSES = [f"file:{tmp_path / 'blocked' / 'log'}"]
        sealed(1)
        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)
        (tmp_path / "blocked").unlink()

        for seconds in range(10, 130, 10):
            sealed(1)
            hand_over(at=NOON + timedelta(seconds=seconds))

        assert sizes_in(tmp_path / "blocked" / "log") == own_sizes(13)

    def test_a_torn_write_is_written_again_and_read_over(self, places):
        sealed(2)
        places[0].parent.mkdir()
        places[0].write_text("\n2026-01-01\nkyc-portal/audit\n12\nAAAA")

        hand_over(at=NOON)

        assert sizes_in(places[0]) == own_sizes(1)

    def test_one_that_two_workers_hand_over_is_claimed_by_one(self, places):
        sealed(2)
        WitnessedCheckpoint.objects.update(tried_at=NOON)

        assert hand_over(at=NOON + timedelta(seconds=5)) == {"file": 0}
        assert hand_over(at=NOON + TRY_AGAIN_AFTER) == {"file": 2}

    def test_the_task_hands_over(self, places):
        write(2)

        told = tasks.seal_pending.run()

        assert told == {"sealed": 2, "handed over": 2}

    def test_a_fork_after_a_restored_backup_is_handed_over_as_well(self, places):
        sealed(2, 2)
        hand_over(at=NOON)
        old = own_sizes(2)
        with spoiled():
            AuditPending.objects.all().delete()
            sealing.AuditLeaf.objects.filter(index__gte=old[0]).delete()
            AuditCheckpoint.objects.filter(size__gt=old[0]).delete()
            sealed(2)
            hand_over(at=NOON)

            assert sizes_in(places[0]) == [*old, old[1]]


class TestMail:
    @pytest.fixture
    def by_mail(self, places, settings):
        settings.WITNESSES = [LEGAL]

    def test_the_mailbox_is_a_witness(self, by_mail, tmp_path):
        events = sealed(2, 3)

        assert hand_over(at=NOON) == {"mail": 2}

        [message] = mail.outbox
        assert message.to == ["legal@provider.example"]
        assert "ana" not in message.body.split()  # among its words: in base64 it may stand by chance
        box = mailbox.mbox(tmp_path / "legal.mbox")
        box.add(message.message())
        box.close()
        assert sizes_in(tmp_path / "legal.mbox") == own_sizes(2)
        assert code_of(tmp_path / "legal.mbox") == WHOLE
        with spoiled():
            rehash(rewrite(events[0], actor_label="x"))
            sign_again()
            assert code_of(tmp_path / "legal.mbox") == TAMPERED

    def test_what_is_sealed_within_ten_minutes_goes_in_one_message(self, by_mail):
        sealed(1)
        hand_over(at=NOON)
        sealed(1, 1)

        assert hand_over(at=NOON + BETWEEN_MAILS / 2) == {"mail": 0}
        assert hand_over(at=NOON + BETWEEN_MAILS) == {"mail": 2}

        assert len(mail.outbox) == 2

    def test_a_server_that_refuses_is_tried_again(self, by_mail, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        sealed(1)
        now = timezone.now()

        with pytest.raises(WitnessOutOfReach, match="mail"):
            hand_over(at=now)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

        assert hand_over(at=now + TRY_AGAIN_AFTER) == {"mail": 1}


class TestFaults:
    @pytest.mark.parametrize(
        ("named", "count"),
        [
            (["file:/a", LEGAL], 0), (["file:/a"], 1), ([], 1), (["file:/a", "file:/a"], 1), (["file:", "mail:x"], 1),
            (["ftp:x", "y"], 2),
        ],
    )  # fmt: skip
    def test_what_is_no_witness_is_named(self, named, count):
        assert len(faults_of(named)) == count

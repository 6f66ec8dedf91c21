"""Time stamps over checkpoints by a third party (RFC 3161): OpenSSL is the authority, and the judge of what we keep."""

import io
import logging
import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from kyc_portal.records import checkpoints, sealing, stamps, triggers, verifying
from kyc_portal.records.models import AuditCheckpoint, CheckpointStamp, WitnessedCheckpoint
from kyc_portal.records.offline.verify_audit import NO_WITNESS, TAMPERED, UNREADABLE
from kyc_portal.records.witnesses import BETWEEN_STAMPS, TRY_AGAIN_AFTER, WitnessOutOfReach, hand_over
from tests.conftest import NOON
from tests.kyc_portal.records.authority import Authority, judged_by_openssl, make_authority, needs_openssl
from tests.kyc_portal.records.trails import rehash, rewrite, sealed, sign_again, spoiled

pytestmark = [pytest.mark.django_db, needs_openssl]
LOGGER = "kyc_portal.records.witnesses"
REFUSALS = [
    ("answers_an_error", "it answers with the status 500"),
    ("refuses", "it does not grant a stamp (PKI status 2)"),
    ("answers_garbage", "its answer cannot be read as a stamp"),
    ("answers_nothing", "its answer cannot be read as a stamp"),
    ("hangs_up", "it gives no whole HTTP answer"),
    ("speaks_no_http", "it gives no whole HTTP answer"),
    ("stamps_another_imprint", "the stamp is over something else"),
    ("stamps_another_nonce", "the stamp answers another question"),
    ("redirects", "it answers with the status 307"),
    ("says_too_much", "its answer is too large"),
    ("hangs", "TimeoutError"),
    ("drips", "TimeoutError"),
]


@pytest.fixture
def authority(settings, tmp_path):
    """The only witness; everything that waited before is sealed, and named to nobody."""
    sealing.seal_pending()
    made = Authority(tmp_path / "authority")
    settings.WITNESSES = [f"stamp:{made.url}"]
    yield made
    made.close()


@pytest.fixture
def without_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)


def newest() -> AuditCheckpoint:
    return AuditCheckpoint.objects.order_by("-number").first()


def stamped(authority) -> CheckpointStamp:
    sealed(2)
    hand_over(at=NOON)
    return CheckpointStamp.objects.get()


def told() -> tuple[int, str]:
    verdict = verifying.verify(witnesses={})
    return verdict.code, verdict.sentence


class TestHandOver:
    def test_the_newest_checkpoint_is_stamped_and_openssl_agrees(self, authority, tmp_path):
        before = timezone.now()
        sealed(2, 3)

        assert hand_over(at=NOON) == {"stamp": 2}

        stamp = CheckpointStamp.objects.get()
        assert (stamp.size, stamp.authority) == (newest().size, "127.0.0.1")
        assert before - timedelta(seconds=2) < stamp.stamped_at < timezone.now() + timedelta(seconds=2)
        note, token = tmp_path / "note", tmp_path / "stamp.tsr"
        note.write_text(newest().note)
        token.write_bytes(stamp.token)
        assert judged_by_openssl(note, token, authority.root)
        note.write_text(newest().note + "x")
        assert not judged_by_openssl(note, token, authority.root)

    def test_the_authority_learns_a_hash_only(self, authority):
        stamped(authority)

        [query] = authority.queries
        assert len(query) < 80 and checkpoints.ORIGIN.encode() not in query

    def test_there_is_one_stamp_in_ten_minutes(self, authority):
        stamped(authority)
        sealed(1, 1)

        assert hand_over(at=NOON + BETWEEN_STAMPS / 2) == {"stamp": 0}
        assert hand_over(at=NOON + BETWEEN_STAMPS) == {"stamp": 2}

        assert CheckpointStamp.objects.order_by("pk").last().size == newest().size
        assert len(authority.queries) == 2

    def test_after_a_long_absence_one_stamp_speaks_for_all(self, authority, monkeypatch):
        monkeypatch.setattr("kyc_portal.records.witnesses.MOST_AT_ONCE", 2)
        sealed(1, 1, 1, 1)

        assert hand_over(at=NOON) == {"stamp": 4}
        assert CheckpointStamp.objects.get().size == newest().size

    def test_the_authority_must_be_a_known_one_where_known_ones_are_named(self, authority, settings, tmp_path, caplog):
        settings.STAMP_CA = str(make_authority(tmp_path / "stranger"))
        sealed(1)

        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)
        assert "no authority of KYC_STAMP_CA signed the stamp" in caplog.text
        assert not CheckpointStamp.objects.exists()
        settings.STAMP_CA = str(authority.root)
        assert hand_over(at=NOON + TRY_AGAIN_AFTER) == {"stamp": 1}


class TestRefusals:
    @pytest.mark.parametrize(("manner", "why"), REFUSALS, ids=[manner for manner, _ in REFUSALS])
    def test_nothing_is_kept_and_it_is_tried_again(self, authority, caplog, monkeypatch, manner, why):
        monkeypatch.setattr(stamps, "TIMEOUT", 0.4 if why == "TimeoutError" else 10)
        caplog.set_level(logging.DEBUG, logger="kyc_portal")
        authority.manner = manner
        sealed(2)

        with pytest.raises(WitnessOutOfReach, match="stamp"):
            hand_over(at=NOON)

        assert not CheckpointStamp.objects.exists()
        [line] = [record.getMessage() for record in caplog.records if record.name == LOGGER]
        assert line == f"a witness of the kind stamp did not take a checkpoint ({why})"
        authority.manner, asked = "well", len(authority.queries)
        monkeypatch.setattr(stamps, "TIMEOUT", 10)
        assert hand_over(at=NOON + TRY_AGAIN_AFTER / 2) == {"stamp": 0}
        assert len(authority.queries) == asked
        assert hand_over(at=NOON + TRY_AGAIN_AFTER) == {"stamp": 1}
        assert CheckpointStamp.objects.get().size == newest().size

    def test_a_closed_port_is_one_line(self, authority, settings, caplog):
        settings.WITNESSES = ["stamp:http://127.0.0.1:1/"]
        sealed(1)

        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)

        assert "did not take a checkpoint (URLError)" in caplog.text

    def test_a_server_whose_certificate_nobody_vouches_for_is_not_asked(self, settings, tmp_path, monkeypatch, caplog):
        sealing.seal_pending()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        settings.STAMPS_FROM_PLAIN_LOOPBACK = False
        secret = Authority(tmp_path / "authority", with_tls=True)
        settings.WITNESSES = [f"stamp:{secret.url}"]
        sealed(1)
        try:
            with pytest.raises(WitnessOutOfReach):
                hand_over(at=NOON)
            assert secret.queries == [] and "(URLError)" in caplog.text
            monkeypatch.setenv("SSL_CERT_FILE", str(secret.folder / "tls.pem"))
            assert hand_over(at=NOON + TRY_AGAIN_AFTER) == {"stamp": 1}
        finally:
            secret.close()

    @pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "other"])
    def test_roots_that_cannot_be_read_stop_no_other_witness(self, authority, settings, tmp_path, caplog, content):
        settings.STAMP_CA = str(tmp_path / "ca.pem")
        settings.WITNESSES = [*settings.WITNESSES, f"file:{tmp_path / 'log'}"]
        if content:
            (tmp_path / "ca.pem").write_text(content)
        sealed(1)

        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)

        assert "(KYC_STAMP_CA cannot be read)" in caplog.text and authority.queries == []
        assert (tmp_path / "log").exists()

    @pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "file:///etc/hostname", "data:,x"])
    def test_in_production_nothing_but_https_is_asked(self, authority, settings, caplog, url):
        settings.STAMPS_FROM_PLAIN_LOOPBACK = False
        settings.WITNESSES = [f"stamp:{url.format(port=authority.url.split(':')[2].split('/')[0])}"]
        sealed(1)

        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)

        assert authority.queries == [] and "the address cannot be used" in caplog.text

    def test_there_is_no_stamp_without_the_package(self, authority, caplog, without_package):
        sealed(1)

        with pytest.raises(WitnessOutOfReach):
            hand_over(at=NOON)

        assert "the package rfc3161-client is missing" in caplog.text
        assert authority.queries == [] and not CheckpointStamp.objects.exists()
        assert WitnessedCheckpoint.objects.filter(handed_at=None).exists()

    def test_other_witnesses_do_without_the_package(self, authority, settings, tmp_path, without_package):
        settings.WITNESSES = [f"file:{tmp_path / 'log'}"]
        sealed(1)

        assert hand_over(at=NOON) == {"file": 1}


class TestVerify:
    def test_a_stamp_that_fits_is_silent(self, authority, settings):
        stamped(authority)

        assert told()[0] == NO_WITNESS
        settings.STAMP_CA = str(authority.root)
        assert told()[0] == NO_WITNESS

    def test_history_signed_anew_does_not_fit_its_stamp(self, authority):
        event = sealed(2)[0]
        hand_over(at=NOON)
        size = newest().size

        with spoiled():
            rehash(rewrite(event, actor_label="x"))
            sign_again()
            code, sentence = verifying_unguarded()

        assert code == TAMPERED
        assert f"stamp of 127.0.0.1 over the checkpoint of size {size}: the stamp is over something else" in sentence

    def test_a_cut_that_leaves_the_stamp_is_found(self, authority):
        size = stamped(authority).size
        CheckpointStamp.objects.create(size=size + 5, authority="a", token=b"x", stamped_at=NOON)

        code, sentence = told()

        assert code == TAMPERED and f"size {size + 5}: that checkpoint is not there" in sentence

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"token": b"garbage"}, "cannot be read as a stamp"),
            ({"stamped_at": NOON}, "its column names another time"),
        ],
        ids=["token", "time"],
    )
    def test_one_that_was_altered_is_found(self, authority, changes, why):
        stamped(authority)

        with spoiled():
            CheckpointStamp.objects.update(**changes)
            code, sentence = verifying_unguarded()

        assert code == TAMPERED and why in sentence

    def test_one_that_no_known_authority_signed_is_found(self, authority, settings, tmp_path):
        stamped(authority)
        settings.STAMP_CA = str(make_authority(tmp_path / "stranger"))

        code, sentence = told()

        assert code == TAMPERED and "no authority of KYC_STAMP_CA signed it" in sentence

    def test_roots_that_cannot_be_read_are_no_tampering(self, authority, settings):
        stamped(authority)
        settings.STAMP_CA = "/nowhere/ca.pem"

        with pytest.raises(CommandError, match="KYC_STAMP_CA") as stopped:
            call_command("verify_audit_trail")

        assert stopped.value.returncode == UNREADABLE

    def test_without_the_package_it_says_what_it_passed_over(self, authority, monkeypatch):
        stamped(authority)
        monkeypatch.setitem(sys.modules, "rfc3161_client", None)
        said = io.StringIO()

        with pytest.raises(CommandError) as stopped:
            call_command("verify_audit_trail", stderr=said)

        assert stopped.value.returncode == NO_WITNESS
        assert "1 time stamps were passed over" in said.getvalue()


class TestExport:
    def test_stamps_and_notes_are_what_openssl_wants(self, authority, tmp_path):
        first = stamped(authority).size
        sealed(3)
        hand_over(at=NOON + BETWEEN_STAMPS)
        folder, out = tmp_path / "stamps", io.StringIO()

        call_command("export_audit", "--to", str(tmp_path / "trail.jsonl"), "--stamps", str(folder), stdout=out)

        sizes = list(CheckpointStamp.objects.order_by("size").values_list("size", flat=True))
        assert sizes[0] == first and len(list(folder.iterdir())) == 4
        for size in sizes:
            assert judged_by_openssl(folder / f"note-{size}.txt", folder / f"stamp-{size}.tsr", authority.root)

    def test_two_authorities_have_a_file_each(self, authority, tmp_path):
        first = stamped(authority)
        again = CheckpointStamp.objects.create(size=first.size, authority="other", token=b"x", stamped_at=NOON)

        assert stamps.write_to(tmp_path / "stamps") == 2
        assert (tmp_path / "stamps" / f"stamp-{first.size}-{again.pk}.tsr").read_bytes() == b"x"

    def test_a_folder_that_is_there_is_one_sentence(self, authority, tmp_path):
        with pytest.raises(CommandError, match="Name a new folder"):
            call_command("export_audit", "--to", str(tmp_path / "trail.jsonl"), "--stamps", str(tmp_path))

        assert not (tmp_path / "trail.jsonl").exists()


def verifying_unguarded() -> tuple[int, str]:
    """The check of a trail whose triggers somebody who covers their tracks has put back."""
    triggers.create()
    return told()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("https://tsa.example/tsr", None),
        ("https://tsa.example:8443/tsr?kind=a", None),
        ("http://127.0.0.1:8000/", None),
        ("http://tsa.example/", "is not reached by https"),
        ("http://localhost/", "is not reached by https"),
        ("ftp://tsa.example/", "is not reached by https"),
        ("https://name:word@tsa.example/", "with a name, password or fragment"),
        ("https://tsa.example/#a", "with a name, password or fragment"),
        ("https://", "cannot be read"),
        ("https://tsa.example:port/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://tsa.example/a b", "cannot be read"),
        ("https://tsa.example/\r\nX: y", "cannot be read"),
    ],
)
def test_an_address_is_judged_before_it_is_asked(url, what):
    told = [fault for fault, _ in stamps.faults_of_settings([f"stamp:{url}"])]

    assert len(told) == (what is not None)
    assert all(what in fault for fault in told)

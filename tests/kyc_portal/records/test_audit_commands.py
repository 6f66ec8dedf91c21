"""The commands of the trail, and the verifier as whoever gets an export runs it: one file, nothing of ours."""

import io
import json
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from kyc_portal.records import sealing, verifying, witnesses
from kyc_portal.records.models import AuditCheckpoint, AuditEvent, AuditPending
from kyc_portal.records.offline import verify_audit
from tests.conftest import NOON
from tests.kyc_portal.records.trails import sealed, spoiled, write
from tests.kyc_portal.test_worker import database_url

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "kyc_portal/records/offline/verify_audit.py"


def run(name: str, *arguments) -> tuple[int, str]:
    """Exit code and what was said."""
    out = io.StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=out)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def witness(settings, tmp_path):
    """A sealed trail that one log file has seen."""
    settings.WITNESSES = [f"file:{tmp_path / 'log'}"]
    sealing.seal_pending()
    sealed(4, 2)
    witnesses.hand_over(at=NOON)
    return tmp_path / "log"


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({key_id: public.hex() for key_id, public in verifying.own_key().items()}))
    return path


@pytest.mark.django_db
class TestSeal:
    def test_it_does_one_round(self, settings, tmp_path):
        settings.WITNESSES = [f"file:{tmp_path / 'log'}"]
        sealing.seal_pending()
        write(3)

        code, told = run("seal_audit")

        assert code == 0 and told.startswith("3 events sealed; checkpoints handed over:")
        assert (tmp_path / "log").exists() and not AuditPending.objects.exists()

    def test_a_missing_key_is_one_sentence(self, settings):
        settings.AUDIT_KEY = ""
        write(1)

        code, told = run("seal_audit")

        assert code == 2 and "Set KYC_AUDIT_KEY" in told

    def test_a_broken_trail_is_one_sentence(self):
        sealed(2)
        write(1)
        with spoiled():
            AuditCheckpoint.objects.update(edge=b"")

            code, told = run("seal_audit")

        assert code == 2 and "verify_audit_trail" in told

    def test_a_witness_out_of_reach_is_one_sentence(self, settings, tmp_path):
        settings.WITNESSES = [f"file:{__file__}/log"]
        write(1)

        code, told = run("seal_audit")

        assert code == 2 and "Look at KYC_WITNESSES" in told


@pytest.mark.django_db
class TestVerify:
    def test_the_five_codes(self, witness, keys, tmp_path):
        (tmp_path / "others.json").write_text(json.dumps({"other": "00" * 32}))

        assert run("verify_audit_trail", "--keys", keys, "--witness", witness)[0] == 0
        assert run("verify_audit_trail")[0] == 0
        assert run("verify_audit_trail", "--witness", os.devnull)[0] == 4
        assert run("verify_audit_trail", "--keys", tmp_path / "others.json")[0] == 3
        assert run("verify_audit_trail", "--keys", tmp_path / "nowhere.json")[0] == 2
        assert run("verify_audit_trail", "--witness", tmp_path / "nowhere")[0] == 2
        with spoiled():
            AuditEvent.objects.update(actor_label="x")
            assert run("verify_audit_trail")[0] == 1

    def test_no_key_at_all_is_one_sentence(self, settings):
        settings.AUDIT_KEY = ""

        code, told = run("verify_audit_trail")

        assert code == 2 and "give --keys" in told

    @pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": "zz"}', '{"a": "00"}', "\xff"])
    def test_a_broken_key_file_is_one_sentence(self, tmp_path, text):
        (tmp_path / "keys").write_bytes(text.encode("latin-1"))

        assert run("verify_audit_trail", "--keys", tmp_path / "keys")[0] == 2

    def test_it_counts_what_waits(self, witness):
        write(3)

        assert "3 waiting for their seal" in run("verify_audit_trail")[1]


@pytest.mark.django_db
class TestExport:
    def check(self, *arguments) -> subprocess.CompletedProcess:
        """Run a copy of the file in an empty folder, with an empty environment."""
        return subprocess.run(
            [sys.executable, "-I", "verify_audit.py", *map(str, arguments)],
            cwd=arguments[0].parent, env={}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    @pytest.fixture
    def exported(self, witness, tmp_path):
        folder = tmp_path / "outside"
        folder.mkdir()
        shutil.copy(SCRIPT, folder)
        assert run("export_audit", "--to", folder / "trail.jsonl")[0] == 0
        return folder / "trail.jsonl"

    def test_the_file_checks_itself_with_the_same_codes(self, exported, witness, keys):
        done = [
            self.check(exported, "--keys", keys, "--witness", witness),
            self.check(exported, "--keys", keys),
            self.check(exported),
            self.check(Path(shutil.copy(witness, exported.parent / "log"))),
        ]

        assert [each.returncode for each in done] == [0, 4, 3, 2], done
        assert [each.stderr for each in done] == [""] * 4
        assert re.match(r"Whole: \d+ entries sealed", done[0].stdout)

    def test_an_edited_line_is_found(self, exported, witness, keys):
        lines = exported.read_text().splitlines(keepends=True)
        rows = [json.loads(line) for line in lines]
        one, other = [place for place, row in enumerate(rows) if row.get("entry") in (1, 2)]
        rows[other]["canonical"] = rows[one]["canonical"]
        place = other
        lines[place] = json.dumps(rows[place]) + "\n"
        exported.write_text("".join(lines))

        done = self.check(exported, "--keys", keys, "--witness", witness)

        assert done.returncode == 1 and done.stdout.startswith("Entry 3 ")

    @pytest.mark.parametrize("keep", [0, 1, 3, -1])
    def test_a_file_cut_short_is_unreadable(self, exported, keys, keep):
        lines = exported.read_text().splitlines(keepends=True)
        exported.write_text("".join(lines[:keep]))

        assert self.check(exported, "--keys", keys).returncode == 2

    @pytest.mark.parametrize("text", ["", "{", "[]\n", '{"format": "x"}\n', '{"entry": 1}\n', "[" * 100000, "\udcff"])
    def test_rubbish_is_unreadable(self, exported, keys, text):
        exported.write_bytes(text.encode(errors="surrogateescape"))

        done = self.check(exported, "--keys", keys)

        assert (done.returncode, done.stderr) == (2, "")

    def test_it_needs_no_portal_and_no_network(self):
        imported = set(re.findall(r"^(?:from|import) (\w+)", SCRIPT.read_text(), re.M))

        assert imported - set(sys.stdlib_module_names) == {"cryptography"}
        assert not imported & {"socket", "urllib", "http", "ssl", socket.__name__}

    def test_it_is_for_its_owner_only_and_an_event_tells_of_it(self, exported):
        assert stat.S_IMODE(exported.stat().st_mode) == 0o600
        event = AuditEvent.objects.filter(verb="records.exported").order_by("-id").first()
        assert event.facts["rows"] == len(exported.read_text().splitlines())

    def test_a_file_that_is_there_is_not_overwritten(self, exported):
        code, told = run("export_audit", "--to", exported)

        assert code == 2 and "is there already" in told

    def test_a_folder_that_is_not_there_is_one_sentence(self, tmp_path):
        code, told = run("export_audit", "--to", tmp_path / "no" / "trail.jsonl")

        assert code == 2 and "cannot be written" in told

    def test_the_portal_and_the_file_agree_on_the_format(self):
        from_portal = verifying.COLUMNS

        assert len(from_portal) == verify_audit.COLUMNS
        places = [from_portal.index(name) for name in ("id", "verb", "facts", "pii_commit")]
        assert places == [verify_audit.ID, verify_audit.VERB, verify_audit.FACTS, verify_audit.PII_COMMIT]


@pytest.mark.django_db
class TestNameKey:
    @pytest.mark.parametrize("text", ["", "x", "test-1:" + "bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="])
    def test_a_key_that_cannot_follow_is_refused(self, text):
        before = AuditEvent.objects.count()

        with override_settings(AUDIT_KEY_NEXT=text):
            code, _ = run("name_audit_key")

        assert code == 2 and AuditEvent.objects.count() == before


class TestOlderBackup:
    def test_th20_an_older_copy_of_the_database_put_back_is_found(self, transactional_db, settings, tmp_path):
        if connection.vendor != "sqlite":
            pytest.skip("copies a database file")
        settings.WITNESSES = [f"file:{tmp_path / 'log'}"]
        sealed(5)
        with sqlite3.connect(tmp_path / "backup.sqlite3") as copy:
            connection.connection.backup(copy)
        copy.close()
        sealed(3)
        witnesses.hand_over(at=NOON)

        codes = [
            subprocess.run(
                [sys.executable, "manage.py", "verify_audit_trail", "--witness", str(tmp_path / "log")],
                cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests", "DATABASE_URL": url},
            ).returncode
            for url in (database_url(), f"sqlite:///{tmp_path / 'backup.sqlite3'}")
        ]  # fmt: skip

        assert codes == [0, 1]

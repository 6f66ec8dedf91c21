"""No file without a row, no row without its file: whatever was killed at whatever seam."""

import io
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts.flows import document_copies, document_files, identification, stored_files
from accounts.models import Account, IdentityDocument, Party
from accounts.tasks import reconcile_files
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from tests.accounts.flows.test_keeping import CLOSED, purge  # noqa: F401 purge runs in a process of its own
from tests.builders import make_open_account, make_party, png_bytes
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "documents"
    return settings.PRIVATE_DIR


def add_file(party: Party, text: str = "specimen") -> IdentityDocument:
    return identification.add_document(
        party, kind="passport", number=text, country="DE", file=io.BytesIO(png_bytes(text)), file_name="p.png",
        by=SCHEDULER, at=NOON,
    )  # fmt: skip


def age(folder) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


def files_in(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.django_db
class TestReconcile:
    def test_what_rows_name_stays_with_its_viewing_copies(self, own_store, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            document = add_file(make_party())
        document_copies.page(document, 1)
        before = files_in(own_store)
        age(own_store)

        assert stored_files.reconcile() == {"removed": 0, "missing": 0}
        assert files_in(own_store) == before and len(before) == 2

    def test_what_no_row_names_goes_and_takes_the_empty_folder_along(self, own_store):
        party = make_party()
        folder = own_store / str(party.pk)
        folder.mkdir(parents=True)
        for name in (f"{'a' * 64}.sealed", f"{'a' * 64}.page-1-of-1.sealed", ".new-x7"):
            (folder / name).write_bytes(b"sealed")
        age(own_store)

        assert stored_files.reconcile() == {"removed": 3, "missing": 0}
        assert not folder.exists()

    def test_a_young_file_is_left_to_its_transaction(self, own_store):
        folder = own_store / str(make_party().pk)
        folder.mkdir(parents=True)
        (folder / f"{'a' * 64}.sealed").write_bytes(b"sealed")

        assert stored_files.reconcile()["removed"] == 0

    def test_what_is_not_ours_is_not_touched(self, own_store):
        (own_store / "lost+found").mkdir(parents=True)
        (own_store / "lost+found" / f"{'a' * 64}.sealed").write_bytes(b"x")
        (own_store / str(make_party().pk)).mkdir()
        (own_store / "README").write_text("x")
        age(own_store)

        assert stored_files.reconcile()["removed"] == 0
        assert files_in(own_store) == ["README", f"{'a' * 64}.sealed"]

    def test_a_missing_file_is_named_by_its_row(self, own_store, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            document = add_file(make_party())
        document_files.path_of(document.party_id, document.file_sha256).unlink()

        with pytest.raises(stored_files.FilesMissing, match=f"1 rows have no file: {document.reference}"):
            reconcile_files.run()


def die_at(seam: str, act: str, store) -> None:
    """Run `act` in a process of its own that is gone, without any clearing up, right after `seam` has returned."""
    script = f"""
import os, django
django.setup()
from django.conf import settings
from pathlib import Path
settings.PRIVATE_DIR = Path({str(store)!r})
from accounts.flows import document_files
from accounts.models import Party
from kyc_portal.records import destroying
from tests.accounts.flows import test_stored_files as here
seams = {{"write_whole": document_files, "append_soon": destroying.destruction_ledger}}
home, name = seams[{seam!r}], {seam!r}
whole = getattr(home, name)
def and_die(*args, **named):
    whole(*args, **named)
    os._exit(9)
setattr(home, name, and_die)
{act}
"""
    address = connection.settings_dict
    at = f"{address['USER']}@{address['HOST']}:{address['PORT']}" if connection.vendor == "postgresql" else ""
    database = f"postgres://{at}/{address['NAME']}" if at else f"sqlite:///{address['NAME']}"
    names = {**os.environ, "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests", "DATABASE_URL": database}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=names, cwd=django_settings.BASE_DIR, capture_output=True, timeout=120)
    assert done.returncode == 9, done.stderr.decode()


class TestKilled:
    def test_between_the_file_and_its_row_the_night_clears_up(self, own_store, transactional_db):
        party = make_party()

        die_at("write_whole", f"here.add_file(Party.objects.get(pk={str(party.pk)!r}))", own_store)

        assert not IdentityDocument.objects.exists()
        assert len(files_in(own_store)) == 1
        age(own_store)
        assert stored_files.reconcile() == {"removed": 1, "missing": 0}

    def test_between_the_purge_and_the_deletion_the_job_does_it(self, own_store, transactional_db):
        account = make_open_account()
        add_file(account.party)
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=CLOSED)

        die_at("append_soon", "here.purge()", own_store)

        assert not IdentityDocument.objects.exists()
        assert len(files_in(own_store)) == 1
        queue.run_due(NOON + timedelta(days=3650), by=SCHEDULER)
        assert files_in(own_store) == []

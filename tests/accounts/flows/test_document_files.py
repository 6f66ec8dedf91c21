"""The sealed store of files."""

import io
import uuid

import pytest

from accounts.flows import document_copies, document_files, identification
from kyc_portal.records.keys import KeyProblem, destroy_key
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job
from tests.builders import make_party, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(analyst):
    return identification.add_document(
        make_party(), kind="passport", file=io.BytesIO(png_bytes()), file_name="a.png", by=analyst, at=NOON
    )


class TestStore:
    @pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63, "a" * 64 + "\n"])
    def test_only_a_digest_names_a_file(self, name):
        with pytest.raises(ValueError, match="SHA-256"):
            document_files.path_of(uuid.uuid4(), name)

    def test_new_folders_are_closed_to_everybody_else(self, settings, tmp_path):
        settings.PRIVATE_DIR = tmp_path / "private" / "documents"
        subject = make_party().pk

        document_files.store(subject, b"data")

        folders = (settings.PRIVATE_DIR, document_files._folder_of(subject))
        assert [folder.stat().st_mode & 0o077 for folder in folders] == [0, 0]

    def test_a_failed_write_leaves_nothing(self, monkeypatch):
        def fail(source, target):
            raise OSError("disk full")

        monkeypatch.setattr(document_files.os, "replace", fail)
        subject = make_party().pk

        with pytest.raises(OSError, match="disk full"):
            document_files.store(subject, b"data")

        assert list(document_files._folder_of(subject).iterdir()) == []

    def test_a_file_that_was_changed_or_moved_is_not_read(self, document):
        path = document_files.path_of(document.party_id, document.file_sha256)
        sealed = bytearray(path.read_bytes())
        sealed[-1] ^= 1
        path.write_bytes(sealed)

        with pytest.raises(KeyProblem):
            document_files.read(document.party_id, document.file_sha256)

    def test_a_file_that_is_gone_is_named_missing(self, document):
        document_files.path_of(document.party_id, document.file_sha256).unlink()

        with pytest.raises(document_files.FileMissing, match="backup"):
            document_files.read(document.party_id, document.file_sha256)

    def test_without_the_key_nobody_reads_it(self, document):
        destroy_key(document.party_id)

        with pytest.raises(KeyProblem):
            document_files.read(document.party_id, document.file_sha256)


class TestDeletion:
    def test_the_job_takes_all_files_of_a_subject_and_may_run_twice(self, document):
        document_copies.page(document, 1)
        folder = document_files.path_of(document.party_id, document.file_sha256).parent
        document_files.ask_deletion(document.party_id, at=NOON)
        key = Job.objects.get(kind="accounts.delete_file").key
        type(document).objects.filter(pk=document.pk)._raw_delete("default")

        for _ in range(2):
            document_files.delete_file(key, by=SCHEDULER, at=NOON)

        assert not folder.exists()

    def test_a_file_that_a_row_names_stays(self, document):
        for key in (f"{document.party_id}", f"{document.party_id}/{document.file_sha256}"):
            document_files.delete_file(key, by=SCHEDULER, at=NOON)

        assert document_files.path_of(document.party_id, document.file_sha256).exists()


class TestCopies:
    def test_they_are_drawn_once_and_kept_sealed(self, document, monkeypatch):
        first = document_copies.page(document, 1)
        monkeypatch.setattr(document_copies, "viewing_copies", None)

        assert document_copies.page(document, 1) == first and first.startswith(b"\x89PNG")
        assert document_copies.page_count(document) == 1
        assert document_copies.page(document, 2) is None and document_copies.page(document, 0) is None
        folder = document_files.path_of(document.party_id, document.file_sha256).parent
        assert all(b"PNG" not in path.read_bytes() for path in folder.iterdir())

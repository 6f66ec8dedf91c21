"""export_case and verify_bundle with wrong places and wrong things (rows B22, G8, G10)."""

import errno
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from cases.flows import bundles
from cases.models import Bundle
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.formats.bundles import make_bag
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def built(db, counsel, second_counsel) -> Bundle:
    return bundles.build(make_bundle(make_case(), by=counsel, approved_by=second_counsel), by=SCHEDULER, at=NOON)


class TestExport:
    def export(self, bundle: Bundle, place) -> tuple[int, str, str]:
        return run("export_case", bundle.case.reference, "--to", place)

    @pytest.mark.parametrize(
        "reference", ["", "x" * 5_000, "\udcff", "a\x00", "ı", "../..", "CSE-2222-2222 extra"], ids=ascii
    )
    def test_an_unknown_case_is_refused(self, reference, tmp_path, unchanged):
        assert_refused_in_one_line(run("export_case", reference, "--to", tmp_path))
        unchanged()

    def test_a_place_that_is_no_folder_or_takes_nothing_is_refused(self, built, tmp_path, unchanged):
        file = tmp_path / "file"
        file.write_text("mine")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")

        for place in (file, "/proc/self", "/proc/self/fd", "/dev/null", tmp_path / "loop", file / "below"):
            assert_refused_in_one_line(self.export(built, place))

        assert file.read_text() == "mine"

    @pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
    def test_what_stands_there_is_left_alone(self, built, tmp_path, kind):
        target = tmp_path / built.reference
        if kind == "file":
            target.write_text("mine")
        elif kind == "folder":
            target.mkdir()
        else:
            target.symlink_to(tmp_path if kind == "link" else tmp_path / "nowhere")

        assert "stands in that folder" in assert_refused_in_one_line(self.export(built, tmp_path))
        assert os.path.lexists(target)
        assert not AuditEvent.objects.filter(verb="cases.bundle_exported").exists()

    @pytest.mark.parametrize("step", ["copy", "rename"])
    def test_g10_a_full_disk_leaves_neither_files_nor_an_event(self, built, tmp_path, monkeypatch, step):
        def half(source, target, **_options):
            target.mkdir()
            (target / "bagit.txt").write_text("half")
            raise shutil.Error([(str(source), str(target), "[Errno 28] No space left on device")])

        def full(*_args):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(*((shutil, "copytree", half) if step == "copy" else (Path, "rename", full)))
        place = tmp_path / "place"
        place.mkdir()

        sentence = assert_refused_in_one_line(self.export(built, place))

        assert "None" not in sentence and list(place.iterdir()) == []
        assert not AuditEvent.objects.filter(verb="cases.bundle_exported").exists()


class TestVerify:
    """Anything may be handed to the verifier: it answers with its code, never with a traceback."""

    def verdict(self, path, *options) -> int:
        code, sentence, _ = run("verify_bundle", path, *options)
        assert "\n" not in sentence
        return code

    def test_what_is_no_bundle_is_unreadable(self, tmp_path):
        empty, file, loop, text = tmp_path / "empty", tmp_path / "file", tmp_path / "loop", tmp_path / "text.zip"
        empty.mkdir()
        file.write_bytes(b"")
        loop.symlink_to(loop)
        text.write_bytes(b"PK\x03\x04 nothing")
        os.mkfifo(tmp_path / "pipe")

        for path in (empty, file, loop, text, "x" * 5_000, "/dev/null", tmp_path / "\udcff", "/proc/self/mem"):
            assert self.verdict(path) == 2, path

    def test_a_link_to_a_bundle_is_read_and_a_link_in_it_is_not(self, tmp_path):
        bag = make_bag(tmp_path)
        (tmp_path / "link").symlink_to(bag)
        assert self.verdict(tmp_path / "link") == 3  # whole; its key is the tests' own

        (bag / "data" / "link").symlink_to("/etc/passwd")

        assert self.verdict(bag) == 1

    @pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "x\\..\\y", "CON", "a\u202eb", "x" * 300])
    def test_b22_a_zip_that_leads_out_is_tampered(self, name, tmp_path):
        path = tmp_path / "b.zip"
        with zipfile.ZipFile(path, "w") as box:
            box.writestr(name, b"x")

        assert self.verdict(path) == 1

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_b22_doubled_entries_links_and_bombs(self, tmp_path):
        path = tmp_path / "b.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
            box.writestr("bagit.txt", b"x")
            box.writestr("bagit.txt", b"y")
        assert self.verdict(path) == 1

        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
            entry = zipfile.ZipInfo("bagit.txt")
            entry.external_attr = 0o120777 << 16
            box.writestr(entry, "/etc/passwd")
        assert self.verdict(path) == 1

        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
            box.writestr("bagit.txt", bytes(30_000_000))
        assert self.verdict(path) == 2

    @pytest.mark.parametrize("key", ["", ":", "x:", "x:!!", "é:AAAA", "x:" + "A" * 10_000, "\udcff:AA=="], ids=ascii)
    def test_an_odd_trusted_key_is_refused(self, key, tmp_path):
        assert_refused_in_one_line(run("verify_bundle", make_bag(tmp_path), "--trusted-key", key))

    @pytest.mark.parametrize("witness", ["", "x" * 5_000, "é", "\udcff", "0" * 64])
    def test_an_odd_witness_is_no_witness(self, witness, tmp_path):
        assert self.verdict(make_bag(tmp_path), "--witness", witness) == 1

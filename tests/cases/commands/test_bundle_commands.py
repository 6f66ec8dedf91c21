import base64
import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cases.flows import bundles
from cases.models import Bundle
from kyc_portal.records import keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def approved(db, counsel, second_counsel):
    return make_bundle(make_case(), by=counsel, approved_by=second_counsel)


def run(name: str, *arguments) -> tuple[int, str]:
    """The exit code and the one line a command leaves."""
    out = io.StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=out)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue().strip()


class TestExportCase:
    def test_it_builds_what_is_approved_and_writes_it(self, approved, tmp_path):
        code, line = run("export_case", approved.case.reference, "--to", tmp_path)

        written = tmp_path / approved.reference
        assert (code, len(line.splitlines())) == (0, 1)
        assert run("verify_bundle", written)[0] == 0
        assert Bundle.objects.get().state == "built"
        assert AuditEvent.objects.get(verb="cases.bundle_exported").actor_kind == "operator"

    def test_it_writes_a_built_bundle_into_another_folder_again(self, approved, tmp_path):
        bundles.build(approved, by=SCHEDULER, at=NOON)
        (tmp_path / "other").mkdir()

        assert run("export_case", approved.case.reference, "--to", tmp_path)[0] == 0
        assert run("export_case", approved.case.reference, "--to", tmp_path / "other")[0] == 0

    def test_it_writes_nothing_over_what_is_there(self, approved, tmp_path):
        run("export_case", approved.case.reference, "--to", tmp_path)

        code, line = run("export_case", approved.case.reference, "--to", tmp_path)

        assert (code, "stands in that folder already" in line) == (2, True)

    def test_it_writes_nothing_that_nobody_approved(self, db, counsel, tmp_path):
        bundle = make_bundle(make_case(), by=counsel)

        code, line = run("export_case", bundle.case.reference, "--to", tmp_path)

        assert (code, "no approved bundle" in line) == (2, True)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("reference", ["CSE-2222-2222", "nonsense", "../../etc"])
    def test_it_does_not_know_the_case(self, db, tmp_path, reference):
        code, line = run("export_case", reference, "--to", tmp_path)

        assert (code, len(line.splitlines()), "No case has this reference" in line) == (2, 1, True)

    def test_it_wants_a_folder_that_is_there(self, approved, tmp_path):
        assert run("export_case", approved.case.reference, "--to", tmp_path / "nowhere")[0] == 2

    def test_it_writes_nothing_when_the_files_were_changed(self, approved, tmp_path, settings):
        bundles.build(approved, by=SCHEDULER, at=NOON)
        page = Path(settings.BUNDLE_DIR) / approved.reference / "data/index.html"
        page.write_text(page.read_text() + " ")

        code, line = run("export_case", approved.case.reference, "--to", tmp_path)

        assert (code, "index.html" in line) == (2, True)
        assert {path.name for path in tmp_path.iterdir()} == {"bundles"}


class TestVerifyBundle:
    @pytest.fixture
    def folder(self, approved, tmp_path, settings) -> Path:
        bundles.build(approved, by=SCHEDULER, at=NOON)
        return Path(shutil.copytree(Path(settings.BUNDLE_DIR) / approved.reference, tmp_path / "copy"))

    def test_it_names_the_file_that_was_changed(self, folder):
        (folder / "data/index.html").write_text("another page")

        assert run("verify_bundle", folder) == (1, "“data/index.html” was changed: its digest is not the one listed.")

    def test_it_names_the_file_that_is_missing(self, folder):
        (folder / "data/custody.json").unlink()

        code, line = run("verify_bundle", folder)

        assert (code, "data/custody.json" in line) == (1, True)

    def test_it_names_the_file_that_was_added(self, folder):
        (folder / "data/extra.txt").write_text("x")

        code, line = run("verify_bundle", folder)

        assert (code, "data/extra.txt" in line) == (1, True)

    def test_it_notices_a_changed_manifest(self, folder):
        manifest = folder / "manifest-sha256.txt"
        manifest.write_text(manifest.read_text().replace("data/index.html", "data/other.html"))

        assert run("verify_bundle", folder)[0] == 1

    @pytest.mark.parametrize("there", [True, False])
    def test_it_cannot_read_what_is_no_bundle(self, tmp_path, there):
        path = tmp_path / "note.txt"
        if there:
            path.write_text("x")

        assert run("verify_bundle", path)[0] == 2

    def test_it_does_not_know_another_key(self, folder):
        other = "other:" + base64.b64encode(bytes(32)).decode()

        assert run("verify_bundle", folder, "--trusted-key", other)[0] == 3

    def test_it_takes_the_key_it_is_given(self, folder, settings):
        trusted = f"{keys.signing_key()[0]}:{base64.b64encode(keys.public_key_bytes()).decode()}"
        settings.SIGNING_KEY = ""

        assert run("verify_bundle", folder)[0] == 3
        assert run("verify_bundle", folder, "--trusted-key", trusted)[0] == 0

    def test_it_asks_for_a_witness(self, folder):
        digest = Bundle.objects.get().digest

        assert run("verify_bundle", folder, "--ask-witness")[0] == 4
        assert run("verify_bundle", folder, "--ask-witness", "--witness", digest)[0] == 0
        assert run("verify_bundle", folder, "--witness", "0" * 64)[0] == 1

    def test_it_refuses_an_odd_key_in_one_line(self, folder):
        assert run("verify_bundle", folder, "--trusted-key", "x")[0] == 2

    def test_it_works_without_a_database(self, tmp_path):
        """Not marked for the database: any query would fail this test."""
        assert run("verify_bundle", tmp_path / "nothing")[0] == 2

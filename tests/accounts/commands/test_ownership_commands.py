"""Owners out and in at the command line: sentences out, exit code 2 for what is refused."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import OwnershipStake, Party
from kyc_portal.records.models import AuditEvent
from tests.accounts.flows.test_ownership_files import SOUND, file, relation, share
from tests.builders import make_company, make_party

pytestmark = pytest.mark.django_db


def run(*arguments, **options) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "owners.json"
    path.write_bytes(file(*SOUND).getvalue())
    return path


class TestImport:
    def test_twice_without_harm(self, path):
        company = make_company(legal_name="Globex").party

        assert "Parties: 1 new" in run("import_ownership", str(path), party=company.reference.lower())[0]
        assert "Nothing changed" in run("import_ownership", str(path), party=company.reference)[0]
        assert company.stakes_in_it.count() == 1 and Party.objects.count() == 2

    def test_a_file_that_speaks_of_nobody_on_file(self, path):
        with pytest.raises(CommandError, match="2 of 3 statements"):
            run("import_ownership", str(path))
        assert not Party.objects.exists()

    def test_what_is_left_out_is_told(self, path):
        company = make_company(legal_name="Globex").party
        nobody = relation(share(), owner={"reason": "unknown"})
        path.write_bytes(file(SOUND[0], nobody).getvalue())

        assert (
            "Statement 2, recordDetails.interestedParty: Nobody"
            in run("import_ownership", str(path), party=company.reference)[1]
        )

    def test_a_refused_statement_ends_with_number_field_and_code_2(self, path):
        path.write_bytes(file(*SOUND[:2], relation(share(101))).getvalue())
        out, err = io.StringIO(), io.StringIO()

        with pytest.raises(CommandError, match="1 of 3 statements") as refusal:
            call_command("import_ownership", str(path), stdout=out, stderr=err)

        assert refusal.value.returncode == 2
        assert "Statement 3, recordDetails.interests[0].share.exact: It must be" in err.getvalue()
        assert not Party.objects.exists()

    @pytest.mark.parametrize("arguments", [("/nowhere.json",), ("/",), ("/nowhere.json", "--party", "PTY-NONE")])
    def test_it_refuses_without_a_traceback_what_is_no_file(self, arguments):
        with pytest.raises(CommandError) as refusal:
            run("import_ownership", *arguments)

        assert refusal.value.returncode == 2

    def test_who_may_not_is_refused(self, path, auditor_user):
        with pytest.raises(CommandError, match="may not do this"):
            run("import_ownership", str(path), by=auditor_user.username)


class TestExport:
    @pytest.fixture
    def company(self):
        company = make_company().party
        OwnershipStake.objects.create(owner=make_party(), owned=company, percent=60)
        return company

    def test_it_writes_a_new_file_for_its_owner_only(self, company, tmp_path):
        to = tmp_path / "out.json"

        run("export_ownership", company.reference, to=to)

        assert len(json.loads(to.read_text())) == 3 and to.stat().st_mode & 0o777 == 0o600
        assert AuditEvent.objects.get(verb="records.exported").actor_kind == "operator"

    def test_as_lines(self, company, tmp_path):
        run("export_ownership", company.reference, "--lines", to=tmp_path / "out.jsonl")

        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3

    def test_a_file_that_is_there_stays(self, company, tmp_path):
        (tmp_path / "out.json").write_text("mine")

        with pytest.raises(CommandError, match="there already"):
            run("export_ownership", company.reference, to=tmp_path / "out.json")
        assert (tmp_path / "out.json").read_text() == "mine"

    def test_of_a_person_nothing_is_left_behind(self, tmp_path):
        with pytest.raises(CommandError, match="no owners"):
            run("export_ownership", make_party().reference, to=tmp_path / "out.json")
        assert not (tmp_path / "out.json").exists()

    def test_a_folder_that_is_not_there(self, company, tmp_path):
        with pytest.raises(CommandError, match="cannot be written"):
            run("export_ownership", company.reference, to=tmp_path / "none" / "out.json")

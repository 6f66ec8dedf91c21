"""The command: a file in, sentences out, exit code 2 for what is refused."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.formats.customers import COLUMNS
from accounts.models import Account
from kyc_portal.records.models import AuditEvent
from tests.accounts.flows.test_customer_files import GOOD, HEAD

pytestmark = pytest.mark.django_db


def run(*arguments, **options) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_customers", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(HEAD + GOOD.format(n=1) + GOOD.format(n=2))
    return path


def test_it_takes_in_a_file_twice_without_harm(file):
    out, _ = run(str(file))
    assert "2 new, 0 known, 0 refused of 2 rows" in out

    out, _ = run(str(file))

    assert "Nothing changed." in out and Account.objects.count() == 2
    assert AuditEvent.objects.filter(verb="accounts.prospect_opened", actor_kind="operator").count() == 2


def test_a_member_of_staff_may_be_named(file, analyst_user):
    run(str(file), by="ana")

    assert AuditEvent.objects.filter(verb="accounts.prospect_opened", actor_label="ana").count() == 2


def test_a_bad_row_ends_with_its_line_and_code_2(file):
    file.write_text(HEAD + GOOD.format(n=1) + GOOD.format(n=2).replace("1985-05-17", "17.5.1985"))
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(CommandError, match="1 of 2 rows") as refusal:
        call_command("import_customers", str(file), stdout=out, stderr=err)

    assert refusal.value.returncode == 2 and "Line 3: Column birth_date holds 17.5.1985" in err.getvalue()
    assert not Account.objects.exists()


@pytest.mark.parametrize("arguments", [(), ("/nowhere.csv",), ("/",)])
def test_it_refuses_without_a_traceback_what_is_no_file(arguments):
    with pytest.raises(CommandError) as refusal:
        run(*arguments)

    assert refusal.value.returncode == 2


def test_dry_run_and_good_rows(file):
    file.write_text(file.read_text() + "robot,x,,,,,,,\n")

    assert "Only looked: 2 new" in run(str(file), "--dry-run")[0]
    assert "2 new, 0 known, 1 refused" in run(str(file), "--keep-good-rows")[0]


def test_columns_are_explained():
    out, _ = run("--columns")

    assert all(name in out for name, _ in COLUMNS) and "required" in out

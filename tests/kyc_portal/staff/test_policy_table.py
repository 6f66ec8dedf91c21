"""The table of who may do what: nothing is missing from it, what is missing is closed, and readers read the truth."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from kyc_portal.staff import policy_check, policy_table
from kyc_portal.staff.roles import ROLES
from kyc_portal.urls import urlpatterns as true_patterns
from tests.bad_input.doors import all_rights

PAGE = Path(__file__).resolve().parents[3] / "docs" / "access.md"
urlpatterns = [*true_patterns, path("new/", lambda request: HttpResponse("open"), name="new")]
with_new_address = override_settings(ROOT_URLCONF=__name__)


def shown(**options) -> str:
    out = io.StringIO()
    call_command("show_policy", stdout=out, **options)
    return out.getvalue()


class TestCompleteness:
    def test_nothing_is_missing_and_nothing_left_over(self):
        assert list(policy_check.faults()) == []
        assert len(policy_check.expected()) > 100

    @with_new_address
    def test_a_new_address_without_a_row_is_named_at_the_start(self):
        assert [error.msg for error in policy_check.check_policy(None)] == ["new has no row."]

    @with_new_address
    def test_a_new_address_without_a_row_is_closed_to_everybody(self, db, client):
        assert client.get("/new/").status_code == 404
        client.force_login(all_rights())
        assert client.get("/new/").status_code == 404

    def test_rows_of_nothing_and_sealed_columns_without_a_row_are_named(self, monkeypatch):
        monkeypatch.setattr(policy_table, "FIELDS", {})
        monkeypatch.setattr(
            policy_table, "every_page", lambda: {"gone": policy_table.Page(), "new:*": policy_table.Page()}
        )

        found = set(policy_check.faults())

        assert {"The row gone speaks of nothing.", "The sealed column cases.casenote.text has no row."} <= found
        assert "The row new:* speaks of nothing." not in found

    def test_a_button_without_a_row_is_no_button(self):
        with pytest.raises(LookupError, match=r"add_wings of accounts\.party has no row"):
            policy_table.act("accounts.party", "add_wings")

    def test_each_right_is_held_by_somebody(self):
        held = {right for rights in ROLES.values() for right in rights}
        cells = [cell for page in policy_table.every_page().values() for cell in (page.get, page.post)]
        named = {right for cell in [*cells, *policy_table.FIELDS.values()] for right in cell.split() if "." in right}

        assert named - held == set()

    @pytest.mark.parametrize(("label", "screen"), policy_table.SCREENS.items())
    def test_each_state_is_one_the_record_can_be_in(self, label, screen):
        model = policy_check.apps.get_model(label)
        columns = [field for field in model._meta.concrete_fields if field.name in ("status", "state")]
        known = {value for field in columns for value, _ in field.choices}

        for name, act in screen.acts.items():
            assert set(act.states.split()) <= known, name


class TestRows:
    def test_a_pattern_stands_for_many_addresses(self, monkeypatch):
        row = policy_table.Page(get=policy_table.KEY_HOLDERS)
        monkeypatch.setattr(policy_table, "every_page", lambda: {"api:*": row})

        assert policy_table.page_named("api:accounts") is row
        assert policy_table.page_named("apix") is None

    def test_head_follows_get_and_only_what_is_named_exists(self):
        assert policy_table.Page(get="a.b").methods == ("GET", "HEAD")
        assert policy_table.Page(post="a.b").methods == ("POST",)
        assert policy_table.Page(get="a.b", post="a.b", has_head=False).methods == ("GET", "POST")

    def test_legal_matters_take_another_right(self, counsel_user, analyst_user, db):
        class Row:
            kind = "legal"

        note = policy_table.act("cases.case", "note")

        assert note.may(counsel_user) and note.may(counsel_user, Row) and not note.may(analyst_user, Row)


class TestReaders:
    def test_the_page_says_what_the_table_says(self):
        assert shown(page=True) == PAGE.read_text(), "Write it anew: manage.py show_policy --page > docs/access.md"

    def test_the_export_names_the_roles_of_each_cell(self):
        told = json.loads(shown())

        assert told["addresses"]["cases:download_bundle"]["GET"]["roles"] == ["legal"]
        assert told["addresses"]["admin:accounts_account_do:close"]["POST"]["roles"] == ["lead reviewer"]
        assert "reseller manager" not in json.dumps(told["buttons"])
        assert told["buttons"]["accounts.account"]["close"]["states"] == ["active"]
        assert told["hidden_rows"][0]["roles"] == ["legal", "auditor"]
        assert "auditor" not in told["sealed_columns"]["accounts.party.national_id"]

"""The auditor reads every record and changes none: generated from the screens, their buttons and the URL table."""

import uuid
from collections.abc import Iterator

import pytest
from django import forms
from django.apps import apps
from django.test import override_settings
from django.utils import timezone

from kyc_portal.staff import breakglass
from kyc_portal.staff.actions import actions_of
from kyc_portal.staff.models import BreakGlass
from tests.bad_input.doors import all_rights, make_one_of_each
from tests.conftest import one_world, person
from tests.kyc_portal.staff.worlds import digest_of_all_rows, filled, registered, routes

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("auditor")]  # one world in one process
WRITES = ("post", "put", "patch", "delete")
ROWS_EACH = 3
SIGNED = "note_review"  # the auditor's own signature under a break-glass access, and the one thing they may write
# One's own log-in, sessions and their events, and a door whose wrong tries are counted as those of the log-in are;
# everybody may.
NOT_RECORDS = ("login", "logout", "you/", "me/confirm/")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    """A row behind every page, made once for all tests here: each undoes what it did."""
    folder = tmp_path_factory.mktemp("auditor")
    places = override_settings(PRIVATE_DIR=folder / "private", BUNDLE_DIR=folder / "bundles")
    with places, one_world(django_db_blocker):
        make_one_of_each(folder, all_rights())
        yield


@pytest.fixture
def auditor(world, client, db):
    """An auditor at work in that world."""
    client.raise_request_exception = False
    client.force_login(person("audrey", "auditor"))
    return client


def base_of(model) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def fitting(form: type[forms.Form]) -> dict:
    """Something in every field of a form that its field would take."""
    found = {}
    for name, field in form.base_fields.items():
        choices = [value for value, _ in getattr(field, "choices", ()) if value]
        numbers = isinstance(field, forms.IntegerField | forms.DecimalField)
        day = "2026-03-02" if isinstance(field, forms.DateField) else "on"
        found[name] = str(choices[0]) if choices else "1" if numbers else day
    return found


def keys_of_everything() -> Iterator[str]:
    for model in apps.get_models():
        yield from (str(row.pk) for row in model._base_manager.all()[:ROWS_EACH])


class TestReading:
    def test_every_list_and_every_record_opens(self, auditor):
        without_a_row = []

        for model, _ in registered():
            assert auditor.get(base_of(model)).status_code == 200, model
            rows = list(model._base_manager.all()[:ROWS_EACH])
            without_a_row += [] if rows else [model._meta.label]
            for row in rows:
                assert auditor.get(f"{base_of(model)}{row.pk}/change/").status_code == 200, row

        assert without_a_row == []

    def test_each_is_offered_no_button_but_the_signature(self, auditor):
        for model, screen in registered():
            for row in model._base_manager.all()[:ROWS_EACH]:
                page = auditor.get(f"{base_of(model)}{row.pk}/change/")
                shown = [page.context["primary_action"], *page.context["more_actions"]]
                assert [button["label"] for button in shown if button] == [], row
            assert "action-select" not in auditor.get(base_of(model)).content.decode()
            assert not screen.has_add_permission(auditor.get(base_of(model)).wsgi_request)


class TestWriting:
    def test_no_button_and_no_form_changes_a_row(self, auditor):
        before, tried = digest_of_all_rows(), 0

        for model, screen in registered():
            fields = fitting(screen.adding) if screen.adding else {}
            assert auditor.post(f"{base_of(model)}add/", fields).status_code == (403 if screen.adding else 404), model
            rows = list(model._base_manager.values_list("pk", flat=True)[:ROWS_EACH])
            assert {auditor.post(f"{base_of(model)}{key}/change/", fields).status_code for key in rows} == {405}
            for action in actions_of(screen):
                fields = fitting(action.form)
                chosen = {"action": action.name, "index": "0", "confirmed": "1", "_selected_action": rows}
                assert auditor.post(base_of(model), fields | chosen).status_code in (403, 405), action
                for key in (*rows, uuid.uuid4()) if action.name != SIGNED else ():
                    answer = auditor.post(f"{base_of(model)}{key}/do/{action.name.replace('_', '-')}/", fields)
                    assert answer.status_code == 403, (model, action.name)
                    tried += 1

        assert tried > 150
        assert digest_of_all_rows() == before

    def test_no_address_changes_a_row(self, auditor):
        before, asked, keys = rows_by_table(), 0, sorted(set(keys_of_everything()))

        for route, label in routes():
            if route.startswith(NOT_RECORDS) or "logout" in route:
                continue
            rows = apps.get_model(label)._base_manager.all()[:ROWS_EACH] if label and label in MODELS else None
            own = [str(row.pk) for row in rows] if rows is not None else keys[:: max(1, len(keys) // 40)]
            for path in {filled(route, key) for key in (*own, str(uuid.uuid4()))}:
                for method in WRITES:
                    answer = getattr(auditor, method)(path, {"reason": "listed", "confirmed": "1"})
                    assert answer.status_code in (200, 302, 400, 401, 403, 404, 405, 415), (path, answer.status_code)
                    asked += 1

        after = rows_by_table()
        assert asked > 400
        assert {label: (before[label], after[label]) for label in before if before[label] != after[label]} == {}

    def test_the_signature_changes_its_row_and_the_trail_only(self, auditor):
        glass = BreakGlass.objects.get()
        breakglass.give_back(glass, by=glass.member.as_actor, at=timezone.now())
        before = rows_by_table()

        answer = auditor.post(f"/admin/staff/breakglass/{glass.pk}/do/note-review/")

        after = rows_by_table()
        changed = {label for label in before if before[label] != after[label]}
        assert answer.status_code == 302 and changed - TRAIL == {"staff.BreakGlass"}


MODELS = {model._meta.label_lower for model in apps.get_models()}
TRAIL = {
    "records.AuditEvent", "records.AuditPending", "records.AuditLeaf", "records.AuditCheckpoint", "records.RowChange",
    "sessions.Session",
}  # fmt: skip


def rows_by_table() -> dict[str, list]:
    return {model._meta.label: sorted(map(repr, model._base_manager.values_list())) for model in apps.get_models()}

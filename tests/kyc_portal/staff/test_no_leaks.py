"""What can be got out of pages by parameters, filters and forms (trust.md 2.1, 2.2); every address: tests/matrix."""

import pytest
from django.contrib import admin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.core.exceptions import FieldDoesNotExist
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import Party
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent, LegalHold
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.sealed import SealedTextField
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.record_admin import RecordAdmin
from resellers.models import DownstreamCustomer, Reseller
from tests.conftest import NOON, person
from tests.kyc_portal.staff.worlds import (
    digest_of_all_rows,
    make_world,
    registered,
)
from tests.matrix.worlds import without

pytestmark = pytest.mark.django_db
SCREENS = [pytest.param(model, screen, id=model._meta.label) for model, screen in registered()]
NO_SUCH_COLUMN_LOOKUPS = ("startswith", "exact", "contains", "regex", "gt")


@pytest.fixture
def world(db):
    return make_world()


@pytest.fixture
def manager(world):
    client = Client()
    client.force_login(StaffMember.objects.get(username="manager.a"))
    return client


def list_of(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


class TestTwoResellers:
    """TH2, TH4: for A's manager, what belongs to B is the same as what never was."""

    def test_th2_b_cannot_be_found_by_any_parameter(self, manager, world):
        own = manager.get("/resellers/accounts/").content
        account = world.foreign.customers.get().account

        for name in (
            "q",
            "page",
            "reseller",
            "reseller__exact",
            "account",
            "o",
            "customer",
            "related",
            "all",
            "status",
        ):
            for value in (account.reference, str(account.pk), str(world.foreign.pk), "Canary", "1"):
                assert without(manager.get("/resellers/accounts/", {name: value}).content.decode(), "") == without(
                    own.decode(), ""
                )

    def test_th4_the_own_page_is_the_same_whether_b_has_the_customer_or_not(self, manager, world):
        with_b = manager.get("/resellers/accounts/").content.decode()

        holds.release_hold(LegalHold.objects.get(), reason="over", by=SCHEDULER, at=NOON)
        DownstreamCustomer.objects.filter(reseller=world.foreign)._raw_delete("default")

        assert without(manager.get("/resellers/accounts/").content.decode(), "") == without(with_b, "")

    def test_the_manager_sees_their_own_customer(self, manager, world):
        """The tests above prove nothing if the page were empty."""
        assert b"Aaron Own" in manager.get("/resellers/accounts/").content


class TestWhatTheStockAdminTells:
    """trust.md 2.2: each leak of the stock admin is closed for every screen there is."""

    @pytest.mark.parametrize(("model", "screen"), SCREENS)
    def test_the_screen_is_one_of_ours_without_the_leaking_options(self, model, screen):
        assert isinstance(screen, RecordAdmin)
        assert not screen.raw_id_fields and not screen.autocomplete_fields and not screen.inlines
        assert screen.view_on_site is False and not screen.list_editable
        assert not screen.get_urls.__func__.__qualname__.startswith("ModelAdmin")

    @pytest.mark.parametrize(("model", "screen"), SCREENS)
    def test_no_filter_lists_the_rows_of_a_relation(self, model, screen):
        for each in screen.list_filter:
            name, kind = (each, None) if isinstance(each, str) else each if isinstance(each, tuple) else (None, each)
            assert kind is None or not issubclass(kind, RelatedFieldListFilter)
            assert name is None or ("__" not in name and not model._meta.get_field(name).is_relation)

    @pytest.mark.parametrize(("model", "screen"), SCREENS)
    def test_there_is_no_page_to_delete_and_no_stock_history(self, model, screen):
        for page in ("delete", "history"):
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[1])

    @pytest.mark.parametrize("name", ["view_on_site", "autocomplete"])
    def test_there_is_no_address_that_answers_for_any_record(self, name):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}", args=[1, 1] if name == "view_on_site" else [])

    def test_groups_cannot_be_edited_by_hand(self):
        assert {model._meta.label for model in admin.site._registry} & {"auth.Group", "auth.Permission"} == set()

    @pytest.mark.parametrize(("model", "screen"), SCREENS)
    def test_sealed_and_related_columns_cannot_be_probed(self, as_role, model, screen):
        auditor = as_role("auditor")
        path = list_of(model)
        probes = []
        for field in model._meta.concrete_fields:
            probes.append(f"{field.name}__regex")
            if isinstance(field, SealedTextField):
                probes += [f"{field.name}__{lookup}" for lookup in NO_SUCH_COLUMN_LOOKUPS] + [field.name]
            if field.is_relation:
                columns = field.related_model._meta.concrete_fields
                texts = [each.name for each in columns if not (each.is_relation or each.primary_key)]
                probes += [f"{field.name}__{text}__startswith" for text in texts]

        for probe in probes:
            answer = auditor.get(path, {probe: "1"})
            refused = answer.status_code == 400 or answer.headers.get("Location", "").endswith("?e=1")
            assert refused, (probe, answer.status_code)

    def test_the_national_id_of_a_party_cannot_be_probed(self, as_role, world):
        auditor = as_role("auditor")

        for path in ("/admin/accounts/account/", "/admin/resellers/downstreamcustomer/"):
            for probe in ("party__national_id__startswith", "account__party__national_id__startswith"):
                assert auditor.get(path, {probe: "1"}).status_code in (400, 302)

    @pytest.mark.parametrize("parameter", ["related", "customer", "party", "_popup", "_to_field", "account"])
    def test_a_key_in_the_address_of_an_add_form_tells_nothing(self, as_role, world, parameter):
        desk = as_role("reseller desk")

        for record in (*Party.objects.all(), *Reseller.objects.all()):
            page = desk.get("/admin/resellers/reseller/add/", {parameter: str(record.pk)}).content.decode()
            assert not [canary for canary in world.canaries if canary in page]


class TestRefusals:
    def test_f3_a_post_without_its_token_is_refused_and_does_nothing(self, world):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person("carla", "legal"))
        hold = LegalHold.objects.first()
        path = f"/admin/records/legalhold/{hold.pk}/do/release/"

        plain = strict.post(path, {"reason": "x"})
        foreign = strict.post(path, {"reason": "x", "csrfmiddlewaretoken": "a" * 64})
        crossing = strict.post(path, {"reason": "x"}, headers={"origin": "https://evil.example"})
        null = strict.post(path, {"reason": "x"}, headers={"origin": "null"})

        hold.refresh_from_db()
        assert {plain.status_code, foreign.status_code, crossing.status_code, null.status_code} == {403}
        assert hold.is_in_force

    def test_a_look_at_a_list_writes_nothing(self, as_role, world):
        staff = as_role("legal")
        before = digest_of_all_rows()

        for model, _ in registered():
            staff.get(list_of(model))
        staff.head("/admin/")

        assert digest_of_all_rows() == before

    def test_a_refused_log_in_leaves_an_event_without_the_name_typed(self, client):
        client.post("/login/", {"username": "Typedname", "password": "Typedsecret"})

        event = AuditEvent.objects.get(verb="staff.login_refused")
        assert b"Typed" not in bytes(event.canonical)


def test_every_sealed_column_is_seen_by_the_probes():
    """The probes above go through models' fields: at least the party's three sealed columns must be among them."""
    names = {field.name for field in Party._meta.concrete_fields if isinstance(field, SealedTextField)}

    assert names >= {"national_id", "birth_date", "registration_number"}
    with pytest.raises(FieldDoesNotExist):
        Party._meta.get_field("email")

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from kyc_portal.staff.models import StaffMember
from resellers.flows import onboarding
from resellers.views.accounts import PER_PAGE, STATUS_WORDS
from tests.builders import make_downstream, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
PAGE = "/resellers/accounts/"


@pytest.fixture
def desk(reseller_desk_user):
    return reseller_desk_user.as_actor


@pytest.fixture
def reseller(desk, reseller_manager_user):
    reseller = make_reseller()
    onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)
    return reseller


@pytest.fixture
def manager(client, reseller_manager_user):
    client.force_login(reseller_manager_user)
    return client


class TestMyCustomers:
    def test_it_shows_reference_name_country_state_and_since_when(self, manager, reseller):
        link = make_downstream(reseller, legal_name="Friedrich Winterling")

        page = manager.get(PAGE).content.decode()

        for shown in (link.account.reference, "Friedrich Winterling", "Germany", ">open<", "2026-03-02"):
            assert shown in page

    def test_it_tells_nothing_of_risk_citizenship_or_addresses(self, manager, reseller):
        link = make_downstream(reseller, legal_name="Friedrich Winterling", citizenship="IR")
        Account.objects.filter(pk=link.account_id).update(risk_tier="high", risk_score=99, external_key="EXT-4711")

        page = manager.get(PAGE).content.decode()

        for hidden in ("Iran", "Long Street", "customer.example", "high", "EXT-4711", str(link.account.pk)):
            assert hidden not in page
        assert not re.search(r"\b99\b", page)  # a reference may have two nines in it

    @pytest.mark.parametrize("status", ["blocked", "refused", "prospect", "verifying"])
    def test_it_says_the_state_in_words_an_outsider_may_read(self, manager, reseller, status):
        link = make_downstream(reseller)
        Account.objects.filter(pk=link.account_id).update(status=status, closed_at=NOON)

        page = manager.get(PAGE)

        assert STATUS_WORDS[status][0].replace("'", "&#x27;") in page.content.decode()
        assert b"blocked" not in page.content

    def test_every_state_of_an_account_has_words(self):
        assert set(STATUS_WORDS) == {status for status, _ in Account._meta.get_field("status").choices}

    def test_it_shows_the_customers_of_all_resellers_of_the_manager_and_no_others(
        self, manager, reseller, reseller_manager_user, desk
    ):
        second, foreign = make_reseller(), make_reseller()
        onboarding.bind_manager(second, user=reseller_manager_user, by=desk, at=NOON)
        own = [make_downstream(reseller), make_downstream(second)]
        other = make_downstream(foreign)

        page = manager.get(PAGE).content.decode()

        assert all(link.account.reference in page for link in own)
        assert other.account.reference not in page and foreign.reference not in page

    def test_it_shows_nothing_from_the_moment_the_binding_ends(self, manager, reseller, desk):
        link = make_downstream(reseller)
        onboarding.end_binding(reseller.managers.get(), by=desk, at=NOON)

        page = manager.get(PAGE).content.decode()

        assert link.account.reference not in page
        assert "no longer bound to a reseller" in page

    def test_it_says_what_to_do_when_there_are_no_customers(self, manager, reseller):
        assert b"You brought no customers yet. Tell the provider" in manager.get(PAGE).content

    def test_it_pages_without_counting_and_costs_the_same_for_many(self, manager, reseller):
        for _ in range(3):
            make_downstream(reseller)
        with CaptureQueriesContext(connection) as few:
            manager.get(PAGE)
        for _ in range(PER_PAGE):
            make_downstream(reseller)

        with CaptureQueriesContext(connection) as many:
            first = manager.get(PAGE)
        second = manager.get(PAGE, {"page": "2"})

        assert len(many) == len(few)
        assert not any("COUNT(" in query["sql"].upper() for query in many)
        assert first.content.count(b"ACC-") == PER_PAGE and second.content.count(b"ACC-") == 3
        assert b'rel="next"' in first.content and b'rel="next"' not in second.content

    @pytest.mark.parametrize("number", ["0", "-1", "1e9", "abc", "٣", "", "9" * 40, str(10**12)])
    def test_it_reads_an_odd_page_number_as_the_first(self, manager, reseller, number):
        link = make_downstream(reseller)

        answer = manager.get(PAGE, {"page": number})

        assert answer.status_code == 200
        assert link.account.reference in answer.content.decode()

    def test_it_leads_back_from_a_page_beyond_the_last(self, manager, reseller):
        make_downstream(reseller)

        assert b"Go to the first page" in manager.get(PAGE, {"page": "900"}).content

    def test_a_name_cannot_become_markup_or_turn_the_line_around(self, manager, reseller):
        link = make_downstream(reseller)
        link.account.party.legal_name = "<script>alert(1)</script>\u202egnp"
        link.account.party.save()

        page = manager.get(PAGE).content.decode()

        assert "<script>alert" not in page and "&lt;script&gt;" in page
        assert "\u202e" not in page

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
    def test_it_is_read_only(self, manager, reseller, method):
        assert getattr(manager, method)(PAGE).status_code == 405

    def test_a_stranger_is_asked_to_log_in(self, client, db):
        assert client.get(PAGE).headers["Location"] == "/login/?next=/resellers/accounts/"

    @pytest.mark.parametrize("role", ["reviewer", "reseller desk", "auditor", "administrator"])
    def test_staff_are_sent_to_their_own_pages(self, client, role):
        client.force_login(person("somebody", role))

        assert client.get(PAGE).headers["Location"] == "/admin/"


class TestLoggingIn:
    def test_a_manager_comes_to_their_customers(self, client, reseller):
        form = {"username": "remy", "password": "correct horse battery"}

        answer = client.post("/login/", form, follow=True)

        assert answer.redirect_chain[-1] == ("/resellers/", 302)

    @pytest.mark.parametrize(
        "path", ["/admin/", "/admin/resellers/reseller/", "/admin/password_change/", "/admin/jsi18n/"]
    )
    def test_a_manager_never_gets_into_the_admin(self, manager, reseller, path):
        assert manager.get(path).status_code == 403


class TestOwnPassword:
    FORM = {
        "old_password": "correct horse battery",
        "new_password1": "stable donkey wire",
        "new_password2": "stable donkey wire",
    }

    def test_a_manager_changes_it(self, manager, reseller_manager_user):
        answer = manager.post("/resellers/password/", self.FORM)

        reseller_manager_user.refresh_from_db()
        assert answer.headers["Location"] == "/resellers/"
        assert reseller_manager_user.check_password("stable donkey wire")

    def test_the_form_gives_no_role_and_no_way_into_the_admin(self, manager, reseller_manager_user):
        extra = {"is_staff": "on", "is_superuser": "on", "groups": "1", "username": "boss", "reseller": "1"}

        manager.post("/resellers/password/", self.FORM | extra)

        user = StaffMember.objects.get(pk=reseller_manager_user.pk)
        assert (user.username, user.is_staff, user.is_superuser) == ("remy", False, False)
        assert [group.name for group in user.groups.all()] == ["reseller manager"]

    def test_a_wrong_or_short_password_is_said_on_the_form(self, manager):
        answer = manager.post("/resellers/password/", self.FORM | {"new_password1": "short", "new_password2": "short"})

        assert answer.status_code == 200 and b"There is a problem" in answer.content

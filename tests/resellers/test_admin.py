import pytest

from accounts.models import Account
from resellers.flows import onboarding
from resellers.models import DownstreamCustomer, Reseller
from tests.builders import make_account, make_downstream, make_open_account, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
LIST = "/admin/resellers/reseller/"


@pytest.fixture
def rita(client, reseller_desk_user):
    client.force_login(reseller_desk_user)
    return client


def do(reseller, name):
    return f"{LIST}{reseller.pk}/do/{name}/"


class TestResellerScreens:
    def test_the_page_shows_account_customers_with_states_and_managers(self, rita, reseller_manager_user):
        reseller = make_reseller(legal_name="Nordlicht Hosting")
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=reseller_manager_user.as_actor, at=NOON)
        link = make_downstream(reseller, legal_name="Friedrich Winterling")

        page = rita.get(f"{LIST}{reseller.pk}/change/").content.decode()

        for shown in ("Nordlicht Hosting", reseller.account.reference, link.account.reference, "Winterling", "remy"):
            assert shown in page

    def test_the_list_costs_the_same_for_many(self, rita, django_assert_max_num_queries):
        for _ in range(4):
            make_downstream(make_reseller())

        for path in (LIST, "/admin/resellers/downstreamcustomer/"):
            with django_assert_max_num_queries(9):
                assert rita.get(path).status_code == 200

    def test_a_reseller_is_added_by_the_reference_of_an_account(self, rita):
        account = make_open_account(is_reseller=True)

        answer = rita.post(f"{LIST}add/", {"account": f" {account.reference.lower()} "})

        reseller = Reseller.objects.get()
        assert answer.headers["Location"] == f"{LIST}{reseller.pk}/change/"

    @pytest.mark.parametrize("typed", ["ACC-XXXX-XXXX", "nonsense", "'; --", "PTY-2222-2222"])
    def test_an_unknown_reference_is_said_in_one_sentence(self, rita, typed):
        page = rita.post(f"{LIST}add/", {"account": typed})

        assert page.status_code == 200 and b"No account has the reference" in page.content
        assert not Reseller.objects.exists()

    def test_the_flows_refusal_stands_on_the_form(self, rita):
        page = rita.post(f"{LIST}add/", {"account": make_account(is_reseller=True).reference})

        assert b"A reseller needs an account that is open" in page.content

    def test_a_customer_is_added_from_the_resellers_page(self, rita):
        reseller, account = make_reseller(), make_account()

        rita.post(do(reseller, "add-customer"), {"account": account.reference})

        assert DownstreamCustomer.objects.get().account == account

    def test_a_manager_is_bound_and_let_go(self, rita, reseller_manager_user):
        reseller = make_reseller()

        rita.post(do(reseller, "bind"), {"user": "remy"})
        binding = reseller.managers.get()
        rita.post(do(reseller, "end-binding"), {"binding": binding.pk})

        binding.refresh_from_db()
        assert binding.ended_at is not None

    def test_a_binding_of_another_reseller_cannot_be_named(self, rita, reseller_manager_user, reseller_desk_user):
        own, other = make_reseller(), make_reseller()
        desk = reseller_desk_user.as_actor
        binding = onboarding.bind_manager(other, user=reseller_manager_user, by=desk, at=NOON)

        page = rita.post(do(own, "end-binding"), {"binding": binding.pk})

        binding.refresh_from_db()
        assert page.status_code == 200 and binding.ended_at is None

    @pytest.mark.parametrize("user", ["lea", "nobody"])
    def test_staff_and_strangers_cannot_be_bound(self, rita, lead_user, user):
        reseller = make_reseller()

        page = rita.post(do(reseller, "bind"), {"user": user})

        assert b"There is a problem" in page.content and not reseller.managers.exists()

    @pytest.mark.parametrize("role", ["reviewer", "lead reviewer", "compliance", "auditor"])
    def test_other_roles_read_and_do_nothing(self, client, role):
        reseller = make_reseller()
        client.force_login(person("other", role))

        assert client.get(f"{LIST}{reseller.pk}/change/").status_code == 200
        assert {client.get(do(reseller, name)).status_code for name in ("bind", "end-binding", "add-customer")} == {403}
        assert client.get(f"{LIST}add/").status_code == 403


class TestChangeOfReseller:
    def path(self, link) -> str:
        return f"/admin/resellers/downstreamcustomer/{link.pk}/do/change-reseller/"

    def test_r46_the_desk_writes_the_new_one_down(self, rita):
        link, other = make_downstream(make_reseller()), make_reseller()

        rita.post(self.path(link), {"reseller": f" {other.reference.lower()} "})

        link.refresh_from_db()
        assert link.reseller == other
        assert Account.objects.get(pk=link.account_id).review_trigger == "reseller_changed"

    @pytest.mark.parametrize("reference", ["RSL-0000-0000", "", "<script>", "own"])
    def test_what_names_no_other_reseller_is_said_at_the_form(self, rita, reference):
        link = make_downstream(make_reseller())
        given = link.reseller.reference if reference == "own" else reference

        page = rita.post(self.path(link), {"reseller": given})

        assert b"There is a problem" in page.content and b"<script>" not in page.content.split(b"<main")[1]
        assert Account.objects.get(pk=link.account_id).review_asked_on is None

    def test_a_reviewer_does_not(self, client, analyst_user):
        link = make_downstream(make_reseller())
        client.force_login(analyst_user)

        assert client.get(self.path(link)).status_code == 403

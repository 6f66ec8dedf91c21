from datetime import timedelta

import pytest

from accounts.flows import reverification
from accounts.models import Account
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.roles import give_roles
from resellers.flows import onboarding
from resellers.models import DownstreamCustomer, Reseller, ResellerManager
from tests.builders import make_account, make_downstream, make_open_account, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(reseller_desk_user):
    return reseller_desk_user.as_actor


class TestAddReseller:
    def test_it_adds_one_and_says_who(self, desk):
        account = make_open_account(is_reseller=True)

        reseller = onboarding.add_reseller(account, by=desk, at=NOON)

        event = AuditEvent.objects.get(verb="resellers.added")
        assert reseller.account == account
        assert (event.actor_label, event.about_key, event.within_key) == ("rita", str(reseller.pk), str(account.pk))

    def test_it_refuses_an_account_taken_in_as_a_customers(self, desk):
        with pytest.raises(onboarding.NoReseller, match="taken in as a customer"):
            onboarding.add_reseller(make_open_account(), by=desk, at=NOON)

    def test_it_refuses_an_account_that_is_not_open(self, desk):
        with pytest.raises(onboarding.NoReseller, match="needs an account that is open"):
            onboarding.add_reseller(make_account(is_reseller=True), by=desk, at=NOON)

    def test_it_refuses_the_same_account_twice(self, desk):
        reseller = make_reseller()

        with pytest.raises(onboarding.NoReseller, match="already"):
            onboarding.add_reseller(reseller.account, by=desk, at=NOON)

        assert Reseller.objects.count() == 1

    def test_it_refuses_somebody_another_reseller_brought(self, desk):
        link = make_downstream(make_reseller())
        Account.objects.filter(pk=link.account_id).update(is_reseller=True)

        with pytest.raises(onboarding.NoReseller, match="brought by a reseller"):
            onboarding.add_reseller(link.account, by=desk, at=NOON)


class TestBindManager:
    def test_it_binds_a_manager_of_that_role_only(self, desk, reseller_manager_user):
        reseller = make_reseller()

        binding = onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)

        event = AuditEvent.objects.get(verb="resellers.manager_bound")
        assert (binding.reseller, binding.user, binding.ended_at) == (reseller, reseller_manager_user, None)
        assert event.facts == {"manager": "remy", "reseller": reseller.reference}

    @pytest.mark.parametrize("role", ["reviewer", "reseller desk", "legal", "auditor", "administrator"])
    def test_it_refuses_staff(self, desk, role):
        with pytest.raises(onboarding.NoManager, match="not a reseller manager only"):
            onboarding.bind_manager(make_reseller(), user=person("somebody", role), by=desk, at=NOON)

    def test_it_refuses_somebody_without_any_role(self, desk, reseller_manager_user):
        reseller_manager_user.groups.clear()

        with pytest.raises(onboarding.NoManager):
            onboarding.bind_manager(make_reseller(), user=reseller_manager_user, by=desk, at=NOON)

    def test_it_refuses_somebody_inactive(self, desk, reseller_manager_user):
        reseller_manager_user.is_active = False
        reseller_manager_user.save()

        with pytest.raises(onboarding.NoManager, match="inactive"):
            onboarding.bind_manager(make_reseller(), user=reseller_manager_user, by=desk, at=NOON)

    def test_it_refuses_the_same_binding_twice_and_binds_again_after_its_end(self, desk, reseller_manager_user):
        reseller = make_reseller()
        binding = onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)

        with pytest.raises(onboarding.NoManager, match="already"):
            onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)
        onboarding.end_binding(binding, by=desk, at=NOON + timedelta(days=1))
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON + timedelta(days=2))

        assert ResellerManager.objects.filter(ended_at__isnull=True).count() == 1


class TestEndBinding:
    def test_it_ends_once(self, desk, reseller_manager_user):
        binding = onboarding.bind_manager(make_reseller(), user=reseller_manager_user, by=desk, at=NOON)

        ended = onboarding.end_binding(binding, by=desk, at=NOON + timedelta(days=1))

        assert ended.ended_at == NOON + timedelta(days=1)
        with pytest.raises(onboarding.BindingOver):
            onboarding.end_binding(binding, by=desk, at=NOON + timedelta(days=2))
        assert AuditEvent.objects.filter(verb="resellers.binding_ended").count() == 1

    def test_a_manager_who_gets_another_role_sees_no_customer(self, desk, reseller_manager_user, administrator_user):
        reseller = make_reseller()
        make_downstream(reseller)
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)

        give_roles(reseller_manager_user, ["reviewer"], by=administrator_user.as_actor, at=NOON)

        reseller_manager_user.refresh_from_db()
        assert reseller_manager_user.is_staff  # and the page of managers sends staff away


class TestAddDownstream:
    def test_it_links_and_tells_on_the_customers_page(self, desk):
        reseller, account = make_reseller(), make_account()

        link = onboarding.add_downstream(reseller, account=account, by=desk, at=NOON)

        event = AuditEvent.objects.get(verb="resellers.customer_added")
        assert (link.reseller, link.account) == (reseller, account)
        assert (event.about_key, event.within_key) == (str(reseller.pk), str(account.pk))

    def test_it_refuses_a_customer_somebody_else_brought_and_names_that_reseller_to_staff(self, desk):
        first, second = make_reseller(), make_reseller()
        link = make_downstream(first)

        with pytest.raises(onboarding.AlreadyBrought, match=first.reference):
            onboarding.add_downstream(second, account=link.account, by=desk, at=NOON)

        assert DownstreamCustomer.objects.get().reseller == first

    def test_it_refuses_a_resellers_own_account(self, desk):
        reseller = make_reseller()

        with pytest.raises(onboarding.AlreadyBrought, match="own account"):
            onboarding.add_downstream(reseller, account=reseller.account, by=desk, at=NOON)

    def test_it_refuses_a_reseller_whose_account_is_not_open(self, desk):
        reseller = make_reseller()
        Account.objects.filter(pk=reseller.account_id).update(status="closed", closed_at=NOON)

        with pytest.raises(onboarding.NoReseller, match="own account is not open"):
            onboarding.add_downstream(reseller, account=make_account(), by=desk, at=NOON)


class TestChangeReseller:
    def test_r46_the_new_one_is_written_down_and_proof_is_asked_for_again(self, desk):
        link, other = make_downstream(make_reseller()), make_reseller()
        old = link.reseller

        changed = onboarding.change_reseller(link, reseller=other, by=desk, at=NOON)

        account = Account.objects.get(pk=link.account_id)
        assert changed.reseller == other and list(other.customers.all()) == [link]
        assert (account.review_trigger, account.review_asked_on) == ("reseller_changed", NOON.date())
        event = AuditEvent.objects.get(verb="resellers.reseller_changed")
        assert event.about_key == str(account.pk) and event.facts["old"] == old.reference

    def test_a_question_that_is_out_already_stays_the_only_one(self, desk):
        link, other = make_downstream(make_reseller()), make_reseller()
        reverification.ask(link.account, trigger="by hand", by=desk, at=NOON)

        onboarding.change_reseller(link, reseller=other, by=desk, at=NOON)

        assert Account.objects.get(pk=link.account_id).review_trigger == "by hand"
        assert AuditEvent.objects.filter(verb="accounts.review_asked").count() == 1

    def test_it_refuses_the_same_reseller(self, desk):
        link = make_downstream(make_reseller())

        with pytest.raises(onboarding.AlreadyBrought, match="already"):
            onboarding.change_reseller(link, reseller=link.reseller, by=desk, at=NOON)
        assert not AuditEvent.objects.filter(verb="accounts.review_asked").exists()

    def test_it_refuses_a_reseller_whose_account_is_not_open(self, desk):
        link, other = make_downstream(make_reseller()), make_reseller()
        Account.objects.filter(pk=other.account_id).update(status="closed", closed_at=NOON)

        with pytest.raises(onboarding.NoReseller, match="may not sell"):
            onboarding.change_reseller(link, reseller=other, by=desk, at=NOON)

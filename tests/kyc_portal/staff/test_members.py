import re

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.test import Client

from kyc_portal.staff.models import StaffMember

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/staff/staffmember/"


class TestMembers:
    FORM = {"username": "nora", "email": "nora@provider.example", "roles": ["reviewer"]}

    def test_an_administrator_adds_somebody_who_chooses_a_password_by_a_link_shown_once(self, as_role, client):
        staff = as_role("administrator")

        page = staff.post(f"{PEOPLE}add/", self.FORM, follow=True).content.decode()
        again = staff.get(f"{PEOPLE}{StaffMember.objects.get(username='nora').pk}/change/").content.decode()

        nora = StaffMember.objects.get(username="nora")
        link = re.search(r"http://localhost:8000(/login/link/[^ <]+)", page).group(1)
        assert not nora.has_usable_password() and nora.has_perm("cases.review")
        assert "Choose a password" in client.get(link, follow=True).content.decode()
        assert "/login/link/" not in again

    def test_a_new_link_is_given_and_shown_once(self, as_role, analyst_user):
        staff, url = as_role("administrator"), f"{PEOPLE}{analyst_user.pk}/do/give-link/"

        page = staff.post(url, follow=True).content.decode()

        analyst_user.refresh_from_db()
        assert page.count("http://localhost:8000/login/link/") == 1 and not analyst_user.has_usable_password()

    def test_lost_factors_and_a_lock_have_buttons_only_where_there_are_any(self, as_role, analyst_user):
        staff, page = as_role("administrator"), f"{PEOPLE}{analyst_user.pk}/"
        before = staff.get(f"{page}change/").content.decode()
        Authenticator.objects.create(user=analyst_user, type="totp", data={})
        Client().post("/login/", {"username": "ana", "password": "wrong"})

        after = staff.get(f"{page}change/").content.decode()
        for act in ("remove-factors", "lift-lock"):
            assert f"do/{act}/" not in before and f"do/{act}/" in after
            assert staff.post(f"{page}do/{act}/").status_code == 302
        assert not Authenticator.objects.exists() and not AccessAttempt.objects.exists()

    def test_separated_roles_are_refused_in_one_sentence(self, as_role):
        page = as_role("administrator").post(f"{PEOPLE}add/", self.FORM | {"roles": ["auditor", "reviewer"]})

        assert "One person cannot be “auditor” and “reviewer”" in page.content.decode()
        assert not StaffMember.objects.filter(username="nora").exists()

    def test_the_form_offers_no_role_that_does_not_exist_and_no_superuser(self, as_role):
        form = self.FORM | {"roles": ["god"], "is_superuser": "on", "is_staff": "on"}

        page = as_role("administrator").post(f"{PEOPLE}add/", form)

        assert page.status_code == 200 and not StaffMember.objects.filter(username="nora").exists()

    def test_roles_are_changed_with_the_old_ones_filled_in(self, as_role, analyst_user):
        staff, url = as_role("administrator"), f"{PEOPLE}{analyst_user.pk}/do/change-roles/"

        before = staff.get(url).content.decode()
        staff.post(url, {"roles": ["legal"]})

        assert 'value="reviewer"' in before and before.count(" checked") == 1
        assert [group.name for group in analyst_user.groups.all()] == ["legal"]

    def test_nobody_changes_their_own_roles_or_leaves_by_themselves(self, as_role):
        staff = as_role("administrator")
        me = StaffMember.objects.get(username="some.administrator")

        roles = staff.post(f"{PEOPLE}{me.pk}/do/change-roles/", {"roles": ["administrator"]})
        leaving = staff.post(f"{PEOPLE}{me.pk}/do/make-inactive/")

        assert b"your own roles" in roles.content and b"yourself inactive" in leaving.content

    def test_the_list_filters_by_role_and_state(self, as_role, analyst_user, lead_user):
        staff = as_role("administrator")
        analyst_user.is_active = False
        analyst_user.save()

        leads = staff.get(PEOPLE, {"role": "lead reviewer"}).content.decode()
        gone = staff.get(PEOPLE, {"state": "inactive"}).content.decode()

        assert ">lea<" in leads and ">ana<" not in leads
        assert ">ana<" in gone and ">lea<" not in gone

    def test_somebody_is_made_inactive(self, as_role, analyst_user):
        as_role("administrator").post(f"{PEOPLE}{analyst_user.pk}/do/make-inactive/")

        analyst_user.refresh_from_db()
        assert not analyst_user.is_active

    @pytest.mark.parametrize(
        "probe", ["password__startswith", "password__contains", "groups__permissions__codename", "is_superuser"]
    )
    def test_nobody_is_looked_up_by_a_part_of_their_password(self, as_role, probe):
        assert as_role("administrator").get(PEOPLE, {probe: "md5"}).status_code == 400

    @pytest.mark.parametrize(
        "role", ["reviewer", "lead reviewer", "legal", "compliance", "reseller desk", "senior manager"]
    )
    def test_other_roles_do_not_see_the_list(self, as_role, role):
        assert as_role(role).get(PEOPLE).status_code == 403

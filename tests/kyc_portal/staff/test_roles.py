"""Roles: one table, separated duties, and every change told."""

import pytest

from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.roles import DutiesNotSeparated, NoSuchRole, give_roles, permissions_of, sync_roles
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(administrator_user):
    return administrator_user.as_actor


class TestRoles:
    def test_syncing_again_changes_nothing(self, administrator):
        before = AuditEvent.objects.count()

        assert sync_roles(by=administrator) == 0
        assert AuditEvent.objects.count() == before

    def test_a_group_somebody_changed_is_put_right_and_told(self, administrator, analyst_user):
        analyst_user.groups.get().permissions.clear()

        assert sync_roles(by=administrator) == 1
        assert AuditEvent.objects.filter(verb="staff.roles_synced", facts__changed=1).exists()
        assert analyst_user.groups.get().permissions.count() == len(permissions_of("reviewer"))

    def test_giving_roles_replaces_them_and_is_told(self, administrator, analyst_user):
        user = give_roles(analyst_user, ["legal"], by=administrator, at=NOON)

        assert [group.name for group in user.groups.all()] == ["legal"]
        event = AuditEvent.objects.get(verb="staff.roles_changed")
        assert event.facts == {"old": "reviewer", "new": "legal"}

    def test_a_resellers_manager_loses_the_way_into_the_admin(self, administrator, analyst_user):
        assert give_roles(analyst_user, ["reseller manager"], by=administrator, at=NOON).is_staff is False
        assert give_roles(analyst_user, [], by=administrator, at=NOON).is_staff is False

    @pytest.mark.parametrize("roles", [["legal", "reviewer"], ["auditor", "compliance"]])
    def test_duties_stay_separated(self, administrator, analyst_user, roles):
        with pytest.raises(DutiesNotSeparated, match="One person cannot be"):
            give_roles(analyst_user, roles, by=administrator, at=NOON)

        assert [group.name for group in analyst_user.groups.all()] == ["reviewer"]

    def test_nobody_gives_roles_to_themselves(self, administrator, administrator_user):
        with pytest.raises(DutiesNotSeparated, match="your own roles"):
            give_roles(administrator_user, ["compliance"], by=administrator, at=NOON)

    def test_an_unknown_role_is_refused_in_words(self, administrator, analyst_user):
        with pytest.raises(NoSuchRole, match="There is no role “owner”"):
            give_roles(analyst_user, ["owner"], by=administrator, at=NOON)

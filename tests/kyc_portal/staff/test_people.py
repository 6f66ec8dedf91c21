import pytest

from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import people
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.roles import DutiesNotSeparated
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def adam(administrator_user):
    return administrator_user.as_actor


def add(by, **changes):
    given = {"username": "nora", "email": "nora@provider.example", "roles": ["reviewer"]}
    return people.add_member(**{**given, **changes}, by=by, at=NOON)


class TestAddMember:
    def test_it_adds_somebody_with_their_role_and_no_password(self, adam):
        user = add(adam)

        assert not user.has_usable_password()
        assert user.is_staff and user.has_perm("cases.review") and not user.is_superuser

    def test_a_resellers_manager_gets_no_way_into_the_admin(self, adam):
        assert not add(adam, roles=["reseller manager"]).is_staff

    def test_it_writes_down_who_added_whom(self, adam):
        user = add(adam)

        events = AuditEvent.objects.filter(about_key=str(user.pk))
        assert {event.verb for event in events} == {"staff.added", "staff.roles_changed"}
        assert {event.actor_label for event in events} == {"adam"}

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"username": "ADAM"}, "user name is taken"),
            ({"username": ""}, "cannot be blank"),
            ({"username": "a b<c>"}, "valid username"),
            ({"username": "n" * 151}, "at most 150"),
            ({"email": "nobody"}, "valid email"),
            ({"roles": []}, "at least one role"),
        ],
    )
    def test_it_refuses_what_is_wrong_and_adds_nobody(self, adam, changes, sentence):
        with pytest.raises(people.NotAdded, match=sentence):
            add(adam, **changes)

        assert StaffMember.objects.count() == 1

    @pytest.mark.parametrize(
        "roles",
        [
            ["auditor", "reviewer"],
            ["administrator", "legal"],
            ["reseller manager", "reviewer"],
            ["legal", "lead reviewer"],
        ],
    )
    def test_it_keeps_duties_apart(self, adam, roles):
        with pytest.raises(DutiesNotSeparated):
            add(adam, roles=roles)


class TestChangeRoles:
    def test_it_replaces_the_roles(self, adam, analyst_user):
        people.change_roles(analyst_user, ["legal"], by=adam, at=NOON)

        assert [group.name for group in analyst_user.groups.all()] == ["legal"]

    def test_nobody_changes_their_own(self, adam, administrator_user):
        person("second", "administrator")

        with pytest.raises(DutiesNotSeparated, match="your own roles"):
            people.change_roles(administrator_user, ["administrator"], by=adam, at=NOON)

    def test_the_last_administrator_stays_one(self, administrator_user):
        with pytest.raises(people.CannotLeave, match="last administrator"):
            people.change_roles(administrator_user, ["reviewer"], by=SCHEDULER, at=NOON)


class TestLeave:
    def test_it_ends_the_session_at_the_next_request_and_keeps_the_name(self, adam, analyst_user, client):
        client.force_login(analyst_user)
        before = client.get("/admin/").status_code

        people.leave(analyst_user, by=adam, at=NOON)

        assert before == 200
        assert client.get("/admin/").headers["Location"] == "/login/?next=/admin/"
        assert AuditEvent.objects.get(verb="staff.left").about_name == "ana"

    def test_it_refuses_the_second_time(self, adam, analyst_user):
        people.leave(analyst_user, by=adam, at=NOON)

        with pytest.raises(people.CannotLeave, match="already"):
            people.leave(analyst_user, by=adam, at=NOON)

    def test_nobody_makes_themselves_inactive(self, adam, administrator_user):
        person("second", "administrator")

        with pytest.raises(people.CannotLeave, match="yourself"):
            people.leave(administrator_user, by=adam, at=NOON)

    def test_the_last_administrator_stays(self, administrator_user):
        with pytest.raises(people.CannotLeave, match="last administrator"):
            people.leave(administrator_user, by=SCHEDULER, at=NOON)

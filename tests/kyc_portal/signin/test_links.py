"""Links by which somebody chooses a password: once, for a while, and never an administrator's choice (ASVS 6.4.6)."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.staff import people
from kyc_portal.staff.models import StaffMember
from tests.kyc_portal.signin.doors import PASSWORD, log_in, verbs

pytestmark = pytest.mark.django_db
NEW = "stable donkey wire"
HOST = "http://localhost:8000"


@pytest.fixture
def link(analyst_user, administrator_user):
    return people.give_link(analyst_user, by=administrator_user.as_actor, at=timezone.now()).removeprefix(HOST)


def choose(client, link: str, password: str = NEW):
    """Follow the link and send the form it leads to."""
    page = client.get(link, follow=True)
    place = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(place, {"new_password1": password, "new_password2": password})


class TestTheLink:
    def test_it_lets_the_person_choose_and_log_in(self, client, link, analyst_user):
        answer = choose(client, link)

        assert answer.headers["Location"] == "/login/"
        assert log_in(password=NEW)[1].headers["Location"] == "/"
        assert {"staff.link_made", "staff.password_chosen"} <= set(verbs(analyst_user))

    def test_whoever_chose_is_not_logged_in_by_it(self, client, link):
        choose(client, link)

        assert client.get("/admin/").status_code == 302

    def test_it_works_once(self, client, link):
        choose(client, link)

        assert "does not work" in client.get(link, follow=True).content.decode()

    def test_a_newer_one_makes_it_void(self, client, link, analyst_user, administrator_user):
        people.give_link(analyst_user, by=administrator_user.as_actor, at=timezone.now())

        assert "does not work" in client.get(link, follow=True).content.decode()

    @pytest.mark.parametrize(("hours", "works"), [(23, True), (25, False)])
    def test_it_works_for_a_day(self, client, link, hours, works):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            assert ("Choose a password" in client.get(link, follow=True).content.decode()) is works

    def test_the_old_password_is_gone_at_once(self, link):
        assert log_in(password=PASSWORD)[1].status_code == 200

    def test_the_person_is_told_of_the_reset_and_of_the_new_password_by_mail(self, client, link, analyst_user):
        choose(client, link)

        told = [wording_of(each)[1] for each in Notice.objects.filter(kind="log_in_changed").order_by("queued_at")]
        assert "stopped working" in told[0] and "was changed" in told[1] and len(told) == 2
        assert not any("/login/link/" in each for each in told)

    @pytest.mark.parametrize("odd", ["/login/link/x/y/", "/login/link/MQ/set-password/", "/login/link/%00/y/"])
    def test_an_odd_one_does_not_work(self, client, db, odd):
        assert "does not work" in client.get(odd, follow=True).content.decode()

    @pytest.mark.parametrize(
        ("password", "sentence"),
        [("short", "too short"), ("password1234", "too common"), ("ana@provider.example", "too similar")],
    )
    def test_a_weak_password_is_refused(self, client, link, password, sentence):
        assert sentence in choose(client, link, password).content.decode()

    @pytest.mark.parametrize("password", ["ß" * 40 + "  end ", "x y " * 30])
    def test_a_long_one_is_taken_whole(self, client, link, password):
        choose(client, link, password)

        assert log_in(password=password[:-1])[1].status_code == 200
        assert log_in(password=password)[1].status_code == 302

    def test_nobody_gives_themselves_or_somebody_inactive_one(self, administrator_user, analyst_user):
        by = administrator_user.as_actor
        people.leave(analyst_user, by=by, at=timezone.now())

        for user in (administrator_user, analyst_user):
            with pytest.raises(people.NoLink):
                people.give_link(user, by=by, at=timezone.now())


class TestInviteAdministrator:
    def invite(self, *arguments) -> str:
        out = io.StringIO()
        call_command("invite_administrator", *arguments, stdout=out)
        return out.getvalue().strip()

    def test_the_first_one_chooses_a_password_by_the_link(self, db, client):
        link = self.invite("root", "root@provider.example")

        choose(client, link.removeprefix(HOST))

        client, _ = log_in("root", NEW)
        assert client.get("/admin/staff/staffmember/add/").status_code == 200

    def test_an_administrator_gets_a_new_one(self, administrator_user):
        assert self.invite("adam", administrator_user.email, "--remove-factors").startswith(f"{HOST}/login/link/")
        assert "staff.factors_cleared" in verbs(administrator_user)

    def test_it_is_refused_for_anybody_else(self, administrator_user, analyst_user):
        for arguments in (("ana", analyst_user.email), ("adam", "other@provider.example")):
            with pytest.raises(CommandError, match="no administrator"):
                self.invite(*arguments)
        assert StaffMember.objects.get(username="ana").has_usable_password()

"""Sessions: new keys, clocks nobody stretches, and everything that ends them at the next request (ASVS 7; TH8)."""

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from kyc_portal.notices.models import Notice
from kyc_portal.staff import people, sessions
from kyc_portal.staff.tasks import forget_old_log_ins
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD, log_in, verbs

pytestmark = pytest.mark.django_db
PAGE = "/admin/cases/case/"


@pytest.fixture
def ana(analyst_user):
    return analyst_user


def is_in(client) -> bool:
    return client.get(PAGE).status_code == 200


class TestTheClocks:
    @pytest.mark.parametrize(("minutes", "stays"), [(29, True), (31, False)])
    def test_it_ends_when_nothing_happens_for_half_an_hour(self, ana, minutes, stays):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            clock.shift(timedelta(minutes=minutes))

            assert is_in(client) is stays

    @pytest.mark.parametrize(("hours", "stays"), [(11, True), (12, False)])
    def test_it_ends_after_twelve_hours_however_busy(self, ana, hours, stays):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            for _ in range(hours * 3):
                clock.shift(timedelta(minutes=20))
                client.get(PAGE)

            assert is_in(client) is stays

    @pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(minutes=-5), timedelta(days=730)])
    def test_d11_no_jump_of_the_clock_makes_it_live_longer(self, ana, jump):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            clock.shift(jump)

            assert not is_in(client)

    def test_proving_again_who_one_is_does_not_stretch_it(self, ana):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            for _ in range(36):
                clock.shift(timedelta(minutes=20))
                client.post("/login/again/", {"password": PASSWORD})

            assert not is_in(client)

    def test_the_person_is_told_and_comes_back_to_the_page(self, ana):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            clock.shift(timedelta(hours=1))

            page = client.get(PAGE, follow=True)

            assert page.redirect_chain[-1][0] == f"/login/?next={PAGE}"
            assert "logged out because nothing happened" in page.content.decode()
            form = {"username": "ana", "password": PASSWORD, "next": PAGE}
            assert client.post("/login/", form).headers["Location"] == PAGE
        assert verbs(ana).count("staff.session_ended") == 1


class TestKeys:
    def test_a_log_in_gives_a_new_one(self, ana, client):
        client.get("/login/")
        session = client.session
        session["planted"] = "x"
        session.save()
        before = session.session_key
        client.cookies["sessionid"] = before

        log_in(client=client)

        assert client.session.session_key != before
        assert not Session.objects.filter(pk=before).exists()

    def test_proving_again_gives_a_new_one_and_the_old_is_dead(self, ana):
        client, _ = log_in()
        old = client.cookies["sessionid"].value

        client.post("/login/again/", {"password": PASSWORD})

        thief = Client()
        thief.cookies["sessionid"] = old
        assert is_in(client) and not is_in(thief)
        assert UserSession.objects.get().session_key == client.session.session_key

    def test_a_cookie_kept_over_the_log_out_opens_nothing(self, ana):
        client, _ = log_in()
        thief = Client()
        thief.cookies["sessionid"] = client.cookies["sessionid"].value

        client.post("/logout/")

        assert not is_in(thief) and not UserSession.objects.exists()
        assert verbs(ana)[-1] == "staff.logged_out"


class TestWhatEndsThemAll:
    ACTS = {
        "roles": lambda user, by: people.change_roles(user, ["compliance"], by=by, at=timezone.now()),
        "leaving": lambda user, by: people.leave(user, by=by, at=timezone.now()),
        "a new link": lambda user, by: people.give_link(user, by=by, at=timezone.now()),
        "the administrator": lambda user, by: sessions.end_all(user, reason="administrator", by=by, at=timezone.now()),
    }

    @pytest.mark.parametrize("act", ACTS)
    def test_at_the_next_request(self, ana, administrator_user, act):
        clients = [log_in()[0] for _ in range(2)]
        assert all(map(is_in, clients))

        self.ACTS[act](ana, administrator_user.as_actor)

        assert not any(map(is_in, clients))
        assert "staff.sessions_ended" in verbs(ana)

    @pytest.mark.parametrize("role", ["reviewer", "reseller manager"])
    def test_a_new_password_ends_all_others_and_is_told_by_mail(self, role):
        user = person("nora", role)
        mine, others = log_in("nora")[0], log_in("nora")[0]
        page = "/admin/password_change/" if user.is_staff else "/resellers/password/"
        form = {"old_password": PASSWORD, "new_password1": "stable donkey wire", "new_password2": "stable donkey wire"}

        mine.post(page, form)

        own = "/admin/" if user.is_staff else "/resellers/"
        assert (mine.get(own).status_code, others.get(own).status_code) == (200, 302)
        assert Notice.objects.filter(kind="log_in_changed", key=str(user.pk)).count() == 1
        assert "staff.password_changed" in verbs(user)

    def test_nobody_elses_end(self, ana, administrator_user, lead_user):
        other, _ = log_in("lea")

        sessions.end_all(ana, reason="administrator", by=administrator_user.as_actor, at=timezone.now())

        assert is_in(other)


class TestYourSessions:
    def test_they_are_listed_and_this_one_is_marked(self, ana):
        log_in(headers={"User-Agent": "Other browser"})
        client, _ = log_in(headers={"User-Agent": "This <b>browser</b>"})

        page = client.get("/you/sessions/").content.decode()

        assert "Other browser" in page and "This &lt;b&gt;browser" in page and page.count("this one") == 1

    def test_one_is_ended(self, ana):
        other, (client, _) = log_in()[0], log_in()
        row = UserSession.objects.get(session_key=other.session.session_key)

        client.post(f"/you/sessions/{row.pk}/end/")

        assert is_in(client) and not is_in(other)

    def test_all_others_are_ended(self, ana):
        others, (client, _) = [log_in()[0] for _ in range(2)], log_in()

        client.post("/you/sessions/")

        assert is_in(client) and not any(map(is_in, others))
        assert UserSession.objects.count() == 1

    def test_nobody_ends_anothers(self, ana, lead_user):
        other, (client, _) = log_in("lea")[0], log_in()
        row = UserSession.objects.get(session_key=other.session.session_key)

        page = client.post(f"/you/sessions/{row.pk}/end/", follow=True).content.decode()

        assert "has ended already" in page and is_in(other)

    def test_an_administrator_ends_all_of_a_person(self, ana, administrator_user):
        client, (admin, _) = log_in()[0], log_in("adam")

        admin.post(f"/admin/staff/staffmember/{ana.pk}/do/end-sessions/")

        assert not is_in(client)


class TestANewBrowser:
    def test_it_is_told_by_mail_once(self, ana):
        client, _ = log_in()
        client.post("/logout/")
        log_in(client=client)

        assert Notice.objects.filter(kind="new_browser", key=str(ana.pk)).count() == 1

    def test_anothers_known_browser_is_new_for_me(self, ana, lead_user):
        client, _ = log_in()
        client.cookies[f"known-browser-{lead_user.pk}"] = client.cookies[f"known-browser-{ana.pk}"].value
        client.post("/logout/")
        log_in("lea", client=client)

        assert Notice.objects.filter(kind="new_browser", key=str(lead_user.pk)).count() == 1


class TestForgetting:
    def test_the_task_leaves_what_lives_and_deletes_the_rest(self, ana):
        with time_machine.travel(timezone.now() - timedelta(hours=13)):
            log_in()
            log_in(password="wrong")
        client, _ = log_in(client=None)

        told = forget_old_log_ins()

        assert told["sessions"] == 1 and told["shown"] >= 0
        assert is_in(client) and UserSession.objects.count() == 1
        assert not AccessAttempt.objects.exists()

"""The second factor: asked for, enrolled, sealed, spent once, and not passed by (ASVS 6.3.3, 6.5; TH9)."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from kyc_portal.notices.models import Notice
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff import factors, people
from kyc_portal.staff.models import StaffMember
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD, code_of, enrol_app, log_in, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(analyst_user):
    return analyst_user


@pytest.fixture
def with_app(ana, second_factor_for_all):
    """Somebody with an authenticator app: (the secret, the client of that session)."""
    client, _ = log_in()
    return enrol_app(client), client


def second_step(code: str):
    client, answer = log_in()
    assert answer.headers["Location"] == "/login/code/"
    return client, client.post("/login/code/", {"code": code})


class TestWhoeverNeedsOne:
    PAGES = ("/", "/admin/", "/admin/cases/case/", "/admin/accounts/account/", "/admin/password_change/",
             "/you/sessions/", "/you/codes/", "/accounts/customers/import/", "/resellers/")  # fmt: skip

    @pytest.mark.parametrize("path", PAGES)
    def test_they_are_led_to_it_and_reach_nothing_else(self, ana, second_factor_for_all, path):
        client, _ = log_in()

        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer.headers["Location"]) == (302, "/you/")
        assert "no second factor" in client.get("/you/").content.decode()

    def test_they_enrol_an_app_and_go_on(self, with_app, ana):
        _, client = with_app

        page = client.get("/you/codes/").content.decode()

        assert len(re.findall(r"<code>\d{8}</code>", page)) == 10
        assert client.get("/admin/").status_code == 200
        assert verbs(ana).count("staff.factor_added") == 2  # the app, and the recovery codes that come with it

    def test_recovery_codes_are_shown_once(self, with_app):
        _, client = with_app
        client.get("/you/codes/")

        assert not re.search(r"<code>\d", client.get("/you/codes/").content.decode())

    def test_only_the_roles_of_the_setting_need_one(self, ana, settings):
        settings.MFA_ROLES = ["administrator", "legal"]
        person("carla", "legal")

        assert log_in()[0].get("/admin/").status_code == 200
        assert log_in("carla")[0].get("/admin/").headers["Location"] == "/you/"

    def test_a_session_opened_without_it_proves_it_before_anything_else(self, ana, with_app):
        client = Client()
        client.force_login(StaffMember.objects.get(pk=ana.pk))

        assert client.get("/you/app/").headers["Location"] == "/login/again/code/?next=/you/app/"
        assert client.get("/admin/").headers["Location"].startswith("/login/again/code/")

    def test_a_password_chosen_by_a_link_does_not_pass_it_by(self, with_app, ana, administrator_user, client):
        link = people.give_link(ana, by=administrator_user.as_actor, at=timezone.now())
        page = client.get(link.removeprefix("http://localhost:8000"), follow=True)
        form = {"new_password1": "stable donkey wire", "new_password2": "stable donkey wire"}
        client.post(page.redirect_chain[-1][0], form)

        _, answer = log_in(password="stable donkey wire", client=client)

        assert answer.headers["Location"] == "/login/code/"
        assert client.get("/admin/").headers["Location"].startswith("/login/")


class TestTheSecondStep:
    def test_the_right_code_opens_the_portal(self, with_app):
        secret, _ = with_app

        client, answer = second_step(code_of(secret, steps=1))

        assert answer.status_code == 302 and client.get("/admin/").status_code == 200

    def test_the_code_that_enrolled_the_app_is_spent(self, with_app):
        secret, _ = with_app

        client, answer = second_step(code_of(secret))

        assert b"does not fit" in answer.content
        assert client.get("/admin/").status_code == 302

    def test_a_code_opens_one_session_only_in_whatever_process(self, with_app, settings):
        secret, _ = with_app
        code = code_of(secret, steps=1)
        second_step(code)

        cache.clear()  # another process remembers nothing of this one

        client, answer = second_step(code)

        assert answer.status_code == 200 and client.get("/admin/").status_code == 302

    def test_an_older_code_is_spent_with_a_newer_one(self, with_app):
        secret, _ = with_app
        with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
            second_step(code_of(secret, steps=1))

            _, answer = second_step(code_of(secret))

            assert answer.status_code == 200

    @pytest.mark.parametrize(("steps", "is_let_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_a_clock_may_be_wrong_by_one_step(self, with_app, steps, is_let_in):
        secret, _ = with_app
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            client, _ = second_step(code_of(secret, steps=steps))

            assert (client.get("/admin/").status_code == 200) is is_let_in

    def test_a_recovery_code_works_once(self, with_app):
        _, enrolled = with_app
        code = re.search(r"<code>(\d{8})</code>", enrolled.get("/you/codes/").content.decode()).group(1)

        first, _ = second_step(code)
        second, _ = second_step(code)

        assert (first.get("/admin/").status_code, second.get("/admin/").status_code) == (200, 302)

    def test_wrong_codes_are_told_and_soon_not_even_looked_at(self, with_app, ana):
        secret, _ = with_app
        client, _ = log_in()
        for _ in range(5):
            client.post("/login/code/", {"code": "000000"})

        answer = client.post("/login/code/", {"code": code_of(secret, steps=1)})

        assert b"Too many wrong codes" in answer.content
        assert verbs(ana).count("staff.login_refused") == 5

    def test_production_counts_them_in_the_database(self, with_app, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "counts"}}
        call_command("createcachetable", verbosity=0)
        client, _ = log_in()

        answers = [client.post("/login/code/", {"code": "000000"}).content for _ in range(6)]

        assert [b"Too many wrong codes" in answer for answer in answers] == [False] * 5 + [True]


class TestSecrets:
    def test_the_database_holds_no_secret_in_clear(self, with_app, ana):
        secret, _ = with_app
        with connection.cursor() as cursor:
            cursor.execute("SELECT data FROM mfa_authenticator")
            kept = json.dumps([str(row) for row in cursor.fetchall()])

        assert secret not in kept
        assert factors.unsealed(Authenticator.objects.get(type="totp").data["secret"]) == secret

    def test_a_secret_that_is_not_proved_yet_is_sealed_too(self, ana):
        client, _ = log_in()

        secret = client.get("/you/app/").context["form"].secret

        assert secret not in repr(dict(client.session.items()))

    def test_no_code_and_no_secret_stands_in_the_trail(self, with_app, ana):
        secret, _ = with_app
        second_step(code_of(secret, steps=1))

        told = " ".join(bytes(event.canonical).decode() for event in AuditEvent.objects.all())

        assert secret not in told and code_of(secret, steps=1) not in told and PASSWORD not in told


class TestChanges:
    def test_every_other_session_ends_and_the_person_is_told(self, ana):
        other, _ = log_in()
        client, _ = log_in()

        enrol_app(client)

        assert client.get("/admin/").status_code == 200
        assert other.get("/admin/").status_code == 302
        assert Notice.objects.filter(kind="log_in_changed", key=str(ana.pk)).count() == 1

    def test_the_last_one_of_somebody_who_needs_it_cannot_be_removed(self, with_app):
        _, client = with_app

        answer = client.post("/you/app/remove/")

        assert b"Your role needs a second factor" in answer.content
        assert Authenticator.objects.filter(type="totp").exists()

    def test_an_administrator_removes_lost_ones_and_all_sessions_end(self, with_app, ana, administrator_user):
        _, client = with_app
        factors.clear(ana, by=administrator_user.as_actor, at=timezone.now())

        answer = client.get("/admin/")
        _, again = log_in()

        assert answer.headers["Location"].startswith("/login/")
        assert again.headers["Location"] == "/" and not Authenticator.objects.exists()
        assert "staff.factors_cleared" in verbs(ana)

    def test_removing_the_only_one_where_none_is_needed(self, with_app, ana, settings):
        settings.MFA_ROLES = ["none"]
        _, client = with_app

        client.post("/you/app/remove/")

        assert not Authenticator.objects.exists()
        assert "staff.factor_removed" in verbs(StaffMember.objects.get(pk=ana.pk))

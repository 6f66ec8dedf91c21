"""A recent log-in before grave acts; the way back; and the proof bound to its session (ASVS 7.5.3; TH9, TH18)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Party
from kyc_portal.records import holds
from tests.builders import make_open_account
from tests.conftest import NOON
from tests.kyc_portal.signin.doors import PASSWORD, code_of, enrol_app, log_in, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def grave_pages(administrator_user, counsel_user, analyst_user):
    """Who opens which grave page."""
    account = make_open_account()
    hold = holds.place_hold(
        [account], reason="litigation", ground="Example v. Example", by=counsel_user.as_actor, at=NOON
    )
    party = Party.objects.get()
    return {
        "adding a person": ("adam", "/admin/staff/staffmember/add/"),
        "changing roles": ("adam", f"/admin/staff/staffmember/{analyst_user.pk}/do/change-roles/"),
        "giving a link": ("adam", f"/admin/staff/staffmember/{analyst_user.pk}/do/give-link/"),
        "releasing a hold": ("carl", f"/admin/records/legalhold/{hold.pk}/do/release/"),
        "unmasking": ("carl", f"/accounts/show/party/{party.pk}/legal_name/"),
        "an original": ("carl", f"/accounts/documents/{party.documents.get().pk}/original/"),
        "a bundle": ("carl", "/cases/bundles/BND-2222-2222/download/"),
    }


PAGES = ("adding a person", "changing roles", "giving a link", "releasing a hold", "unmasking", "an original",
         "a bundle")  # fmt: skip


class TestGraveActs:
    @pytest.mark.parametrize("name", PAGES)
    def test_they_ask_again_after_five_minutes_and_go_on_where_one_was(self, grave_pages, name):
        username, page = grave_pages[name]
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in(username)
            fresh = client.get(page).status_code
            clock.shift(timedelta(minutes=6))

            asked, posted = client.get(page).headers["Location"], client.post(page)
            back = client.post(asked, {"password": PASSWORD, "next": page})

            assert fresh in (200, 404)
            assert asked == f"/login/again/?next={page.replace('/', '%2F')}"
            assert posted.status_code == 405 or posted.headers["Location"] == asked
            assert back.headers["Location"] == page
            assert client.get(page).status_code == fresh

    def test_a_wrong_password_proves_nothing(self, grave_pages):
        username, page = grave_pages["adding a person"]
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in(username)
            clock.shift(timedelta(minutes=6))

            answer = client.post("/login/again/", {"password": "wrong", "next": page})

            assert answer.status_code == 200 and client.get(page).status_code == 302

    def test_a_clock_that_was_set_back_proves_nothing(self, grave_pages, rf):
        username, page = grave_pages["adding a person"]
        client, _ = log_in(username)
        session = client.session
        session["confirmed_at"] += 3600
        session.save()

        assert client.get(page).status_code == 302

    def test_the_proof_of_one_session_does_not_serve_another(self, grave_pages):
        username, page = grave_pages["adding a person"]
        with time_machine.travel(timezone.now(), tick=False) as clock:
            one, other = log_in(username)[0], log_in(username)[0]
            clock.shift(timedelta(minutes=6))

            one.post("/login/again/", {"password": PASSWORD, "next": page})

            assert (one.get(page).status_code, other.get(page).status_code) == (200, 302)

    def test_rights_are_judged_before_anybody_is_asked(self, grave_pages):
        _, page = grave_pages["changing roles"]
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in("ana")
            clock.shift(timedelta(minutes=6))

            assert client.get(page).status_code == 403

    def test_it_stands_in_the_trail(self, grave_pages, administrator_user):
        client, _ = log_in("adam")
        client.post("/login/again/", {"password": PASSWORD})

        assert verbs(administrator_user)[-1] == "staff.confirmed"

    @pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:alert(1)"])
    def test_f2_nobody_is_sent_elsewhere_afterwards(self, grave_pages, target):
        client, _ = log_in("adam")

        answer = client.post("/login/again/", {"password": PASSWORD, "next": target})

        assert answer.headers["Location"] == "/"


class TestByCode:
    def test_a_code_proves_it_once(self, analyst_user):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client, _ = log_in()
            secret = enrol_app(client)
            clock.shift(timedelta(minutes=6))
            code = code_of(secret)

            first = client.post("/login/again/code/", {"code": code, "next": "/you/app/remove/"})
            second = client.post("/login/again/code/", {"code": code})

            assert first.headers["Location"] == "/you/app/remove/"
            assert second.status_code == 200 and b"used before" in second.content

"""Single sign-on against a provider that runs: who gets in, who does not, and what the provider may not decide."""

from datetime import timedelta

import pytest
import requests
import time_machine
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.utils import timezone

from kyc_portal.records.models import AuditEvent
from kyc_portal.staff import people
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.signon import proves_second_factor
from tests.conftest import person
from tests.kyc_portal.signin.doors import log_in, verbs
from tests.kyc_portal.signin.provider import CLIENT, SECRET, Provider

pytestmark = pytest.mark.django_db
ANA = {"sub": "0001", "email": "ana@provider.example", "name": "Ana Example"}


@pytest.fixture
def ana(analyst_user):
    return analyst_user


@pytest.fixture
def provider(settings):
    with Provider() as running:
        running.claims = dict(ANA)
        settings.OIDC_ISSUER, settings.OIDC_LABEL = running.url, "Cumulus ID"
        app = {"provider_id": "sso", "name": "Cumulus ID", "client_id": CLIENT, "secret": SECRET,
               "settings": {"server_url": running.url, "fetch_userinfo": False}}  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        yield running


def there_and_back(client: Client, path: str = "/login/sso/"):
    """Follow the portal to the provider and back; returns the portal's answer to what the provider says."""
    asked = client.get(path)
    back = requests.get(asked.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    return client.get(back.removeprefix("http://testserver"))


def is_in(client) -> bool:
    return client.get("/admin/").status_code == 200


class TestWhoGetsIn:
    def test_a_member_of_staff_by_a_verified_email_and_then_by_the_subject(self, provider, ana, client):
        first = there_and_back(client, "/login/sso/?next=/admin/cases/case/")
        provider.claims |= {"email": "another@provider.example"}
        again = Client()
        there_and_back(again)

        assert first.headers["Location"] == "/admin/cases/case/"
        assert is_in(client) and is_in(again)
        assert SocialAccount.objects.get().user == ana
        assert verbs(ana).count("staff.identity_linked") == 1 and verbs(ana).count("staff.logged_in") == 2

    def test_a_resellers_manager_lands_at_their_customers(self, provider, reseller_manager_user, client):
        provider.claims |= {"email": reseller_manager_user.email}
        there_and_back(client)

        assert client.get("/", follow=True).redirect_chain[-1][0] == "/resellers/"

    def test_nothing_the_provider_claims_is_kept_or_believed(self, provider, ana, client):
        provider.claims |= {"groups": ["administrator"], "roles": ["legal"], "is_superuser": True}
        there_and_back(client)

        ana.refresh_from_db()
        assert [group.name for group in ana.groups.all()] == ["reviewer"] and not ana.is_superuser
        assert SocialAccount.objects.get().extra_data == {} and not EmailAddress.objects.exists()
        assert ana.first_name == ""

    def test_the_password_still_works(self, provider, ana, client):
        there_and_back(client)

        assert log_in()[1].status_code == 302


class TestWhoDoesNot:
    @pytest.mark.parametrize(
        "claims",
        [
            {"email": "nobody@provider.example"},
            {"email_verified": False},
            {"email_verified": "false"},
            {"email_verified": None},
            {"email": ""},
            {"email": None},
        ],
    )
    def test_nobody_is_created_and_no_unproved_email_is_believed(self, provider, ana, client, claims):
        provider.claims |= claims

        answer = there_and_back(client)

        assert answer.headers["Location"] == "/login/"
        assert "Nobody in this portal is known" in client.get("/login/").content.decode()
        assert not is_in(client) and StaffMember.objects.count() == 1 and not SocialAccount.objects.exists()
        assert AuditEvent.objects.get(verb="staff.login_refused").about_key == "unknown"

    def test_an_email_of_two_people_is_nobodys(self, provider, ana, client):
        StaffMember.objects.filter(pk=person("twin", "reviewer").pk).update(email="ANA@provider.example")

        there_and_back(client)

        assert not is_in(client)

    def test_another_identity_that_inherited_the_email(self, provider, ana, client):
        there_and_back(client)
        provider.claims |= {"sub": "0002"}
        heir = Client()

        there_and_back(heir)

        assert not is_in(heir) and SocialAccount.objects.get().uid == "0001"

    def test_somebody_who_left(self, provider, ana, administrator_user, client):
        there_and_back(client)
        people.leave(ana, by=administrator_user.as_actor, at=timezone.now())
        again = Client()

        answer = there_and_back(again)

        assert answer.headers["Location"] == "/login/" and not is_in(again)

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "https://other.example"},
            {"aud": "another"},
            {"aud": ["another", "more"]},
            {"exp": 1},
            {"exp": "soon"},
            {"sub": None},
            {"auth_time": "today"},
        ],
    )
    def test_a_token_for_others_or_of_another_time(self, provider, ana, client, changes):
        provider.changes = changes

        answer = there_and_back(client)

        assert answer.headers["Location"] == "/login/" and not is_in(client)

    @pytest.mark.parametrize("key", [rsa.generate_private_key(public_exponent=65537, key_size=2048), None])
    def test_a_token_signed_by_another_key_or_by_none(self, provider, ana, client, key):
        provider.signing_key = key

        answer = there_and_back(client)

        assert answer.headers["Location"] == "/login/" and not is_in(client)

    @pytest.mark.parametrize("key_id", [None, "key-2"])
    def test_a_token_that_names_no_key_or_an_unknown_one(self, provider, ana, client, key_id):
        provider.named_key = key_id

        answer = there_and_back(client)

        assert answer.headers["Location"] == "/login/" and not is_in(client)

    def test_an_issuer_that_is_not_the_one_named(self, provider, ana, client, settings):
        settings.OIDC_ISSUER = "https://other.example"

        there_and_back(client)

        assert not is_in(client)

    @pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?error=access_denied&state=y"])
    def test_an_answer_nobody_asked_for(self, provider, ana, client, query):
        answer = client.get(f"/login/sso/callback/{query}")

        assert answer.headers["Location"] == "/login/" and not is_in(client)

    def test_an_answer_in_another_browser(self, provider, ana, client):
        asked = client.get("/login/sso/").headers["Location"]
        back = requests.get(asked, allow_redirects=False, timeout=10).headers["Location"]
        other = Client()

        other.get(back.removeprefix("http://testserver"))

        assert not is_in(other)

    def test_nobody_links_an_identity_to_whoever_is_logged_in(self, provider, ana, lead_user, client):
        log_in("lea", client=client)

        there_and_back(client, "/login/sso/?process=connect")

        assert SocialAccount.objects.get().user == ana


class TestTheSecondFactor:
    def test_without_the_providers_claim_the_portal_asks_for_its_own(self, provider, ana, client, settings):
        settings.MFA_ROLES, settings.OIDC_SECOND_FACTOR = ["all"], ["mfa"]
        provider.claims |= {"amr": ["pwd"]}
        there_and_back(client)

        assert client.get("/admin/").headers["Location"] == "/you/"

    @pytest.mark.parametrize("claims", [{"amr": ["pwd", "mfa"]}, {"acr": "phr"}])
    def test_with_it_the_session_counts(self, provider, ana, client, settings, claims):
        settings.MFA_ROLES, settings.OIDC_SECOND_FACTOR = ["all"], ["mfa", "phr"]
        provider.claims |= claims
        there_and_back(client)

        assert is_in(client)

    def test_the_claim_of_one_log_in_does_not_serve_the_next(self, provider, ana, client, settings):
        settings.MFA_ROLES, settings.OIDC_SECOND_FACTOR = ["all"], ["mfa"]
        provider.claims |= {"amr": ["mfa"]}
        there_and_back(client)
        client.post("/logout/")

        log_in(client=client)

        assert client.get("/admin/").headers["Location"] == "/you/"

    @pytest.mark.parametrize("claims", [{}, {"amr": None}, {"amr": "mfa"}, {"amr": ["mfa"]}, {"acr": "mfa"}])
    def test_unless_the_setting_names_it_no_claim_counts(self, settings, claims):
        settings.OIDC_SECOND_FACTOR = []

        assert not proves_second_factor(claims)


class TestARecentLogIn:
    PAGE = "/you/passkeys/add/"

    def test_whoever_has_no_password_proves_it_at_the_provider(self, provider, ana, client):
        ana.set_unusable_password()
        ana.save()
        with time_machine.travel(timezone.now(), tick=False) as clock:
            there_and_back(client)
            clock.shift(timedelta(minutes=6))

            asked = client.get("/login/again/").content.decode()
            there_and_back(client, f"/login/sso/?next={self.PAGE}")

            assert "Log in again with Cumulus ID" in asked
            assert (provider.asked["prompt"], provider.asked["max_age"]) == ("login", "0")
            assert client.session["confirmed_at"] >= timezone.now().timestamp() - 1

    def test_a_log_in_of_long_ago_at_the_provider_is_not_recent(self, provider, ana, client):
        provider.changes = {"auth_time": 1}

        there_and_back(client)

        assert is_in(client) and client.session["confirmed_at"] == 1


class TestNotSetUp:
    @pytest.mark.parametrize("path", ["/login/sso/", "/login/sso/callback/"])
    def test_it_is_not_there(self, client, db, path):
        assert client.get(path).status_code == 404
        assert b"login/sso" not in client.get("/login/").content

    def test_the_log_in_page_offers_it_once_it_is(self, provider, client):
        assert "Log in with Cumulus ID" in client.get("/login/").content.decode()

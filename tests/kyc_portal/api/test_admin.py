"""The screen of API keys: administrators make and revoke them; the key is shown once and kept nowhere."""

import re

import pytest
from django.utils import timezone

from kyc_portal.api import keys
from kyc_portal.api.models import ApiKey
from kyc_portal.staff import people
from tests.conftest import person
from tests.kyc_portal.api.builders import make_key

pytestmark = pytest.mark.django_db
SCREEN = "/admin/api/apikey/"
FORM = {"name": "Shipper <b>", "owner": "owen", "scopes": ["access_logs.write"], "networks": "", "days": "30"}


@pytest.fixture
def administrator_at_work(client, administrator_user):
    person("owen", "reviewer")
    client.force_login(administrator_user)
    return client


class TestMaking:
    def test_the_key_is_shown_once_on_a_page_that_no_browser_keeps(self, administrator_at_work):
        answer = administrator_at_work.post(f"{SCREEN}add/", FORM)

        [text] = re.findall(r"<code>(kyc_[^<]+)</code>", answer.content.decode())
        assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
        assert keys.recognise(text, source="", at=timezone.now()) == ApiKey.objects.get()
        secret = text[13:]
        for path in (SCREEN, f"{SCREEN}{ApiKey.objects.get().pk}/change/", "/admin/"):
            page = administrator_at_work.get(path).content.decode()
            assert secret not in page and ApiKey.objects.get().secret_sha256 not in page
        assert secret not in repr(dict(administrator_at_work.session)) + administrator_at_work.cookies.output()

    def test_the_page_sent_again_makes_no_second_key(self, administrator_at_work):
        administrator_at_work.post(f"{SCREEN}add/", FORM)

        again = administrator_at_work.post(f"{SCREEN}add/", FORM).content.decode()

        assert "has a key of this name" in again and ApiKey.objects.get().reference in again

    def test_networks_are_taken_apart(self, administrator_at_work):
        administrator_at_work.post(f"{SCREEN}add/", FORM | {"networks": "192.0.2.0/24, 2001:db8::/32\n10.0.0.1"})

        assert ApiKey.objects.get().networks == ["192.0.2.0/24", "2001:db8::/32", "10.0.0.1/32"]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"scopes": ["audit.read"]}, "owen may not fetch the newest checkpoint"),
            ({"networks": "x"}, "One of the networks is none"),
            ({"days": "1000"}, "less than or equal to"),
            ({"owner": "nobody"}, "not one of the available choices"),
        ],
    )
    def test_what_is_refused_is_said_at_the_form(self, administrator_at_work, changes, sentence):
        page = administrator_at_work.post(f"{SCREEN}add/", FORM | changes).content.decode()

        assert sentence in page and not ApiKey.objects.exists()

    @pytest.mark.parametrize("role", ["auditor", "compliance", "reviewer"])
    def test_nobody_else_makes_or_revokes_one(self, client, role):
        key = make_key()
        client.force_login(person("paul", role))

        for path in (f"{SCREEN}add/", f"{SCREEN}{key.pk}/do/revoke/"):
            assert client.post(path, FORM).status_code == 403
        assert ApiKey.objects.get().revoked_at is None


class TestRevoking:
    def test_a_revoked_key_says_by_whom(self, administrator_at_work):
        key = make_key()

        page = administrator_at_work.post(f"{SCREEN}{key.pk}/do/revoke/", follow=True).content.decode()

        key.refresh_from_db()
        assert (key.revoked_by, key.revoked_at is None) == ("adam", False)
        assert f"{key.reference} is revoked. Sealed as entry" in page and "do/revoke/" not in page

    def test_a_key_whose_owner_lost_the_role_is_shown_as_dead(self, administrator_at_work, administrator_user):
        key = make_key(at=timezone.now())
        page = f"{SCREEN}{key.pk}/change/"
        assert "dead: its owner may not" not in administrator_at_work.get(page).content.decode()

        people.change_roles(key.owner, ["legal"], by=administrator_user.as_actor, at=timezone.now())

        assert "dead: its owner may not" in administrator_at_work.get(page).content.decode()

    @pytest.mark.parametrize(("state", "count"), [("in_force", 1), ("revoked", 1), ("", 2)])
    def test_the_list_is_filtered_by_state(self, administrator_at_work, administrator_user, state, count):
        keys.revoke_key(make_key(at=timezone.now()), by=administrator_user.as_actor, at=timezone.now())
        make_key(at=timezone.now())

        page = administrator_at_work.get(SCREEN, {"state": state} if state else {})

        assert page.context["cl"].result_count == count

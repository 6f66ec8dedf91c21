"""The screens of endpoints and messages: the secret is shown once, what fails is on the first page, tries listed."""

import re

import pytest
from django.utils import timezone

from kyc_portal.api import webhooks
from kyc_portal.api.models import WebhookDelivery, WebhookEndpoint
from kyc_portal.api.outgoing import Outcome
from kyc_portal.api.webhook_sending import note_attempt, patience_of
from kyc_portal.policy.current import regime_on
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_open_account
from tests.conftest import person
from tests.kyc_portal.api.builders import make_key
from tests.kyc_portal.api.test_webhooks import limit

pytestmark = pytest.mark.django_db
SCREEN, MESSAGES = "/admin/api/webhookendpoint/", "/admin/api/webhookdelivery/"


@pytest.fixture
def key(db):
    return make_key(at=timezone.now(), scopes=["access.read"])


@pytest.fixture
def administrator_at_work(client, administrator_user):
    client.force_login(administrator_user)
    return client


@pytest.fixture
def delivery(key):
    """A message that failed twice."""
    now = timezone.now()
    webhooks.create_endpoint(name="Frankfurt", url="https://hooks.example.com/", key=key, by=SCHEDULER, at=now)
    limit(make_open_account(at=now), at=now)
    row = WebhookDelivery.objects.order_by("-number").first()
    for outcome in (Outcome(None, "no_connection", 12), Outcome(503, "", 1234)):
        note_attempt(row, outcome, patience=patience_of(regime_on(now.date())), by=SCHEDULER, at=now)
    row.refresh_from_db()
    return row


def secrets_in(page) -> list[str]:
    return re.findall(r"<code>(whsec_[^<]+)</code>", page.content.decode())


class TestEndpoints:
    def test_the_secret_is_shown_once_when_it_is_made_and_when_it_is_changed(self, administrator_at_work, key):
        form = {"name": "Shipper <b>", "url": "https://hooks.example.com/kyc", "key": key.reference}

        made = administrator_at_work.post(f"{SCREEN}add/", form)
        endpoint = WebhookEndpoint.objects.get()
        changed = administrator_at_work.post(f"{SCREEN}{endpoint.pk}/do/rotate/")

        [first], [second] = secrets_in(made), secrets_in(changed)
        assert "no-store" in made.headers["Cache-Control"] and "no-store" in changed.headers["Cache-Control"]
        endpoint.refresh_from_db()
        assert (endpoint.former_secret.reveal(), endpoint.secret.reveal()) == (first, second) and first != second
        page = administrator_at_work.get(f"{SCREEN}{endpoint.pk}/change/").content.decode()
        listed = administrator_at_work.get(SCREEN).content.decode()
        assert "whsec_" not in page + listed + repr(dict(administrator_at_work.session))
        assert "Shipper &lt;b&gt;" in page and "told of changes" in page

    def test_it_is_put_under_another_key_freed_of_its_former_secret_and_ended(self, administrator_at_work, delivery):
        page, endpoint = f"{SCREEN}{delivery.endpoint_id}/", delivery.endpoint
        other = make_key(at=timezone.now(), scopes=["access.read"])
        for name, form in (("rotate", {}), ("drop-former", {}), ("change-key", {"key": other.reference}), ("end", {})):
            assert administrator_at_work.post(f"{page}do/{name}/", form).status_code in (200, 302), name

        endpoint.refresh_from_db()
        assert (endpoint.key, endpoint.former_secret, endpoint.ended_by) == (other, None, "adam")
        assert "do/rotate/" not in administrator_at_work.get(f"{page}change/").content.decode()

    def test_a_bad_address_is_said_at_the_form(self, administrator_at_work, key, settings):
        settings.WEBHOOKS_TO_PLAIN_LOOPBACK = False
        form = {"name": "x", "url": "https://169.254.169.254/", "key": key.reference}

        page = administrator_at_work.post(f"{SCREEN}add/", form).content.decode()

        assert "not a public one" in page and not WebhookEndpoint.objects.exists()

    @pytest.mark.parametrize("role", ["auditor", "compliance"])
    def test_nobody_else_makes_or_changes_one(self, client, delivery, role):
        client.force_login(person("paul", role))

        for path in (f"{SCREEN}add/", f"{SCREEN}{delivery.endpoint_id}/do/rotate/"):
            assert client.post(path).status_code == 403
        assert client.post(f"{MESSAGES}{delivery.pk}/do/send-again/").status_code == 403


class TestMessages:
    def test_each_try_is_listed_and_what_fails_is_on_the_first_page(self, administrator_at_work, delivery):
        page = administrator_at_work.get(f"{MESSAGES}{delivery.pk}/change/").content.decode()
        first = administrator_at_work.get("/admin/").content.decode()
        listed = administrator_at_work.get(MESSAGES, {"sending": "failing"})

        assert "no connection" in page and "503" in page and "1,234 ms" in page and "access_answer.changed" in page
        assert "Systems that are not told" in first
        assert listed.context["cl"].result_count == 1 and delivery.reference in listed.content.decode()

    def test_what_was_given_up_is_sent_again(self, administrator_at_work, delivery):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(state="given_up")

        page = administrator_at_work.post(f"{MESSAGES}{delivery.pk}/do/send-again/", follow=True).content.decode()

        delivery.refresh_from_db()
        assert "is sent again within a minute" in page and (delivery.state, delivery.attempts) == ("queued", 0)

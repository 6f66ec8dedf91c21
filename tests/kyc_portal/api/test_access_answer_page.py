"""docs/access-answer.md says what is: its fields, its codes, its figures, and the ten lines that verify a signature."""

import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.rules.access_answer import REASON_CODES, STATE_CODES
from kyc_portal.api import access, webhooks
from kyc_portal.api.webhook_sending import headers_of, patience_of
from kyc_portal.policy.current import regime_on
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_open_account
from tests.kyc_portal.api.builders import make_key
from tests.kyc_portal.api.test_webhooks import limit

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "access-answer.md").read_text()
BLOCKS = dict(re.findall(r"```(json|python)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def told():
    """An answer, and the message of its change with its headers and secret."""
    now = timezone.now()
    key = make_key(at=now, scopes=["access.read"])
    endpoint = webhooks.create_endpoint(name="provisioning", url="http://127.0.0.1:9/", key=key, by=SCHEDULER, at=now)
    account = make_open_account(at=now)
    limit(account, at=now)
    delivery = endpoint.deliveries.order_by("-number").first()
    return endpoint, delivery, headers_of(endpoint, delivery, now)


def test_the_example_has_the_fields_of_an_answer(told, client):
    delivery = told[1]
    headers = {"Authorization": f"Bearer {make_key(at=timezone.now(), scopes=['access.read']).text}"}

    answer = client.get(f"/api/v1/accounts/{delivery.account}/access?product=compute", headers=headers).json()
    example = json.loads(BLOCKS["json"])

    assert list(answer) == list(example) and answer["contract"] == access.CONTRACT
    assert list(answer["basis"][0]) == list(example["basis"][0])
    assert list(answer["catalogue"]) == list(example["catalogue"])


def test_the_message_has_the_fields_of_the_example(told):
    example = json.loads(re.search(r"^\{\"type\".*$", PAGE, re.MULTILINE)[0])
    message = json.loads(told[1].body)

    assert list(message) == list(example) and list(message["data"]) == list(example["data"])


def test_every_code_is_explained():
    for code in (*STATE_CODES, *REASON_CODES):
        assert f"\n| `{code}` |" in PAGE


def test_the_figures_are_those_of_the_policy():
    patience = patience_of(regime_on(timezone.now().date()))

    assert f"within {patience.seconds} seconds" in PAGE
    assert f"after {int(patience.first_pause.total_seconds())} seconds, then three times as long" in PAGE
    assert (patience.factor, patience.attempts, patience.longest_pause.days) == (3, 10, 1)


def test_the_ten_lines_verify_and_refuse(told):
    endpoint, delivery, headers = told
    made = {}
    exec(BLOCKS["python"], made)  # noqa: S102, the page's own lines
    is_genuine, body = made["is_genuine"], delivery.body.encode()

    assert is_genuine(headers, body, endpoint.text)
    assert not is_genuine(headers, body + b" ", endpoint.text)
    assert not is_genuine(headers | {"webhook-timestamp": "1"}, body, endpoint.text)
    assert not is_genuine(headers | {"webhook-timestamp": "x"}, body, endpoint.text)
    newest = webhooks.rotate_secret(endpoint, by=SCHEDULER, at=timezone.now())
    both = headers_of(newest, delivery, timezone.now())
    assert is_genuine(both, body, endpoint.text) and is_genuine(both, body, newest.text)
    assert len(BLOCKS["python"].split("def ")[1].splitlines()) <= 11

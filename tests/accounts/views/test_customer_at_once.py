"""Two browsers with one link at the same moment: one is let in (TH7)."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.flows import confirming, intake
from accounts.models import CustomerLink
from accounts.models.party import ConfirmedHow
from tests.accounts.views.pages import address_of
from tests.builders import make_account

pytestmark = pytest.mark.usefixtures("triggers_lifted_for_flush")


def test_th7_one_link_opens_for_one_browser(in_threads, analyst):
    account = intake.request_data(make_account(at=timezone.now()), by=analyst, at=timezone.now())
    path = address_of(account)

    answers = in_threads(*[lambda: Client().post(path, {"notice": "1"}).status_code] * 4)

    assert sorted(answers) == [302, 404, 404, 404]
    assert CustomerLink.objects.get().used_at is not None


def test_th7_tries_at_a_code_are_all_counted(in_threads, analyst):
    now = timezone.now()
    contact = make_account(phone="+4930901820", at=now).party.contact_points.get(kind="phone")
    code = confirming.ask(contact, by=analyst, at=now)
    wrong = f"{(int(code) + 1) % 10**6:06}"

    told = in_threads(*[lambda: confirming.enter_code(contact, wrong, how=ConfirmedHow.TOLD, by=analyst, at=now)] * 8)

    assert all(isinstance(each, confirming.WrongCode) for each in told), told
    assert contact.confirmations.get().tries == 5 and contact.confirmations.get().ended_at is not None

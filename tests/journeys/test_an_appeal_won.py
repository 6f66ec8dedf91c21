"""An appeal won, through the pages: suspended by two, undone in time once, objected to, reversed by a third (R41)."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Objection, Restriction
from cases.models import Appeal, Decision
from cases.tasks import bring_decisions_into_effect
from kyc_portal.notices.outbox import deliver_queued
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.site import tiles_for
from tests import signing
from tests.builders import make_open_account
from tests.cases.builders import finish_list, make_case
from tests.conftest import person

FORBIDDEN = {"list", "sanctions", "signal", "flag", "risk", "unusual"}


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def press(client: Client, record, name: str, **sent) -> str:
    """Press a button of a record's page and give the page it leads to."""
    page = url_of(record).removesuffix("change/")
    answer = signing.press(client, f"{page}do/{name}/", **sent)
    assert answer.redirect_chain, re.findall(r'class="errorlist.*?</ul>', answer.content.decode(), re.DOTALL)
    return answer.content.decode()


@pytest.mark.django_db
def test_an_appeal_is_won_by_a_customer_and_answered_by_somebody_new(analyst_user, lead_user):
    leo = person("leo", "lead reviewer")
    now = timezone.now()
    account = make_open_account(at=now - timedelta(days=30))
    case = make_case(account, at=now)
    reviewer, lead, other_lead = logged_in(analyst_user), logged_in(lead_user), logged_in(leo)

    press(reviewer, case, "take")
    finish_list(case, by=analyst_user.as_actor, at=now)
    proposal = {"account": account.reference, "outcome": "suspend", "reason": "unusual_use"}
    press(reviewer, case, "propose", **proposal)
    assert "unless it is undone before" in press(lead, case, "countersign")
    assert "Decide anew, or not at all" in press(lead, case, "undo")
    bring_decisions_into_effect((now + timedelta(hours=1)).isoformat())
    assert not Restriction.objects.exists()

    press(reviewer, case, "propose", **proposal)
    decision = Decision.objects.proposed().get()
    press(lead, decision, "countersign")
    bring_decisions_into_effect((timezone.now() + timedelta(minutes=11)).isoformat())
    assert Restriction.objects.in_force().get().level == "suspended"

    press(reviewer, account, "ask_again")
    deliver_queued(at=timezone.now())
    link = next(found.group() for message in mail.outbox if (found := re.search(r"http\S+/me/link/\S+", message.body)))
    customer = Client(enforce_csrf_checks=False)
    door = urlsplit(link).path
    notice = re.search(r'name="notice" value="(\d+)"', customer.get(door).content.decode()).group(1)
    assert customer.post(door, {"notice": notice}).status_code == 302
    sent = customer.post(reverse("customer:objection"), {"text": "It was our yearly backup."})
    assert sent.status_code == 302

    appeal = Appeal.objects.get()
    assert (appeal.decision, appeal.state, Deadline.objects.get(name=appeal.reference).due_on) == (
        decision, "open", appeal.due_on,
    )  # fmt: skip
    tiles = {tile.title: tile.count for tile in tiles_for(leo, now.date())}
    assert tiles["Appeals to answer"] == 1 and tiles["Objections"] == 0

    refused = lead.post(f"{url_of(appeal).removesuffix('change/')}do/take/").content.decode()
    assert "lea signed DEC-" in refused and "Ask leo to do it." in refused
    press(other_lead, appeal, "take")
    assert "It was our yearly backup." in other_lead.get(url_of(appeal)).content.decode()
    told = press(other_lead, appeal, "answer", outcome="reversed", reason="wrong_fact", why="A yearly backup.")
    assert "The customer is told." in told

    account.refresh_from_db()
    decision.refresh_from_db()
    assert not Restriction.objects.in_force().exists() and account.is_open
    assert (decision.state, Objection.objects.get().outcome) == ("reversed", "right")
    assert not Deadline.objects.running().filter(name=appeal.reference).exists()

    deliver_queued(at=timezone.now())
    bodies = [message.body for message in mail.outbox]
    assert any("We have taken our decision back." in body for body in bodies)
    assert not FORBIDDEN & set(re.findall(r"[a-z]+", " ".join(bodies).lower()))

    replay = reviewer.get(reverse("admin:cases_decision_replay", args=[decision.pk])).content.decode()
    assert "its hash is the one in the audit trail" in replay
    assert "The same signatures, effect, words and days to appeal would follow." in replay
    for page in (case, decision):
        assert appeal.reference in reviewer.get(url_of(page)).content.decode()
    verbs = {event.verb for event in audit.history_of(case)}
    assert {"cases.undone", "cases.took_effect", "cases.appealed", "cases.appeal_answered"} <= verbs

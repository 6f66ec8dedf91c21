"""A verification's page: who asks an outside verifier, what is shown of the answer, and what only a reason opens."""

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.flows import external_checks
from accounts.models import ExternalCheck
from kyc_portal.demo.stand_in import StandIn
from kyc_portal.records.models import AuditEvent
from kyc_portal.work import queue
from tests.accounts.verifier import answer_to, deliver, make_check, make_verification, read
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def page(record) -> str:
    return reverse("admin:accounts_verification_change", args=[record.pk])


def button(record) -> str:
    return f"/admin/accounts/verification/{record.pk}/do/ask-verifier/"


def shown(response) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


def section(body: str, name: str) -> str:
    return body[body.index(f'id="{name}"') :].partition("</section>")[0]


@pytest.fixture
def reviewer(client, analyst_user):
    client.force_login(analyst_user)
    return client


class TestAsking:
    def test_the_button_asks_and_says_under_which_reference(self, reviewer):
        record = make_verification()

        assert "goes to the verifier" in shown(reviewer.get(button(record)))
        told = shown(reviewer.post(button(record), follow=True))

        check = ExternalCheck.objects.get()
        assert f"is asked under {check.reference}" in told and check.asked_by == "ana"

    def test_while_one_is_out_the_button_is_gone_and_the_flow_says_why(self, reviewer):
        check = make_check()

        assert "do/ask-verifier" not in shown(reviewer.get(page(check.verification)))
        assert f"{check.reference} is out since" in shown(reviewer.post(button(check.verification)))

    def test_without_a_verifier_there_is_no_button(self, reviewer, settings):
        record = make_verification()
        settings.VERIFIER = ""

        assert "do/ask-verifier" not in shown(reviewer.get(page(record)))
        assert "No outside verifier is set up" in shown(reviewer.post(button(record)))

    def test_the_form_of_a_method_does_not_offer_it(self, reviewer):
        record = make_verification()

        body = shown(reviewer.get(f"/admin/accounts/verification/{record.pk}/do/record-method/"))

        assert "public_database" in body and "outside_verifier" not in body

    def test_an_auditor_reads_and_cannot_ask(self, client, auditor_user):
        check = make_check()
        client.force_login(auditor_user)

        assert check.reference in shown(client.get(page(check.verification)))
        assert client.post(button(check.verification)).status_code == 403

    def test_the_workspace_has_a_key_for_it(self, reviewer):
        record = make_verification()

        body = shown(reviewer.get(reverse("admin:accounts_verification_workspace", args=[record.pk])))

        assert 'data-key="o"' in body and 'id="outside"' in body


class TestShowing:
    def test_before_any_question_it_says_so(self, reviewer):
        body = shown(reviewer.get(page(make_verification())))

        assert "No outside verifier was asked." in body and 'id="outside-answers"' not in body

    def test_what_is_still_open_is_a_sentence(self, reviewer):
        check = make_check()

        told = section(shown(reviewer.get(page(check.verification))), "outside")

        assert "asked, no answer yet" in told
        assert f"Without an answer {check.reference} ends on 5 Mar 2026." in told

    def test_what_stands_in_the_way_is_a_sentence(self, reviewer, analyst):
        check = external_checks.ask(make_verification(legal_name="Maria Gone"), by=analyst, at=NOON)
        queue.run_due(NOON)

        told = section(shown(reviewer.get(page(check.verification))), "outside")

        assert "It is tried again by itself, and after five times" in told and "VerifierGone" not in told

    def test_result_fields_and_hash_are_shown_and_values_are_dots(self, reviewer):
        check = make_check()
        said = {"result": "partial", "matched": ["legal_name"], "differing": {"address": "Found Street 7"}}
        answer = read(deliver(check, answer_to(check, **said)))

        body = shown(reviewer.get(page(check.verification)))

        told = section(body, "outside-answers")
        for words in ("partial match", "stands as a result", "legal name", "address", answer.sha256):
            assert words in told
        assert "Found Street" not in body
        assert reverse("accounts:reveal", args=["externalanswer", answer.pk, "body"]) in told

    def test_one_that_cannot_be_read_shows_why(self, reviewer):
        check = make_check()
        read(deliver(check, answer_to(check, result="perhaps")))

        told = section(shown(reviewer.get(page(check.verification))), "outside-answers")

        assert "“result” is none of match, partial, no_match, error." in told

    def test_the_whole_answer_takes_a_reason_and_leaves_an_event(self, reviewer):
        check = make_check()
        answer = read(deliver(check, answer_to(check, their_reference="v-<b>7")))
        address = reverse("accounts:reveal", args=["externalanswer", answer.pk, "body"])

        asked = shown(reviewer.get(address))
        response = reviewer.post(address, {"why": "verification"})

        assert "whole answer about the identity" in asked and "v-<b>7" not in asked
        assert '"their_reference": "v-<b>7"' in shown(response) and b"<b>7" not in response.content
        assert "no-store" in response["Cache-Control"]
        event = AuditEvent.objects.get(verb="records.revealed")
        assert event.facts["field"] == "whole answer about the identity" and event.actor_label == "ana"

    def test_who_may_not_unmask_gets_no_link_and_no_answer(self, client, compliance_user):
        check = make_check()
        answer = read(deliver(check))
        client.force_login(compliance_user)

        assert "/show/externalanswer/" not in shown(client.get(page(check.verification)))
        address = reverse("accounts:reveal", args=["externalanswer", answer.pk, "body"])
        assert client.post(address, {"why": "verification"}).status_code == 403

    def test_its_queries_do_not_grow_with_questions_and_answers(self, reviewer):
        record, counts = make_verification(), []
        for number in range(3):
            check = make_check(record)
            for part in range(number + 1):
                read(deliver(check, answer_to(check, result="error", matched=[]), id=f"msg_{number}_{part}"))
            with CaptureQueriesContext(connection) as queries:
                reviewer.get(page(record))
            counts.append(len(queries))

        assert counts[1] == counts[2]

    def test_where_the_verifier_wants_to_see_the_customer_is_shown_for_a_reason(self, reviewer, monkeypatch):
        told = external_checks.HandedOver("v-1", "https://verifier.example/start/7")
        monkeypatch.setattr(StandIn, "ask", lambda *_, **__: told)
        check = make_check()

        body = shown(reviewer.get(page(check.verification)))

        assert "Customer goes to" in body and "verifier.example/start" not in body
        address = reverse("accounts:reveal", args=["externalcheck", check.pk, "send_customer_to"])
        assert "https://verifier.example/start/7" in shown(reviewer.post(address, {"why": "verification"}))

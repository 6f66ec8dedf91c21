"""The outside verifier's door from outside: real signatures; whatever is wrong is answered alike (TH3, F8, G1, G2)."""

import io
import json
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import ExternalAnswer, MethodResult
from kyc_portal.api import verifier
from kyc_portal.records.models import AuditEvent
from kyc_portal.work import queue
from tests.accounts.verifier import DOOR, answer_to, make_check, signed
from tests.conftest import person

pytestmark = pytest.mark.django_db
OTHER = "whsec_" + "eHh4" * 10 + "eA=="


@pytest.fixture
def check(db):
    return make_check()


def send(text, headers=None, *, method="POST", content_type="application/json", client=None, **meta):
    """A message as a vendor sends it, with CSRF checks as in earnest."""
    body = text if isinstance(text, bytes) else text.encode()
    sent = signed(text) if headers is None else headers
    client = client or Client(enforce_csrf_checks=True)
    return client.generic(method, DOOR, body, content_type=content_type, headers=sent, **meta)


def problem(answer, status: int) -> str:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.headers["Cache-Control"]
    assert "Maria" not in answer.content.decode()
    return answer.json()["detail"]


def refusals() -> list[str]:
    events = AuditEvent.objects.filter(verb="api.answer_refused").order_by("id")
    return [event.facts["why"] for event in events]


class TestAnswers:
    def test_a_signed_answer_is_kept_acknowledged_and_read_by_the_job(self, check):
        text = json.dumps(answer_to(check))

        answer = send(text)

        assert (answer.status_code, answer.json()) == (202, {"is_repeat": False})
        kept = ExternalAnswer.objects.get()
        assert kept.body.reveal() == text and kept.state == "received" and not MethodResult.objects.exists()
        queue.run_due(timezone.now())
        assert MethodResult.objects.get().result == "match"

    def test_g1_the_same_message_again_is_200_without_effect(self, check):
        text = json.dumps(answer_to(check))
        headers = signed(text)
        send(text, headers)

        again = send(text, headers)

        assert (again.status_code, again.json()) == (200, {"is_repeat": True})
        assert ExternalAnswer.objects.count() == 1 and refusals() == []

    def test_a_retry_of_the_vendor_with_a_new_stamp_is_a_repeat_too(self, check):
        text = json.dumps(answer_to(check))
        send(text, signed(text, at=timezone.now() - timedelta(minutes=2)))

        assert send(text, signed(text)).json() == {"is_repeat": True}

    def test_g2_the_same_id_with_another_body_is_409(self, check):
        send(json.dumps(answer_to(check)))
        other = json.dumps(answer_to(check, result="error", matched=[]))

        assert "webhook-id" in problem(send(other), 409)
        assert ExternalAnswer.objects.get().body.reveal() != other

    def test_two_secrets_at_once_while_one_replaces_the_other(self, check, settings):
        first = settings.VERIFIER_SECRETS[0]
        settings.VERIFIER_SECRETS = [OTHER, first]
        text = json.dumps(answer_to(check))

        assert send(text, signed(text, id="msg_1", secret=first)).status_code == 202
        assert send(text, signed(text, id="msg_2", secret=OTHER)).status_code == 202
        settings.VERIFIER_SECRETS = [OTHER]
        problem(send(text, signed(text, id="msg_3", secret=first)), 400)

    def test_a_session_neither_opens_nor_hinders_it(self, check):
        client = Client(enforce_csrf_checks=True)
        client.force_login(person("all", "reviewer"))
        text = json.dumps(answer_to(check))

        problem(send(text, {}, client=client), 400)
        assert send(text, client=client).status_code == 202


def wrong_ones(check) -> dict[str, tuple]:
    """(body, headers) of everything that is answered alike."""
    good = json.dumps(answer_to(check))
    unknown = json.dumps(answer_to(check, reference="CHK-2222-2222"))
    deep = "[" * 50_000
    return {
        "nothing": (good, {}),
        "other secret": (good, signed(good, secret=OTHER)),
        "old": (good, signed(good, at=timezone.now() - timedelta(minutes=6))),
        "to come": (good, signed(good, at=timezone.now() + timedelta(minutes=6))),
        "other body": (good + " ", signed(good)),
        "other id": (good, signed(good) | {"webhook-id": "msg_9"}),
        "half a signature": (good, signed(good) | {"webhook-signature": "v1,"}),
        "no reference of ours": (unknown, signed(unknown)),
        "not JSON": ("hello", signed("hello")),
        "blank": (" ", signed(" ")),
        "not UTF-8": (b"\xff\xfe", signed("x")),
        "deep": (deep, signed(deep)),
        "twice": ('{"reference": "a", "reference": "b"}', signed('{"reference": "a", "reference": "b"}')),
        "NUL": ('{"reference": "CHK\\u0000"}', signed('{"reference": "CHK\\u0000"}')),
        "surrogate": ('{"reference": "\\ud800"}', signed('{"reference": "\\ud800"}')),
    }


class TestRefusals:
    def test_whatever_is_wrong_is_answered_alike_and_nothing_is_kept(self, check, settings):
        settings.AXES_FAILURE_LIMIT = 100
        cases = wrong_ones(check)

        answers = {name: send(body, headers) for name, (body, headers) in cases.items()}

        assert {problem(answer, 400) for answer in answers.values()} == {
            "The message is not accepted: it is not a signed answer to anything asked."
        }
        assert len({answer.content for answer in answers.values()}) == 1
        assert not ExternalAnswer.objects.exists() and len(refusals()) == len(cases)
        assert set(refusals()) == {"signature", "reference", "not_json", "no_reference"}

    def test_without_a_verifier_the_door_says_the_same(self, check, settings):
        settings.VERIFIER = ""
        text = json.dumps(answer_to(check))

        assert "not accepted" in problem(send(text), 400)

    def test_nothing_that_was_sent_is_logged_or_told(self, check, caplog):
        send('{"reference": "Maria Secret"}', {"webhook-id": "Maria"})

        told = str(list(AuditEvent.objects.filter(verb="api.answer_refused").values()))
        assert "Maria" not in caplog.text and "Secret" not in told and "Maria" not in told

    def test_many_failures_shut_the_door_for_that_address_and_never_for_a_good_message(self, check):
        for _ in range(settings.AXES_FAILURE_LIMIT):
            problem(send("{}", {}), 400)

        shut = send("{}", {})
        assert "Wait" in problem(shut, 429) and shut.headers["Retry-After"] == "900"
        assert len(refusals()) == settings.AXES_FAILURE_LIMIT
        assert AccessAttempt.objects.filter(ip_address__isnull=False).count() == 0
        problem(send("{}", {}, REMOTE_ADDR="203.0.113.9"), 400)
        assert send(json.dumps(answer_to(check))).status_code == 202

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_f9_any_other_method_is_405(self, check, method):
        answer = send(json.dumps(answer_to(check)), method=method)

        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
        assert not ExternalAnswer.objects.exists() and refusals() == []

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_any_other_media_type_is_415(self, check, content_type):
        problem(send(json.dumps(answer_to(check)), content_type=content_type), 415)

    def test_a_packed_body_is_415(self, check):
        text = json.dumps(answer_to(check))

        problem(send(text, signed(text) | {"Content-Encoding": "gzip"}), 415)

    def test_too_large_a_body_is_413_and_not_read(self, check, settings, monkeypatch):
        text = json.dumps(answer_to(check, padding="x" * settings.VERIFIER_MAX_BYTES))
        monkeypatch.setattr(WSGIRequest, "read", lambda *_: pytest.fail("it was read"))

        assert "262,144" in problem(send(text), 413)

    def test_the_largest_body_is_kept_whole(self, check, settings):
        text = json.dumps(answer_to(check))
        text += " " * (settings.VERIFIER_MAX_BYTES - len(text))

        assert send(text).status_code == 202
        assert ExternalAnswer.objects.get().body.reveal() == text

    @pytest.mark.parametrize("length", ["", "-1", "x", "٣"])
    def test_f12_a_body_must_say_its_length(self, check, length):
        request = RequestFactory().post(DOOR, b"{}", content_type="application/json", CONTENT_LENGTH=length)

        problem_of = verifier.answers(request)

        assert problem_of.status_code == 411

    @pytest.mark.parametrize("more", [-1, 1])
    def test_f12_a_length_that_is_not_the_bodys_is_refused(self, check, more):
        """As the server hands it over: a stream that gives what the client sent, and a length in the header."""
        text = json.dumps(answer_to(check))
        request = RequestFactory().post(DOOR, text, content_type="application/json", headers=signed(text))
        told = {**request.environ, "wsgi.input": io.BytesIO(text.encode()), "CONTENT_LENGTH": str(len(text) + more)}

        assert verifier.answers(WSGIRequest(told)).status_code == 400
        assert not ExternalAnswer.objects.exists()

    def test_a_page_of_another_site_may_not_send(self, check):
        text = json.dumps(answer_to(check))

        assert send(text, signed(text) | {"Sec-Fetch-Site": "cross-site"}).status_code == 403

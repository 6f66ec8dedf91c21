import json

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from cases.models import AbuseReport
from kyc_portal.api.scopes import SCOPES
from tests.cases import reports
from tests.cases.builders import make_open_account
from tests.kyc_portal.api.builders import make_key

URL = "/api/v1/abuse-reports"


@pytest.fixture
def key(db):

    return make_key(scopes=["abuse_reports.write"], at=timezone.now())


def send(key, data: bytes, *, content_type="application/json", url=URL, **headers):
    headers = {"Authorization": f"Bearer {key.text}", **headers}
    return Client(raise_request_exception=False).post(url, data, content_type=content_type, headers=headers)


@pytest.mark.django_db
class TestAbuseReports:
    def test_it_is_taken_in_once_however_often_it_is_sent(self, key):
        reports.allocate(make_open_account())
        data = reports.as_bytes(reports.botnet())

        first, second = send(key, data), send(key, data)

        report = AbuseReport.objects.get()
        assert (first.status_code, first.json()) == (201, {"report": report.reference, "is_repeat": False})
        assert (second.status_code, second.json()) == (200, {"report": report.reference, "is_repeat": True})
        assert (report.door, report.state) == ("api", "resolved")
        assert mail.outbox == []

    @pytest.mark.parametrize(
        ("data", "options", "status", "words"),
        [
            (b"{}", {}, 400, "xarf_version is missing"),
            (b'{"a": NaN}', {}, 400, "$.a"),
            (b"\xff", {}, 400, "not valid UTF-8"),
            (b" ", {}, 400, "The report is empty."),
            (b"{}", {"content_type": "text/plain"}, 415, "application/json"),
            (b"{}", {"Content-Encoding": "gzip"}, 415, "content encoding"),
            (b"{}", {"url": f"{URL}?account=ACC-1"}, 400, "takes no parameters"),
        ],
    )
    def test_a_refusal_is_problem_json_with_the_place(self, key, data, options, status, words):
        answer = send(key, data, **options)

        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert words in json.loads(answer.content)["detail"]
        assert not AbuseReport.objects.exists()

    def test_a_body_beyond_the_setting_is_not_read(self, key, settings):
        settings.ABUSE_REPORT_MAX_BYTES = 100

        assert send(key, b"x" * 101).status_code == 413

    def test_another_scope_does_not_open_it(self, db):

        other = make_key(at=timezone.now())

        assert send(other, reports.as_bytes(reports.botnet())).status_code == 403
        assert not AbuseReport.objects.exists()

    def test_no_key_does_not_open_it(self, db):
        answer = Client().post(URL, b"{}", content_type="application/json")

        assert answer.status_code == 401

    def test_its_scope_rests_on_the_desks_own_right(self):
        assert SCOPES["abuse_reports.write"].permission == "cases.take_in_abusereport"

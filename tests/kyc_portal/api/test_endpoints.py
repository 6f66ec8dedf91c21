"""The API from outside: keys in the header only, problems in JSON, access logs taken in once, checkpoints out."""

import io
import json
import re
from decimal import Decimal

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone

from accounts.flows import identification
from accounts.models import AccessBatch, AccessRecord, Account
from accounts.rules.ownership import TooTangled
from kyc_portal.api import access_logs, sources, urls, views
from kyc_portal.records import sealing
from kyc_portal.records.models import AuditCheckpoint, AuditEvent
from kyc_portal.staff import people
from kyc_portal.staff.sources import check_proxies, source_of
from tests.accounts.logs import cloudtrail, csv_file, event, jsonl
from tests.accounts.verifier import DOOR
from tests.builders import make_account, make_company, make_open_account, make_party
from tests.conftest import person
from tests.kyc_portal.api.builders import make_key
from tests.kyc_portal.staff.worlds import digest_of_all_rows

pytestmark = pytest.mark.django_db
ME, CHECKPOINT, LOGS = "/api/v1/key", "/api/v1/audit/checkpoint", "/api/v1/access-logs/"
JSONL = "application/jsonl"


@pytest.fixture
def account(db):
    return make_open_account()


@pytest.fixture
def key(db):
    """A key that was made now, because endpoints read the clock."""
    return new_key()


def new_key(owner=None, **changes):
    return make_key(owner, at=timezone.now(), **changes)


def ask(path, key=None, method="GET", body=b"", content_type=JSONL, client=None, **headers):
    """A request as another system makes it, with CSRF checks as in earnest."""
    client = client or Client(enforce_csrf_checks=True)
    if key is not None:
        headers["Authorization"] = f"Bearer {key if isinstance(key, str) else key.text}"
    return client.generic(method, path, body, content_type=content_type, headers=headers)


def send(key, account, lines, format="jsonl", content_type=JSONL, query="", **headers):
    path = f"{LOGS}{format}?account={account.reference}{query}"
    return ask(path, key, "POST", lines.read(), content_type, **headers)


def assert_problem(answer, status: int) -> str:
    """The law for refusals: problem JSON with the status in it, never kept; gives the sentence."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "no-store" in answer.headers["Cache-Control"]
    body = answer.json()
    assert set(body) - {"bad_lines"} == {"status", "title", "detail"} and body["status"] == status
    assert body["detail"].isprintable() and len(body["detail"]) < 400
    return body["detail"]


class TestMissing:
    def of(self, account, key):
        return ask(f"/api/v1/accounts/{account.reference}/missing", key)

    def test_it_tells_what_the_regime_still_asks_for(self):
        account = make_account(phone="", email="")

        answer = self.of(account, new_key(scopes=["accounts.read"]))

        told, sentence = answer.json(), "No telephone number is on file. Add one."
        assert answer.status_code == 200
        assert (told["account"], told["state"]) == (account.reference, "prospect")
        assert told["regime"].endswith("(proposed)")
        assert {"code": "phone", "sentence": sentence, "owner": None} in told["missing"]
        assert {"phone", "email"} <= {gap["code"] for gap in told["missing"]}

    def test_it_names_the_owner_a_gap_is_about(self, analyst):
        company, owner = make_company(), make_party(birth_date=None, addresses=())
        identification.add_owner(company.party, owner=owner, percent=Decimal(60), by=analyst, at=timezone.now())

        told = self.of(company, new_key(scopes=["accounts.read"])).json()

        assert owner.reference in {gap["owner"] for gap in told["missing"]}

    def test_owners_nobody_can_tell_are_said_to_be_so(self, monkeypatch):
        def give_up(file):
            raise TooTangled("The owners go in too many circles. Correct them.")

        monkeypatch.setattr(views, "missing_in", give_up)

        assert "circles" in assert_problem(self.of(make_account(), new_key(scopes=["accounts.read"])), 409)

    def test_nothing_is_missing_of_what_has_ended(self):
        account = make_account(phone="")
        Account.objects.update(status="refused")

        assert self.of(account, new_key(scopes=["accounts.read"])).json()["missing"] == []

    def test_others_are_told_nothing(self, account, key):
        assert_problem(self.of(account, key), 403)
        manager = new_key(scopes=["accounts.read"])
        for reference in ("ACC-0000-0000", "%00", "x"):
            assert_problem(ask(f"/api/v1/accounts/{reference}/missing", manager), 404)


class TestKey:
    def test_it_says_who_one_is(self, key):
        answer = ask(ME, key)

        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        assert answer.json() == {
            "key": key.reference, "name": key.name, "owner": "owen", "scopes": ["access_logs.write"],
            "networks": [], "expires_at": key.expires_at.isoformat(),
        }  # fmt: skip

    def test_the_day_of_use_is_kept(self, key):
        ask(ME, key)
        ask(ME, key)

        key.refresh_from_db()
        assert key.last_used_on is not None
        assert AuditEvent.objects.filter(verb="api.key_used", about_key=str(key.pk)).count() == 1

    def test_a_cookie_opens_nothing(self, client):
        client.force_login(person("adam", "administrator"))

        assert_problem(ask(ME, client=client), 401)

    def test_a_key_opens_no_page(self, key):
        assert ask("/admin/accounts/account/", key).status_code == 302


class TestRefusals:
    def test_unknown_wrong_revoked_and_none_are_answered_alike(self, key, administrator):
        other = new_key()
        text, dead = key.text, other.text
        people.leave(other.owner, by=administrator, at=timezone.now())
        tries = [text[:-1] + ("A" if text[-1] != "A" else "B"), "kyc_22222222_" + "a" * 43, "x", "", dead]

        answers = [ask(ME, each) for each in tries] + [ask(ME), ask(ME, Authorization=f"Basic {text}")]

        assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
        assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
        assert_problem(answers[0], 401)

    def test_each_failed_try_leaves_one_event_without_what_was_shown(self, key):
        wrong = key.text[:13] + "Z" * 43

        ask(ME, wrong)
        ask(ME, "somethingelse")

        known, unknown = AuditEvent.objects.filter(verb="api.refused").order_by("id")
        assert (known.about_key, known.facts) == (str(key.pk), {"why": "wrong_secret"})
        assert (unknown.about_key, unknown.facts) == ("unknown", {"why": "unknown"})
        assert b"ZZZ" not in bytes(known.canonical) and b"something" not in bytes(unknown.canonical)

    def test_a_source_that_fails_too_often_waits_and_writes_nothing_more(self, key, settings):
        settings.API_MOST_FAILURES = 3
        for _ in range(3):
            ask(ME, "x")
        before = digest_of_all_rows()

        answer = ask(ME, "x")

        assert_problem(answer, 429)
        assert int(answer.headers["Retry-After"]) == sources.WINDOW
        assert digest_of_all_rows() == before
        assert ask(ME, key).status_code == 200  # nobody can lock out a good key

    def test_another_source_is_not_made_to_wait(self, settings):
        settings.API_MOST_FAILURES = 1
        near, far = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")

        statuses = [ask(ME, "x", client=client).status_code for client in (near, near, far)]

        assert statuses == [401, 429, 401]

    def test_addresses_of_one_ipv6_network_are_one_source(self, settings):
        settings.API_MOST_FAILURES = 1

        statuses = [ask(ME, "x", client=Client(REMOTE_ADDR=f"2001:db8::{n}")).status_code for n in (1, 2)]

        assert statuses == [401, 429]

    @pytest.mark.parametrize(("path", "method"), [(ME, "GET"), (CHECKPOINT, "GET"), (LOGS + "jsonl", "POST")])
    def test_other_methods_are_405(self, key, path, method):
        for other in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - {method}:
            answer = ask(path, key, other)
            assert_problem(answer, 405)
            assert method in answer.headers["Allow"]

    def test_a_scope_that_is_missing_is_403(self, key):
        auditor = new_key(person("audrey", "auditor"), scopes=["audit.read"])

        assert "audit.read" in assert_problem(ask(CHECKPOINT, key), 403)
        assert_problem(ask(LOGS + "jsonl?account=ACC-2222-2222", auditor, "POST"), 403)

    @pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/key", "/api/v1/key/", "/api/v1/access-logs/a/b"])
    def test_any_other_address_is_404(self, key, path):
        assert_problem(ask(path, key), 404)

    def test_every_endpoint_but_the_last_resort_asks_for_a_key(self):
        paths = ["/api/" + re.sub("<str:[a-z]+>", "jsonl", str(each.pattern)) for each in urls.urlpatterns[:-1]]

        paths.remove(DOOR)  # proves itself by a signature: test_verifier_door.py
        assert len(paths) == 7 and get_resolver().resolve("/api/whatever").url_name == "nothing-here"
        for path in paths:
            assert {ask(path, method=method).status_code for method in ("GET", "POST")} == {401, 405}


class TestSources:
    def request(self, remote, told=""):
        return type("Request", (), {"META": {"REMOTE_ADDR": remote}, "headers": {"X-Forwarded-For": told}})

    @pytest.mark.parametrize(
        ("remote", "told", "source"),
        [
            ("203.0.113.9", "192.0.2.1", "203.0.113.9"),  # a stranger's word
            ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "1.1.1.1, 192.0.2.1", "192.0.2.1"),  # what the client itself sent stands before
            ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("10.0.0.1", "", ""),
            ("10.0.0.1", "nonsense", ""),
            ("::ffff:203.0.113.9", "", "203.0.113.9"),
            ("", "192.0.2.1", ""),
        ],
    )
    def test_only_a_configured_proxy_is_believed(self, settings, remote, told, source):
        settings.TRUSTED_PROXIES = ["10.0.0.0/24"]

        assert source_of(self.request(remote, told)) == source

    @pytest.mark.parametrize(
        ("proxies", "faults"),
        [([], 0), (["10.0.0.0/24", "::1"], 0), (["x"], 1), (["0.0.0.0/0"], 1), (["10.0.0.1/8"], 1)],
    )
    def test_a_start_with_a_proxy_that_is_none_is_refused(self, settings, proxies, faults):
        settings.TRUSTED_PROXIES = proxies

        assert len(check_proxies(None)) == faults

    def test_a_header_opens_no_network(self, settings):
        key = new_key(networks=["192.0.2.0/24"])

        answer = ask(ME, key, **{"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1"})

        assert_problem(answer, 401)
        assert ask(ME, key, client=Client(REMOTE_ADDR="192.0.2.9")).status_code == 200


class TestAccessLogs:
    def test_lines_come_in_under_the_key(self, key, account):
        answer = send(key, account, jsonl(event(1), event(2)))

        batch = AccessBatch.objects.get()
        assert answer.status_code == 201
        assert answer.json() == {
            "batch": batch.reference, "format": "jsonl", "read": 2, "new": 2, "known": 0, "waiting": 0, "refused": 0,
            "refused_lines": None, "is_repeat": False,
        }  # fmt: skip
        told = AuditEvent.objects.get(verb="accounts.log_imported")
        assert (told.actor_kind, told.actor_key, told.actor_owner) == ("api_client", str(key.pk), str(key.owner_id))
        assert (batch.imported_by, batch.file_name) == (key.reference, f"Body of {key.reference}")

    @pytest.mark.parametrize(
        ("format", "content_type", "lines"),
        [
            ("csv", "text/csv", csv_file(event(1))),
            ("csv", "text/csv; charset=utf-16", csv_file(event(1), encoding="utf-16")),
            ("jsonl", "application/x-ndjson; charset=utf-8", jsonl(event(1))),
            (
                "cloudtrail",
                "application/json",
                cloudtrail({"eventID": "a", "eventTime": "2026-02-01T00:00:00Z", "eventName": "ConsoleLogin"}),
            ),
        ],
        ids=["csv", "csv utf-16", "ndjson", "cloudtrail"],
    )
    def test_every_format_is_taken(self, key, account, format, content_type, lines):
        lines.seek(0)

        assert send(key, account, lines, format, content_type).json()["new"] == 1

    def test_the_same_file_again_changes_nothing(self, key, account):
        first = send(key, account, jsonl(event(1))).json()
        before = digest_of_all_rows()

        again = send(key, account, jsonl(event(1)))

        assert (again.status_code, again.json()["batch"], again.json()["is_repeat"]) == (200, first["batch"], True)
        assert digest_of_all_rows() == before

    def test_one_bad_line_keeps_all_out_unless_the_good_are_wanted(self, key, account):
        lines = [event(1), event(2, kind="nonsense")]

        sentence = assert_problem(send(key, account, jsonl(*lines)), 400)
        assert "1 line cannot be used (2)" in sentence and not AccessRecord.objects.exists()

        told = send(key, account, jsonl(*lines), query="&keep_good_rows=true&file=a.jsonl").json()
        assert (told["new"], told["refused"]) == (1, 1)

    NOT_JSON = {
        "a key twice": b'{"event_id": "a", "event_id": "b"}',
        "half a surrogate pair": json.dumps(event(1, principal="\ud800")).encode(),
        "NUL": json.dumps(event(1, principal="a\x00b")).encode(),
        "nested too deep": b'{"event_id": ' + b"[" * 100_000,
        "not UTF-8": b'{"event_id": "\xff"}',
        "not JSON": b"{'a': NaN}",
        "a list": b"[]",
    }

    @pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
    @pytest.mark.parametrize(("format", "content_type"), [("jsonl", JSONL), ("cloudtrail", "application/json")])
    def test_odd_json_is_a_400_and_writes_nothing(self, key, account, format, content_type, body):
        ask(ME, key)
        before = digest_of_all_rows()
        if format == "cloudtrail":
            body = b'{"Records": [' + body + b"]}"

        answer = ask(f"{LOGS}{format}?account={account.reference}", key, "POST", body, content_type)

        assert_problem(answer, 400)
        assert digest_of_all_rows() == before

    def test_what_is_too_large_is_a_413_before_it_is_read(self, key, account, settings):
        settings.API_MAX_BYTES = 1000
        path = f"{LOGS}jsonl?account={account.reference}"

        assert_problem(ask(path, key, "POST", b"x" * 1001), 413)
        assert_problem(ask(path, key, "POST", b"x" * 1000), 400)

    @pytest.mark.parametrize(("announced", "status"), [(0, 201), (-2, 400), (1, 400)])
    def test_no_more_is_read_than_was_announced_and_less_is_no_file(self, key, account, announced, status):
        """As the server hands it over: a stream that gives what the client sent, and a length in the header."""
        line = jsonl(event(1)).read()
        request = RequestFactory().post(
            f"{LOGS}jsonl?account={account.reference}", line, content_type=JSONL,
            headers={"Authorization": f"Bearer {key.text}", "Content-Length": str(len(line) + announced)},
        )  # fmt: skip
        request = WSGIRequest({**request.environ, "wsgi.input": io.BytesIO(line)})

        answer = access_logs.hand_in(request, format="jsonl")

        assert answer.status_code == status
        assert AccessRecord.objects.count() == (1 if status == 201 else 0)

    @pytest.mark.parametrize("length", ["", "-1", "x", "１x"])
    def test_a_body_of_unknown_length_is_a_411(self, key, account, length):
        client = Client()
        path = f"{LOGS}jsonl?account={account.reference}"

        answer = client.post(
            path, b"x", content_type=JSONL, headers={"Authorization": f"Bearer {key.text}"}, CONTENT_LENGTH=length
        )

        assert_problem(answer, 411)

    @pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", "", "é"])
    def test_another_media_type_is_a_415(self, key, account, kind):
        assert_problem(send(key, account, jsonl(event(1)), content_type=kind), 415)

    @pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "deflate", "x"])
    def test_another_content_encoding_is_a_415(self, key, account, encoding):
        assert_problem(send(key, account, jsonl(event(1)), **{"Content-Encoding": encoding}), 415)

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("?account=", 404), ("?account=ACC-2222-2222", 404), ("?account=' OR 1=1--", 404),
            ("?account=a&account=b", 400),
            ("?acount=a", 400), ("?account=%00", 400),
            ("?account=a&keep_good_rows=1", 400), ("?account=%ED%A0%80", 404),
        ],
    )  # fmt: skip
    def test_an_odd_query_is_refused(self, key, query, status):
        assert_problem(ask(LOGS + "jsonl" + query, key, "POST", b"x"), status)

    def test_an_unknown_format_is_a_404(self, key, account):
        assert_problem(send(key, account, jsonl(event(1)), format="xml"), 404)

    def test_an_unknown_charset_is_a_400(self, key, account):
        answer = send(key, account, csv_file(event(1)), "csv", "text/csv; charset=nonsense")

        assert_problem(answer, 400)


class TestCheckpoint:
    def test_it_hands_out_the_newest_note(self):
        key = new_key(person("audrey", "auditor"), scopes=["audit.read"])
        sealing.seal_pending()
        ask(ME, key)
        sealing.seal_pending()

        newest = AuditCheckpoint.objects.order_by("-number").first()
        assert ask(CHECKPOINT, key).json() == {"size": newest.size, "note": newest.note}

    def test_before_the_first_there_is_none(self):
        key = new_key(person("audrey", "auditor"), scopes=["audit.read"])

        assert_problem(ask(CHECKPOINT, key), 404)

"""Access logs at the API: every format, packed bodies, back-pressure, and refused lines handed back."""

import gzip
import io
import json
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import AccessBatch, AccessRecord, Account
from kyc_portal.api import access_logs, bodies
from kyc_portal.api.problems import WORDS
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records import audit
from kyc_portal.records.models import AuditEvent, IdentityView
from kyc_portal.refusal import Remedy
from kyc_portal.work import queue
from tests.accounts.formats.cloud_logs import cadf_event, entry, exported, trail
from tests.accounts.formats.test_mapped_log import EVENT as MAPPED_EVENT
from tests.accounts.formats.test_mapped_log import MAPPING
from tests.accounts.logs import csv_file, event, jsonl
from tests.builders import make_open_account
from tests.conftest import person
from tests.kyc_portal.api.test_endpoints import JSONL, LOGS, ask, assert_problem, new_key, send
from tests.kyc_portal.staff.worlds import digest_of_all_rows

pytestmark = pytest.mark.django_db
JSON = "application/json"
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def account(db):
    return make_open_account()


@pytest.fixture
def key(db):
    return new_key()


def packed(lines) -> io.BytesIO:
    return io.BytesIO(gzip.compress(lines.read()))


def refused_lines_of(reference, key, query=""):
    return ask(f"/api/v1/access-batches/{reference}/refused{query}", key)


class TestFormats:
    SENT = {
        "azure-activity": {"records": [exported()]}, "cloudtrail": {"Records": [trail()]}, "gcp-audit": [entry()],
        "openstack-cadf": cadf_event(),
    }  # fmt: skip

    def test_each_by_its_name_or_told_by_its_content(self, key, account):
        for format, content in self.SENT.items():
            body = json.dumps(content).encode()

            named = send(key, account, io.BytesIO(body), format, JSON).json()
            told = send(key, account, io.BytesIO(body), "auto", JSON)

            assert (named["format"], named["new"]) == (format, 1)
            assert told.status_code == 200, told.content
            assert (told.status_code, told.json()["batch"], told.json()["is_repeat"]) == (200, named["batch"], True)
        assert send(key, account, csv_file(event(1)), "auto", "text/csv").json()["format"] == "csv"
        assert_problem(send(key, account, io.BytesIO(b"x"), "auto", "text/plain"), 415)
        assert "none of the access logs" in assert_problem(send(key, account, io.BytesIO(b"x"), "auto", JSON), 400)

    def test_nothing_sent_is_no_success(self, key, account):
        for format, content_type in (("jsonl", "application/x-ndjson"), ("auto", JSON)):
            for body in (b"\n \r\n", b"\xef\xbb\xbf"):
                told = assert_problem(send(key, account, io.BytesIO(body), format, content_type), 400)
                assert "is empty. Give a log file" in told
        assert not AccessBatch.objects.exists()


class TestRefusals:
    """Said in the words of this door: parameters and media types, no options of a command."""

    def test_each_remedy_has_words_here_that_name_no_option(self):
        assert set(WORDS) == set(Remedy) and not [words for words in WORDS.values() if "--" in words]

    def test_the_first_lines_that_cannot_be_used_are_told_with_their_reasons(self, key, account):
        bad = [event(n, kind="x") if n % 2 else event(n, at="then") for n in range(1, 31)]

        answer = send(key, account, jsonl(event(0), *bad))

        told = assert_problem(answer, 400)
        assert told.startswith(f"Body of {key.reference}: 30 lines cannot be used") and "keep_good_rows=true" in told
        assert "--" not in told
        lines = answer.json()["bad_lines"]
        assert [each["line"] for each in lines] == list(range(2, 22))
        assert lines[0]["reason"].startswith("kind") and lines[1]["reason"].startswith("at:")
        assert set(lines[0]) == {"line", "reason"}

    @pytest.mark.parametrize(
        ("body", "format", "type", "wanted"),
        [
            (
                b"x",
                "auto",
                JSON,
                r"none of the access logs we know \(azure-activity, .*\)\. Name the format in",
            ),
            (csv_file(event(1, principal="Zo\xeb"), encoding="cp1252").read(), "csv", "text/csv", "charset=cp1252"),
            (csv_file(event(1)).read().decode().encode("utf-16-le"), "csv", "text/csv", "charset=utf-16-le"),
            (csv_file(event(1)).read(), "csv", "text/csv; charset=klingon", "Content-Type charset=utf-8"),
            (json.dumps({"Records": [trail()]}).encode()[:-5], "cloudtrail", JSON, "Send it again, whole"),
            (b'{"a": 1, "a": 1, "Records": []}', "cloudtrail", JSON, "Send it again, whole"),
            (gzip.compress(b"x" * 9, mtime=0)[:-4], "cloudtrail", "application/gzip", "Send it again, whole"),
        ],
    )
    def test_what_to_do_is_what_can_be_done_here(self, key, account, body, format, type, wanted):
        told = assert_problem(send(key, account, io.BytesIO(body), format, type), 400)

        assert re.search(wanted, told) and "--" not in told and "Fetch" not in told

    @pytest.mark.parametrize("charset", ["cp1252", "utf-16-le", "utf-16-be"])
    def test_a_charset_speaks_of_the_body_and_not_of_the_address(self, key, account, charset):
        body = csv_file(event(1, principal="Zo\xeb")).read().decode().encode(charset)

        answer = send(key, account, io.BytesIO(body), "csv", f"text/csv; charset={charset}")

        assert answer.status_code == 201, answer.content
        assert AccessRecord.objects.get().principal == "Zo\xeb"

    def test_our_reference_is_found_in_small_letters_too(self, key, account):
        path = f"{LOGS}jsonl?account={account.reference.lower()}"

        assert ask(path, key, "POST", jsonl(event(1)).read()).json()["new"] == 1


class TestMappings:
    def send(self, key, account, content, query):
        return send(key, account, io.BytesIO(json.dumps(content).encode()), "mapped", JSON, query)

    def test_a_log_is_read_by_the_mapping_that_is_named(self, key, account, settings, tmp_path):
        settings.ACCESS_MAPPINGS_DIR = str(tmp_path)
        (tmp_path / "gate-1.json").write_text(json.dumps(MAPPING))
        (tmp_path / "wrong.json").write_text("{}")

        assert self.send(key, account, MAPPED_EVENT, "&mapping=gate-1").json()["format"] == "mapped"
        assert AccessRecord.objects.get().port == 443
        assert "wrong.json is wrong" in assert_problem(self.send(key, account, MAPPED_EVENT, "&mapping=wrong"), 400)
        for name in ("gate", "../gate-1", "GATE-1", "", "a" * 300, "gate-1%00"):
            assert self.send(key, account, MAPPED_EVENT, f"&mapping={name}").status_code in (400, 404)

    def test_it_is_for_that_format_only_and_needs_a_folder(self, key, account):
        assert_problem(self.send(key, account, MAPPED_EVENT, ""), 400)
        assert_problem(send(key, account, jsonl(event(1)), query="&mapping=gate-1"), 400)
        assert_problem(self.send(key, account, MAPPED_EVENT, "&mapping=gate-1"), 404)


class TestManyAccounts:
    def test_without_an_account_each_line_names_its_own_and_a_repeat_changes_nothing(self, key):
        account = make_open_account()
        lines = [event(1, account=account.reference), event(2, account="C-8"), event(3)]
        path = f"{LOGS}jsonl?keep_good_rows=true"

        answer = ask(path, key, "POST", jsonl(*lines).read())
        before = digest_of_all_rows()
        again = ask(path, key, "POST", jsonl(*lines).read())

        told = answer.json()
        assert answer.status_code == 201
        assert [told[name] for name in ("read", "new", "known", "waiting", "refused")] == [3, 1, 0, 1, 1]
        assert AccessRecord.objects.get().account == account
        assert (again.status_code, again.json()) == (200, {**told, "is_repeat": True})
        assert digest_of_all_rows() == before
        assert [line["line"] for line in ask(told["refused_lines"], key).json()["lines"]] == [3]

    @pytest.mark.parametrize("query", ["", "&keep_good_rows=true"])
    def test_lines_that_name_another_account_than_the_address_are_a_400_and_change_nothing(self, key, account, query):
        other = make_open_account()
        body = jsonl(event(1), event(2, account=other.reference)).read()
        path = f"{LOGS}jsonl?account={account.reference}{query}"
        ask(path, key, "POST", body)
        before = digest_of_all_rows()

        assert "1 line names another account" in assert_problem(ask(path, key, "POST", body), 400)

        assert digest_of_all_rows() == before and not AccessBatch.objects.exists()
        assert ask(f"{LOGS}jsonl?keep_good_rows=true", key, "POST", body).json()["new"] == 1


class TestPackedBodies:
    def test_a_content_encoding_is_taken_off_so_that_a_repeat_may_be_packed_anew(self, key, account):
        first = send(key, account, packed(jsonl(event(1))), **GZIP)
        again = send(key, account, jsonl(event(1)))

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["batch"] == again.json()["batch"]

    def test_a_packed_file_may_be_sent_as_it_is(self, key, account):
        assert send(key, account, packed(jsonl(event(1))), "jsonl", "application/gzip").json()["new"] == 1

    def test_what_is_not_packed_or_cut_off_is_a_400(self, key, account):
        whole = packed(jsonl(event(1))).read()

        for body in (b"x", whole[:-4], whole + b"x"):
            assert "packed with gzip" in assert_problem(send(key, account, io.BytesIO(body), **GZIP), 400)
        assert not AccessRecord.objects.exists()

    def test_a_bomb_is_a_413(self, key, account, settings):
        settings.API_MAX_BYTES = 1_000
        bomb = io.BytesIO(gzip.compress(bytes(1_000 * bodies.UNPACKED_TIMES + 1)))

        assert "unpacks to more than 4,000 bytes" in assert_problem(send(key, account, bomb, **GZIP), 413)


class TestBackPressure:
    @pytest.fixture(autouse=True)
    def no_places_taken(self):
        cache.clear()
        yield
        cache.clear()

    def figure(self, name, value):
        RegimeNumber.objects.filter(name=name).update(value=value)

    def test_more_batches_of_a_key_than_may_be_at_once_are_a_429(self, key, account, monkeypatch):
        self.figure("access_batches_at_once", 2)
        answers = []

        def meanwhile(*args, **named):
            """What other processes of the same system get while one batch is taken in."""
            answers.append(send(key, account, jsonl(event(len(answers)))))
            return taken(*args, **named)

        taken = access_logs.access_log.import_access_lines
        monkeypatch.setattr(access_logs.access_log, "import_access_lines", meanwhile)
        before_all = send(key, account, jsonl(event(10)))
        monkeypatch.undo()

        assert [answer.status_code for answer in (*answers, before_all)] == [429, 201, 201]
        assert "under way" in assert_problem(answers[0], 429)
        assert answers[0].headers["Retry-After"] == "30"
        assert send(key, account, jsonl(event(11))).status_code == 201  # the places are free again

    def test_a_place_is_given_back_when_a_batch_is_refused(self, key, account):
        self.figure("access_batches_at_once", 1)

        statuses = [send(key, account, jsonl(event(n, kind="x"))).status_code for n in range(3)]

        assert statuses == [400] * 3

    def test_another_key_has_places_of_its_own(self, key, account):
        self.figure("access_batches_at_once", 0)
        assert_problem(send(key, account, jsonl(event(1))), 429)

        self.figure("access_batches_at_once", 1)
        cache.set(f"access-batch:{key.pk}:0", "somebody")
        assert_problem(send(key, account, jsonl(event(1))), 429)
        assert send(new_key(), account, jsonl(event(1))).status_code == 201

    def test_work_that_waits_too_long_is_a_503_and_nothing_is_written(self, key, account):
        now = timezone.now()
        queue.ask("test.wait", due_at=now - timedelta(minutes=29), at=now)
        assert send(key, account, jsonl(event(1))).status_code == 201
        queue.ask("test.wait", "older", due_at=now - timedelta(minutes=31), at=now)
        before = digest_of_all_rows()

        answer = send(key, account, jsonl(event(2)))

        assert "fallen behind" in assert_problem(answer, 503) and answer.headers["Retry-After"] == "30"
        assert digest_of_all_rows() == before


class TestRefusedLines:
    @pytest.fixture
    def batch(self, key, account):
        lines = jsonl(event(1), event(2, kind="x"), event(3, at="soon"), event(4))
        answer = send(key, account, lines, query="&keep_good_rows=true")
        return answer.json()

    def test_they_are_handed_back_mended_and_sent_again(self, key, account, batch):
        assert batch["refused"] == 2
        told = ask(batch["refused_lines"], key).json()

        assert (told["batch"], told["refused"], told["next"]) == (batch["batch"], 2, None)
        assert [line["line"] for line in told["lines"]] == [2, 3]
        assert told["lines"][0]["reason"].startswith('kind is "x"')
        assert IdentityView.objects.get().count == 1
        events = [audit.as_sentence(event) for event in AuditEvent.objects.filter(about_name=batch["batch"])]
        assert "fetched refused lines by an API key" in events and "opened the page" not in events
        mended = [
            json.loads(line["content"]) | {"kind": "access", "at": "2026-02-01T00:00:00Z"} for line in told["lines"]
        ]
        assert send(key, account, jsonl(*mended)).json()["new"] == 2
        assert AccessRecord.objects.count() == 4

    def test_they_come_in_pages(self, key, batch, monkeypatch):
        monkeypatch.setattr(access_logs, "PAGE", 1)

        first = ask(batch["refused_lines"], key).json()
        second = ask(first["next"], key).json()

        assert [first["lines"][0]["line"], second["lines"][0]["line"], second["next"]] == [2, 3, None]

    def test_only_what_a_key_of_the_same_owner_handed_in(self, key, batch, account):
        same, other = new_key(key.owner), new_key(person("olga", "reviewer"))

        assert refused_lines_of(batch["batch"], same).status_code == 200
        assert_problem(refused_lines_of(batch["batch"], other), 404)
        assert_problem(refused_lines_of(batch["batch"], new_key(scopes=["accounts.read"])), 403)
        AccessBatch.objects.update(imported_by=key.owner.username)  # by hand at the command
        assert_problem(refused_lines_of(batch["batch"], key), 404)

    def test_nothing_of_an_account_the_owner_may_not_see(self, key, batch, monkeypatch):
        assert refused_lines_of(batch["batch"], key).status_code == 200
        monkeypatch.setattr(type(Account.objects.all()), "visible_to", lambda rows, user: rows.none())

        assert_problem(refused_lines_of(batch["batch"], key), 404)

    @pytest.mark.parametrize(
        ("query", "status"),
        [("?after=x", 400), ("?after=-1", 400), ("?after=٣", 400), ("?after=" + "9" * 30, 400), ("?page=1", 400),
         ("?after=1&after=2", 400), ("?after=" + "9" * 18, 200)],
    )  # fmt: skip
    def test_an_odd_query(self, key, batch, query, status):
        assert refused_lines_of(batch["batch"], key, query).status_code == status

    @pytest.mark.parametrize("reference", ["LOG-2222-2222", "x", "' OR 1=1--", "%00"])
    def test_an_unknown_batch(self, key, reference):
        assert_problem(refused_lines_of(reference, key), 404)

    def test_a_batch_without_refused_lines_names_no_address(self, key, account):
        told = send(key, account, jsonl(event(1)), content_type=JSONL).json()

        assert told["refused_lines"] is None
        assert refused_lines_of(told["batch"], key).json()["lines"] == []

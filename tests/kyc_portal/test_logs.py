"""Logs hold codes and places, never values (trust.md TH28, TH29; ASVS 16.2.5, 16.4.1, 16.5.1)."""

import ast
import io
import json
import logging
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from types import SimpleNamespace

import pytest
from celery.app import trace
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone
from django.utils.log import AdminEmailHandler

from kyc_portal import urls
from kyc_portal.celery import BEAT_SCHEDULE, app
from kyc_portal.demo import world
from kyc_portal.records import acting
from kyc_portal.records.logs import JsonFormatter, LogFormatter, escaped
from kyc_portal.records.sealed import SealedTextField
from kyc_portal.staff import policy_table
from tests.kyc_portal.staff.worlds import pages_of, registered
from tests.kyc_portal.test_safety import ROOT, environment
from tests.test_architecture import product_files

CANARY = "Zoé.Canary@customer.example"
OWN = ("kyc_portal", "accounts", "cases", "resellers")


def broken(request, key):
    """A page that makes the database refuse a row; PostgreSQL repeats its values in the error."""
    for _ in range(2):
        get_user_model().objects.create(username=CANARY)


urlpatterns = [path("broken/<str:key>/", broken), *urls.urlpatterns]
handler500 = urls.handler500


class Collector(logging.Handler):
    """Keeps every line as production would write it, and what our own code said before it was formatted."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines, self.own = [], []

    def emit(self, record):
        self.lines += [JsonFormatter().format(record), LogFormatter().format(record)]
        if record.name.partition(".")[0] in OWN:
            self.own.append(record.getMessage())


@contextmanager
def everything_collected():
    """Every logger at DEBUG, warnings included."""
    root, collector = logging.getLogger(), Collector()
    named = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = {each: each.level for each in (root, *named)}
    for each in before:
        each.setLevel(logging.DEBUG)
    root.addHandler(collector)
    logging.captureWarnings(True)
    try:
        yield collector
    finally:
        logging.captureWarnings(False)
        root.removeHandler(collector)
        for each, level in before.items():
            each.setLevel(level)


def written(name: str, message, *args, error: Exception | None = None, **extra) -> str:
    """One record as both formatters write it."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, exc_info)
    vars(record).update(extra)
    return LogFormatter().format(record) + "\n" + JsonFormatter().format(record)


def raised() -> Exception:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as first:
            raise LookupError(f"Key (email)=({CANARY}) already exists.") from first
    except LookupError as error:
        return error


class TestALine:
    def test_an_exception_is_its_class_and_where_it_came_through(self):
        line = written("django.request", "Internal Server Error: %s", "/x/", error=raised())

        assert CANARY not in line and "Canary" not in line
        assert "builtins.LookupError" in line and "builtins.ValueError" in line
        assert "test_logs.py" in line and " raised" in line

    @pytest.mark.parametrize("message", ["failed: %s", "failed: %r"])
    @pytest.mark.parametrize("name", ["kyc_portal.x", "kombu.connection"])
    def test_an_exception_among_the_arguments_is_its_class(self, message, name):
        line = written(name, message, raised())

        assert "Canary" not in line and "failed" in line

    def test_an_exception_as_the_message_is_its_class(self):
        assert "Canary" not in written("accounts", raised())

    def test_what_other_packages_fill_in_is_left_out_but_for_numbers(self):
        line = written("kombu.x", "Sent %s to %r after %d of %.1f s", CANARY, {"to": CANARY}, 3, 0.5)

        assert "Sent … to '…' after 3 of 0.5 s" in line and "Canary" not in line

    def test_a_number_that_is_none_breaks_nothing(self):
        assert "took …" in written("kombu.x", "took %d", CANARY)

    def test_of_a_task_the_name_is_told_and_nothing_it_got_or_gave(self):
        context = {
            "name": "accounts.tasks.x", "id": "7f3a", "description": "raised unexpected", "exc": CANARY,
            "traceback": CANARY, "args": CANARY, "kwargs": CANARY, "return_value": CANARY, "runtime": 0.5,
        }  # fmt: skip

        for message in (trace.LOG_FAILURE, trace.LOG_SUCCESS, trace.LOG_RECEIVED, trace.LOG_REJECTED):
            line = written("celery.app.trace", message, context)
            assert "accounts.tasks.x[7f3a]" in line and "Canary" not in line

    def test_of_a_request_the_route_is_told_and_neither_path_nor_query(self):
        match = SimpleNamespace(route="accounts/<key>/")
        request = SimpleNamespace(method="GET", resolver_match=match, path=f"/accounts/{CANARY}/", GET={"q": CANARY})

        line = written("django.request", "Not Found: %s", request.path, request=request)

        assert "GET /accounts/<key>/" in line and "Canary" not in line

    def test_a_warning_is_its_kind_and_place(self):
        said = warnings.formatwarning(f"naive {CANARY}", RuntimeWarning, "/srv/x.py", 7)

        line = written("py.warnings", "%s", said)

        assert "/srv/x.py:7: RuntimeWarning" in line and "Canary" not in line

    @pytest.mark.parametrize("sign", ["\n", "\r", "\x1b[2J", "\x00", "\u202e", "\u2028", "\x9b", "\ud800"])
    def test_it_stays_one_line_and_hides_nothing(self, sign):
        text = written("kyc_portal.x", "code %s end", f"a{sign}b")

        assert text.count("\n") == 1 and sign not in text.replace("\n", "", 1)
        assert escaped(sign) in text and text.isprintable() is False

    def test_the_request_stands_in_it_and_it_is_json(self):
        with acting.within_request("request-1"):
            line = written("kyc_portal.x", "job %s", 7).rpartition("\n")[2]

        assert json.loads(line)["request"] == "request-1" and json.loads(line)["message"] == "job 7"


@pytest.mark.django_db
class TestABrokenPage:
    @override_settings(ROOT_URLCONF=__name__)
    def test_it_shows_an_id_that_stands_in_the_log_and_no_value_is_in_either(self, monkeypatch):
        monkeypatch.setattr(policy_table, "page_at", lambda match: policy_table.Page(get=policy_table.EVERYBODY))
        with everything_collected() as collector:
            answer = Client(raise_request_exception=False).get("/broken/Canary/", {"q": "Canary"})

        told = [json.loads(line) for line in collector.lines[::2]]
        [fault] = [each for each in told if each.get("exception") and each["logger"] == "django.request"]
        assert answer.status_code == 500
        assert f"request {fault['request']}" in answer.content.decode()
        assert fault["route"] == "GET /broken/<str:key>/"
        assert fault["exception"][0]["class"] == "django.db.utils.IntegrityError"
        assert "Canary" not in "".join(collector.lines) + answer.content.decode()


def canaries() -> set[str]:
    """What the demo's people are called and everything of theirs that is sealed."""
    found = set()
    for model in apps.get_models():
        sealed = [field.attname for field in model._meta.concrete_fields if isinstance(field, SealedTextField)]
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.attname in ("legal_name", "entry_name") and model._meta.label != "accounts.WatchlistEntry"
        ]
        for row in model._base_manager.all() if sealed or names else ():
            found |= {getattr(row, name).reveal() for name in sealed if getattr(row, name)}
            found |= {getattr(row, name) for name in names}
    return {each for each in found if len(each) > 5 and not each.isdigit()}


@pytest.mark.django_db
class TestTheWholeStory:
    def test_no_logger_at_any_level_holds_a_value_of_anybody(self):
        with everything_collected() as collector:
            with redirect_stdout(io.StringIO()):
                world.build(now=timezone.now())
            for username in ("laszlo", "audra"):
                person = Client(raise_request_exception=False)
                person.force_login(get_user_model().objects.get(username=username))
                for address in (page for model, screen in registered() for page in pages_of(model, screen)):
                    person.get(address)
                person.get("/admin/accounts/party/", {"q": "Canary"})
                person.get("/nothing-here/Canary/")
            app.autodiscover_tasks(force=True)
            for entry in BEAT_SCHEDULE.values():
                app.tasks[entry["task"]].apply()

        kept = canaries()
        lines = "\n".join(collector.lines + collector.own)
        assert len(kept) > 50 and len(collector.lines) > 20
        assert sorted(each for each in kept if each in lines) == []
        assert "Canary" not in lines

    def test_the_search_finds_what_it_should(self):
        with everything_collected() as collector:
            logging.getLogger("accounts.x").debug("said %s", CANARY)

        assert CANARY in collector.own[0]


class TestMessages:
    """What goes through the broker: names of tasks, and nothing else."""

    def test_the_beat_table_sends_no_argument(self):
        assert [title for title, entry in BEAT_SCHEDULE.items() if set(entry) - {"task", "schedule"}] == []

    def test_nothing_else_sends_messages(self):
        calls = {
            f"{path.name}: {node.func.attr}"
            for path in product_files()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }

        assert len(calls) > 1000
        assert [each for each in sorted(calls) if each.endswith((": delay", ": apply_async", ": send_task"))] == []


class TestProduction:
    @pytest.mark.parametrize(
        ("code", "returned"),
        [
            (f"raise ValueError({CANARY!r})", 1),
            (f"import threading; threading.Thread(target=int, args=[{CANARY!r}]).start()", 0),
        ],
        ids=["command", "thread"],
    )
    def test_what_breaks_tells_its_class_and_no_value(self, code, returned):
        code = f"import django; django.setup(); {code}"

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
        )

        told = json.loads(done.stderr.strip().splitlines()[-1])
        assert done.returncode == returned and "Canary" not in done.stdout + done.stderr
        assert (told["logger"], told["exception"][0]["class"]) == ("kyc_portal.crash", "builtins.ValueError")

    def test_what_it_writes_is_closed_to_others(self, tmp_path):
        code = f"import django; django.setup(); open({str(tmp_path / 'x')!r}, 'w').close()"

        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True, timeout=120)

        assert os.stat(tmp_path / "x").st_mode & 0o027 == 0

    def test_no_error_report_is_mailed(self):
        handlers = [*logging.getLogger("django").handlers, *logging.getLogger("django.request").handlers]

        assert [each for each in handlers if isinstance(each, AdminEmailHandler)] == []

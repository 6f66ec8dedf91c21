"""What is typed behind a command: people, references, days, kinds, encodings, paths (rows D2, D3, D6, C2, C14)."""

import fcntl
import json
import os
import threading

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AccessRecord
from kyc_portal.records.clock import BadDay, legal_day, named_day
from tests.accounts.lists import VOLKOV, write_list
from tests.accounts.logs import event
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.builders import make_account

pytestmark = pytest.mark.django_db
LONG = "x" * 5_000
NOT_UTF8 = "\udcff"  # how Python hands on a byte of an argument that is not UTF-8
BAD_DAYS = (
    "nonsense", "02/03/2024", "2023-02-29", "2026-04-31", "2026-13-01", "0001-01-01", "1899-12-31", "", "20260302",
    "2026-W10-1", LONG, "２０２６-０３-０２", " 2026-03-02", "2026-03-02\n", NOT_UTF8,
)  # fmt: skip


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(event(1)) + "\n")
    return path


@pytest.fixture
def inactive(analyst_user):
    analyst_user.is_active = False
    analyst_user.save()


class TestBy:
    COMMANDS = (
        ("sync_roles",), ("purge_due",), ("rotate_keys",), ("run_due_work",), ("import_customers", "--columns"),
        ("load_watchlist", "ofac-sdn", "."), ("load_address_ranges", "vpn", "x"), ("demo", "--no-serve"),
        ("import_access_log", "x", "--account", "ACC-1", "--format", "csv"), ("export_case", "CSE-1", "--to", "."),
        ("import_abuse_report", "x"), ("import_allocations", "x"),
    )  # fmt: skip

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_nobody_unknown_inactive_or_unreadable_acts(self, command, inactive, unchanged):
        for name in ("nobody", "ana", "ANA", " ana", LONG, "a\x00b", NOT_UTF8, "' OR 1=1--", "İ"):
            assert_refused_in_one_line(run(*command, "--by", name))

        unchanged()


class TestDays:
    @pytest.mark.parametrize("day", BAD_DAYS, ids=ascii)
    @pytest.mark.parametrize("command", ["purge_due", "run_due_work"])
    def test_d2_d3_d6_only_a_day_of_the_calendar_in_iso_is_taken(self, command, day, unchanged):
        sentence = assert_refused_in_one_line(run(command, "--as-of", day))

        assert "YYYY-MM-DD" in sentence or "UTF-8" in sentence
        unchanged()

    @pytest.mark.parametrize("day", BAD_DAYS, ids=ascii)
    def test_d6_a_list_of_networks_is_as_of_such_a_day(self, day, tmp_path, unchanged):
        path = tmp_path / "vpn.txt"
        path.write_text("1.2.0.0/16\n")
        if day:  # without a day it is as of today
            assert_refused_in_one_line(run("load_address_ranges", "vpn", path, "--as-of", day))
        assert_refused_in_one_line(run("load_address_ranges", "vpn", path, "--as-of", "9999-12-31"))

        unchanged()

    def test_d11_a_purge_in_the_future_is_looked_at_and_never_done(self):
        make_account()

        assert run("purge_due", "--as-of", "9999-12-31")[0] == 0
        assert "has not come" in assert_refused_in_one_line(run("purge_due", "--as-of", "9999-12-31", "--execute"))

    def test_a_day_within_reach_is_read(self):
        assert named_day("2026-03-02").isoformat() == "2026-03-02"
        with pytest.raises(BadDay):
            named_day("2026-3-2")
        assert run("run_due_work", "--as-of", legal_day(timezone.now()).isoformat())[0] == 0


class TestAccountReference:
    @pytest.mark.parametrize(
        "reference",
        ["ACC-XXXX-XXXX", "", LONG, NOT_UTF8, "a\x00", "PTY-2222-2222", "' OR 1=1--", "ACC 7K3M 9QXD", "ı" * 10, "%"],
        ids=ascii,
    )
    def test_an_unknown_one_is_refused(self, log, reference):
        make_account()
        answer = run("import_access_log", log, "--account", reference, "--format", "jsonl")

        assert_refused_in_one_line(answer)
        assert not AccessRecord.objects.exists()

    @pytest.mark.parametrize("spelling", ["{}", " {} ", "\t{}\n"])
    def test_small_letters_and_blanks_around_it_are_harmless(self, log, spelling):
        reference = make_account().reference.lower()

        code, _, _ = run("import_access_log", log, "--account", spelling.format(reference), "--format", "jsonl")

        assert code == 0 and AccessRecord.objects.count() == 1


class TestKindsAndNames:
    @pytest.mark.parametrize("kind", ["nonsense", "", "VPN", LONG, NOT_UTF8, "a\x00", "vpn "], ids=ascii)
    def test_unknown_kinds_are_refused(self, kind, log, tmp_path, unchanged):
        write_list(tmp_path, VOLKOV)

        assert_refused_in_one_line(run("load_address_ranges", kind, log))
        assert_refused_in_one_line(run("load_watchlist", kind, tmp_path))
        unchanged()
        reference = make_account().reference
        assert_refused_in_one_line(run("import_access_log", log, "--account", reference, "--format", kind))

    @pytest.mark.parametrize("name", [LONG, NOT_UTF8, "a\nb", "\u202e", "a\x00", "e" + "\u0301" * 9], ids=ascii)
    def test_names_that_cannot_be_kept_are_refused(self, name, tmp_path, unchanged):
        folder = write_list(tmp_path / "list", VOLKOV)
        path = tmp_path / "vpn.txt"
        path.write_text("1.2.0.0/16\n")

        assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder, "--list", name))
        assert_refused_in_one_line(run("load_address_ranges", "vpn", path, "--source", name))
        unchanged()

    @pytest.mark.parametrize(
        "encoding",
        ["nonsense", "hex", "rot13", "base64", "punycode", "undefined", "utf-32", "", LONG, NOT_UTF8, "a\x00"],
        ids=ascii,
    )
    def test_encodings_that_are_none_are_refused(self, encoding, tmp_path, unchanged):
        path = tmp_path / "customers.csv"
        path.write_text("kind,legal_name\nindividual,A\n")

        assert_refused_in_one_line(run("import_customers", path, "--encoding", encoding))
        unchanged()


class TestPaths:
    """Missing, a folder, too long, unreadable, a NUL, not UTF-8."""

    @pytest.fixture(params=["missing", "folder", "long", "unreadable", "nul", "not_utf8", "empty_name"])
    def path(self, request, tmp_path):
        return {
            "missing": tmp_path / "missing", "folder": tmp_path, "long": LONG, "unreadable": "/proc/self/mem",
            "nul": "a\x00b", "not_utf8": tmp_path / "\udcff", "empty_name": "",
        }[request.param]  # fmt: skip

    def test_importers_refuse_it(self, path, unchanged):
        assert_refused_in_one_line(run("import_customers", path))
        assert_refused_in_one_line(run("load_address_ranges", "vpn", path, "--source", "x"))
        assert_refused_in_one_line(run("load_address_ranges", "country", path, "--source", "x"))
        unchanged()
        reference = make_account().reference
        for format in ("csv", "jsonl", "cloudtrail"):
            assert_refused_in_one_line(run("import_access_log", path, "--account", reference, "--format", format))

    def test_a_list_and_a_bundle_need_their_folder(self, path, unchanged):
        assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", path))
        assert_refused_in_one_line(run("export_case", "CSE-2222-2222", "--to", path))
        unchanged()

    def test_a_pipe_is_read_like_a_file(self, tmp_path):
        account, pipe = make_account(), tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_text, args=(json.dumps(event(1)) + "\n",))
        writer.start()

        code, _, told = run("import_access_log", pipe, "--account", account.reference, "--format", "jsonl")
        writer.join()

        assert code == 0 and "1 new" in told


class TestDemo:
    def test_a_second_run_while_one_builds_is_refused(self, settings, tmp_path, unchanged):
        settings.LOCAL_DIR = tmp_path
        with (tmp_path / "demo.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

            assert "another run" in assert_refused_in_one_line(run("demo", "--no-serve"))

        unchanged()


class TestParser:
    @pytest.mark.parametrize("arguments", [("--nonsense",), ("--as-of",), ("one", "two")])
    def test_what_the_parser_refuses_writes_nothing(self, arguments, unchanged):
        with pytest.raises(CommandError):
            call_command("purge_due", *arguments)

        unchanged()

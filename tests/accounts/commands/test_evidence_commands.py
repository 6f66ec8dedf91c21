import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AccessRecord, AddressRangeSnapshot, WatchlistSnapshot
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.roles import ROLES
from tests.accounts.lists import REAL, VOLKOV, WORKS, real, write_list
from tests.accounts.logs import event
from tests.builders import make_account
from tests.conftest import person


def run(*arguments, **options):
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, **options)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_log(path, *events):
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    return path


class TestLoadWatchlist:
    def test_it_says_what_it_loaded_and_that_a_repeat_changes_nothing(self, db, tmp_path):
        folder = write_list(tmp_path, VOLKOV, WORKS)

        first, second = run("load_watchlist", "ofac-sdn", folder), run("load_watchlist", "ofac-sdn", folder)

        snapshot = WatchlistSnapshot.objects.get()
        assert "2 entries, 1 aliases" in first and snapshot.sha256 in first and " s." in first
        assert "in already" in second and snapshot.reference in second
        assert AuditEvent.objects.get(verb="accounts.watchlist_loaded").actor_kind == "operator"

    def test_a_member_of_staff_may_be_named(self, lead_user, tmp_path):
        run("load_watchlist", "ofac-sdn", write_list(tmp_path, VOLKOV), "--by", "lea", "--list", "Test list")

        assert WatchlistSnapshot.objects.get(list_name="Test list").loaded_by == "lea"

    def test_it_refuses_in_one_line(self, db, tmp_path):
        assert "Known kinds: csl, ofac-consolidated, ofac-consolidated-xml, ofac-sdn" in refused(
            "load_watchlist", "eu", tmp_path
        )
        assert "sdn.csv is missing" in refused("load_watchlist", "ofac-sdn", tmp_path)
        assert "username" in refused("load_watchlist", "ofac-sdn", tmp_path, "--by", "nobody")


class TestLoadAddressRanges:
    def test_it_says_what_it_loaded_and_that_a_repeat_changes_nothing(self, db, tmp_path):
        path = tmp_path / "vpn.txt"
        path.write_text("1.2.0.0/16\n")

        first = run("load_address_ranges", "vpn", path, "--source", "maker", "--as-of", "2026-02-01")
        second = run("load_address_ranges", "vpn", path, "--source", "maker")

        assert "1 ranges as of 2026-02-01" in first and "in already" in second
        assert AddressRangeSnapshot.objects.get().source == "maker"

    def test_it_refuses_in_one_line(self, db, tmp_path):
        assert "cannot be read" in refused("load_address_ranges", "vpn", tmp_path / "absent.txt")
        assert "not a date" in refused("load_address_ranges", "vpn", tmp_path / "x", "--as-of", "02/03/2024")

    @pytest.mark.parametrize("role", ROLES)
    def test_only_a_role_that_may_load_lists_is_named(self, db, tmp_path, role):
        user = person("nora", role)
        path = tmp_path / "vpn.txt"
        path.write_text("1.2.0.0/16\n")

        if role == "lead reviewer":
            run("load_address_ranges", "vpn", path, "--by", "nora")
            assert AddressRangeSnapshot.objects.get().loaded_by == user.as_actor.label
            return
        assert "may not do this" in refused("load_address_ranges", "vpn", path, "--by", "nora")
        assert not AddressRangeSnapshot.objects.exists()

    def test_who_left_is_not_named(self, lead_user, tmp_path):
        lead_user.is_active = False
        lead_user.save(update_fields=["is_active"])

        assert "No active member of staff" in refused("load_address_ranges", "vpn", tmp_path / "x", "--by", "lea")

    @real("mmdb")
    def test_it_takes_databases(self, db):
        assert "a database" in run("load_address_ranges", "country", REAL / "mmdb" / "GeoLite2-Country-Test.mmdb")


class TestImportAccessLog:
    def test_it_takes_in_several_files_and_says_what_became_of_each(self, db, tmp_path):
        account = make_account()
        files = [write_log(tmp_path / f"{n}.jsonl", event(n), event(5)) for n in range(2)]

        options = ("--account", account.reference.lower(), "--format", "jsonl")
        first, second = run("import_access_log", *files, *options), run("import_access_log", *files, *options)

        assert "2 read, 2 new, 0 known, 0 refused" in first and "2 read, 1 new, 1 known, 0 refused" in first
        assert second.count("nothing added") == 2
        assert AccessRecord.objects.count() == 3

    def test_it_refuses_in_one_line(self, db, tmp_path):
        account = make_account()
        bad = write_log(tmp_path / "bad.jsonl", event(1, kind="other"), event(2))

        unknown = refused("import_access_log", bad, "--account", "ACC-1", "--format", "jsonl")

        assert "No account has the reference" in unknown
        assert "1 line cannot be used (1)" in refused(
            "import_access_log", bad, "--account", account.reference, "--format", "jsonl"
        )
        assert not AccessRecord.objects.exists()

    def test_it_keeps_good_rows_when_asked(self, db, tmp_path):
        account = make_account()
        bad = write_log(tmp_path / "bad.jsonl", event(1, kind="other"), event(2))

        told = run("import_access_log", bad, "--account", account.reference, "--format", "jsonl", "--keep-good-rows")

        assert "2 read, 1 new, 0 known, 1 refused" in told

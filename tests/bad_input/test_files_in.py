"""Bad files through the commands that take files in: customers, access logs, watch lists, networks, databases.

The readers have tests of their own (tests/accounts/formats); here each refusal goes the whole way: one line, exit code
2, not one row changed, nothing left in the private folder.
"""

import gzip
import json
import os

import pytest
from django.conf import settings
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts.models import AccessRecord, Account, AddressRangeSnapshot, WatchlistSnapshot
from tests.accounts.lists import SHIP, VOLKOV, WORKS, write_list
from tests.accounts.logs import event
from tests.bad_input.doors import assert_refused_in_one_line, misfits, run
from tests.builders import make_account

pytestmark = pytest.mark.django_db
HEAD = "kind,legal_name\n"


class TestCustomers:
    REFUSED = {
        "a2_utf16_le_without_mark": (HEAD + "individual,A\n").encode("utf-16-le"),
        "a2_utf16_be_without_mark": (HEAD + "individual,A\n").encode("utf-16-be"),
        "a2_utf16_cut": b"\xff\xfek\x00i",
        "a2_utf32": (HEAD + "individual,A\n").encode("utf-32"),
        "c2_surrogate_in_utf8": HEAD.encode() + b"individual,\xed\xa0\x80\n",
        "a4_nul": (HEAD + "individual,a\x00b\n").encode(),
        "a5_field_of_200_kb": (HEAD + "individual," + "x" * 200_000 + "\n").encode(),
        "a7_double_header": b"kind,legal_name,Kind\nindividual,A,entity\n",
        "a12_turkish_header": "kınd,legal_name\nindividual,A\n".encode(),
        "a14_twice_in_three_spellings": (HEAD + "individual,İstanbul\nindividual,ISTANBUL\n").encode(),
        "a21_exponent": b"kind,legal_name,external_key\nindividual,A,1E+15\n",
        "c9_long_name": (HEAD + "individual," + "x" * 301 + "\n").encode(),
        "c5_nothing_to_see": (HEAD + "individual,\u200b\u2060\n").encode(),
        "b19_direction": (HEAD + "individual,a\u202egnp.exe\n").encode(),
        "e7_email_too_long": ("kind,legal_name,email\nindividual,A," + "a" * 400 + "@b.example\n").encode(),
        "e7_header_injection": b'kind,legal_name,email\nindividual,A,"a@b.example\nBcc: c@d.example"\n',
        "d3_last_day_as_birth": b"kind,legal_name,birth_date\nindividual,A,9999-12-31\n",
        "too_many_aliases": ("kind,legal_name,aliases\nindividual,A," + "|".join(f"n{n}" for n in range(99))).encode(),
        "binary": bytes(range(256)) * 20,
        "gzip": gzip.compress(b"kind,legal_name\n"),
        "zip": b"PK\x03\x04" + bytes(200),
        "only_a_mark": b"\xef\xbb\xbf",
        "empty": b"",
        "long_kind": (HEAD + "q" * 1_500 + ",A\n").encode(),
        "open_quote": (HEAD + 'individual,"A\n' * 3).encode(),
    }

    @pytest.mark.parametrize("name", REFUSED)
    def test_it_is_refused_and_nobody_is_stored(self, name, tmp_path, unchanged):
        path = tmp_path / "customers.csv"
        path.write_bytes(self.REFUSED[name])

        answer = run("import_customers", path)

        assert_refused_in_one_line(answer)
        assert "x" * 81 not in answer[2] and "q" * 81 not in answer[2] and "\x00" not in answer[2]
        unchanged()

    def test_a11_mixed_line_ends_emoji_and_formulas_are_stored_as_typed(self, tmp_path):
        path = tmp_path / "customers.csv"
        path.write_bytes((HEAD + "individual,=1+1\r\nindividual,😀😀\rindividual,İ ı ß ς\n").encode())

        assert run("import_customers", path)[0] == 0

        names = set(Account.objects.values_list("party__legal_name", flat=True))
        assert names == {"=1+1", "😀😀", "İ ı ß ς"}
        assert misfits() == []


LINES = {
    "c2_half_a_pair": json.dumps(event(1, principal="\ud800")),
    "c2_half_a_pair_as_key": '{"\\ud800": "x"}',
    "c3_nul": json.dumps(event(1, action="a\x00b")),
    "d8_no_zone": json.dumps(event(1, at="2026-01-01T02:30:00")),
    "d2_no_such_day": json.dumps(event(1, at="2026-02-30T00:00:00Z")),
    "d3_year_1": json.dumps(event(1, at="0001-01-01T00:00:00Z")),
    "d3_before_any_log": json.dumps(event(1, at="1969-12-31T23:59:59Z")),
    "d9_in_the_future": json.dumps(event(1, at="2999-01-01T00:00:00Z")),
    "d3_last_moment": json.dumps(event(1, at="9999-12-31T23:59:59Z")),
    "f8_key_twice": '{"event_id": "1", "event_id": "2"}',
    "f8_deep": "[" * 100_000,
    "number_of_5000_digits": '{"event_id": ' + "9" * 5_000 + "}",
    "nan": '{"event_id": NaN}',
    "not_a_text": json.dumps(event(1, principal=5)),
    "long_key": json.dumps({"k" * 5_000: "1", **event(1)}),
    "long_action": json.dumps(event(1, action="x" * 1_900)),
    "c5_empty_id": json.dumps(event(1, event_id="\u200b")),
    "utf16": json.dumps(event(1)).encode("utf-16").decode("latin-1"),
}
RECORD = {"eventID": "1", "eventTime": "2026-01-01T00:00:00Z", "eventName": "x"}


def records(**changes) -> bytes:
    return json.dumps({"Records": [{**RECORD, **changes}]}).encode()


class TestAccessLogs:
    @pytest.fixture
    def account(self, db):
        return make_account()

    @pytest.mark.parametrize("name", LINES)
    def test_a_bad_line_refuses_the_file(self, name, account, tmp_path):
        path = tmp_path / "log.jsonl"
        path.write_bytes((LINES[name] + "\n").encode("latin-1" if name == "utf16" else "utf-8"))

        sentence = assert_refused_in_one_line(
            run("import_access_log", path, "--account", account.reference, "--format", "jsonl")
        )

        assert "Line 1" in sentence and not AccessRecord.objects.exists()

    CLOUDTRAIL = {
        "bomb": gzip.compress(bytes(210_000_000), 1),
        "gz_cut": gzip.compress(records())[:-4],
        "gz_in_gz": gzip.compress(gzip.compress(records())),
        "gz_damaged": gzip.compress(records())[:12] + b"\xff" * 30,
        "empty": b"",
        "list": b"[]",
        "records_null": b'{"Records": null}',
        "f8_deep": b'{"Records":' + b"[" * 100_000,
        "c2_half_a_pair": records(eventID="\ud800"),
        "c2_half_a_pair_in_source": records(eventSource="\ud800"),
        "c3_nul": records(userIdentity={"arn": "a\x00b"}),
        "source_is_a_list": records(sourceIPAddress=["1.2.3.4"]),
        "name_is_an_object": records(eventName={"a": 1}),
        "future": records(eventTime="2999-01-01T00:00:00Z"),
    }

    @pytest.mark.parametrize("name", CLOUDTRAIL)
    def test_a_bad_cloud_log_is_refused(self, name, account, tmp_path):
        path = tmp_path / "trail.json.gz"
        path.write_bytes(self.CLOUDTRAIL[name])

        assert_refused_in_one_line(
            run("import_access_log", path, "--account", account.reference, "--format", "cloudtrail")
        )
        assert not AccessRecord.objects.exists()

    @pytest.mark.parametrize("source", [{}, [], 5, None, {"a": []}])
    def test_a_service_that_is_no_text_is_left_out_of_the_action(self, source, account, tmp_path):
        path = tmp_path / "trail.json"
        path.write_bytes(records(eventSource=source))

        assert run("import_access_log", path, "--account", account.reference, "--format", "cloudtrail")[0] == 0
        assert AccessRecord.objects.get().action == "x"

    @pytest.mark.parametrize(
        ("source", "address", "use"),
        [
            ("::ffff:10.0.0.1", "10.0.0.1", "private"), ("010.0.0.1", None, ""), ("0x7f.1", None, ""),
            ("2130706433", None, ""), ("127.1", None, ""), ("١٢٧.0.0.1", None, ""),
            ("203.0.113.9", "203.0.113.9", "documentation"),
            ("100.64.0.1", "100.64.0.1", "carrier-grade NAT"), ("224.0.0.1", "224.0.0.1", "multicast"),
            ("1.2.3.4 ", "1.2.3.4", ""),
        ],
        ids=ascii,
    )  # fmt: skip
    def test_e1_e3_e4_e6_the_source_is_kept_and_an_address_only_when_it_is_one(
        self, source, address, use, account, tmp_path
    ):
        path = tmp_path / "log.jsonl"
        path.write_text(json.dumps(event(1, source=source)) + "\n")

        run("import_access_log", path, "--account", account.reference, "--format", "jsonl")

        row = AccessRecord.objects.get()
        assert (row.raw_source, row.address, row.special_use) == (source, address, use)

    def test_a_hostile_file_name_is_shown_harmless(self, account, tmp_path):
        path = tmp_path / "a\u202egnp.\x1b[31m.jsonl"
        path.write_text(json.dumps(event(1)) + "\n")

        code, _, told = run("import_access_log", path, "--account", account.reference, "--format", "jsonl")

        assert code == 0 and "[U+202E]" in told and "\x1b" not in told


class TestWatchLists:
    """Folders with missing, extra, cut or doubled files."""

    @pytest.fixture
    def folder(self, tmp_path):
        return write_list(tmp_path / "list", VOLKOV, WORKS, SHIP)

    @pytest.mark.parametrize("name", ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"])
    def test_a_missing_doubled_or_replaced_file_is_named(self, folder, name, unchanged):
        whole = (folder / name).read_bytes()
        (folder / name).rename(folder / "elsewhere")
        assert name in assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder))
        (folder / name).mkdir()
        assert name in assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder))
        (folder / name).rmdir()
        (folder / name).symlink_to(folder / "nowhere")
        assert name in assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder))
        (folder / name).unlink()

        (folder / name).write_bytes(whole)
        (folder / name.upper()).write_bytes(whole)

        assert "twice" in assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder))
        unchanged()

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"\x00" * 50, b"<html>not found</html>", b'101,"VOLKOV', b"101,VOLKOV\r\n", b"PK\x03\x04" + bytes(90),
            b"x" * 200_000, b'"' * 1_001, "101,ВОЛКОВ\r\n".encode("utf-16"), b"ent_num,SDN_Name\r\n",
        ],
        ids=lambda content: ascii(content[:12]),
    )  # fmt: skip
    def test_a_damaged_file_refuses_the_list_also_with_force(self, folder, content, unchanged):
        (folder / "sdn.csv").write_bytes(content)

        sentence = assert_refused_in_one_line(run("load_watchlist", "ofac-sdn", folder, "--force"))

        assert "sdn.csv" in sentence
        unchanged()

    def test_other_files_in_the_folder_do_no_harm(self, folder):
        (folder / "SDN.PIP").write_bytes(os.urandom(100))
        (folder / "sub").mkdir()

        assert run("load_watchlist", "ofac-sdn", folder)[0] == 0
        assert WatchlistSnapshot.objects.get().entry_count == 3


class TestNetworks:
    REFUSED = {
        "every_address": b"0.0.0.0/0\n", "every_v6_address": b"::/0\n", "every_mapped_address": b"::ffff:0:0/96\n",
        "every_address_in_halves": b"0.0.0.0/1\n128.0.0.0/1\n", "every_v6_address_in_halves": b"::/1\n8000::/1\n",
        "every_address_in_quarters": b"0.0.0.0/2\n64.0.0.0/2\n128.0.0.0/2\n192.0.0.0/2\n", "empty": b"",
        "comments_only": b"# nothing\n; at all\n", "binary": bytes(range(256)) * 30, "bits_set": b"1.2.3.4/8\n",
        "utf16": "1.2.3.0/24\n".encode("utf-16"), "long_line": b"1" * 100_000, "e3_octal": b"010.0.0.0/8\n",
        "e6_digits": "١.2.3.0/24\n".encode(), "prefix": b"1.2.3.0/33\n", "one_bad_of_many": b"1.2.3.0/24\nx\n",
    }  # fmt: skip

    @pytest.mark.parametrize("name", REFUSED)
    def test_it_is_refused(self, name, tmp_path, unchanged):
        path = tmp_path / "vpn.txt"
        path.write_bytes(self.REFUSED[name])

        assert_refused_in_one_line(run("load_address_ranges", "vpn", path))
        unchanged()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """A small database in the MaxMind DB format."""
    writer = MMDBWriter(ip_version=6, database_type="Test-Country", ipv4_compatible=True)
    for first in range(1, 120):
        writer.insert_network(IPSet([f"{first}.0.0.0/9"]), {"country": {"iso_code": f"{'ABCDEF'[first % 6]}E"}})
    path = tmp_path_factory.mktemp("mmdb") / "whole.mmdb"
    writer.to_db_file(str(path))
    return path.read_bytes()


class TestDatabases:
    MARK = b"\xab\xcd\xefMaxMind.com"

    @pytest.mark.parametrize(
        "damage",
        [
            lambda whole: b"", lambda whole: b"hello", lambda whole: whole[:-40], lambda whole: whole[:200],
            lambda whole: whole[len(whole) // 2 :], lambda whole: b"\xff" * (len(whole) - 300) + whole[-300:],
            lambda whole: TestDatabases.MARK, lambda whole: TestDatabases.MARK + b"\xe0",
            lambda whole: TestDatabases.MARK + bytes(range(256)),
            lambda whole: whole.replace(b"build_epoch", b"build_epocx"),
            lambda whole: gzip.compress(whole), lambda whole: whole.replace(b"node_count", b"node_counx"),
        ],
    )  # fmt: skip
    def test_it_is_refused_and_no_copy_is_kept(self, damage, whole, tmp_path, unchanged):
        path = tmp_path / "country.mmdb"
        path.write_bytes(damage(whole))

        assert_refused_in_one_line(run("load_address_ranges", "country", path))

        unchanged()
        assert list((settings.PRIVATE_DIR / "ranges").glob("*") if settings.PRIVATE_DIR.exists() else []) == []

    def test_whole_it_is_taken(self, whole, tmp_path):
        path = tmp_path / "country.mmdb"
        path.write_bytes(whole)

        assert run("load_address_ranges", "country", path)[0] == 0
        assert AddressRangeSnapshot.objects.get().is_mmdb

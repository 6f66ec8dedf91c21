"""The command that takes access logs in: folders, standard input, mappings, files that change while they are read."""

import gzip
import io
import json
import os
import sys
from types import SimpleNamespace

import pytest

from accounts.formats import steady_file
from accounts.models import AccessBatch, AccessRecord, RefusedLine, WaitingLine
from tests.accounts.formats.cloud_logs import cadf_event, exported, trail
from tests.accounts.lists import REAL, real
from tests.accounts.logs import csv_file, event
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.builders import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def take_in(db):
    """Runs the command for one account: (exit code, the sentence, what was printed)."""
    account = make_account()
    return lambda *arguments: run("import_access_log", *arguments, "--account", account.reference)


def lines(*events) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        """Five files of four formats, the third of them broken."""
        (tmp_path / "later").mkdir()
        (tmp_path / "1.log").write_bytes(lines(event(1)))
        (tmp_path / "2.log").write_bytes(gzip.compress(json.dumps({"Records": [trail()]}).encode()))
        (tmp_path / "3.log").write_bytes(json.dumps({"Records": [trail()]}).encode()[:-5])
        (tmp_path / "4.log").write_bytes(json.dumps({"records": [exported(), exported()]}).encode())
        (tmp_path / "later" / "5.log").write_bytes(b"kind,legal_name\n")
        return tmp_path

    def test_a_broken_file_is_told_by_its_name_and_stops_no_other(self, take_in, folder):
        code, sentence, told = take_in(folder)

        assert code == 2
        assert sentence.startswith("2 of 5 files were not taken in: 3.log, later/5.log. ")
        assert [line.split(":")[0] for line in told.splitlines()] == ["1.log", "2.log", "4.log", "3.log", "later/5.log"]
        assert "4.log: LOG-" in told and "azure-activity, 2 read, 1 new, 1 known, 0 refused." in told
        assert "3.log: not taken in. 3.log: record 1 is not valid JSON, perhaps cut off" in told
        assert sorted(AccessBatch.objects.values_list("format", flat=True)) == ["azure-activity", "cloudtrail", "jsonl"]

    def test_once_mended_only_what_is_new_is_added(self, take_in, folder):
        take_in(folder)
        (folder / "3.log").write_bytes(json.dumps({"Records": [trail(eventID="new")]}).encode())
        (folder / "later" / "5.log").unlink()

        code, _, told = take_in(folder)

        assert code == 0 and told.count("nothing added") == 3
        assert AccessRecord.objects.count() == 4

    def test_a_pipe_in_a_folder_is_not_waited_for(self, take_in, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "a.csv").write_bytes(csv_file(*(event(number) for number in range(2_000))).read())

        code, sentence, told = take_in(tmp_path)

        assert code == 2 and "1 of 2 files were not taken in: pipe." in sentence
        assert "a.csv: LOG-" in told and "csv, 2,000 read, 2,000 new" in told

    def test_a_folder_without_a_file_is_refused(self, take_in, tmp_path):
        assert "holds no file" in assert_refused_in_one_line(take_in(tmp_path))

    def test_a_place_where_nothing_can_be_read_stops_no_other(self, take_in, tmp_path):
        (tmp_path / "empty").mkdir()
        (tmp_path / "1.log").write_bytes(lines(event(1)))
        (tmp_path / "2.log").write_bytes(lines(event(2)))

        code, sentence, told = take_in(
            tmp_path / "1.log", tmp_path / "empty", "", tmp_path / "absent.log", tmp_path / "2.log"
        )  # fmt: skip

        assert code == 2
        assert sentence.startswith("3 of 5 files were not taken in: empty, an empty name, absent.log. ")
        assert told.count(" 1 new") == 2 and AccessRecord.objects.count() == 2
        assert "empty: not taken in. The folder empty holds no file. Name one that does." in told
        assert "an empty name: not taken in. A name is empty." in told
        assert "absent.log: not taken in. absent.log cannot be read." in told

    def test_nothing_but_such_places_is_refused_as_well(self, take_in, tmp_path):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()

        code, sentence, _ = take_in(tmp_path / "one", tmp_path / "two")

        assert code == 2 and sentence.startswith("2 of 2 files were not taken in: one, two.")

    @real("cloudtrail")
    def test_t23_the_real_folder_is_accounted_for(self, take_in):
        code, _, told = take_in(REAL / "cloudtrail")

        rows = AccessRecord.objects
        assert code == 0 and len(told.splitlines()) == 27 and told.count(" 0 refused.") == 27
        assert (rows.count(), rows.filter(address=None).exclude(raw_source="").count()) == (1_667, 222)
        assert (rows.filter(special_use="private").count(), rows.public().count()) == (1_433, 12)


class TestManyAccounts:
    def test_without_an_account_each_line_names_its_own_and_strangers_wait(self, db, tmp_path):
        account = make_account()
        path = tmp_path / "log"
        path.write_bytes(lines(event(1, account=account.reference), event(2, account="C-8"), event(3)))

        assert "Line 3" in assert_refused_in_one_line(run("import_access_log", path))
        code, _, told = run("import_access_log", path, "--keep-good-rows")

        assert code == 0
        assert "3 read, 1 new, 0 known, 1 refused, 1 waiting for their account." in told
        assert AccessRecord.objects.get().account == account
        assert WaitingLine.objects.get().account_key == "C-8"

    def test_what_was_refused_is_told_with_its_line_and_reason_and_where_it_is(self, db, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(lines(event(1, account="k"), event(2, account="k", kind="x"), event(3)))

        _, _, told = run("import_access_log", path, "--keep-good-rows")

        batch = AccessBatch.objects.get()
        assert '2 refused, 1 waiting for their account. Line 2: kind is "x". It must be access or admin.' in told
        assert f"The refused lines are kept on the page of {batch.reference}" in told


class TestRepeats:
    def test_it_is_told_by_the_name_that_was_given(self, take_in, tmp_path):
        own, copy = tmp_path / "own.csv", tmp_path / "copy.csv"
        for path in (own, copy):
            path.write_bytes(csv_file(event(1)).read())
        take_in(own)
        batch = AccessBatch.objects.get()

        assert take_in(copy)[2] == f"copy.csv: taken in before as {batch.reference} (own.csv), nothing added.\n"
        assert take_in(own)[2] == f"own.csv: taken in before as {batch.reference}, nothing added.\n"


class TestStandardInput:
    def test_it_is_read_like_a_file(self, take_in, monkeypatch):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines(event(1), event(2)))))

        code, _, told = take_in("-")

        assert code == 0 and told.startswith("standard input: LOG-") and "2 new" in told

    def test_only_once(self, take_in):
        assert "Give - once" in assert_refused_in_one_line(take_in("-", "-"))


class TestBadFiles:
    GOOD = json.dumps(cadf_event()).encode()
    BAD = {
        "empty": b"", "blank": b" \r\n", "nul": bytes(500), "zstd": b"\x28\xb5\x2f\xfd" + bytes(50),
        "zip": b"PK\x03\x04" + bytes(50), "packed twice": gzip.compress(gzip.compress(GOOD)),
        "packed and cut": gzip.compress(GOOD)[:-3], "utf-16": GOOD.decode().encode("utf-16"), "array cut": b"[" + GOOD,
        "deep": b'{"records": [' + b"[" * 100_000, "not utf-8": b"[" + GOOD.replace(b"anna", b"ann\xff") + b"]",
        "key twice": b'[{"typeURI": "x", ' + GOOD[1:] + b"]", "half a pair": GOOD.replace(b"anna", b"\\ud800"),
        "a nul in a text": GOOD.replace(b"anna", b"\\u0000"), "no zone": GOOD.replace(b"+0000", b""),
        "far future": GOOD.replace(b"2026-", b"2999-"), "before any log": GOOD.replace(b"2026-", b"1969-"),
        "two formats": json.dumps({**cadf_event(), **exported()}).encode(), "html": b"<html><body>no</body></html>",
        "long line": GOOD[:-1] + b', "x": "' + b"x" * 1_100_000 + b'"}',
    }  # fmt: skip

    def test_each_is_refused_in_one_line_and_leaves_nothing(self, take_in, tmp_path):
        path = tmp_path / "a\u202eb"
        for name, content in self.BAD.items():
            path.write_bytes(content)

            sentence = assert_refused_in_one_line(take_in(path))

            assert "a[U+202E]b" in sentence and len(sentence) < 400, name
        assert not AccessBatch.objects.exists() and not RefusedLine.objects.exists()
        path.write_bytes(self.GOOD)
        assert take_in(path)[0] == 0


class TestChangingFiles:
    def test_a_file_that_grows_while_it_is_read_leaves_nothing(self, take_in, tmp_path, monkeypatch):
        path = tmp_path / "log"
        path.write_bytes(lines(*(event(number) for number in range(3))))
        compare = steady_file._Steady._compare

        def grow_then_compare(self):
            if self.first_hash:  # the file was hashed; now its lines are read
                with path.open("ab") as file:
                    file.write(lines(event(9)))
            compare(self)

        monkeypatch.setattr(steady_file._Steady, "_compare", grow_then_compare)

        sentence = assert_refused_in_one_line(take_in(path))

        assert "log changed while it was read" in sentence
        assert not AccessRecord.objects.exists() and not AccessBatch.objects.exists()
        monkeypatch.undo()
        assert take_in(path)[0] == 0 and AccessRecord.objects.count() == 4


class TestMappings:
    MAPPING = {
        "form": "jsonl", "constants": {"source_system": "gateway", "kind": "admin"},
        "columns": {"event_id": "id", "at": "time", "action": "verb", "source": "client"},
    }  # fmt: skip
    GOOD = {"id": 1, "time": "2026-02-01T00:00:00Z", "verb": "PUT", "client": "8.8.8.8:443"}

    @pytest.fixture
    def log(self, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(lines(self.GOOD, {**self.GOOD, "id": None}))
        return path

    def mapping(self, tmp_path, **changes):
        path = tmp_path / "mapping.json"
        path.write_text(json.dumps({**self.MAPPING, **changes}))
        return path

    def test_the_good_rows_come_in_and_the_bad_one_is_kept_as_it_was_sent(self, take_in, log, tmp_path):
        code, _, told = take_in(log, "--mapping", self.mapping(tmp_path), "--keep-good-rows")

        assert code == 0 and "mapped, 2 read, 1 new, 0 known, 1 refused" in told
        row, refused = AccessRecord.objects.get(), RefusedLine.objects.get()
        assert (row.address, row.port, row.source_system) == ("8.8.8.8", 443, "gateway")
        assert (refused.line, refused.reason) == (2, "event_id is empty. Every event needs one.")
        assert json.loads(refused.content) == {**self.GOOD, "id": None}

    def test_a_wrong_or_missing_one_is_refused(self, take_in, log, tmp_path):
        wrong = take_in(log, "--mapping", self.mapping(tmp_path, columns={}))
        absent = take_in(log, "--mapping", tmp_path / "absent.json")
        both = take_in(log, "--mapping", self.mapping(tmp_path), "--format", "csv")

        assert "does not say where event_id" in assert_refused_in_one_line(wrong)
        assert "absent.json cannot be read" in assert_refused_in_one_line(absent)
        assert "Give one of them" in assert_refused_in_one_line(both)
        assert "no log format" in assert_refused_in_one_line(take_in(log, "--format", "mapped"))

    def test_the_same_mapping_is_a_repeat_however_it_is_written(self, take_in, log, tmp_path):
        path = self.mapping(tmp_path)
        take_in(log, "--mapping", path, "--keep-good-rows")
        path.write_text(json.dumps({name: self.MAPPING[name] for name in reversed(self.MAPPING)}, indent=2))

        code, _, told = take_in(log, "--mapping", path, "--keep-good-rows")

        assert code == 0 and "nothing added" in told
        assert (AccessBatch.objects.count(), AccessRecord.objects.count()) == (1, 1)

    def test_by_a_mended_one_the_refused_line_comes_in_and_the_others_are_known(self, take_in, tmp_path):
        log = tmp_path / "log"
        log.write_bytes(lines(self.GOOD, {**self.GOOD, "id": 2, "verb": "READ", "time": "2026-02-01T01:00:00Z"}))
        narrow = {
            "constants": {"source_system": "gateway"}, "columns": {**self.MAPPING["columns"], "kind": "verb"},
            "kinds": {"PUT": "admin"},
        }  # fmt: skip
        take_in(log, "--mapping", self.mapping(tmp_path, **narrow), "--keep-good-rows")
        first = AccessBatch.objects.get()
        assert (first.new_count, first.refused_count) == (1, 1)

        wide = self.mapping(tmp_path, **narrow, other_kinds="access")
        code, _, told = take_in(log, "--mapping", wide)
        again = take_in(log, "--mapping", wide)

        assert code == 0 and "mapped, 2 read, 1 new, 1 known, 0 refused." in told
        assert f"The same bytes were taken in as {first.reference} for {first.account} (by another mapping)." in told
        assert "nothing added" in again[2]
        assert dict(AccessRecord.objects.values_list("event_id", "kind")) == {"1": "admin", "2": "access"}
        assert len(set(AccessBatch.objects.values_list("mapping_sha256", flat=True))) == 2

    def test_a_mended_one_is_taken_in_of_many_accounts_too(self, db, tmp_path):
        account, log = make_account(), tmp_path / "log"
        log.write_bytes(lines({**self.GOOD, "tenant": account.reference, "customer": "C-8"}))

        def told(**columns):
            mapping = self.mapping(tmp_path, columns={**self.MAPPING["columns"], **columns})
            return run("import_access_log", log, "--mapping", mapping)[2]

        assert "1 waiting for their account" in told(account="customer")
        assert "1 new" in told(account="tenant")
        assert "nothing added" in told(account="customer") and "nothing added" in told(account="tenant")
        assert AccessRecord.objects.get().account == account and AccessBatch.objects.count() == 2

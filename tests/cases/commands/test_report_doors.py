import io
import os
import stat
import sys

import pytest
from django.core.management import call_command

from cases import tasks
from cases.flows import abuse_reports, report_folder
from cases.models import AbuseReport
from kyc_portal.records.keys import KeyProblem
from kyc_portal.records.refs import SCHEDULER
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.cases import reports
from tests.conftest import NOON, person


def put(folder, name: str, data: bytes | None = None, *, age: int = 60):
    """A file whose writer finished so many seconds ago."""
    path = folder / name
    path.write_bytes(reports.as_bytes(reports.botnet()) if data is None else data)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def look(folder) -> dict:
    return report_folder.take_in_folder(folder, by=SCHEDULER, at=NOON, now=1_000_000)


@pytest.mark.django_db
class TestCommand:
    @pytest.fixture(autouse=True)
    def recent(self, monkeypatch):
        monkeypatch.setattr("cases.management.commands.import_abuse_report.moment", lambda at: NOON)

    def test_one_bad_file_does_not_stop_the_others_and_the_code_says_so(self, tmp_path):
        good, bad, last = put(tmp_path, "a"), put(tmp_path, "b", b"{}"), put(tmp_path, "c")

        code, sentence, printed = run("import_abuse_report", good, bad, tmp_path / "none", last)

        assert (code, sentence) == (2, "2 of 4 reports were refused. See above for why.")
        assert AbuseReport.objects.count() == 2
        assert "b: $: the field xarf_version is missing. Add it." in printed
        assert "none: The file cannot be read" in printed

    def test_a_repeat_says_so_and_is_no_fault(self, tmp_path):
        path = put(tmp_path, "a")
        run("import_abuse_report", path)

        code, _, printed = run("import_abuse_report", path)

        assert code == 0 and f"a: taken in before as {AbuseReport.objects.get().reference}, nothing added." in printed

    def test_it_reads_standard_input(self, monkeypatch):
        data = io.TextIOWrapper(io.BytesIO(reports.as_bytes(reports.botnet())))
        monkeypatch.setattr(sys, "stdin", data)

        call_command("import_abuse_report", "-", stdout=io.StringIO())

        assert AbuseReport.objects.get().door == "command"

    def test_only_who_may_is_named(self, tmp_path):
        person("carl", "legal")

        answer = run("import_abuse_report", put(tmp_path, "a"), "--by", "carl")

        assert "may not do this" in assert_refused_in_one_line(answer)
        assert not AbuseReport.objects.exists()

    def test_who_may_is_credited(self, tmp_path):
        person("ana", "reviewer")

        run("import_abuse_report", put(tmp_path, "a"), "--by", "ana")

        assert AbuseReport.objects.get().received_by == "ana"


@pytest.mark.django_db
class TestFolder:
    def test_good_ones_go_to_taken_and_bad_ones_to_refused_with_the_reason(self, tmp_path):
        put(tmp_path, "good.json")
        put(tmp_path, "bad.json", b"{}")

        assert look(tmp_path) == {"new": 1, "known": 0, "refused": 1}

        assert (tmp_path / "taken" / "good.json").exists()
        assert (tmp_path / "refused" / "bad.json").read_bytes() == b"{}"
        reason = (tmp_path / "refused" / "bad.json.reason.txt").read_text()
        assert reason == "bad.json: $: the field xarf_version is missing. Add it.\n"
        assert AbuseReport.objects.get().door == "folder"
        assert look(tmp_path) == {"new": 0, "known": 0, "refused": 0}

    @pytest.mark.parametrize("name", ["a.json.part", "a.tmp", ".a.json", "a.JSON.FILEPART"])
    def test_what_is_named_unfinished_is_left_alone(self, tmp_path, name):
        path = put(tmp_path, name)

        assert look(tmp_path)["new"] == 0
        assert path.exists()

    def test_what_was_written_just_now_is_left_alone(self, tmp_path):
        path = put(tmp_path, "a.json", b'{"half', age=4)

        assert look(tmp_path) == {"new": 0, "known": 0, "refused": 0}
        assert path.exists()

    def test_links_folders_and_pipes_are_none_of_ours(self, tmp_path):
        outside = put(tmp_path.parent, "outside.json")
        (tmp_path / "link.json").symlink_to(outside)
        (tmp_path / "folder.json").mkdir()
        os.mkfifo(tmp_path / "pipe.json")

        assert look(tmp_path) == {"new": 0, "known": 0, "refused": 0}
        assert outside.exists() and not AbuseReport.objects.exists()

    def test_a_crash_after_the_row_and_before_the_move_is_harmless(self, tmp_path, monkeypatch):
        put(tmp_path, "a.json")
        with monkeypatch.context() as patch:
            patch.setattr(report_folder, "_move", _killed)
            with pytest.raises(report_folder.FilesLeft):
                look(tmp_path)

        assert look(tmp_path) == {"new": 0, "known": 1, "refused": 0}
        assert AbuseReport.objects.count() == 1
        assert (tmp_path / "taken" / "a.json").exists()

    def test_a_fault_of_our_own_refuses_no_report(self, tmp_path, monkeypatch):
        path, other = put(tmp_path, "a.json"), put(tmp_path, "b.json")
        take_in = abuse_reports.take_in

        def without_key(data, **named):
            if data == path.read_bytes():
                raise KeyProblem("KYC_MASTER_KEYS is empty.")
            return take_in(data, **named)

        monkeypatch.setattr(abuse_reports, "take_in", without_key)
        with pytest.raises(report_folder.FilesLeft, match=r"1 files .* KeyProblem"):
            look(tmp_path)

        assert path.exists() and not other.exists()
        assert not (tmp_path / "refused").exists()

    def test_a_file_gone_meanwhile_is_another_workers(self, tmp_path, monkeypatch):
        put(tmp_path, "a.json")
        finished = report_folder._finished

        def gone(*given):
            found = finished(*given)
            found[0].unlink()
            return found

        monkeypatch.setattr(report_folder, "_finished", gone)

        assert look(tmp_path) == {"new": 0, "known": 0, "refused": 0}

    def test_two_files_of_one_name_both_stay(self, tmp_path):
        for _ in range(2):
            put(tmp_path, "a.json")
            look(tmp_path)
            put(tmp_path, "b.json", b"{}")
            look(tmp_path)

        assert sorted(path.name for path in (tmp_path / "taken").iterdir()) == ["1-a.json", "a.json"]
        assert len(list((tmp_path / "refused").iterdir())) == 4

    def test_too_large_is_refused_without_reading_all_of_it(self, tmp_path, settings):
        settings.ABUSE_REPORT_MAX_BYTES = 100
        put(tmp_path, "a.json", b"x" * 1000)

        assert look(tmp_path)["refused"] == 1
        assert "larger than 100 bytes" in (tmp_path / "refused" / "a.json.reason.txt").read_text()

    def test_a_name_full_of_controls_is_no_trap(self, tmp_path):
        put(tmp_path, "a\nb\u202e.json", b"{}")

        look(tmp_path)

        (reason,) = (tmp_path / "refused").glob("*.reason.txt")
        assert reason.read_text().startswith("a[U+000A]b[U+202E].json: ")

    def test_a_folder_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(report_folder.FilesLeft, match="cannot be read: FileNotFoundError"):
            look(tmp_path / "none")

    def test_others_cannot_look_into_what_was_taken(self, tmp_path):
        put(tmp_path, "a.json")
        look(tmp_path)

        assert stat.S_IMODE((tmp_path / "taken").stat().st_mode) == 0o700


@pytest.mark.django_db
class TestTask:
    def test_without_a_folder_there_is_nothing_to_do(self):
        assert tasks.take_in_abuse_reports() is None

    def test_it_takes_in_what_lies_there(self, tmp_path, settings):
        settings.ABUSE_REPORTS_DIR = str(tmp_path)
        put(tmp_path, "a.json")

        assert tasks.take_in_abuse_reports(at=NOON.isoformat())["new"] == 1


def _killed(*given):
    raise RuntimeError("killed")

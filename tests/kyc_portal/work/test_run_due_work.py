"""run_due_work: one round of the beat table without a broker."""

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.utils import timezone

from kyc_portal.celery import BEAT_SCHEDULE
from kyc_portal.records import triggers
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.work.models import Job, JobState

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments) -> list[str]:
    out = io.StringIO()
    call_command("run_due_work", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def noted(monkeypatch) -> list[datetime]:
    """A beat table of one task, which notes the moment it is given."""
    seen = []

    class Noting:
        @staticmethod
        def run(at):
            seen.append(datetime.fromisoformat(at))

    monkeypatch.setitem(current_app.tasks, "tests.noting", Noting)
    monkeypatch.setitem(current_app.conf, "beat_schedule", {"note the moment": {"task": "tests.noting"}})
    return seen


@pytest.mark.django_db
class TestRunDueWork:
    def test_it_prints_one_line_for_each_entry_in_order(self):
        lines = run()

        assert [line.partition(":")[0] for line in lines] == list(BEAT_SCHEDULE)
        assert not [line for line in lines if "failed (" in line]

    def test_it_may_be_run_twice(self):
        run()

        assert len(run()) == len(BEAT_SCHEDULE)

    def test_a_task_that_fails_is_named_and_counted_and_the_others_run(self):
        triggers.drop()
        try:
            with pytest.raises(CommandError, match=r"1 of \d+ tasks failed\. See Jobs") as refused:
                run("--skip-checks")
        finally:
            triggers.create()

        job = Job.objects.get(kind="task")
        assert (job.key, job.last_error) == ("kyc_portal.records.tasks.check_append_only", "TrailUnguarded")
        assert refused.value.returncode == 2
        run()
        assert Job.objects.get(kind="task").state == JobState.DONE

    def test_an_entry_without_a_task_is_a_failure_and_no_traceback(self, monkeypatch):
        monkeypatch.setitem(current_app.conf, "beat_schedule", {"nothing": {"task": "tests.nowhere"}})

        with pytest.raises(CommandError, match="1 of 1 tasks failed"):
            run()

    def test_it_takes_now(self, noted):
        before = timezone.now()

        assert run() == ["note the moment: done"]
        assert before <= noted[0] <= timezone.now()

    def test_a_named_day_is_judged_at_its_noon(self, noted):
        run("--as-of", "2026-03-02")

        assert noted == [datetime(2026, 3, 2, 12, tzinfo=UTC)]

    def test_today_is_never_a_moment_to_come(self, noted):
        run("--as-of", legal_day(timezone.now()).isoformat())

        assert noted[0] <= timezone.now()

    def test_a_day_to_come_is_refused_outside_development(self, noted):
        with pytest.raises(CommandError, match="has not come yet") as refused:
            run("--as-of", (timezone.now() + timedelta(days=2)).date().isoformat())

        assert (refused.value.returncode, noted) == (2, [])

    def test_a_day_to_come_is_allowed_in_development(self, noted, settings):
        settings.DEBUG = True
        later = (timezone.now() + timedelta(days=2)).date()

        run("--as-of", later.isoformat())

        assert noted[0].date() == later


class TestMoment:
    def test_it_reads_a_moment_with_its_zone(self):
        assert moment("2026-03-02T12:00:00+01:00") == datetime(2026, 3, 2, 11, tzinfo=UTC)
        assert abs(moment(None) - timezone.now()) < timedelta(minutes=1)

    @pytest.mark.parametrize("text", ["2026-03-02T12:00:00", "tomorrow"])
    def test_it_refuses_one_without(self, text):
        with pytest.raises(ValueError, match=r"zone|Invalid"):
            moment(text)


class TestAtTheShell:
    def test_a_refusal_is_one_line_and_exit_code_two(self, tmp_path):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'shell.sqlite3'}",
        }
        command = [sys.executable, "manage.py", "run_due_work", "--as-of", "2999-01-01"]

        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

        assert done.returncode == 2
        assert done.stderr.strip().splitlines() == [
            "CommandError: 2999-01-01 has not come yet. Name today or an earlier day."
        ]

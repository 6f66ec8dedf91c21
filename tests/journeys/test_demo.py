"""The demo builds its world from nothing, tells it, and may be run again."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("demo")  # one process builds the world once for all of them
ROOT = Path(__file__).resolve().parents[2]
BEAT = """
from celery import current_app
current_app.autodiscover_tasks(force=True)
for entry in current_app.conf.beat_schedule.values():
    current_app.tasks[entry["task"]]()
"""  # one round of the beat table as a worker does it: each task by its own door, none within a command


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What two runs in the same empty folder printed, and the folder."""
    folder = tmp_path_factory.mktemp("demo")
    keep = {"PATH", "HOME", "LANG"}
    env = {name: value for name, value in os.environ.items() if name in keep} | {"KYC_LOCAL_DIR": str(folder)}
    runs = [
        subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", "manage.py", "demo", "--no-serve"],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False,
        )
        for _ in range(2)
    ]  # fmt: skip
    return runs, folder


def manage(folder: Path, *command: str) -> tuple[int, str, str]:
    """Run a command upon the world: exit code, what it printed, what it complained of."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=env | {"KYC_LOCAL_DIR": str(folder)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


class TestDemo:
    def test_it_ends_well_twice(self, told):
        runs, _ = told

        assert [run.returncode for run in runs] == [0, 0], runs[0].stderr[-2000:] + runs[1].stderr[-2000:]

    def test_nothing_complains(self, told):
        runs, folder = told

        assert [run.stderr for run in runs] == ["", ""]
        assert manage(folder, "check")[::2] == (0, "")

    def test_each_change_has_its_event_before_and_after_a_round_of_the_beat_table(self, told):
        _, folder = told
        before = manage(folder, "reconcile_changes")
        by_tasks = manage(folder, "shell", "--no-imports", "--command", BEAT)
        after = manage(folder, "reconcile_changes")
        by_command = manage(folder, "run_due_work")
        in_the_end = manage(folder, "reconcile_changes")

        for code, said, _ in (before, after, in_the_end):
            assert code == 0 and " 0 without an event" in said, said
        assert by_tasks[::2] == by_command[::2] == (0, ""), by_tasks[2] + by_command[2]
        with closing(sqlite3.connect(folder / "portal.sqlite3")) as database:  # the beat table reconciles, too
            assert database.execute("SELECT DISTINCT standing FROM records_rowchange").fetchall() == [("explained",)]
        assert manage(folder, "verify_audit_trail")[0] == 0

    def test_the_second_run_tells_the_same_world(self, told):
        runs, _ = told
        first, second = (run.stdout[run.stdout.index("What happened") :] for run in runs)

        assert first == second

    def test_it_tells_the_whole_thread(self, told):
        story = told[0][0].stdout

        assert re.search(r"purged: \d+ rows", story)
        assert "kept through" in story
        assert "10 years" in story
        assert "waits for a second person" in story
        assert "countersigned by lena" in story
        assert re.search(r"BDL-\S+  built from CSE-", story)

    def test_it_names_a_log_in_for_each_role(self, told):
        story = told[0][0].stdout

        for role in (
            "reviewer",
            "lead reviewer",
            "reseller manager",
            "legal",
            "compliance",
            "auditor",
            "administrator",
        ):
            assert re.search(rf"^  \w+ +{role}$", story, re.MULTILINE), role

    def test_it_leaves_a_bundle_that_verifies_without_a_database(self, told):
        _, folder = told
        bundles = list((folder / "bundles").glob("BDL-*"))
        env = {"PATH": os.environ["PATH"], "KYC_LOCAL_DIR": str(folder), "DATABASE_URL": "sqlite:////nonexistent/none"}

        verdicts = [
            subprocess.run(
                [sys.executable, "manage.py", "verify_bundle", str(bundle)],
                cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
            )
            for bundle in bundles
        ]  # fmt: skip

        assert bundles
        assert [verdict.returncode for verdict in verdicts] == [0] * len(bundles), (
            verdicts[0].stdout + verdicts[0].stderr
        )

    def test_nothing_of_the_purged_customer_is_left(self, told):
        _, folder = told

        for path in folder.rglob("*"):
            if path.is_file() and "samples" not in path.parts:
                content = path.read_bytes()
                assert b"Rehor" not in content, path
                assert b"tomas.rehor" not in content, path


class TestTheCustomersPage:
    def test_the_printed_link_opens_the_page_once(self, told):
        runs, folder = told
        path = re.search(r"^  (/me/link/[\w-]{43}/)$", runs[1].stdout, re.MULTILINE)[1]
        ask = (
            "from django.test import Client; "
            f"codes = [Client(HTTP_HOST='localhost').post('{path}', {{'notice': '1'}}).status_code for _ in range(2)]; "
            "print(codes)"
        )

        _, said, _ = manage(folder, "shell", "--no-imports", "--command", ask)

        assert "[302, 404]" in said
        assert "Send the link again" in manage(folder, "demo", "--no-serve")[1]

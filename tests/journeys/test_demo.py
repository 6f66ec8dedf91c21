"""The demo builds its world from nothing, tells it, and may be run again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


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


class TestDemo:
    def test_it_ends_well_twice(self, told):
        runs, _ = told

        assert [run.returncode for run in runs] == [0, 0], runs[0].stderr[-2000:] + runs[1].stderr[-2000:]

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

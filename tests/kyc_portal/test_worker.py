"""The real thing: worker and beat as processes of their own, with Redis and with the embedded broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from django.db import connection
from django.utils import timezone

from kyc_portal.celery import BEAT_SCHEDULE
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import ask
from tests.kyc_portal.notices.test_outbox import queued

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; two busy cores start a worker in about five

# A worker like ours with jobs of the tests, which note in a file that they were done.
WITH_TEST_JOBS = """
import os, time
from pathlib import Path
from kyc_portal.celery import app
import django
django.setup()
from kyc_portal.work import queue

def note(key, *, by, at):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"begun {key}\\n")
    time.sleep(float(os.environ.get("SLOW", "0")))
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"done {key}\\n")

queue.register("tests.note", note)
"""


def database_url() -> str:
    """The address of the test database, for another process."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return f"postgres://{settings['USER']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


@pytest.fixture
def start(transactional_db, tmp_path):
    """Start a process of the portal on the test database; whatever still runs at the end is killed."""
    (tmp_path / "with_test_jobs.py").write_text(WITH_TEST_JOBS)
    running = []

    def begin(*arguments, broker="filesystem://", **environment) -> subprocess.Popen:
        given = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests",
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker,
            "KYC_LOCAL_DIR": str(tmp_path),
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "NOTES": str(tmp_path / "notes"),
            **environment,
        }
        command = [sys.executable, "-m", "celery", "--app", "with_test_jobs", *arguments]
        with (tmp_path / f"output-{len(running)}").open("w") as output:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=given, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(is_so: Callable[[], bool], what: str, folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            told = "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("output-*")))
            pytest.fail(f"Waited {PATIENCE} s for: {what}.\n{told}")
        time.sleep(0.2)


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def jobs(state: str) -> int:
    return Job.objects.filter(kind="tests.note", state=state).count()


def ask_for(*keys: str) -> None:
    for key in keys:
        ask("tests.note", key, due_at=timezone.now(), at=timezone.now())


def stop(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


WORKER = ("worker", "--pool", "solo", "--loglevel", "INFO", "--without-gossip", "--without-mingle")


class TestEmbeddedBroker:
    """Messages are files in a folder: no service is needed."""

    def test_beat_wakes_the_worker_and_both_stop_when_told(self, start, tmp_path):
        ask_for("a", "b")
        worker = start(*WORKER)
        beat = start("beat", "--schedule", str(tmp_path / "beat"), "--loglevel", "INFO")

        wait_for(lambda: jobs(JobState.DONE) == 2, "two jobs to be done", tmp_path)

        assert sorted(notes(tmp_path)) == ["begun a", "begun b", "done a", "done b"]
        assert (stop(beat), stop(worker)) == (0, 0)


@pytest.fixture
def redis_broker():
    """The address of the running Redis; its queue is empty before and after."""
    address = os.environ.get("CELERY_BROKER_URL", "")
    if not address.startswith("redis"):
        pytest.skip("CELERY_BROKER_URL names no Redis; `make services` starts one")
    sender = Celery("tests", broker=address, set_as_current=False)
    sender.conf.update(task_serializer="json", result_backend=None)
    with sender.connection() as broker:
        broker.default_channel.client.flushdb()
        yield sender
        broker.default_channel.client.flushdb()
    sender.close()


@pytest.mark.services
@pytest.mark.xdist_group("redis")  # one process of the tests does them all: two would take each other's messages
class TestRedis:
    def test_every_entry_of_the_beat_table_is_done_and_acknowledged(self, redis_broker, start, tmp_path, analyst):
        ask_for("a")
        notice = queued(analyst)
        start(*WORKER, broker=redis_broker.conf.broker_url)

        for entry in BEAT_SCHEDULE.values():
            redis_broker.send_task(entry["task"])

        def is_over() -> bool:
            output = (tmp_path / "output-0").read_text()
            return all(f"{entry['task']}[" in output for entry in BEAT_SCHEDULE.values()) and (
                output.count(" succeeded in ") + output.count(" raised unexpected") >= len(BEAT_SCHEDULE)
            )

        wait_for(is_over, "each task to end", tmp_path)
        output = (tmp_path / "output-0").read_text()
        assert output.count(" succeeded in ") == len(BEAT_SCHEDULE), output[-3000:]
        assert not Job.objects.filter(kind="task").exists()
        assert jobs(JobState.DONE) == 1
        notice.refresh_from_db()
        assert notice.state == "sent"
        with redis_broker.connection() as broker:
            client = broker.default_channel.client
            wait_for(lambda: client.llen("celery") + client.hlen("unacked") == 0, "acknowledgements", tmp_path)

    def test_a_worker_killed_in_the_middle_of_a_job_leaves_it_to_the_next(self, redis_broker, start, tmp_path):
        ask_for("a")
        broker = redis_broker.conf.broker_url
        first = start(*WORKER, broker=broker, SLOW="60")
        redis_broker.send_task("kyc_portal.work.tasks.run_due_jobs")
        wait_for(lambda: notes(tmp_path) == ["begun a"], "the job to begin", tmp_path)

        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        Job.objects.update(lease_until=timezone.now())  # a minute later

        start(*WORKER, broker=broker)
        redis_broker.send_task("kyc_portal.work.tasks.run_due_jobs")
        wait_for(lambda: jobs(JobState.DONE) == 1, "the next worker to do it", tmp_path)
        assert notes(tmp_path) == ["begun a", "begun a", "done a"]
        assert Job.objects.get(kind="tests.note").attempts == 2

    def test_a_message_sent_twice_does_the_job_once(self, redis_broker, start, tmp_path):
        ask_for("a")
        for _ in range(5):
            redis_broker.send_task("kyc_portal.work.tasks.run_due_jobs")

        start(*WORKER, broker=redis_broker.conf.broker_url)
        wait_for(lambda: (tmp_path / "output-0").read_text().count(" succeeded in ") == 5, "five rounds", tmp_path)

        assert notes(tmp_path) == ["begun a", "done a"]

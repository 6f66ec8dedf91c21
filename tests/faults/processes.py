"""Processes of the portal and of its services, as they run in earnest, and how they die: by SIGKILL, at any moment."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis
from celery import Celery
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90  # seconds; two busy cores start a worker in about five
COMMAND = """
import sys, django
django.setup()
from django.core.management import call_command
from django.db import connection
connection.ensure_connection()
print("ready", flush=True)
call_command(*sys.argv[1:])
"""


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"Waited {PATIENCE} s for: {what}."
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def database_url() -> str:
    """The address of the test database, for another process."""
    there = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{there['NAME']}"
    return f"postgres://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"


def environment(folder: Path) -> dict[str, str]:
    """What a process of the portal is given; keys and witness are those of this process."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "DATABASE_URL": database_url(),
        "KYC_MASTER_KEYS": ",".join(settings.MASTER_KEYS),
        "KYC_WITNESSES": ",".join(settings.WITNESSES),
        "KYC_PRIVATE_DIR": str(settings.PRIVATE_DIR),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
        "FOLDER": str(folder),
    }


class Process:
    """One process with whatever it starts; `kill` takes them all at once, as the kernel does when memory runs out."""

    def __init__(self, arguments: list[str], folder: Path, *, name: str):
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as output:
            self._of = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environment(folder), stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def is_over(self) -> bool:
        return self._of.poll() is not None

    def kill(self) -> bool:
        """Whether it was still at work when it was struck."""
        was_at_work = not self.is_over()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._of.pid, signal.SIGKILL)
        self._of.wait()
        return was_at_work

    def end(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._of.wait(PATIENCE)


def start_command(folder: Path, number: int, *arguments: str) -> Process:
    """A management command, given back at the moment it begins with its work."""
    process = Process(["-c", COMMAND, *arguments], folder, name=f"command-{number}")
    wait_for(lambda: "ready" in process.said() or process.is_over(), "the command to begin")
    return process


def start_worker(folder: Path, number: int) -> Process:
    arguments = ["worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO"]
    arguments += ["--without-gossip", "--without-mingle"]
    return _start_celery(folder, f"worker-{number}", arguments, "ready.")


def start_beat(folder: Path) -> Process:
    return _start_celery(folder, "beat", ["beat", "--schedule", str(folder / "beat"), "--loglevel", "INFO"], "Starting")


def _start_celery(folder: Path, name: str, arguments: list[str], sign: str) -> Process:
    process = Process(["-m", "celery", "--app", "tests.faults.portal", *arguments], folder, name=name)
    wait_for(lambda: sign in process.said() or process.is_over(), f"{name} to begin")
    assert not process.is_over(), process.said()
    return process


def start_web(folder: Path, number: int, port: int) -> Process:
    """Gunicorn as in production, answering on this port. kyc_portal.wsgi itself refuses to serve with keys of tests."""
    application = "django.core.wsgi:get_wsgi_application()"
    arguments = ["-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    process = Process(arguments, folder, name=f"web-{number}")

    def answers() -> bool:
        assert not process.is_over(), process.said()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return "Booting worker" in process.said()
        return False

    wait_for(answers, "the web server to answer")
    return process


# --- Services: started anew with the very options they had ------------------------------------------------------------


_services: list[subprocess.Popen] = []  # they outlive the test that starts them


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []


def _start_service(arguments: list[str]) -> int:
    """Start it as a process of its own; its id."""
    service = subprocess.Popen(
        [*_unprivileged(), *arguments], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    _services.append(service)
    return service.pid


def _children_of(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(stat.parent.name)


class Database:
    """The PostgreSQL of this test run, which `.ci/services` started and which is ours to kill."""

    def __init__(self):
        with self._session() as session:
            self.folder = Path(session.execute("SHOW data_directory").fetchone()[0])
        assert self.folder.parent.name.startswith("services."), "Only a database of .ci/services may be killed."
        self.options = shlex.split((self.folder / "postmaster.opts").read_text())
        self.postmaster = int((self.folder / "postmaster.pid").read_text().split()[0])

    def kill_a_backend(self, *, but: int) -> None:
        """SIGKILL for one session of the test database; the server then ends all others and recovers by itself."""
        with self._session() as session:
            found = session.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid NOT IN (%s, pg_backend_pid())",
                [connection.settings_dict["NAME"], but],
            ).fetchall()
        for (pid,) in found[:1]:
            os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL for the whole server at once."""
        connection.close()
        family = [self.postmaster, *_children_of(self.postmaster)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}/stat").exists() and _runs(pid) for pid in family), "its death")

    def start(self) -> None:
        """Start the server when it is down, and wait until it has recovered."""
        connection.close()
        if not _runs(self.postmaster):
            for lock in (self.folder / "postmaster.pid", *self.folder.parent.glob(".s.PGSQL.*")):
                lock.unlink(missing_ok=True)  # a dead server that nobody reaped looks alive to the next
            self.postmaster = _start_service(self.options)
        wait_for(self._answers, "PostgreSQL to recover")

    def _session(self) -> psycopg.Connection:
        there = connection.settings_dict
        return psycopg.connect(
            host=there["HOST"], port=there["PORT"], user="owner", dbname="postgres", connect_timeout=5
        )

    def _answers(self) -> bool:
        try:
            with self._session():
                return True
        except psycopg.OperationalError:
            return False


def _runs(pid: int) -> bool:
    """Whether this process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Broker:
    """The Redis of this test run; it keeps nothing on disk, so that its death loses every message."""

    def __init__(self, address: str):
        self.address, self.client = address, redis.Redis.from_url(address)
        self.port = self.client.connection_pool.connection_kwargs["port"]
        self.folder = self.client.config_get("dir")["dir"]
        assert "services." in self.folder, "Only a Redis of .ci/services may be killed."
        self.pid = self.client.info("server")["process_id"]

    def send(self, task: str) -> None:
        """A message as the beat sends it."""
        with Celery("tests", broker=self.address, set_as_current=False) as sender:
            sender.conf.update(task_serializer="json", result_backend=None)
            sender.send_task(task)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not _runs(self.pid), "the death of Redis")

    def start(self) -> None:
        arguments = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder]
        self.pid = _start_service([*arguments, "--save", ""])
        wait_for(self._answers, "Redis to answer")

    def _answers(self) -> bool:
        try:
            return self.client.ping()
        except redis.ConnectionError:
            return False

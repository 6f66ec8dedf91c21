"""A real browser on a real server with the demo's world; skipped, with the reason, where there is no Chromium."""

import fcntl
import io
import os
import shutil
import sqlite3
from contextlib import closing, redirect_stdout
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from kyc_portal.demo import world
from kyc_portal.demo.people import PASSWORD
from tests.conftest import put_back

# Playwright's own loop runs in this thread; the database is used beside it, not inside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing, and in continuous integration browser tests are not skipped.")
        pytest.skip("Chromium is not installed here; install the package chromium to run browser tests.")
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": QUIET}


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory) -> Path:
    """A folder that all processes of these tests have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "browser"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def kept_world(common_folder, django_db_setup, django_db_blocker) -> Path:
    """The SQLite database with the demo's world, built by the first process that comes here, with a copy of its files;
    they all find the files where theirs belong."""
    kept, files = common_folder / "world.sqlite3", common_folder / "files"
    with (common_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            shutil.copytree(files, settings.LOCAL_DIR, dirs_exist_ok=True)
            return kept
        with django_db_blocker.unblock():
            build_world()
            shutil.copytree(settings.LOCAL_DIR, files, ignore=shutil.ignore_patterns("*.sqlite3*", "broker"))
            with closing(sqlite3.connect(kept)) as copy:
                connection.connection.backup(copy)
    return kept


def build_world() -> None:
    with redirect_stdout(io.StringIO()):
        world.build(now=timezone.now())


@pytest.fixture
def portal(request, transactional_db, live_server) -> str:
    """The address of a server on which the demo's world stands. On SQLite it is built once and then copied."""
    if connection.vendor == "sqlite":
        put_back(request.getfixturevalue("kept_world"))
    else:
        build_world()
    return live_server.url


def log_in(page, portal: str, username: str, password: str = PASSWORD) -> None:
    """Log in through the page, as a person would."""
    page.goto(f"{portal}/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.partition("?")[0].endswith("/login/"))

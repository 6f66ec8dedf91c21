"""A real browser on a real server with the demo's world; skipped, with the reason, where there is no Chromium."""

import io
import os
import shutil
import sqlite3
from contextlib import closing, redirect_stdout

import pytest
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
def kept_world():
    """Where the world is kept as it was built: an SQLite database of this process, empty until the first test."""
    with closing(sqlite3.connect(":memory:")) as kept:
        yield kept


@pytest.fixture
def portal(transactional_db, live_server, kept_world):
    """The address of a server on which the demo's world stands. On SQLite it is built once and then copied."""
    if kept_world.execute("SELECT 1 FROM sqlite_master").fetchone():
        put_back(kept_world)
        return live_server.url
    with redirect_stdout(io.StringIO()):
        world.build(now=timezone.now())
    if connection.vendor == "sqlite":
        connection.connection.backup(kept_world)
    return live_server.url


def log_in(page, portal: str, username: str, password: str = PASSWORD) -> None:
    """Log in through the page, as a person would."""
    page.goto(f"{portal}/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.partition("?")[0].endswith("/login/"))

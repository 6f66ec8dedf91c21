"""A real browser on a real server with the demo's world; skipped, with the reason, where there is no Chromium."""

import io
import os
import shutil
from contextlib import redirect_stdout

import pytest
from django.utils import timezone

from kyc_portal.demo import world
from kyc_portal.demo.people import PASSWORD

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


@pytest.fixture
def portal(transactional_db, live_server):
    """The address of a server on which the demo's world stands."""
    with redirect_stdout(io.StringIO()):
        world.build(now=timezone.now())
    return live_server.url


def log_in(page, portal: str, username: str, password: str = PASSWORD) -> None:
    """Log in through the page, as a person would."""
    page.goto(f"{portal}/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.partition("?")[0].endswith("/login/"))

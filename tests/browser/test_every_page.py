"""Every page of every role, light and dark, wide and narrow: nothing serious for axe, nothing refused by the policy."""

import os
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve

from tests.browser.conftest import log_in

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("KYC_PAGE_PICTURES")  # a folder: keeps a picture of every page for people to look at
LEAST_SEEN = {"rosa": 20, "audra": 20, "laszlo": 20, "mina": 1}  # kinds of pages
ROLES = (
    "rosa",
    "lena",
    "laszlo",
    "audra",
    "adrian",
    "desmond",
    "conrad",
    "mina",
)  # between them they see every kind of page
GRAVE = ("error", "warning")  # what the console says beside these are hints
EACH_KIND = 1  # pages of one kind that a role opens
# What of an answer is read. Nothing is loaded beforehand: that is for sound and video, of which the portal has none.
AXE = "given => axe.run(given).then(found => found.violations)"
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
LINKS = "Array.from(document.querySelectorAll('a[href]'), each => each.getAttribute('href'))"
NOT_PAGES = re.compile(
    r"(logout|jsi18n|/static/|download|original|/refused/|/(file|json|csv|copy)/|\.(csv|xlsx|png|zip))"
)


def kind_of(url: str) -> str:
    try:
        match = resolve(urlparse(url).path)
    except Resolver404:
        return ""
    return f"{match.view_name}:{match.kwargs.get('name', '')}"


def pages_of(page, start: str):
    """Open every kind of page that can be reached from `start` by links; yields (kind, address) while it is open."""
    waiting, seen, opened = [start], set(), Counter()
    while waiting:
        url = waiting.pop(0)
        kind = kind_of(url)
        if url in seen or not kind or opened[kind] >= EACH_KIND:
            continue
        seen.add(url)
        opened[kind] += 1
        answer = page.goto(url)
        assert answer.status == 200, f"{url} answered {answer.status}"
        links = page.evaluate(LINKS)  # a tenth of the time that Playwright's own way takes
        yield kind, url
        for link in links:
            target = urljoin(url, link).partition("#")[0]
            if target.startswith(start[: start.index("/", 8)]) and not NOT_PAGES.search(target):
                waiting.append(target)


@cache
def axe_script() -> str:
    return Axe().axe_script


def serious(page) -> list[str]:
    """What axe finds serious in the open page, as it is shown now; axe itself is loaded once into each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_script())
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in page.evaluate(AXE, AXE_OPTIONS)
        if each["impact"] in ("serious", "critical")
    ]


def keep_picture(page, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(PICTURES) / f"{re.sub(r'[^a-z0-9-]+', '_', name.lower())}.png"), full_page=True)


def look_at(page, username: str, kind: str) -> list[str]:
    """What is wrong with the open page, wide and narrow, by day and by night.

    axe looks once, by night: the contrast of both palettes is computed from the tokens in tests/kyc_portal/staff.
    """
    faults = []
    for scheme, width in (("light", 1280), ("light", 390), ("dark", 1280), ("dark", 390)):
        if scheme == "dark" and width == 390 and not PICTURES:
            continue
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        keep_picture(page, f"{username} {kind} {scheme} {width}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            faults.append(f"{kind}: scrolls sideways at {width} ({wide})")
    return faults + [f"{kind}: {fault}" for fault in serious(page)]


@pytest.fixture(scope="session")
def is_first(common_folder) -> Callable[[str], bool]:
    """Says once, to whichever process of the tests asks first, that a kind of page was looked at by nobody yet.

    Every role opens every kind of page it sees; in all its looks a kind is judged once, whoever opens it.
    """
    looked = common_folder / "looked_at"
    looked.mkdir(exist_ok=True)

    def claim(kind: str) -> bool:
        try:
            (looked / kind.replace("/", "_")).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    return claim


@pytest.mark.parametrize("username", ROLES)
def test_every_page_of_every_role_is_sound(portal, browser, is_first, username):
    faults, complaints, opened = [], [], 0
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type in GRAVE else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(portal) else None)
    log_in(page, portal, username)

    for kind, _ in pages_of(page, page.url):
        if is_first(kind) or not opened:
            faults += look_at(page, username, kind)
        opened += 1
    context.close()

    assert opened >= LEAST_SEEN.get(username, 3)
    assert not faults, "\n".join(sorted(set(faults)))
    assert not complaints, "\n".join(sorted(set(complaints)))

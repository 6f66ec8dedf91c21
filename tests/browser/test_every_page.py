"""Every page of every role, light and dark, wide and narrow: nothing serious for axe, nothing refused by the policy."""

import os
import re
from collections import Counter
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
LOOKS = 1  # times a kind of page is looked at in every way, whoever opens it; a role's first page always is
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
        links = page.eval_on_selector_all("a[href]", "found => found.map(each => each.getAttribute('href'))")
        yield kind, url
        for link in links:
            target = urljoin(url, link).partition("#")[0]
            if target.startswith(start[: start.index("/", 8)]) and not NOT_PAGES.search(target):
                waiting.append(target)


def serious(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
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


def test_every_page_of_every_role_is_sound(portal, browser):
    faults, complaints, looked = [], [], Counter()
    for username in ROLES:
        context = browser.new_context()
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in GRAVE else None)
        page.on("pageerror", lambda error, who=username: complaints.append(f"{who}: {error}"))
        page.on(
            "request", lambda request: complaints.append(request.url) if not request.url.startswith(portal) else None
        )
        log_in(page, portal, username)
        opened = 0
        for kind, _ in pages_of(page, page.url):
            if looked[kind] < LOOKS or not opened:
                faults += look_at(page, username, kind)
            looked[kind] += 1
            opened += 1
        assert opened >= LEAST_SEEN.get(username, 3), f"{username} saw only {opened} pages"
        context.close()

    assert not faults, "\n".join(sorted(set(faults)))
    assert not complaints, "\n".join(sorted(set(complaints)))

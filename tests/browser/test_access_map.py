"""The access page in a real browser: tiles by keyboard, the table beside, axe, nothing wider than a phone."""

import pytest
from django.urls import reverse

from tests.accounts import access_days
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, keep_picture, look_at
from tests.builders import make_account, make_cip
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser

MANY = ("DE", "CN", "US", "RU", "IR", "BR", "ZA", "NG", "JP", "AU", "KP", "FR", "GB", "SG", "IN", "TV", "KN", "SJ")


@pytest.fixture
def account(transactional_db, live_server, page):
    make_cip()
    person("ana", "reviewer")
    account = make_account()
    access_days.a_year_of(account, MANY)
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    log_in(page, live_server.url, "ana", PASSWORD)
    yield account
    assert page.complaints == []


def test_the_map_is_walked_by_keyboard_and_leads_to_the_table(page, live_server, account):
    page.goto(live_server.url + reverse("admin:accounts_account_change", args=[account.pk]))
    page.get_by_role("link", name="Map, timeline, networks, hours").click()
    page.get_by_role("link", name="All days").click()

    tiles = page.locator(".tile-map a")
    assert tiles.count() == len(MANY)
    tiles.first.focus()
    page.keyboard.press("Tab")
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")

    country, _, counted = name.partition(": ")
    row = page.locator("tr:has(:target)").inner_text()
    assert country in row and counted.partition(" ")[0] in row
    assert page.get_by_role("heading", name="By hour of the day").is_visible()


def test_every_window_is_sound_wide_and_narrow(page, live_server, account):
    address = live_server.url + reverse("accounts:access", args=[account.pk])
    page.goto(f"{address}?days=all")
    assert look_at(page, "ana", "access all") == []
    for days in ("30", "365"):
        page.goto(f"{address}?days={days}")
        keep_picture(page, f"ana access {days}")
        page.set_viewport_size({"width": 390, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for drawn in page.locator("svg.picture").all():
            box = drawn.bounding_box()
            assert box is None or box["x"] + box["width"] <= 390
        page.set_viewport_size({"width": 1280, "height": 900})

    page.goto(live_server.url + reverse("accounts:access", args=[make_account().pk]))
    assert page.get_by_role("link", name="Access logs taken in").is_visible()
    assert look_at(page, "ana", "access none") == []

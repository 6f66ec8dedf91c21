"""A full review without a mouse: from the queue to a decision that two people signed, by keys and Tab alone."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from cases.models import Case, CaseNote, Decision
from cases.rules.checklist import items_for
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.cases.builders import make_case, make_open_account
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("WORKSPACE_PICTURES", "")


@pytest.fixture
def at_the_queue(transactional_db, live_server, page):
    """A reviewer before the queue, one case in it; what the console complains of fails the test."""
    person("rosa", "reviewer"), person("lea", "lead reviewer")
    now = timezone.now()
    make_case(make_open_account(legal_name="<b>Bold & Sons</b> " + "X" * 150), at=now - timedelta(days=1))
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, live_server.url, "rosa", PASSWORD)
    page.goto(f"{live_server.url}/review/")
    yield page
    assert complaints == []


def focused(page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def tab_to(page, words: str) -> None:
    """Press Tab until what is focused says these words."""
    for _ in range(80):
        said = page.evaluate("document.activeElement.textContent.replace(/\\s+/g, ' ')")
        if words in said and page.evaluate("document.activeElement.matches('button, a, summary, select, textarea')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {words!r}; it stands at {focused(page)!r}")


def choose(page, letters: str) -> None:
    """Choose in the focused list by typing the beginning of a choice."""
    page.keyboard.type(letters, delay=20)


def test_a_review_from_the_queue_to_the_second_signature(at_the_queue, live_server):
    page, case = at_the_queue, Case.objects.get()
    page.keyboard.press("n")  # the next case, taken and locked
    page.wait_for_url(f"**/review/{case.reference}/")
    assert look_at(page, "rosa", "workspace") == []

    page.keyboard.press("j")
    assert focused(page) == "why"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == "why"

    page.keyboard.press("n")
    page.keyboard.type("j k d: typed, not obeyed")
    tab_to(page, "Write note")
    page.keyboard.press("Enter")
    page.get_by_text("The note stands in").wait_for()

    for number, item in enumerate(items_for(case.kind)):
        page.keyboard.press("c")
        tab_to(page, f"Done: {item.title}")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "done => document.querySelectorAll('.points .tone-good').length === done", arg=number + 1
        )

    page.keyboard.press("d")
    assert focused(page) == "propose_account"
    page.keyboard.press("Tab")
    choose(page, "suspend")
    page.keyboard.press("Tab")
    choose(page, "use does not")
    tab_to(page, "Propose decision")
    page.keyboard.press("Enter")
    page.get_by_text("waits for a second person").first.wait_for()
    assert look_at(page, "rosa", "workspace proposed") == []

    page.context.clear_cookies()
    log_in(page, live_server.url, "lea", PASSWORD)
    page.goto(f"{live_server.url}/review/{case.reference}/")
    page.keyboard.press("d")
    assert focused(page) == "countersign_at_once"
    page.keyboard.press("Space")
    tab_to(page, "Countersign")
    page.keyboard.press("Enter")
    page.get_by_text("is in effect").first.wait_for()

    assert Decision.objects.get().answered_by == "lea" and CaseNote.objects.get().text.reveal().endswith("not obeyed")
    assert Case.objects.get().status == "decided"


def test_keys_can_be_switched_off_and_it_fits_a_phone(at_the_queue):
    page, case = at_the_queue, Case.objects.get()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url + f"{case.reference}/")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.keyboard.press("?")
    page.get_by_label("Single keys work on this page").uncheck()
    page.reload()
    page.keyboard.press("j")

    assert page.evaluate("document.activeElement.tagName") == "BODY"
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "phone.png", full_page=True)

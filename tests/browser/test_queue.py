"""The queue in a real browser: worked by keys alone, by links alone, and looked at in both themes and widths."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Account
from cases.flows import review
from cases.models import Case
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.cases.builders import make_case, make_open_account
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("QUEUE_PICTURES", "")


@pytest.fixture
def queue(transactional_db, live_server, page):
    """The queue as a lead sees it, three cases in it, one with a hostile and long name."""
    lead, now = person("lea", "lead reviewer"), timezone.now()
    for number, name in enumerate(("Anna Eriksson", "X" * 200, "<b>Bold & Sons</b>")):
        make_case(make_open_account(legal_name=name), at=now - timedelta(days=number))
    review.take(Case.objects.order_by("opened_at").first(), user=lead, at=now)
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    log_in(page, live_server.url, "lea", PASSWORD)
    page.goto(f"{live_server.url}/review/")
    yield page
    assert page.complaints == []


def references() -> list[str]:
    return list(Case.objects.open().by_urgency().values_list("reference", flat=True))


def test_j_and_k_move_enter_opens(queue):
    first, second, _ = references()

    queue.keyboard.press("j")
    queue.keyboard.press("j")
    assert queue.evaluate("document.activeElement.textContent") == second
    queue.keyboard.press("k")
    assert queue.evaluate("document.activeElement.textContent") == first
    queue.keyboard.press("Enter")

    queue.wait_for_url("**/review/CSE-*/")
    assert first in queue.content()


def test_x_selects_and_the_bar_decides_without_a_mouse(queue):
    mine = Case.objects.get(assigned_to__username="lea")
    while queue.evaluate("document.activeElement.textContent") != mine.reference:
        queue.keyboard.press("j")
    queue.keyboard.press("x")
    assert queue.get_by_text("1 case selected.").is_visible()

    queue.get_by_role("button", name="Decide …").press("Enter")
    queue.get_by_label("Outcome").select_option("no_action")
    queue.get_by_label("Reason").select_option("concern_cleared")
    queue.get_by_role("button", name="Decide cases").press("Enter")

    queue.get_by_text("done for 1 of 1").wait_for()
    assert Case.objects.get(pk=mine.pk).status == "decided"


def test_n_takes_the_next_case_and_the_question_mark_lists_the_keys(queue):
    queue.keyboard.press("?")
    assert queue.get_by_text("take the next case").is_visible()

    queue.keyboard.press("n")

    queue.wait_for_url("**/review/CSE-*/")
    assert Case.objects.filter(assigned_to__username="lea").exists()


def test_keys_can_be_switched_off(queue):
    queue.keyboard.press("?")
    queue.get_by_label("Single keys work on this page").uncheck()
    queue.reload()

    queue.keyboard.press("j")

    assert queue.evaluate("document.activeElement.tagName") == "BODY"


def test_every_key_has_a_link_or_a_button_without_the_script(transactional_db, live_server, browser):
    person("lea", "lead reviewer")
    make_case()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, "lea", PASSWORD)
    page.goto(f"{live_server.url}/review/")

    page.get_by_role("checkbox", name="Select").check()
    page.get_by_role("button", name="Next case").click()

    page.wait_for_url("**/review/CSE-*/")
    assert Account.objects.get().cases.get().case.assigned_to.username == "lea"
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_sound_in_both_themes_and_widths(queue, theme, width):
    queue.emulate_media(color_scheme=theme)
    queue.set_viewport_size({"width": width, "height": 900})
    queue.reload()

    assert look_at(queue, "lea", "queue") == []
    assert queue.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if PICTURES:  # looking has tried other themes and widths
        queue.emulate_media(color_scheme=theme)
        queue.set_viewport_size({"width": width, "height": 900})
        queue.evaluate("localStorage.clear()")
        queue.reload()
        queue.screenshot(path=Path(PICTURES) / f"queue-{theme}-{width}.png", full_page=True)
        for name, address in (("absences", "/review/absences/"),):
            queue.goto(queue.url.partition("/review/")[0] + address)
            queue.screenshot(path=Path(PICTURES) / f"{name}-{theme}-{width}.png", full_page=True)

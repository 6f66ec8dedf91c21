"""The link graph in a real browser: arrows walk along ties, keys can be switched off, the table says the same."""

from itertools import pairwise

import pytest
from django.urls import reverse

from accounts.models import Account
from tests.accounts import ties
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.builders import make_account, make_cip
from tests.conftest import NOON, person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(transactional_db, live_server, page):
    """Opens the graph of a party as a reviewer; nothing may be complained of on the console."""
    make_cip()
    person("ana", "reviewer")
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    log_in(page, live_server.url, "ana", PASSWORD)
    yield lambda party: page.goto(live_server.url + reverse("accounts:links", args=[party.pk]))
    assert page.complaints == []


def focused(page) -> str:
    return page.evaluate("document.activeElement.getAttribute('aria-label') || ''")


def told(page) -> str:
    return page.locator("[data-graph-told]").inner_text()


def test_arrows_walk_along_ties_until_they_are_switched_off(page, visit):
    made = ties.a_campaign(3)
    far = make_account(legal_name="Fabrikam")
    ties.tie("wallet", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", made[1].party, far.party)
    visit(made[0].party)

    page.locator("[data-node='0']").focus()
    assert focused(page).startswith("Northwind Trading, this customer")
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("Contoso Holding")
    assert "payment card, nobody else holds it" in told(page)
    assert page.locator(".graph-tied").count() >= 1
    names = [focused(page)]
    for _ in range(2):
        page.keyboard.press("ArrowDown")
        names.append(focused(page))
    assert len(set(names)) == 3
    page.locator("a[aria-label^='Contoso Holding 0']").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("Fabrikam") and "2 steps away" in focused(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert focused(page).startswith("Northwind")
    page.locator("a[aria-label^='Contoso Holding 1']").focus()
    seen = set()
    for _ in range(3):
        page.keyboard.press("t")
        seen.add(focused(page).partition(",")[0])
    assert {"Northwind Trading", "Contoso Holding 0"} <= seen

    page.keyboard.press("?")
    page.get_by_label("Single keys work on this page").uncheck()
    page.locator("[data-node='0']").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("Northwind")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts/party/**")


def test_the_table_says_the_same_in_the_same_order_and_every_look_is_sound(page, visit):
    made = ties.a_campaign(12)
    Account.objects.filter(pk=made[1].pk).update(status="closed", closing_reason="terms_broken", closed_at=NOON)
    Account.objects.filter(pk=made[2].pk).update(status="refused", closing_reason="terms_broken")
    Account.objects.filter(pk=made[3].pk).update(status="active")
    ties.remembered(made[4].party)
    long = make_account(legal_name="Gesellschaft für Beteiligungen und Verwaltung " * 4)
    ties.tie("device", "device-0001", long.party, made[5].party, made[6].party, made[7].party, made[8].party)
    visit(made[0].party)

    names = page.eval_on_selector_all(
        "[data-node]", "found => found.map(each => each.querySelector('title').textContent.trim())"
    )
    rows = page.eval_on_selector_all(
        "#graph-table tbody tr", "found => found.map(each => each.cells[0].innerText.split('\\n')[0].trim())"
    )
    assert len(names) > 13 and names == rows
    labels = page.eval_on_selector_all(
        "[data-node] .graph-wide text",
        "found => found.map(each => each.getBoundingClientRect()).map(box => [box.top, box.bottom, box.right])",
    )
    for (_, bottom, right), (top, _, _) in pairwise(labels):
        assert bottom <= top + 3 and right <= 1280
    assert look_at(page, "ana", "link graph") == []
    page.set_viewport_size({"width": 390, "height": 900})
    furthest = page.eval_on_selector_all(
        "[data-node] .graph-narrow text", "found => Math.max(...found.map(each => each.getBoundingClientRect().right))"
    )
    assert furthest <= 390

    visit(make_account(legal_name="Nobody's Friend").party)
    assert page.get_by_role("heading", name="Nothing ties them to anybody").is_visible()
    assert look_at(page, "ana", "link graph none") == []

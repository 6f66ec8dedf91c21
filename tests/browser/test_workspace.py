"""The workspace in a real browser: larger, turned, keys, keys switched off, values shown on request."""

import io
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.flows import identification, verification
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.flows.test_verification import T1
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.builders import make_account, make_cip, png_bytes
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def workspace(transactional_db, live_server, page):
    """The open workspace of a verification, and what the console complained of."""
    make_cip()
    reviewer = person("ana", "reviewer")
    account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1980, 1, 1))
    identification.add_document(
        account.party, kind="passport", number="L898902C3", country="SE", mrz=T1, file=io.BytesIO(png_bytes()),
        file_name="pass.png", by=SCHEDULER, at=timezone.now(),
    )  # fmt: skip
    record = verification.start(account, account.party, trigger="doubt", by=reviewer.as_actor, at=timezone.now())
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    log_in(page, live_server.url, "ana", PASSWORD)
    page.goto(live_server.url + reverse("admin:accounts_verification_workspace", args=[record.pk]))
    yield page
    assert page.complaints == []


def size(page) -> tuple[float, float]:
    sheet = page.locator("[data-sheet]").bounding_box()
    return sheet["width"], sheet["height"]


def test_the_document_is_enlarged_and_turned_by_buttons_and_keys(workspace):
    width, height = size(workspace)

    workspace.get_by_role("button", name="Larger").click()
    assert size(workspace)[0] == pytest.approx(1.5 * width, rel=0.02)
    workspace.keyboard.press("+")
    assert size(workspace)[0] == pytest.approx(2 * width, rel=0.02)
    workspace.keyboard.press("0")
    assert size(workspace) == pytest.approx((width, height), rel=0.02)
    workspace.keyboard.press("r")
    turned = workspace.locator("[data-page]").bounding_box()
    assert turned["width"] / turned["height"] == pytest.approx(height / width, rel=0.02)
    assert turned["width"] == pytest.approx(width, rel=0.02)


def test_keys_lead_to_the_buttons_until_they_are_switched_off(workspace):
    address = workspace.url
    workspace.keyboard.press("m")
    workspace.wait_for_url("**/record-method/")
    workspace.goto(address)

    workspace.keyboard.press("?")
    workspace.get_by_label("Single keys work on this page").uncheck()
    workspace.keyboard.press("m")
    workspace.reload()
    workspace.keyboard.press("m")

    assert workspace.url == address


def test_the_values_are_shown_on_request_and_every_look_is_sound(workspace):
    assert look_at(workspace, "ana", "workspace") == []
    assert "1980-01-01" not in workspace.content()

    workspace.keyboard.press("v")
    workspace.get_by_text("Shown to verify the customer").wait_for()

    assert "1980-01-01" in workspace.content()
    assert look_at(workspace, "ana", "workspace shown") == []

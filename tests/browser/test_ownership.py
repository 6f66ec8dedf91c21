"""The pages about owners in a real browser: the drawing stays inside a phone, day and night; axe finds nothing."""

import pytest
from django.urls import reverse

from accounts.models import OwnershipStake
from tests.browser.conftest import log_in
from tests.browser.test_every_page import look_at

pytestmark = pytest.mark.browser


def test_owners_are_legible_wide_and_narrow_by_day_and_by_night(page, portal):
    party = OwnershipStake.objects.order_by("pk").first().owned
    log_in(page, portal, "rosa")

    for name in ("owners_on_a_day", "export_ownership", "import_ownership"):
        page.goto(portal + reverse(f"accounts:{name}", args=[party.pk]))
        assert look_at(page, "rosa", name) == []
    page.goto(portal + reverse("admin:accounts_party_change", args=[party.pk]))
    assert look_at(page, "rosa", "party with owners") == []
    page.set_viewport_size({"width": 390, "height": 900})
    drawing, room = page.locator("svg.picture-tree"), page.locator("#owners")
    assert drawing.bounding_box()["width"] <= room.bounding_box()["width"] <= 390
    widths = drawing.evaluate(
        "svg => [...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect().right)"
    )
    assert max(widths) <= 390


def test_the_owners_are_handed_out_by_keyboard(page, portal):
    party = OwnershipStake.objects.order_by("pk").first().owned
    log_in(page, portal, "rosa")
    page.goto(portal + reverse("accounts:export_ownership", args=[party.pk]))

    page.get_by_label("Form", exact=True).focus()
    with page.expect_download() as found:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

    assert found.value.suggested_filename == f"{party.reference}-owners.json"

"""A customer opens the link in a real browser, hands in what is asked, and objects; every page is looked at (axe)."""

import pytest
from django.conf import settings

from accounts.models import CustomerLink, IdentityDocument, Objection
from kyc_portal.demo import own_page
from tests.browser.test_every_page import GRAVE, keep_picture, serious
from tests.builders import png_bytes

pytestmark = pytest.mark.browser
WAYS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]


def faults_of(page, name: str) -> list[str]:
    """What is wrong with the open page: wide and narrow, by day and by night."""
    faults = []
    for scheme, width in WAYS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        keep_picture(page, f"customer {name} {scheme} {width}")
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            faults.append(f"{name}: scrolls sideways at {width} ({wide})")
        faults += [f"{name} {scheme} {width}: {fault}" for fault in serious(page)]
    return faults


def press(page, name: str) -> None:
    """Reach a button or link by the keyboard alone and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(document.activeElement.innerText || '').trim()").startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"“{name}” cannot be reached by the keyboard")


def test_a_customer_hands_in_a_document_and_objects(portal, browser):
    path, faults, complaints = own_page.path(), [], []
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda told: complaints.append(told.text) if told.type in GRAVE else None)
    page.on("request", lambda asked: None if asked.url.startswith(portal) else complaints.append(asked.url))

    page.goto(f"{portal}{path}")
    faults += faults_of(page, "link")
    press(page, "I have read this")
    page.wait_for_url(f"{portal}/me/")
    faults += faults_of(page, "start")

    page.get_by_role("link", name="Document", exact=True).click()
    press(page, "Hand in")  # with nothing in it
    page.get_by_role("alert").wait_for()
    faults += faults_of(page, "document with errors")
    page.get_by_label("Kind of document").select_option("passport")
    page.get_by_label("File").set_input_files({"name": "pass.png", "mimeType": "image/png", "buffer": png_bytes()})
    page.get_by_label("Number").fill("X1234567")
    page.get_by_label("Date of expiry").fill("2034-01-01")
    press(page, "Hand in")
    page.wait_for_url(f"{portal}/me/#asked")

    press(page, "Confirm the e-mail")
    page.wait_for_url(f"{portal}/me/contact/**")
    faults += faults_of(page, "contact")
    page.goto(f"{portal}/me/")
    press(page, "Object")
    page.get_by_label("What is wrong").fill("You have the wrong person.")
    faults += faults_of(page, "objection")
    press(page, "Send the objection")
    page.wait_for_url(f"{portal}/me/")
    press(page, "I have handed in everything")
    page.get_by_text("You said that everything is handed in").wait_for()
    faults += faults_of(page, "handed in")

    stranger = browser.new_context().new_page()
    stranger.goto(f"{portal}{path}")
    press(stranger, "I have read this")
    stranger.get_by_role("heading", name="This page is closed").wait_for()
    faults += faults_of(stranger, "closed")
    press(page, "Leave this page")
    page.get_by_role("heading", name="You have left your page").wait_for()

    link = CustomerLink.objects.exclude(used_at=None).get()
    assert set(link.given) == {"identity_document"} and link.handed_in_at is not None
    assert IdentityDocument.objects.filter(added_by="the customer", file_type="image/png").count() == 1
    assert Objection.objects.open().filter(account=link.account).count() == 1
    assert not faults, "\n".join(sorted(set(faults)))
    assert not complaints, "\n".join(complaints)
    assert settings.SESSION_COOKIE_NAME not in {cookie["name"] for cookie in context.cookies()}

"""Passkeys and codes in a real browser, with an authenticator that the browser itself plays; every page is sound."""

import re

import pytest
from django.core.cache import cache

from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.models import StaffMember
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD, code_of

pytestmark = pytest.mark.browser


@pytest.fixture
def portal(transactional_db, live_server, settings):
    """The address of a server that asks everybody for a second factor."""
    cache.clear()
    settings.MFA_ROLES = ["all"]
    person("ana", "reviewer")
    return live_server.url


@pytest.fixture
def page(page):
    """A page whose computer keeps passkeys and proves its holder; what the console complains of is collected."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in GRAVE else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    assert page.complaints == []


def log_in_as_ana(page, portal: str) -> None:
    log_in(page, portal, "ana", PASSWORD)


def log_out(page, portal: str) -> None:
    page.goto(f"{portal}/you/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")


class TestAPasskey:
    def test_it_is_enrolled_logs_in_alone_and_proves_who_one_is(self, portal, page):
        log_in_as_ana(page, portal)
        page.wait_for_url("**/you/")
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Log in with it alone").check()
        page.get_by_role("button", name="Add a passkey").click()
        page.wait_for_url("**/you/codes/")
        assert page.locator("ul.codes li").count() == 10

        log_out(page, portal)
        page.get_by_role("button", name="Log in with a passkey").click()
        page.wait_for_url("**/admin/")

        page.goto(f"{portal}/login/again/passkey/?next=/you/sessions/")
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("heading", name="Your sessions").wait_for()
        verbs = list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))
        assert verbs.count("staff.logged_in") == 2 and verbs[-1] == "staff.confirmed"

    def test_it_serves_as_the_second_step(self, portal, page):
        log_in_as_ana(page, portal)
        page.goto(f"{portal}/you/passkeys/add/")
        page.get_by_role("button", name="Add a passkey").click()
        page.wait_for_url("**/you/codes/")
        log_out(page, portal)

        log_in_as_ana(page, portal)
        page.get_by_role("button", name="Use a passkey").click()

        page.wait_for_url("**/admin/")

    def test_the_page_says_that_none_is_known(self, portal, page):
        page.goto(f"{portal}/login/")
        page.get_by_role("button", name="Log in with a passkey").click()

        page.get_by_text("The passkey was not used").wait_for()


def test_an_app_is_enrolled_and_every_page_of_log_in_is_sound(portal, page):
    faults = []

    def look(kind: str) -> None:
        faults.extend(look_at(page, "ana", kind))

    page.goto(f"{portal}/login/")
    look("log in")
    log_in_as_ana(page, portal)
    look("no factor")
    page.goto(f"{portal}/you/app/")
    secret = page.locator("code").inner_text()
    look("add an app")
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    page.wait_for_url("**/you/codes/")
    look("recovery codes")
    for name in ("you", "you/sessions", "you/app/remove", "you/passkeys/add", "you/codes/new", "login/again",
                 "login/again/code"):  # fmt: skip
        page.goto(f"{portal}/{name}/")
        look(name)
    log_out(page, portal)
    log_in_as_ana(page, portal)
    look("second step")
    page.get_by_label("Code").fill(code_of(secret, steps=1))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    page.goto(f"{portal}/login/link/x/y/")
    look("void link")

    assert not faults, "\n".join(faults)
    assert re.fullmatch(r"[A-Z2-7]{32}", secret) and StaffMember.objects.get().sessions_ended == 1


def test_a_link_is_shown_once_and_chooses_a_password(portal, page, browser, settings):
    settings.MFA_ROLES, settings.PORTAL_URL, faults = ["none"], portal, []
    person("adam", "administrator")
    log_in(page, portal, "adam", PASSWORD)
    page.goto(f"{portal}/admin/staff/staffmember/add/")
    page.get_by_label("User name").fill("nora")
    page.get_by_label("E-mail").fill("nora@provider.example")
    page.get_by_label("reviewer", exact=True).check()
    page.get_by_role("button", name="Add a member of staff").click()
    said = page.locator(".messagelist").inner_text()
    faults += look_at(page, "adam", "a new person")

    other = browser.new_context().new_page()
    other.goto(re.search(r"http://\S+/login/link/\S+", said).group())
    faults += look_at(other, "nora", "choose a password")
    other.get_by_label("New password", exact=True).fill("stable donkey wire")
    other.get_by_label("New password confirmation").fill("stable donkey wire")
    other.get_by_role("button", name="Keep this password").click()
    faults += look_at(other, "nora", "log in with the new one")
    log_in(other, portal, "nora", "stable donkey wire")
    other.context.close()

    assert not faults, "\n".join(faults)


def test_whoever_is_timed_out_reads_why_at_the_log_in(portal, settings, page):
    settings.MFA_ROLES, settings.SESSION_IDLE = ["none"], 1800
    log_in_as_ana(page, portal)
    page.wait_for_url("**/admin/")

    settings.SESSION_IDLE = 0
    page.goto(f"{portal}/admin/accounts/account/")

    page.wait_for_url("**/login/**")
    assert "logged out because nothing happened" in page.inner_text("body")
    assert all("session" not in cookie["name"] for cookie in page.context.cookies())

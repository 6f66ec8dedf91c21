"""A page of another site in a real browser: it may link to the portal, and nothing else (ASVS 3.5.8, 14.3.1)."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kyc_portal.staff import policy_table
from tests.browser.conftest import log_in
from tests.browser.test_every_page import keep_picture

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere(portal):
    """The address of another site: 127.0.0.1 is not the portal's localhost."""
    body = f"""<!DOCTYPE html><title>Elsewhere</title>
    <a id="link" href="{portal}/admin/">a link</a>
    <img src="{portal}/admin/jsi18n/">
    <form id="post" method="post" action="{portal}/logout/"><button>post</button></form>""".encode()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_it_can_link_but_neither_load_nor_post_and_leaving_clears_the_browser(portal, elsewhere, browser):
    context = browser.new_context()
    page = context.new_page()
    log_in(page, portal, "audra")

    with page.expect_event("requestfailed", lambda request: "jsi18n" in request.url) as blocked:
        page.goto(elsewhere)
    with page.expect_response(lambda answer: answer.url.endswith("/logout/")) as posted:
        page.click("#post button")
    page.goto(elsewhere)
    with page.expect_response(lambda answer: answer.url.endswith("/admin/")) as linked:
        page.click("#link")

    assert "BLOCKED" in blocked.value.failure
    assert posted.value.status == 403
    assert linked.value.status in (200, 302)  # the cookie is Lax: a link carries it
    page.goto(f"{portal}/admin/")
    assert "/login/" not in page.url, "the post of another site has not logged anybody out"
    page.evaluate("localStorage.setItem('left', 'behind')")
    page.locator("#user-tools summary").first.click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(lambda address: "/login/" in address)
    assert [each["name"] for each in context.cookies(portal) if each["name"] == "sessionid"] == []
    assert page.evaluate("localStorage.getItem('left')") is None
    context.close()


def test_a_broken_page_shows_its_number_wide_narrow_light_and_dark(portal, browser, settings, monkeypatch):
    monkeypatch.setattr(policy_table, "page_at", lambda match: policy_table.Page(get=policy_table.EVERYBODY))
    settings.ROOT_URLCONF = "tests.kyc_portal.staff.test_hardening"
    page = browser.new_page()
    page.goto(f"{portal}/login/")

    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 700})
        answer = page.goto(f"{portal}/breaks/")
        assert answer.status == 500
        assert page.get_by_text("Error 500 · request").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        keep_picture(page, f"broken {scheme} {width}")
    page.close()

"""Headers, markup, odd queries and redirects on every page of every role (trust.md 3 F, ASVS 3.4, 14.3)."""

import re
from html.parser import HTMLParser

import pytest
from django import urls as django_urls
from django.contrib import admin
from django.test import Client, override_settings

from kyc_portal import urls
from kyc_portal.staff import policy_table
from kyc_portal.staff.roles import ROLES
from tests.kyc_portal.staff.worlds import make_world, pages_of, registered

pytestmark = pytest.mark.django_db
LISTS = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
ANONYMOUS = ("/login/", "/admin/login/", "/logout/", "/health/", "/nothing-here/")
COMMON = (
    "/",
    "/admin/",
    "/admin/password_change/",
    "/admin/jsi18n/",
    "/resellers/",
    "/resellers/password/",
    "/nothing-here/",
)


class Inline(HTMLParser):
    """Collects what a strict content policy would not run: inline styles, scripts and handlers."""

    def __init__(self, html: str):
        super().__init__()
        self.found, self.inside = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        is_data = names.get("type") == "application/json"  # never run by a browser, whatever it holds
        if tag == "style" or (tag == "script" and not names.get("src") and not is_data):
            self.found.append(f"<{tag}>")
        for name, value in names.items():
            if name == "style" or name.startswith("on"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and (value or "").strip().lower().startswith(
                ("javascript:", "data:")
            ):
                self.found.append(f"{tag} {name}={value}")


def faults_of(answer) -> list[str]:
    """What is wrong with the headers and the markup of one answer."""
    policy = answer.headers.get("Content-Security-Policy", "")
    faults = []
    if "default-src 'none'" not in policy or "unsafe" in policy or "base-uri 'none'" not in policy:
        faults.append(f"policy: {policy}")
    if "frame-ancestors 'none'" not in policy or answer.headers.get("X-Content-Type-Options") != "nosniff":
        faults.append("framing or sniffing")
    if answer.headers.get("Referrer-Policy") != "same-origin":
        faults.append("referrer")
    if answer.headers.get("Cross-Origin-Resource-Policy") != "same-origin":
        faults.append("loaded by others")
    if "geolocation=()" not in answer.headers.get("Permissions-Policy", ""):
        faults.append("permissions")
    if answer.headers.get("Cross-Origin-Opener-Policy") != "same-origin":
        faults.append("opened by others")
    if answer.status_code >= 400 and "no-store" not in answer.headers.get("Cache-Control", ""):
        faults.append("kept")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        faults += Inline(answer.content.decode()).found
    return faults


def test_the_parser_finds_what_it_looks_for():
    html = '<p style="x" onclick="y"><script>1</script><style></style><a href=" JavaScript:z">'

    assert len(Inline(html).found) == 5


class TestEveryPage:
    @pytest.mark.parametrize("role", sorted(ROLES))
    def test_it_carries_the_strict_policy_nothing_inline_and_is_never_kept(self, as_role, role):
        make_world()
        staff, seen = as_role(role), set()
        paths = [*COMMON, *(path for model, screen in registered() for path in pages_of(model, screen))]

        for path in paths:
            answer = staff.get(path)
            seen.add(answer.status_code)
            assert answer.status_code < 500, path
            assert faults_of(answer) == [], path
            assert "no-store" in answer.headers["Cache-Control"] and "private" in answer.headers["Cache-Control"], path

        assert 200 in seen

    @pytest.mark.parametrize("path", ANONYMOUS)
    def test_pages_for_everybody_carry_it_too(self, client, path):
        assert faults_of(client.get(path)) == []


def breaks(request):
    raise RuntimeError("a fault of ours")


urlpatterns = [django_urls.path("breaks/", breaks), *urls.urlpatterns]
handler500 = urls.handler500


class TestErrorPages:
    """F: a page that says no carries what every page carries (ASVS 16.5.1)."""

    @pytest.mark.parametrize(
        ("address", "status"), [("/health/?x=%00", 400), ("/accounts/customers/import/", 403), ("/nothing-here/", 404)]
    )
    def test_a_refusal_has_all_headers(self, as_role, address, status):
        answer = as_role("auditor").get(address)

        assert (answer.status_code, faults_of(answer)) == (status, [])

    def test_a_missing_token_has_all_headers(self, analyst_user):
        answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "ana"})

        assert (answer.status_code, faults_of(answer)) == (403, [])

    @override_settings(ROOT_URLCONF=__name__)
    def test_a_broken_page_has_all_headers_and_tells_only_its_number(self, monkeypatch):
        monkeypatch.setattr(policy_table, "page_at", lambda match: policy_table.Page(get=policy_table.EVERYBODY))

        answer = Client(raise_request_exception=False).get("/breaks/")

        assert (answer.status_code, faults_of(answer)) == (500, [])
        assert re.search(r"Error 500 · request [0-9a-f-]{36}", answer.content.decode())
        assert "RuntimeError" not in answer.content.decode() and "fault of ours" not in answer.content.decode()

    @override_settings(ALLOWED_HOSTS=["kyc.cumulus.net"])
    def test_another_host_is_refused_whatever_a_proxy_is_said_to_say(self, client):
        for headers in ({"host": "evil.example"}, {"host": "evil.example", "x-forwarded-host": "kyc.cumulus.net"}):
            answer = client.get("/login/", headers=headers)
            assert (answer.status_code, faults_of(answer)) == (400, [])

    def test_what_a_client_says_of_its_proxy_is_not_believed(self, client):
        answer = client.get(
            "/", headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-port": "1"}
        )

        assert answer.headers["Location"].startswith("/login/") and not answer.wsgi_request.is_secure()
        assert answer.wsgi_request.build_absolute_uri("/") == "http://testserver/"


class TestOtherSites:
    """ASVS 3.5.8: a page elsewhere may link to us and nothing more."""

    def headers(self, site, mode="no-cors", dest="image"):
        return {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    @pytest.mark.parametrize(
        ("mode", "dest"), [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("navigate", "embed")]
    )
    def test_it_can_neither_load_nor_embed(self, as_role, site, mode, dest):
        answer = as_role("auditor").get("/admin/accounts/party/", headers=self.headers(site, mode, dest))

        assert answer.status_code == 403

    def test_it_cannot_post(self, as_role):
        answer = as_role("auditor").post("/logout/", headers=self.headers("cross-site", "navigate", "document"))

        assert answer.status_code == 403

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
    def test_a_link_is_followed(self, as_role, site):
        answer = as_role("auditor").get("/admin/", headers=self.headers(site, "navigate", "document"))

        assert answer.status_code == 200

    def test_our_own_pages_load_what_they_need(self, as_role):
        answer = as_role("auditor").get("/admin/jsi18n/", headers=self.headers("same-origin", "no-cors", "script"))

        assert answer.status_code == 200


class TestLogOut:
    def test_the_browser_is_told_to_forget(self, as_role):
        staff = as_role("auditor")

        before, left, after = staff.get("/admin/"), staff.post("/logout/"), staff.get("/login/")

        assert left.headers["Clear-Site-Data"] == '"cookies", "storage"'
        assert "Clear-Site-Data" not in before.headers and "Clear-Site-Data" not in after.headers


class TestOddQueries:
    """F5: clamped, sent back, or refused; never a server error."""

    QUERIES = (
        {"p": str(10**12)}, {"p": "-1"}, {"p": "0"}, {"p": "1e9"}, {"o": "99.-99"}, {"o": "abc"}, {"o": "'--"},
        {"_popup": "1"}, {"_to_field": "id"}, {"_to_field": "password"}, {"all": ""}, {"nonsense": "1"}, {"e": "1"},
        {"pk__regex": "("}, {"id__in": "x" * 50}, {"kind__regex": "("}, {"account__id__exact": "x"}, {"party": "x"},
        {"q": "x" * 10_000}, {"q": "\x00"}, {"q": "' OR 1=1--"}, {"q": "%_\\"}, {"q": "é" * 500}, {"_facets": ""},
        {"user__password__startswith": "a"}, {"a" * 10_000: "1"}, {"state": "nonsense"}, {"state": ["dead", "x"]},
        {"status__exact": "\x00"}, {"kind__isnull": "x"},
    )  # fmt: skip

    @pytest.mark.parametrize("path", LISTS)
    def test_f5_a_list_answers_each_without_an_error(self, as_role, path):
        make_cheap = as_role("auditor")

        for query in self.QUERIES:
            answer = make_cheap.get(path, query)
            assert answer.status_code in (200, 302, 400), (query, answer.status_code)

    @pytest.mark.parametrize("path", ["/admin/", "/resellers/", "/login/", "/health/", "/"])
    def test_f5_other_pages_too(self, as_role, path):
        staff = as_role("auditor")

        assert all(staff.get(path, query).status_code < 500 for query in self.QUERIES)

    @pytest.mark.parametrize(
        "key", ["0", "-1", "9" * 400, "x" * 10_000, "%00", "..%2f..%2f", "é", "None", "1;drop", "_5F"]
    )
    @pytest.mark.parametrize("place", ["change/", "do/release/", "do/nonsense/"])
    def test_an_odd_key_is_not_found(self, as_role, key, place):
        staff = as_role("legal")

        for path in ("/admin/records/legalhold/", "/admin/records/auditevent/", "/admin/policy/citation/"):
            assert staff.get(f"{path}{key}/{place}").status_code in (302, 403, 404)


class TestNext:
    """F2: after the log-in nobody is sent anywhere but into the portal."""

    ELSEWHERE = (
        "//evil.example", "\\/\\/evil.example", "https:evil.example", "https://evil.example/", "javascript:alert(1)",
        "///evil.example", "http:///evil.example", "/\\evil.example", "\thttps://evil.example", "data:text/html,x", "",
        "https://testserver@evil.example",
    )  # fmt: skip

    @pytest.mark.parametrize("target", ELSEWHERE)
    def test_f2_another_place_is_replaced_by_the_start_page(self, client, analyst_user, target):
        form = {"username": "ana", "password": "correct horse battery", "next": target}

        answer = client.post("/login/", form, query_params={"next": target})

        assert (answer.status_code, answer.headers["Location"]) == (302, "/")

    @pytest.mark.parametrize("target", ELSEWHERE)
    def test_f2_the_admins_own_door_leads_to_the_one_there_is(self, client, db, target):
        answer = client.get("/admin/login/", {"next": target})

        assert answer.headers["Location"] == "/login/?next=/admin/"

    def test_a_page_of_the_portal_is_gone_to(self, client, analyst_user):
        form = {"username": "ana", "password": "correct horse battery", "next": "/admin/cases/case/"}

        assert client.post("/login/", form).headers["Location"] == "/admin/cases/case/"

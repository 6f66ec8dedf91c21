"""Requests themselves (rows F3, F6, F8, F9): tokens, methods, doubled and surplus fields, odd keys, odd bodies."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account, Party
from tests.bad_input.doors import all_rights, logged_in
from tests.builders import make_open_account, make_party
from tests.kyc_portal.staff.worlds import digest_of_all_rows

pytestmark = pytest.mark.django_db
FORGED = "f" * 64
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def account(db):
    return make_open_account()


@pytest.fixture
def user(db):
    return all_rights()


def closing(account) -> str:
    return f"/admin/accounts/account/{account.pk}/do/close/"


class TestToken:
    """F3."""

    HEADERS = (
        {}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/"},
        {"X-CSRFToken": FORGED}, {"Origin": "http://testserver.evil.example"},
    )  # fmt: skip

    @pytest.mark.parametrize("headers", HEADERS, ids=str)
    @pytest.mark.parametrize("token", [None, FORGED, "", "x", "é" * 64])
    def test_f3_without_a_true_one_nothing_happens(self, user, account, headers, token):
        client = logged_in(user, enforce_csrf_checks=True)
        fields = {"reason": "customer_asked"} | ({} if token is None else {"csrfmiddlewaretoken": token})
        before = digest_of_all_rows()

        for path in (closing(account), "/admin/accounts/account/add/", "/accounts/customers/import/", "/logout/"):
            assert client.post(path, fields, headers=headers).status_code == 403, path

        assert digest_of_all_rows() == before

    def test_f3_the_token_of_somebody_else_does_not_do(self, user, account):
        other = logged_in(all_rights("other"), enforce_csrf_checks=True)
        foreign = other.get(closing(account)).context["csrf_token"]
        client = logged_in(user, enforce_csrf_checks=True)

        answer = client.post(closing(account), {"reason": "customer_asked", "csrfmiddlewaretoken": str(foreign)})

        assert answer.status_code == 403


class TestMethods:
    """F9."""

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
    def test_f9_other_methods_are_refused_and_write_nothing(self, user, account, method):
        client, before = logged_in(user), digest_of_all_rows()
        paths = (
            closing(account), f"/admin/accounts/account/{account.pk}/change/", "/admin/accounts/account/",
            "/admin/accounts/account/add/", "/accounts/customers/import/", "/health/",
            f"/accounts/documents/{NOBODY}/original/", "/cases/bundles/BDL-2222-2222/download/",
        )  # fmt: skip

        for path in paths:
            assert client.generic(method, path, b"reason=customer_asked").status_code == 405, path

        assert digest_of_all_rows() == before

    @pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    def test_f9_a_header_changes_no_method(self, user, account, header):
        client = logged_in(user)

        client.get(closing(account), headers={header: "POST"})
        client.get(closing(account), {"_method": "POST", "reason": "customer_asked"})

        account.refresh_from_db()
        assert account.status == "active"


class TestFields:
    def test_f6_fields_the_form_does_not_ask_change_nothing(self, user):
        client = logged_in(user)
        surplus = {
            "status": "active", "id": NOBODY, "pk": "1", "created_at": "2000-01-01", "us_status": "us",
            "risk_tier": "low", "by": "somebody", "at": "2000-01-01", "party": str(make_party().pk), "_popup": "1",
        }  # fmt: skip

        answer = client.post("/admin/accounts/account/add/", {"kind": "individual", "legal_name": "Ann", **surplus})

        account = Account.objects.get()
        assert answer.status_code == 302
        assert (account.status, account.party.us_status, account.created_at.year > 2020) == (
            "prospect",
            "unsettled",
            True,
        )
        assert Party.objects.filter(legal_name="Ann").count() == 1

    def test_f8_a_field_twice_is_one_value_and_never_two_acts(self, user, account):
        client = logged_in(user)

        client.post(closing(account), {"reason": ["nonsense", "customer_asked"]})
        client.post(closing(account), {"reason[]": "customer_asked"})

        account.refresh_from_db()
        assert account.status in ("active", "closed")

    def test_f8_too_many_fields_are_a_400(self, user, account):
        fields = {f"n{number}": "x" for number in range(10_000)}

        assert logged_in(user).post(closing(account), fields).status_code == 400
        body = "&".join(f"{name}=x" for name in fields)
        answer = logged_in(user).post(closing(account), body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400

    def test_f8_a_large_field_is_a_400(self, user, account):
        answer = logged_in(user).post(closing(account), {"reason": "x" * 3_000_000})

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b'{"reason": "customer_asked", "reason": "x"}'), ("application/json", b"[" * 100_000),
            ("text/plain", b"reason=customer_asked"), ("application/x-www-form-urlencoded", b"%ff=%fe&reason=%00"),
            ("application/x-www-form-urlencoded; charset=nonsense", b"reason=x"),
            ("application/x-www-form-urlencoded; charset=utf-16", b"reason=customer_asked"), ("", b"\xff" * 100),
        ],
        ids=str,
    )  # fmt: skip
    def test_f8_other_bodies_do_nothing(self, user, account, content_type, body):
        answer = logged_in(user).generic("POST", closing(account), body, content_type=content_type)

        account.refresh_from_db()
        assert answer.status_code in (200, 400) and account.status == "active"

    @pytest.mark.parametrize("chosen", [["nonsense"], ["' OR 1=1--"], ["\x00"], [NOBODY], ["x" * 10_000], ["1"] * 900])
    def test_f6_a_list_action_on_odd_rows_does_nothing(self, user, account, chosen):
        client, before = logged_in(user), digest_of_all_rows()

        for action in ("suspend", "close", "nonsense", "delete_selected", ""):
            fields = {"action": action, "_selected_action": chosen, "confirmed": "1", "index": "0", "reason": "listed"}
            answer = client.post("/admin/accounts/account/", fields)
            assert answer.status_code in (200, 302, 400), action

        assert digest_of_all_rows() == before


class TestKeys:
    KEYS = (
        "0",
        "-1",
        "9" * 400,
        "%00",
        "..%2f..%2f",
        "é",
        "None",
        "%ED%A0%80",
        NOBODY,
        "BDL-2222-2222",
        "%ff",
    )

    @pytest.mark.parametrize("key", KEYS)
    def test_what_is_not_there_is_not_found(self, user, key):
        client = logged_in(user)
        paths = (
            f"/cases/bundles/{key}/download/", f"/accounts/documents/{key}/original/",
            f"/accounts/documents/{key}/copy/1/", f"/accounts/documents/{NOBODY}/copy/{key}/",
            f"/accounts/show/party/{key}/birth_date/", f"/accounts/show/{key}/{NOBODY}/birth_date/",
            f"/accounts/show/party/{NOBODY}/{key}/", f"/admin/accounts/account/{key}/change/",
            f"/admin/accounts/account/{key}/do/close/", f"/admin/{key}/",
        )  # fmt: skip

        for path in paths:
            assert client.get(path).status_code in (302, 404), path

    def test_a_page_number_beyond_any_is_not_found(self, user):
        client = logged_in(user)

        for number in ("0", "11", "9" * 40):
            assert client.get(f"/accounts/documents/{NOBODY}/copy/{number}/").status_code == 404

    @pytest.mark.parametrize("page", ["0", "-1", "9" * 40, "１", "x", "%00", "1e9"])
    def test_f5_an_odd_page_is_the_first_or_the_last(self, client, reseller_manager_user, page):
        client.force_login(reseller_manager_user)

        assert client.get(f"/resellers/accounts/?page={page}").status_code in (200, 400)


class TestLogin:
    @pytest.mark.parametrize("username", ["a\x00b", "x" * 10_000, "\u202e", "' OR 1=1--", "İ" * 50, "", "ﬁ" * 200])
    def test_an_odd_name_is_refused_like_any_other(self, client, analyst_user, username):
        answer = client.post("/login/", {"username": username, "password": "x" * 5_000})

        assert answer.status_code == 200 and "x" * 81 not in str(answer.context["form"].non_field_errors())


class TestViewersZone:
    @pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "America", "nonsense", "", "../x"])
    def test_d8_pages_show_the_edges_of_the_calendar_in_every_zone(self, zone):
        user = all_rights()
        type(user).objects.filter(pk=user.pk).update(time_zone=zone)
        client, account = logged_in(user), make_open_account()
        party = f"/admin/accounts/party/{account.party_id}/do/add-document/"
        limit = f"/admin/accounts/account/{account.pk}/do/limit/"

        sent = [
            client.post(party, {"kind": "passport", "expires_on": "9999-12-31"}),
            client.post(limit, {"reason": "listed", "last_day": "9999-12-31"}),
        ]

        assert [answer.status_code for answer in sent] == [302, 302]
        for path in (*(answer.url for answer in sent), f"/admin/accounts/party/{account.party_id}/change/", "/admin/"):
            assert client.get(path).status_code == 200, path


class TestCustomerFileForm:
    """The same verdict as the command's, for rows that the form takes in another way (A17, A5, C9)."""

    def send(self, user, content: bytes, **fields):
        file = SimpleUploadedFile("customers.csv", content)
        return logged_in(user).post("/accounts/customers/import/", {"file": file, **fields})

    def test_a17_more_rows_than_a_page_may_hold(self, user):
        content = b"kind,legal_name\n" + b"".join(b"individual,Name %d %s\n" % (n, b"x" * 200) for n in range(5_001))

        answer = self.send(user, content)

        assert "more than 5,000 rows" in answer.content.decode() and not Account.objects.exists()

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x00", b"\xff\xfe", b"kind\n", "kind,legal_name\nindividual,A\n".encode("utf-16-le"), b"MZ" * 900,
         b"kind,legal_name\nindividual,a\x00b\n", b"kind,legal_name\nindividual," + b"x" * 150_000 + b"\n"],
        ids=lambda content: ascii(content[:10]),
    )  # fmt: skip
    def test_a_bad_file_is_said_at_the_form(self, user, content):
        answer = self.send(user, content)

        assert answer.status_code == 200 and answer.context["form"].errors
        assert "--" not in str(answer.context["form"].errors)  # a form has fields, no options
        assert not Account.objects.exists()

    @pytest.mark.parametrize("encoding", ["nonsense", "hex", "x" * 5_000, "\u202e", "idna\x00"], ids=ascii)
    def test_an_odd_encoding_is_said_at_the_form(self, user, encoding):
        answer = self.send(user, b"kind,legal_name\nindividual,A\n", encoding=encoding)

        assert answer.status_code == 200 and answer.context["form"].errors
        assert "x" * 81 not in str(answer.context["form"].errors) and "--" not in str(answer.context["form"].errors)

    def test_e12_a_card_number_in_a_row_is_masked(self, user):
        self.send(user, b"kind,legal_name,product\nindividual,Ann,paid 4111 1111 1111 1111\n")

        assert Account.objects.get().product == "paid •••• •••• •••• 1111"

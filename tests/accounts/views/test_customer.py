"""The customer's own page: the link opens once, and what is handed in is checked (TH7, R23)."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client

from accounts.flows import asking_again, customer_links, intake, reverification, verification
from accounts.models import Account, CustomerLink, IdentityDocument
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import NOT_SHOWN, deliver_queued, wording_of
from kyc_portal.records.logs import LogFormatter
from kyc_portal.records.models import AuditEvent, AuditPending
from tests.accounts.views.pages import BEFORE, PAPER, UNKNOWN, address_of, as_it_looks, open_page, picture
from tests.builders import make_account, make_cip, make_company, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


class TestLink:
    def test_it_shows_the_privacy_notice_and_uses_nothing_until_the_button(self, account):
        browser, path = Client(), address_of(account)

        page = browser.get(path)

        assert page.status_code == 200 and b"version 1" in page.content and b"destroy it" in page.content
        assert CustomerLink.objects.get().used_at is None
        assert account.reference.encode() not in page.content

    def test_r23_opening_keeps_which_notice_was_shown_and_when(self, account):
        open_page(address_of(account))

        link = CustomerLink.objects.get()
        assert (link.notice_number, link.used_at) == (1, NOON)
        assert AuditPending.objects.exists() or AuditEvent.objects.filter(verb="accounts.link_opened").exists()

    def test_another_version_than_the_one_shown_is_shown_first(self, account):
        answer = Client().post(address_of(account), {"notice": "7"})

        assert answer.status_code == 200 and CustomerLink.objects.get().used_at is None

    def test_only_its_hash_is_stored_and_the_address_is_forgotten_once_sent(self, account, mailoutbox):
        token = address_of(account).rstrip("/").rpartition("/")[2]

        deliver_queued(at=NOON)

        kept = repr(list(CustomerLink.objects.values())) + repr(list(AuditEvent.objects.values()))
        notice = Notice.objects.get(kind="data_requested")
        assert token not in kept and token not in notice.context.reveal()
        assert token in next(mail.body for mail in mailoutbox if "more information" in mail.subject)
        assert CustomerLink.objects.get().token_sha256 == customer_links.hashed(token)

    def test_staff_who_read_the_wording_do_not_read_the_link(self, account):
        _, body = wording_of(Notice.objects.get(kind="data_requested"))

        assert NOT_SHOWN in body and "/me/" not in body

    def test_no_link_is_made_where_no_address_is_known(self, analyst):
        account = intake.request_data(make_account(email=""), by=analyst, at=NOON)

        assert not CustomerLink.objects.exists()
        assert "/me/" not in Notice.objects.get(key=str(account.pk), kind="data_requested").context.reveal()

    def test_th7_used_expired_withdrawn_replaced_and_unknown_look_alike(self, account, analyst, the_day):
        used, other = address_of(account), make_account
        expired = intake.request_data(other(), by=analyst, at=NOON - timedelta(days=15))
        withdrawn = intake.request_data(other(), by=analyst, at=NOON)
        replaced = intake.request_data(other(), by=analyst, at=NOON)
        refused = intake.request_data(other(), by=analyst, at=NOON)
        paths = {name: address_of(each) for name, each in [
            ("expired", expired), ("withdrawn", withdrawn), ("replaced", replaced), ("refused", refused)]}  # fmt: skip
        customer_links.withdraw(withdrawn, by=analyst, at=NOON)
        asking_again.send_again(replaced, by=analyst, at=NOON)
        intake.refuse_prospect(refused, reason="withdrawn", by=analyst, at=NOON)
        open_page(used)
        paths |= {
            "used": used,
            "unknown": f"/me/link/{UNKNOWN}/",
            "garbled": "/me/link/%F0%28/",
            "long": f"/me/link/{'x' * 3000}/",
        }

        looks = {}
        for name, path in paths.items():
            AccessAttempt.objects.all().delete()
            seen = as_it_looks(Client().get(path)), as_it_looks(Client().post(path, {"notice": "1"}))
            looks[name] = tuple(map(str, seen))

        assert {first for first, _ in looks.values()} == {looks["unknown"][0]}
        assert {second for _, second in looks.values()} == {looks["unknown"][1]}
        assert "'Referrer-Policy': 'strict-origin'" in looks["used"][1] and "no-store" in looks["used"][1]
        assert "ask for a new link" in looks["used"][1]

    def test_a_second_browser_is_not_let_in_and_the_first_stays(self, account):
        path = address_of(account)
        first = open_page(path)

        second = Client()
        assert second.post(path, {"notice": "1"}).status_code == 404
        assert second.get("/me/").status_code == 404
        assert first.get("/me/").status_code == 200

    def test_two_tabs_of_the_same_browser_lead_to_one_page(self, account):
        path = address_of(account)
        browser = open_page(path)

        again = browser.get(path)

        assert (again.status_code, again.headers["Location"]) == (302, "/me/")

    def test_the_cookie_is_bound_to_the_path_and_to_us(self, account):
        cookie = open_page(address_of(account)).cookies["customer"]

        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/me/", True, "Lax")
        for forged in (cookie.value[:-2], cookie.value.partition(":")[0], "x", f"{CustomerLink.objects.get().pk}:x"):
            stranger = Client()
            stranger.cookies["customer"] = forged
            assert stranger.get("/me/").status_code == 404

    def test_leaving_ends_the_session_for_every_copy_of_the_cookie(self, account):
        browser = open_page(address_of(account))
        copy = Client()
        copy.cookies["customer"] = browser.cookies["customer"].value

        assert browser.post("/me/leave/").status_code == 200
        assert copy.get("/me/").status_code == 404

    def test_tries_are_limited_as_the_log_in_is_and_lock_nobody_out_of_it(self, account, settings, analyst_user):
        stranger, path = Client(), address_of(account)
        for _ in range(settings.AXES_FAILURE_LIMIT):
            assert stranger.post(f"/me/link/{UNKNOWN}/", {"notice": "1"}).status_code == 404

        assert stranger.post(path, {"notice": "1"}).status_code == 429
        assert CustomerLink.objects.get().used_at is None
        assert Client(REMOTE_ADDR="203.0.113.9").post(path, {"notice": "1"}).status_code == 302
        log_in = {"login": analyst_user.username, "password": "correct horse battery"}
        assert stranger.post("/login/", log_in).status_code != 429
        assert "127.0.0.1" not in repr(list(AccessAttempt.objects.values()))

    def test_nothing_of_the_address_reaches_the_log(self, account, caplog):
        path = address_of(account)
        with caplog.at_level("DEBUG"):
            Client().get(path)
            Client().post(path, {"notice": "1"})
            Client().post(path, {"notice": "1"})

        written = "\n".join(LogFormatter().format(record) for record in caplog.records)
        assert path.split("/")[3] not in written


class TestEnds:
    def test_it_ends_with_the_answer_and_the_session_shows_where_things_stand(self, account, analyst):
        make_cip()
        browser = open_page(address_of(account))

        verification.start(account, account.party, trigger="opening", by=analyst, at=NOON)

        page = browser.get("/me/")
        assert CustomerLink.objects.get().ended_why == "answered"
        assert page.status_code == 200 and b"We are looking at what you gave us" in page.content
        assert browser.post("/me/give/email/", {"value": "new@customer.example"}).status_code == 404

    def test_withdrawing_closes_the_open_page(self, account, analyst):
        browser = open_page(address_of(account))

        customer_links.withdraw(account, by=analyst, at=NOON)

        assert browser.get("/me/").status_code == 404
        with pytest.raises(customer_links.NoLink, match="No link is out"):
            customer_links.withdraw(account, by=analyst, at=NOON)

    def test_sending_again_makes_a_new_link_and_ends_the_old_one(self, account, analyst):
        old = address_of(account)

        asking_again.send_again(account, by=analyst, at=NOON + timedelta(minutes=1))

        assert address_of(account) != old
        assert [link.ended_why for link in CustomerLink.objects.order_by("issued_at")] == ["replaced", ""]

    def test_nothing_is_sent_again_where_nothing_is_asked(self, analyst):
        with pytest.raises(reverification.NotAsked, match="Nothing is asked"):
            asking_again.send_again(make_open_account(), by=analyst, at=NOON)

    def test_a_session_that_ends_in_the_middle_of_a_form_says_that_nothing_was_saved(self, account, the_day):
        browser = open_page(address_of(account))
        assert browser.get("/me/give/phone/").status_code == 200

        the_day.move_to(NOON + timedelta(minutes=61))
        answer = browser.post("/me/give/phone/", {"value": "+4930901820"})

        assert answer.status_code == 404 and b"was not saved" in answer.content
        assert not account.party.contact_points.filter(kind="phone").exists()


class TestHandingIn:
    def give(self, browser, key: str, **fields):
        return browser.post(f"/me/give/{key}/", fields)

    def test_a_prospect_hands_in_everything_that_is_asked(self, account):
        browser = open_page(address_of(account))
        assert self.give(browser, "use_location", country="DE").status_code == 302
        assert self.give(browser, "phone", value="+49 30 901820").status_code == 302
        assert "/me/give/payment_source/" not in browser.get("/me/").content.decode()  # the same form takes it
        paid = {"kind": "card", "last_four": "4242", "institution": "Example Bank", "source": "my salary"}
        assert self.give(browser, "payment", **paid).status_code == 302
        assert self.give(browser, "identity_document", **PAPER, file=picture()).status_code == 302

        page = browser.get("/me/").content.decode()
        left = re.findall(r'href="/me/give/([\w-]+)/"', page)
        assert left == []
        assert browser.post("/me/done/").status_code == 302
        assert b"everything is handed in" in browser.get("/me/").content

        link, document = CustomerLink.objects.get(), IdentityDocument.objects.get()
        assert set(link.given) == {"use_location", "phone", "payment", "identity_document"}
        assert (document.added_by, document.file_type) == ("the customer", "image/png")
        assert list(Account.objects.handed_in()) == [account]

    def test_done_with_nothing_handed_in_says_so(self, account):
        answer = open_page(address_of(account)).post("/me/done/")

        assert answer.status_code == 409 and b"Nothing was handed in" in answer.content

    def test_r45_reverification_asks_document_and_statement(self, analyst):
        account = make_open_account(at=BEFORE)
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)
        browser = open_page(address_of(account, "reverification_asked"))

        page = browser.get("/me/").content.decode()

        assert re.findall(r'href="/me/give/([\w-]+)/"', page) == [
            "identity_document", "unchanged", "address", "email", "phone",
        ]  # fmt: skip
        assert self.give(browser, "unchanged").status_code == 200  # not ticked
        assert self.give(browser, "unchanged", confirmed="on").status_code == 302
        assert self.give(browser, "identity_document", **PAPER, file=picture()).status_code == 302
        assert b"handed in" in browser.get("/me/").content

    def test_a_company_names_its_owners_and_certifies_them(self, analyst):
        account = intake.request_data(make_company(), by=analyst, at=NOON)
        browser = open_page(address_of(account))
        owner = {
            "kind": "individual", "legal_name": "Olga Owner", "percent": "60", "citizenship": "DE",
            "birth_date": "1970-01-02", "address_lines": "1 Ring", "address_country": "DE",
        }  # fmt: skip

        assert self.give(browser, "owners", **owner).status_code == 302
        page = browser.get("/me/give/owners_certification/").content.decode()
        assert "Olga Owner, 60 %" in page
        assert self.give(browser, "owners_certification", confirmed="on", signed_by="Maria Example").status_code == 302

        stake = account.party.stakes_in_it.get()
        assert account.ownership_certifications.get().signed_on == NOON.date()
        of_owner = f"identity_document-{stake.owner.reference.lower()}"
        assert of_owner in browser.get("/me/").content.decode()
        assert self.give(browser, of_owner, **PAPER, file=picture()).status_code == 302
        assert stake.owner.documents.count() == 1

    @pytest.mark.parametrize("key", ["birth_date", "nothing", "identity_document-pty-2222-2222", "x" * 300])
    def test_what_is_not_asked_is_not_taken(self, account, key):
        browser = open_page(address_of(account))

        assert browser.get(f"/me/give/{key}/").status_code == 404
        assert self.give(browser, key, birth_date="1970-01-01").status_code == 404

    def test_what_is_on_file_is_answered_like_what_is_new(self, analyst):
        account = make_open_account(at=BEFORE, email="maria@known.example")
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)
        browser = open_page(address_of(account, "reverification_asked"))

        known = self.give(browser, "email", value="maria@known.example")
        new = self.give(browser, "email", value="maria@new.example")

        assert as_it_looks(known) == as_it_looks(new)
        warned = Notice.objects.get(kind="contact_added")
        assert warned.address.reveal() == "maria@known.example" and "maria@new" not in wording_of(warned)[1]
        assert account.party.contact_points.filter(kind="email").count() == 2

    def test_nobody_hands_in_without_end(self, account):
        browser = open_page(address_of(account))
        CustomerLink.objects.update(given_count=60)

        answer = self.give(browser, "phone", value="+49 30 901820")

        assert answer.status_code == 200 and b"a great deal" in answer.content
        assert not account.party.contact_points.filter(kind="phone").exists()

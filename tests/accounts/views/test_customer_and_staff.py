"""The customer's own page and staff: objections, links, and nothing that gives anybody away (TH7)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.flows import customer_links, intake, objections, restrictions, reverification
from accounts.models import CustomerLink, Objection
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from tests.accounts.views.pages import BEFORE, address_of, open_page
from tests.builders import make_account, make_hit, make_open_account, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


class TestObjection:
    def test_it_becomes_work_for_staff_with_a_day_and_a_notice(self, account, lead):
        browser = open_page(address_of(account))

        assert browser.post("/me/objection/", {"text": "You asked the wrong person."}).status_code == 302

        objection = Objection.objects.open().get()
        assert objection.text.reveal() == "You asked the wrong person."
        assert (objection.due_on - NOON.date()).days == 30
        assert Notice.objects.filter(kind="objection_received").count() == 1
        assert objection.reference.encode() in browser.get("/me/").content
        again = browser.post("/me/objection/", {"text": "Again."})
        assert b"waits for its answer" in again.content and Objection.objects.count() == 1

        objections.answer(objection, outcome="right", by=lead, at=NOON)
        told = Notice.objects.get(kind="objection_answered")
        assert "You are right." in wording_of(told)[1]
        with pytest.raises(objections.NotOpen, match="was answered"):
            objections.answer(objection, outcome="right", by=lead, at=NOON)

    def test_who_sent_the_link_or_restricted_does_not_answer(self, account, analyst, lead):
        open_page(address_of(account)).post("/me/objection/", {"text": "No."})
        objection = Objection.objects.get()

        with pytest.raises(objections.TookPart, match="Somebody else"):
            objections.answer(objection, outcome="stands", by=analyst, at=NOON)
        restrictions.block(
            account, reason="listed", public_wording="The law asks for it.", basis="test", by=lead, at=NOON
        )
        with pytest.raises(objections.TookPart, match="Somebody else"):
            objections.answer(objection, outcome="stands", by=lead, at=NOON)
        assert Objection.objects.open().exists()

    def test_an_empty_one_is_refused(self, account):
        answer = open_page(address_of(account)).post("/me/objection/", {"text": "\u2800 "})

        assert b"There is a problem" in answer.content and not Objection.objects.exists()


class TestNothingIsGivenAway:
    CANARIES = ("Canarylist", "Canarystranger", "Canarystreet", "ana", "canary-risk", "CASE", "hit", "risk", "sanction")

    def test_th7_no_page_tells_of_lists_cases_risk_others_or_staff(self, analyst):
        make_party(legal_name="Canarystranger")
        account = make_open_account(at=BEFORE, legal_name="Maria Canaryself")
        make_hit(account.party, status="confirmed", entry_name="Canarylist")
        make_hit(account.party, entry_name="Canarylist")
        reverification.ask(account, trigger="canary-risk", by=analyst, at=NOON)
        account.party.addresses.create(kind="business", lines="Canarystreet 5", country="DE")
        browser = open_page(address_of(account, "reverification_asked"))
        browser.post("/me/objection/", {"text": "I object."})

        paths = ["/me/", "/me/objection/"]
        paths += re.findall(r'href="(/me/give/[\w-]+/)"', browser.get("/me/").content.decode())
        told = [browser.get(path) for path in paths] + [browser.post(path, {}) for path in paths[1:]]
        told += [browser.post("/me/done/", follow=True), browser.post("/me/leave/")]

        assert len(paths) == 7
        for answer in told:
            text = re.sub(r"<[^>]*>", " ", answer.content.decode())
            words = set(re.findall(r"[\w-]+", text))
            assert not words & set(self.CANARIES), answer.request["PATH_INFO"]
            assert not re.search(r"watch ?list|sanction|suspicio|red flag|screen", text, re.IGNORECASE)

    def test_staff_logged_in_in_the_same_browser_lend_it_no_right(self, account, analyst_user):
        browser = Client()
        browser.force_login(analyst_user)

        assert browser.get("/me/").status_code == 404
        page = open_page(address_of(account), browser).get("/me/")
        assert analyst_user.username.encode() not in page.content.split(b"<body")[1]


class TestStaffAct:
    def do(self, client, account, name: str, **form):
        return client.post(f"/admin/accounts/account/{account.pk}/do/{name}/", form, follow=True).content.decode()

    def test_they_send_the_link_again_and_withdraw_it(self, account, client, analyst_user, the_day):
        client.force_login(analyst_user)
        first = address_of(account)

        the_day.move_to(NOON + timedelta(minutes=1))
        told = self.do(client, account, "send-link")
        assert "A new link" in told and address_of(account) != first and "/me/link/" not in told
        assert Client().post(first, {"notice": "1"}).status_code == 404

        assert "No link is out" in self.do(client, account, "withdraw-link")
        assert Client().post(address_of(account), {"notice": "1"}).status_code == 404
        assert customer_links.standing(account) is None

    def test_without_an_address_they_read_that_no_link_was_made(self, client, analyst, analyst_user):
        account = intake.request_data(make_account(email=""), by=analyst, at=NOON)
        client.force_login(analyst_user)

        assert "so no link was made" in self.do(client, account, "send-link")

    def test_an_objection_is_read_by_who_answers_and_answered_once(self, account, client, lead_user, auditor_user):
        open_page(address_of(account)).post("/me/objection/", {"text": "Canarywords of mine."})
        objection = Objection.objects.get()
        page = f"/admin/accounts/objection/{objection.pk}/"

        client.force_login(auditor_user)
        seen = client.get(f"{page}change/").content.decode()
        assert objection.reference in seen and "Canarywords" not in seen
        assert client.post(f"{page}do/answer/", {"outcome": "right"}).status_code == 403

        client.force_login(lead_user)
        assert "Canarywords" in client.get(f"{page}change/").content.decode()
        assert client.post(f"{page}do/answer/", {"outcome": "nonsense"}).status_code == 200
        assert client.post(f"{page}do/answer/", {"outcome": "stands"}, follow=True).status_code == 200
        objection.refresh_from_db()
        assert (objection.outcome, objection.answered_by) == ("stands", lead_user.username)

    def test_r45_the_reminder_carries_a_link_of_its_own(self, analyst):
        account = make_open_account(at=BEFORE)
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON - timedelta(days=40))
        first = address_of(account, "reverification_asked")

        reverification.request_due(at=NOON)

        assert address_of(account, "reverification_overdue") != first
        open_page(address_of(account, "reverification_overdue"))


class TestStaffSee:
    def test_that_a_link_is_out_until_when_and_whether_used_never_the_link(self, account, client, analyst_user):
        token = address_of(account).split("/")[3]
        client.force_login(analyst_user)
        page = f"/admin/accounts/account/{account.pk}/change/"

        before = client.get(page).content.decode()
        open_page(f"/me/link/{token}/")
        after = client.get(page).content.decode()

        reference = CustomerLink.objects.get().reference
        assert reference in before and "2026-03-16" in before and ">out<" in re.sub(r"\s", "", before)
        assert "open now" in after and token not in before + after

    def test_a_session_over_is_told_as_used(self, account, client, analyst_user, the_day):
        open_page(address_of(account))
        the_day.move_to(NOON + timedelta(hours=2))
        client.force_login(analyst_user)

        page = client.get(f"/admin/accounts/account/{account.pk}/change/").content.decode()

        assert "open now" not in page and timezone.now() > CustomerLink.objects.get().session_until

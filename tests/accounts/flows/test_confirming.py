"""Contact points confirmed by a link or a code: once, in time, for that very value (R16, R17)."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client

from accounts.flows import confirming, corrections, intake, parties
from accounts.models import ContactConfirmation, ContactPoint
from accounts.models.party import ConfirmedHow
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import deliver_queued, wording_of
from kyc_portal.records.models import AuditEvent
from tests.accounts.views.pages import address_of, as_it_looks, open_page
from tests.builders import make_account, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
PHONE = "+4930901820"


@pytest.fixture(autouse=True)
def the_day():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def party():
    return make_party(email="maria@known.example", phone=PHONE)


def email_of(party) -> ContactPoint:
    return party.contact_points.get(kind="email")


def phone_of(party) -> ContactPoint:
    return party.contact_points.get(kind="phone")


def token_of(notice: Notice) -> str:
    return json.loads(notice.context.reveal())["link"].rstrip("/").rpartition("/")[2]


def asked(contact, by, at=NOON) -> str:
    """The token in the newest question's notice."""
    assert confirming.ask(contact, by=by, at=at) == ""
    return token_of(Notice.objects.get(kind="contact_confirmation", subject=contact.party_id))


class TestEmail:
    def test_r16_a_link_confirms_the_address_it_was_sent_to(self, party, analyst):
        contact = email_of(party)
        token = asked(contact, analyst)

        confirming.confirm(token, at=NOON + timedelta(days=1))

        contact.refresh_from_db()
        assert contact.is_confirmed and contact.confirmed_how == ConfirmedHow.LINK
        assert Notice.objects.get(kind="contact_confirmation").address.reveal() == "maria@known.example"
        with pytest.raises(confirming.Confirmed, match="confirmed already"):
            confirming.ask(contact, by=analyst, at=NOON)

    def test_the_message_names_no_customer_and_the_link_is_forgotten_once_sent(self, party, analyst, mailoutbox):
        token = asked(email_of(party), analyst)
        _, shown = wording_of(Notice.objects.get(kind="contact_confirmation"))

        deliver_queued(at=NOON)

        mail = mailoutbox[-1]
        assert token in mail.body and party.legal_name not in mail.body and "ACC-" not in mail.body
        assert token not in shown + Notice.objects.get(kind="contact_confirmation").context.reveal()
        assert token not in repr(list(ContactConfirmation.objects.values())) + repr(list(AuditEvent.objects.values()))

    def test_used_expired_replaced_changed_and_unknown_links_look_alike(self, analyst):
        made = {name: email_of(make_party()) for name in ("used", "expired", "replaced", "changed")}
        tokens = {name: asked(contact, analyst, NOON - timedelta(days=4 * (name == "expired")))
                  for name, contact in made.items()}  # fmt: skip
        confirming.confirm(tokens["used"], at=NOON)
        confirming.ask(made["replaced"], by=analyst, at=NOON + timedelta(seconds=1))
        made["changed"].value = "other@customer.example"
        made["changed"].save()
        tokens |= {"unknown": "x" * 43, "garbled": "\udc80", "code": "123456"}

        looks = {}
        for name, token in tokens.items():
            with pytest.raises(confirming.LinkRefused):
                confirming.confirm(token, at=NOON)
            browser = Client(REMOTE_ADDR=f"203.0.113.{len(looks) + 1}")
            path = f"/me/confirm/{quote(token, errors='replace')}/"
            looks[name] = str((as_it_looks(browser.get(path)), as_it_looks(browser.post(path))))

        assert set(looks.values()) == {looks["unknown"]}
        made["changed"].refresh_from_db()
        assert not made["changed"].is_confirmed

    def test_looking_at_the_page_confirms_nothing_and_the_button_does(self, party, analyst):
        path = f"/me/confirm/{asked(email_of(party), analyst)}/"

        page = Client().get(path)
        assert not email_of(party).is_confirmed and party.legal_name.encode() not in page.content
        assert page.headers["Referrer-Policy"] == "strict-origin" and "no-store" in page.headers["Cache-Control"]

        assert b"is confirmed" in Client().post(path).content
        assert email_of(party).is_confirmed

    def test_nobody_is_flooded_with_links(self, party, analyst):
        contact = email_of(party)
        for minute in range(5):
            confirming.ask(contact, by=analyst, at=NOON + timedelta(minutes=minute))

        with pytest.raises(confirming.AskedTooOften, match="tomorrow"):
            confirming.ask(contact, by=analyst, at=NOON + timedelta(minutes=9))
        confirming.ask(contact, by=analyst, at=NOON + timedelta(days=2))

    def test_a_changed_address_is_not_confirmed(self, party, analyst):
        contact = email_of(party)
        confirming.confirm(asked(contact, analyst), at=NOON)
        contact.refresh_from_db()

        contact.value = "new@customer.example"
        contact.save()

        again = ContactPoint.objects.get(pk=contact.pk)
        assert again.confirmed_at is not None and not again.is_confirmed

    def test_a_further_address_is_not_confirmed_and_the_first_stays(self, party, analyst):
        confirming.confirm(asked(email_of(party), analyst), at=NOON)

        parties.add_contact(party, kind="email", value="second@customer.example", by=analyst, at=NOON)
        corrections.correct(party, legal_name="Maria Other", by=analyst, at=NOON)

        assert sorted(each.is_confirmed for each in party.contact_points.filter(kind="email")) == [False, True]


class TestPhone:
    def test_r17_staff_read_a_code_out_and_enter_what_is_told_back(self, party, analyst):
        contact = phone_of(party)

        code = confirming.ask(contact, by=analyst, at=NOON)
        confirming.enter_code(contact, code, how=ConfirmedHow.TOLD, by=analyst, at=NOON)

        contact.refresh_from_db()
        assert len(code) == 6 and contact.is_confirmed and contact.confirmed_how == "told_to_staff"
        assert code not in repr(list(ContactConfirmation.objects.values())) + repr(list(AuditEvent.objects.values()))
        assert not Notice.objects.filter(kind="contact_confirmation").exists()

    def test_wrong_codes_are_counted_and_void_it(self, party, analyst):
        contact = phone_of(party)
        code = confirming.ask(contact, by=analyst, at=NOON)
        wrong = f"{(int(code) + 1) % 10**6:06}"

        for left in (4, 3, 2, 1, 0):
            words = f"{left} tries are left" if left > 1 else "one try is left" if left else "Ask for a new one"
            with pytest.raises(confirming.WrongCode, match=words):
                confirming.enter_code(contact, wrong, how=ConfirmedHow.TOLD, by=analyst, at=NOON)
        with pytest.raises(confirming.WrongCode, match="Ask for a new one"):
            confirming.enter_code(contact, code, how=ConfirmedHow.TOLD, by=analyst, at=NOON)

        assert not phone_of(party).is_confirmed and ContactConfirmation.objects.get().tries == 5

    @pytest.mark.parametrize("minutes", [31, 24 * 60])
    def test_a_code_is_short_lived(self, party, analyst, minutes):
        code, late = confirming.ask(phone_of(party), by=analyst, at=NOON), NOON + timedelta(minutes=minutes)

        with pytest.raises(confirming.WrongCode, match="Ask for a new one"):
            confirming.enter_code(phone_of(party), code, how=ConfirmedHow.TOLD, by=analyst, at=late)

    def test_a_code_counts_for_its_number_only(self, party, analyst):
        other = phone_of(make_party(phone="+4930901821"))
        code = confirming.ask(phone_of(party), by=analyst, at=NOON)
        while confirming.ask(other, by=analyst, at=NOON) == code:
            pass

        with pytest.raises(confirming.WrongCode):
            confirming.enter_code(other, code, how=ConfirmedHow.TOLD, by=analyst, at=NOON)

    def test_staff_do_it_on_the_party_s_page(self, party, client, analyst_user):
        client.force_login(analyst_user)
        base = f"/admin/accounts/party/{party.pk}"

        asked = client.post(f"{base}/do/confirm-contact/", {"contact": str(phone_of(party).pk)}, follow=True)
        code = asked.content.decode().partition("The code is ")[2][:6]
        wrong = client.post(f"{base}/do/enter-code/", {"contact": str(phone_of(party).pk), "code": "12a456"})
        done = client.post(f"{base}/do/enter-code/", {"contact": str(phone_of(party).pk), "code": code}, follow=True)

        assert b"six digits" in wrong.content
        page = done.content.decode()
        assert "is confirmed" in page and "by a code told back to staff" in page
        assert code not in client.get(f"{base}/change/").content.decode()


class TestOnTheCustomersPage:
    def test_both_are_confirmed_there(self, analyst):
        account = intake.request_data(make_account(phone=PHONE), by=analyst, at=NOON)
        party, browser = account.party, open_page(address_of(account))
        page = browser.get("/me/").content.decode()
        assert page.count("/me/contact/") == 2

        assert b"on its way" in browser.post(f"/me/contact/{email_of(party).pk}/").content
        token = token_of(Notice.objects.get(kind="contact_confirmation"))
        assert Client().post(f"/me/confirm/{token}/").status_code == 200
        code = confirming.ask(phone_of(party), by=analyst, at=NOON)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        assert b"4 tries are left" in browser.post(f"/me/contact/{phone_of(party).pk}/", {"code": wrong}).content
        assert browser.post(f"/me/contact/{phone_of(party).pk}/", {"code": code}).status_code == 302

        assert (email_of(party).confirmed_how, phone_of(party).confirmed_how) == ("link", "code")
        assert "/me/contact/" not in browser.get("/me/").content.decode()

    def test_somebody_else_s_contact_cannot_be_asked_about(self, party, analyst):
        account = intake.request_data(make_account(), by=analyst, at=NOON)
        browser = open_page(address_of(account))

        for key in (email_of(party).pk, "x", "0" * 36):
            assert browser.get(f"/me/contact/{key}/").status_code == 404
            assert browser.post(f"/me/contact/{key}/").status_code == 404
        assert not ContactConfirmation.objects.exists()

"""The pages of privacy requests: who sees them, what they ask, what they hand out."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.flows import privacy
from accounts.models import PrivacyRequest
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.queue import run_due
from tests import signing
from tests.builders import make_open_account
from tests.cases.builders import make_request as make_legal
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:accounts_privacyrequest_changelist"), reverse("admin:accounts_privacyrequest_add")


def page(request) -> str:
    return reverse("admin:accounts_privacyrequest_change", args=[request.pk])


def button(request, name: str) -> str:
    return reverse("admin:accounts_privacyrequest_do", args=[request.pk, name])


def press(client, request, name: str):
    """Open the page that asks and say yes, with what it carries."""
    return signing.press(client, button(request, name), follow=False)


def make_asked(party=None, kind="access", *, state="received") -> PrivacyRequest:
    request = privacy.log_request(
        kind=kind, name="Maria", contact="maria@customer.example", received_on=NOON.date(), by=SCHEDULER, at=NOON
    )
    if party:
        privacy.identify(request, party=party.reference, how="contact", by=SCHEDULER, at=NOON)
    if state != "received":
        privacy.prepare(request, by=SCHEDULER, at=NOON)
    request.refresh_from_db()
    if state == "answered":
        privacy.answer(request, shown=privacy.digest_of(request), by=person("cleo", "legal").as_actor, at=NOON)
        run_due(NOON)
    request.refresh_from_db()
    return request


class TestTheWay:
    def test_from_the_letter_to_the_copy(self, client, compliance_user, counsel_user):
        party = make_open_account().party
        client.force_login(compliance_user)
        given = {"kind": "access", "name": "Maria", "contact": "maria@customer.example", "received_on": "2026-03-02"}
        assert client.post(ADD, given).status_code == 302
        request = PrivacyRequest.objects.get()

        client.post(button(request, "identify"), {"party": party.reference.lower(), "how": "contact"})
        client.post(button(request, "prepare"))
        own = client.post(button(request, "answer"))
        client.force_login(counsel_user)
        press(client, request, "answer")
        client.force_login(compliance_user)
        shown = client.get(page(request)).content.decode()
        url = reverse("accounts:copy_of_person", args=[request.pk])
        asked, copy = client.get(url), client.post(url)

        assert own.status_code == 403
        assert "a copy is ready" in shown and url in shown and "2 addresses" in shown
        assert asked.status_code == 200 and "Take the copy" in asked.content.decode()
        assert copy["Content-Disposition"].startswith(f'attachment; filename="{request.reference}.zip"')
        assert copy["Cache-Control"].startswith("no-store, private")
        assert "parties.json" in zipfile.ZipFile(io.BytesIO(b"".join(copy.streaming_content))).namelist()
        assert AuditEvent.objects.get(verb="records.exported").actor_label == "colin"

    def test_who_prepared_is_told_on_the_form_that_another_must_agree(self, client, counsel_user):
        request = make_asked()
        privacy.prepare(request, by=counsel_user.as_actor, at=NOON)
        client.force_login(counsel_user)

        answer = client.post(button(request, "answer"))

        assert "You took the first step yourself" in answer.content.decode()

    def test_a_page_opened_before_it_was_prepared_anew_agrees_to_nothing(self, client, counsel_user):
        request = make_asked(make_open_account().party, state="prepared")
        client.force_login(counsel_user)
        shown = signing.shown_on(client, button(request, "answer"))["shown"]
        privacy.send_back(request, by=SCHEDULER, at=NOON)
        privacy.prepare(request, by=SCHEDULER, at=NOON + timedelta(minutes=1))

        answer = client.post(button(request, "answer"), {"shown": shown})

        assert "was prepared anew since you opened this page" in answer.content.decode()
        request.refresh_from_db()
        assert request.state == "prepared"
        assert press(client, request, "answer").status_code == 302

    def test_a_copy_that_is_not_ready_is_refused_in_words(self, client, compliance_user):
        request = make_asked(make_open_account().party)
        client.force_login(compliance_user)

        answer = client.post(reverse("accounts:copy_of_person", args=[request.pk]))

        assert "handed over once its answer is approved" in answer.content.decode()
        assert not AuditEvent.objects.filter(verb="records.exported").exists()


class TestWhoSeesWhat:
    @pytest.mark.parametrize("role", ["reviewer", "lead reviewer", "reseller desk", "senior manager", "administrator"])
    def test_others_see_neither_list_nor_page_nor_copy(self, client, role):
        request = make_asked(make_open_account().party, state="answered")
        client.force_login(person("other", role))

        for url in (LIST, page(request), ADD, reverse("accounts:copy_of_person", args=[request.pk])):
            assert client.get(url).status_code == 403

    def test_the_auditor_reads_and_does_nothing(self, client, auditor_user):
        request = make_asked(make_open_account().party, state="prepared")
        client.force_login(auditor_user)

        assert client.get(LIST).status_code == client.get(page(request)).status_code == 200
        for url in (ADD, button(request, "answer"), button(request, "send-back")):
            assert client.post(url).status_code == 403
        assert client.post(reverse("accounts:copy_of_person", args=[request.pk])).status_code == 403

    def test_the_page_shows_the_hold_to_staff_and_who_asks_to_those_who_decide(
        self, client, compliance_user, auditor_user
    ):
        party = make_open_account().party
        hold = holds.place_hold([party], reason="order", ground="Order 4", by=SCHEDULER, at=NOON)
        request = make_asked(party, "erasure", state="answered")
        client.force_login(compliance_user)

        shown = client.get(page(request)).content.decode()

        assert hold.reference in shown and "We are required to keep" in shown
        assert "maria@customer.example" in shown
        client.force_login(auditor_user)
        assert "maria@customer.example" not in client.get(page(request)).content.decode()

    def test_the_second_signature_is_given_with_everything_in_sight(self, client, counsel_user):
        party = make_open_account().party
        request = make_asked(party, "erasure", state="prepared")
        hold = holds.place_hold([party], reason="order", ground="Order 4", by=SCHEDULER, at=NOON)
        client.force_login(counsel_user)

        asked = client.get(f"{LIST}{request.pk}/do/answer/").content.decode()

        assert all(each in asked for each in (party.reference, "maria@customer.example", hold.reference))

    @pytest.mark.parametrize("waiting", ["prepare", "answer", "any", "nonsense"])
    def test_the_list_filters(self, client, compliance_user, waiting):
        make_asked()
        client.force_login(compliance_user)

        assert client.get(LIST, {"waiting": waiting}).status_code == 200

    def test_only_who_may_know_of_authorities_reads_that_one_asked(self, client, compliance_user, counsel_user):
        account = make_open_account()
        make_legal(account, by=counsel_user.as_actor)
        request = make_asked(account.party, state="prepared")

        shown = []
        for user in (compliance_user, counsel_user):
            client.force_login(user)
            shown.append("1 legal request" in client.get(page(request)).content.decode())

        assert shown == [False, True]

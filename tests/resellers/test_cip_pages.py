"""The desk's pages of a reseller's file and its CIP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kyc_portal.records.refs import Actor
from resellers.flows import cip, cip_review
from resellers.models import ResellerCip
from resellers.rules.cip import REQUIREMENTS
from tests import signing
from tests.builders import make_applicant, make_cip, make_downstream, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita(client, reseller_desk_user):
    client.force_login(reseller_desk_user)
    return client


def page(client, record) -> str:
    answer = client.get(reverse(f"admin:resellers_{record._meta.model_name}_change", args=[record.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def press(client, record, button, **answers):
    kind = record._meta.model_name
    return signing.press(client, reverse(f"admin:resellers_{kind}_do", args=[record.pk, button]), **answers)


class TestResellerPage:
    def test_it_says_whether_it_may_sell_and_what_is_missing(self, rita):
        assert "may sell" in page(rita, make_reseller())
        body = page(rita, make_applicant())
        assert "may not sell" in body and "No contract is in force. Record the contract." in body
        assert "No CIP was handed in." in body and "Nobody to reach is on file." in body

    def test_contacts_are_dots_for_who_does_not_work_with_them(self, client, rita):
        reseller = make_reseller()
        assert "Olga Officer" in page(rita, reseller) and "olga@reseller.example" in page(rita, reseller)

        client.force_login(person("aud", "auditor"))

        assert "Olga" not in page(client, reseller) and "olga@" not in page(client, reseller)

    def test_the_desk_fills_the_file_by_its_buttons(self, rita, reseller_desk_user):
        reseller = make_applicant()

        press(rita, reseller, "record-contract", number="C-9", from_on="2026-01-01")
        press(rita, reseller, "add-contact", role="officer", name="Nia", email="nia@reseller.example")
        make_cip()
        press(rita, reseller, "adopt-cip", agreement="MSA-9", agreed_on="2026-01-01")

        assert reseller.contracts.get().recorded_by == reseller_desk_user.username
        assert reseller.contacts.get().name.reveal() == "Nia"
        assert reseller.cips.get().agreement == "MSA-9"
        told = press(rita, reseller, "end-contract", contract=reseller.contracts.get().pk, to_on="2099-01-01")
        assert "Contract C-9 ends on 2099-01-01." in told.content.decode()

    def test_its_queries_do_not_grow_with_the_file(self, rita):
        small, large = make_reseller(), make_reseller()
        for number in range(5):
            make_downstream(large)
            found = cip.submit_cip(large, title="T", text=f"Words {number}", by=_manager(), at=NOON)
            cip_review.begin(found, by=_desk(), at=NOON)
            cip_review.judge(found, requirement="data", verdict="gap", words="No.", by=_desk(), at=NOON)
            cip_review.return_with_gaps(found, by=_desk(), at=NOON)

        def queries(reseller) -> int:
            page(rita, reseller)
            with CaptureQueriesContext(connection) as caught:
                page(rita, reseller)
            return len(caught)

        assert queries(large) == queries(small) <= 41


class TestCipPage:
    def test_two_people_bring_it_to_its_decision_by_buttons(self, client, rita):
        found = cip.submit_cip(make_applicant(), title="Ours", text="<b>We look.</b>", by=_manager(), at=NOON)
        body = page(rita, found)
        assert "&lt;b&gt;We look.&lt;/b&gt;" in body and body.count("not looked at") == len(REQUIREMENTS)

        press(rita, found, "begin")
        for each in REQUIREMENTS:
            press(rita, found, "judge", requirement=each.code, verdict="met")
        press(rita, found, "propose", decision="approve", reason="All there.")
        assert "/do/agree/" not in page(rita, found), "the second signature is not offered to the first person"
        refused = press(rita, found, "agree")
        assert "You took the first step yourself" in refused.content.decode()
        client.force_login(person("carla", "compliance"))
        press(client, found, "agree")

        assert ResellerCip.objects.get().status == "approved"

    def test_what_the_flow_refuses_stands_on_the_form(self, rita):
        found = cip.submit_cip(make_applicant(), title="Ours", text="We look.", by=_manager(), at=NOON)
        press(rita, found, "begin")

        told = press(rita, found, "judge", requirement="data", verdict="gap", words="")

        assert "What is missing is empty. Enter it." in told.content.decode()

    def test_the_list_finds_those_that_wait(self, rita):
        waiting = cip.submit_cip(make_applicant(), title="Ours", text="We look.", by=_manager(), at=NOON)
        done = make_reseller().cips.get()

        body = rita.get(reverse("admin:resellers_resellercip_changelist"), {"waiting": "yes"}).content.decode()

        assert waiting.reference in body and done.reference not in body


def _manager() -> Actor:
    return Actor("person", "manager of the reseller", "manfred")


def _desk() -> Actor:
    return Actor("person", "somebody of the desk", "dora")

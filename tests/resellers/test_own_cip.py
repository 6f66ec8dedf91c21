"""The manager's page of its CIP: hand in, read what is missing, and learn nothing of others (R55, TH1, TH2)."""

import re

import pytest

from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from resellers.flows import cip, cip_review, onboarding
from resellers.models import ResellerCip
from tests.builders import make_applicant, make_reseller
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DESK = Actor("person", "somebody of the desk", "dora")


@pytest.fixture
def own(reseller_manager_user):
    reseller = make_applicant()
    onboarding.bind_manager(reseller, user=reseller_manager_user, by=DESK, at=NOON)
    return reseller


@pytest.fixture
def remy(client, reseller_manager_user):
    client.force_login(reseller_manager_user)
    return client


def path_of(reseller) -> str:
    return f"/resellers/{reseller.reference}/cip/"


class TestOwnCip:
    def test_the_manager_hands_it_in_and_it_bears_their_name(self, remy, own):
        assert b"No CIP was handed in yet." in remy.get(path_of(own)).content

        answer = remy.post(path_of(own), {"title": "Ours", "text": "We look."}, follow=True)

        handed_in = own.cips.get()
        assert (handed_in.submitted_by, handed_in.status) == ("remy", "submitted")
        assert b"waits for our review" in answer.content and b"Hand in the next version" not in answer.content
        assert AuditEvent.objects.get(verb="resellers.cip.submitted").actor_label == "remy"

    def test_what_is_missing_is_told_by_requirement_once_it_is_returned(self, remy, own):
        handed_in = cip.submit_cip(own, title="Ours", text="We look.", by=DESK, at=NOON)
        other = Actor("person", "another of the desk", "eric")
        cip_review.begin(handed_in, by=other, at=NOON)
        cip_review.judge(handed_in, requirement="screening", verdict="gap", words="Say how.", by=other, at=NOON)
        assert b"Say how." not in remy.get(path_of(own)).content, "judged, but not returned yet"

        cip_review.return_with_gaps(handed_in, by=other, at=NOON)

        body = remy.get(path_of(own)).content.decode()
        assert "That everybody is screened against sanctions lists:</strong> Say how." in body
        assert "eric" not in body and "dora" not in body and "Hand in the next version" in body

    @pytest.mark.parametrize(
        ("form", "says"),
        [
            ({"title": "", "text": "x"}, "This field is required"),
            ({"title": "Ours", "text": ""}, "This field is required"),
            ({"title": "Ours", "text": "a\x00b"}, "Null characters|NUL"),
            ({"title": "Ours", "text": "<b>kept</b>\n"}, ""),
        ],
    )
    def test_bad_words_stay_on_the_form(self, remy, own, form, says):
        answer = remy.post(path_of(own), form)

        assert answer.status_code == (200 if says else 302)
        assert ResellerCip.objects.exists() is not bool(says)

    def test_a_refusal_keeps_what_was_typed(self, remy, own):
        cip.submit_cip(own, title="Ours", text="We look.", by=DESK, at=NOON)

        answer = remy.post(path_of(own), {"title": "Ours", "text": "Other words."})

        assert b"Wait for the answer to it" in answer.content and b"Other words." in answer.content
        assert own.cips.count() == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_th1_another_resellers_page_is_no_page(self, remy, own, method):
        sibling, nobody = make_reseller(legal_name="Canary Reseller"), "RSL-0000-0000"
        form = {"title": "Taken over", "text": "Ours now."}

        answers = [
            getattr(remy, method)(f"/resellers/{name}/cip/", form if method == "post" else {})
            for name in (sibling.reference, nobody)
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        told = [re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()) for answer in answers]
        assert told[0].replace(sibling.reference, "") == told[1].replace(nobody, "")
        assert sibling.cips.count() == 1

    def test_after_the_binding_ended_there_is_nothing(self, remy, own, reseller_manager_user):
        onboarding.end_binding(own.managers.get(), by=DESK, at=NOON)

        assert remy.get(path_of(own)).status_code == 404

    def test_staff_are_sent_to_their_own_screens(self, client, reseller_desk_user, own):
        client.force_login(reseller_desk_user)

        assert client.get(path_of(own)).headers["Location"] == "/admin/"

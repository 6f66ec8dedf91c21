import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Bundle
from tests.cases.builders import make_case, make_open_account, make_request, validated
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def page(record) -> str:
    return reverse(f"admin:cases_{record._meta.model_name}_change", args=[record.pk])


def button(record, name: str) -> str:
    return reverse(f"admin:cases_{record._meta.model_name}_do", args=[record.pk, name])


def queries(client, url) -> int:
    with CaptureQueriesContext(connection) as context:
        assert client.get(url).status_code == 200
    return len(context)


class TestRequestPage:
    def test_it_lists_the_accounts_and_customers_with_links(self, client, counsel_user, counsel):
        accounts = [make_open_account(), make_open_account()]
        client.force_login(counsel_user)

        shown = client.get(page(make_request(*accounts, by=counsel))).content.decode()

        for account in accounts:
            assert reverse("admin:accounts_account_change", args=[account.pk]) in shown
            assert reverse("admin:accounts_party_change", args=[account.party_id]) in shown
            assert account.reference in shown and account.party.legal_name in shown

    def test_it_leads_to_the_case_where_evidence_is_collected(self, client, counsel_user, counsel):
        request = validated(make_request(ground="subpoena", by=counsel), by=counsel, at=NOON)
        client.force_login(counsel_user)

        shown = client.get(page(request)).content.decode()

        aside = shown[shown.index('id="next"') :]
        assert "collect what may be handed over on the page of the case" in aside
        assert page(request.case) in aside

    def test_it_costs_the_same_for_3_and_for_30_accounts(self, client, counsel_user, counsel):
        few = make_request(*[make_open_account() for _ in range(3)], by=counsel)
        many = make_request(*[make_open_account() for _ in range(30)], by=counsel)
        client.force_login(counsel_user)
        client.get(page(few))

        assert queries(client, page(few)) == queries(client, page(many))

    def test_validating_says_what_is_confirmed(self, client, counsel_user, counsel):
        request = make_request(by=counsel)
        client.force_login(counsel_user)

        shown = client.get(button(request, "validate")).content.decode()

        assert "You confirm that you have read the paper itself" in shown

    def test_a_request_is_rejected_with_a_reason(self, client, counsel_user, counsel):
        request = make_request(by=counsel)
        client.force_login(counsel_user)

        without = client.post(button(request, "reject"), {"why": ""})
        shown = client.post(button(request, "reject"), {"why": "no_power"}, follow=True).content.decode()

        request.refresh_from_db()
        assert "This field is required" in without.content.decode()
        assert (request.state, request.rejected_why) == ("rejected", "no_power")
        assert "the authority has no power over us or over this matter" in shown
        assert button(request, "validate") not in shown and button(request, "reject") not in shown

    def test_an_auditor_rejects_nothing(self, client, auditor_user, counsel):
        request = make_request(by=counsel)
        client.force_login(auditor_user)

        assert client.post(button(request, "reject"), {"why": "no_power"}).status_code == 403


class TestLegalCase:
    def test_it_does_not_speak_of_a_hand(self, client, counsel_user, counsel):
        client.force_login(counsel_user)

        shown = client.get(page(make_request(by=counsel).case)).content.decode()

        assert "No red flag is part of this case." in shown
        assert "by hand" not in shown

    def test_only_its_page_collects(self, client, counsel_user, counsel):
        legal, other = make_request(by=counsel).case, make_case()
        client.force_login(counsel_user)

        assert button(legal, "collect") in client.get(page(legal)).content.decode()
        assert button(other, "collect") not in client.get(page(other)).content.decode()

    def test_collecting_names_what_is_on_file(self, client, counsel_user, counsel):
        request = make_request(ground="subpoena", by=counsel)
        client.force_login(counsel_user)
        url = button(request.case, "collect")

        before = client.get(url).content.decode()
        refused = client.post(url, {"ground": "subpoena", "recipient": "court"}).content.decode()
        validated(request, by=counsel, at=NOON)
        after = client.get(url).content.decode()

        assert "On file: none." in before
        assert f"On file: {request.reference} (subpoena, received)" in refused
        assert f"On file: subpoena ({request.reference})." in after
        assert not Bundle.objects.exists()

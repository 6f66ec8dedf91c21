import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.flows import bundle_shown, legal_requests
from cases.models import Bundle, VoluntaryDisclosure
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent
from tests.cases.builders import make_bundle, make_case, make_open_account, make_request, validated
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


class TestPreview:
    def test_it_shows_what_the_recipient_will_see_and_each_look_is_recorded(self, client, counsel_user, counsel):
        bundle = make_bundle(make_case(), by=counsel)
        client.force_login(counsel_user)
        url = reverse("cases:preview_bundle", args=[bundle.reference])

        shown = client.get(url).content.decode()

        assert url in client.get(page(bundle)).content.decode()
        assert bundle.case.subjects.get().account.party.legal_name in shown and "legal_name" in shown
        assert bundle_shown.digest_of(bundle) in shown
        assert AuditEvent.objects.filter(verb="cases.bundle_previewed", actor_label="carl").count() == 1

    def test_who_may_not_collect_or_approve_does_not_look(self, client, auditor_user, counsel):
        bundle = make_bundle(make_case(), by=counsel)
        client.force_login(auditor_user)

        assert client.get(reverse("cases:preview_bundle", args=[bundle.reference])).status_code == 403

    def test_something_is_taken_out_on_the_page_and_undone(self, client, counsel_user, counsel):
        bundle = make_bundle(make_case(), by=counsel)
        client.force_login(counsel_user)
        place = "facts/customers, row 1, legal_name"

        wrong = client.post(button(bundle, "redact"), {"place": "facts/x", "code": "P2", "reason": "Why"})
        client.post(button(bundle, "redact"), {"place": place, "code": "P2", "reason": "Somebody else."})
        shown = client.get(page(bundle)).content.decode()
        client.post(button(bundle, "undo-redaction"), {"redaction": str(bundle.redactions.get().pk)})

        assert "nothing at this place" in wrong.content.decode()
        assert place in shown and "Somebody else." in shown
        assert not bundle.redactions.standing().exists()


class TestChallengePages:
    def test_a_challenge_is_recorded_and_narrowed_on_the_page(self, client, counsel_user, counsel):
        request = validated(make_request(ground="subpoena", by=counsel), by=counsel)
        client.force_login(counsel_user)

        client.post(button(request, "challenge"), {"by_whom": "customer", "why": "too_broad", "docket": "26-1"})
        disputed = client.get(page(request)).content.decode()
        client.post(button(request, "end-challenge"), {"outcome": "narrowed", "kinds": ["access"]})
        shown = client.get(page(request)).content.decode()

        request.refresh_from_db()
        assert "nothing that rests on it goes on" in disputed and "26-1" in disputed
        assert (request.state, request.scope_kinds) == ("validated", ["access"])
        assert "the request was narrowed" in shown and "access records" in shown

    def test_account_and_case_show_every_reason_for_which_they_are_held(self, client, counsel_user, counsel):
        account = make_open_account()
        request = validated(make_request(account, by=counsel), by=counsel)
        legal_requests.preserve(request, by=counsel, at=NOON)
        holds.place_hold([account], reason="litigation", ground="Doe v. Us", by=counsel, at=NOON)
        client.force_login(counsel_user)

        for record, app in ((account, "accounts"), (request.case, "cases")):
            url = reverse(f"admin:{app}_{record._meta.model_name}_change", args=[record.pk])
            shown = client.get(url).content.decode()
            assert "Doe v. Us" in shown and request.reference in shown and "preservation" in shown


class TestVoluntaryPages:
    def test_the_ground_and_its_facts_come_first_and_a_second_person_approves(
        self, client, counsel_user, second_counsel_user, counsel
    ):
        request = validated(make_request(ground="emergency", by=counsel), by=counsel)
        client.force_login(counsel_user)
        asked = {"ground": "emergency", "recipient": "law_enforcement"}
        before = client.post(button(request.case, "collect"), asked).content.decode()
        client.post(button(request.case, "choose-ground"), {"ground": "emergency", "facts": "A child is missing."})
        chosen = VoluntaryDisclosure.objects.get()
        client.force_login(second_counsel_user)
        shown = client.get(page(chosen)).content.decode()
        client.post(button(chosen, "approve"))
        client.post(button(request.case, "collect"), asked)

        assert "has no approved ground" in before
        assert "A child is missing." in shown and "18 U.S.C. 2702" in shown
        assert Bundle.objects.get().voluntary == chosen

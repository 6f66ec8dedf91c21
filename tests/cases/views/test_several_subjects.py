"""A case about several customers says of each thing whose it is, and is offered only what the person may do (R41)."""

import pytest
from django.urls import reverse

from accounts.flows import intake, seen_before
from accounts.models import IdentityDocument
from cases.admin.tied_forms import TiedForm
from cases.flows import review, tied, triage
from cases.models import Case
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from tests.builders import make_account, make_complete_account
from tests.cases.builders import finish_list, make_case
from tests.conftest import NOON, browser_of, person

pytestmark = pytest.mark.django_db
SHARED = {"email": "again@customer.example", "phone": "+4930901829"}


def page_of(case) -> str:
    return f"/review/{case.reference}/"


def section(answer, name):
    return next(each for each in answer.context["sections"] if each.id == name)


class TestWhoseItIs:
    @pytest.fixture
    def pair(self, analyst_user):
        accounts = [make_complete_account(legal_name="Ann Example"), make_complete_account(legal_name="Ben Example")]
        case = make_case(accounts[0], worked_by=analyst_user)
        triage.add_subject(case, accounts[1], at=NOON)
        return case, accounts

    def test_each_document_says_whose_it_is(self, pair, analyst_user):
        case, _ = pair
        shown = {each.reference: each.party.accounts.get() for each in IdentityDocument.objects.all()}

        for address in (page_of(case), url_of(case)):
            found = section(browser_of(analyst_user).get(address), "documents")
            assert found.head[1] == "Customer" and len(found.rows) == len(shown) >= 2
            for row in found.rows:
                account = shown[str(row[0].text)]
                assert row[1] == f"{account.party.legal_name} ({account.reference})"

    def test_what_is_not_there_is_said_of_all_of_them(self, pair, analyst_user):
        told = browser_of(analyst_user).get(page_of(pair[0])).content.decode()

        assert "No list entry resembles any of the 2 customers of this case." in told

    def test_of_one_customer_nothing_is_repeated(self, analyst_user):
        case = make_case(worked_by=analyst_user)

        answer = browser_of(analyst_user).get(page_of(case))

        assert "Customer" not in section(answer, "documents").head
        assert "No list entry resembles the customer." in answer.content.decode()


class TestTakingIn:
    """Accounts that share a mailbox; analyst works the case of the first, the third has an open case of its own."""

    @pytest.fixture
    def cluster(self, analyst_user):
        intake.refuse_prospect(make_account(**SHARED), reason="listed", by=SCHEDULER, at=NOON)
        accounts = [make_account(legal_name=f"Again {name}", **SHARED) for name in ("One", "Two", "Three")]
        seen_before.look_back(accounts[0].party, by=SCHEDULER, at=NOON)
        case = review.take(Case.objects.get(), user=analyst_user, at=NOON)
        own = make_case(accounts[2], code="country_conflict")
        return case, accounts, own

    def button(self, case, name):
        return f"{reverse('admin:cases_case_do', args=[case.pk, name])}?from=work"

    def test_what_only_the_worker_may_do_is_offered_to_nobody_else(self, cluster, analyst_user):
        case, _, own = cluster
        bea = person("bea", "reviewer")

        for user, of, offered in ((analyst_user, case, True), (bea, case, False), (bea, own, False)):
            for page in (page_of(of), url_of(of)):
                told = browser_of(user).get(page).content.decode()
                for name in ("take-in-tied", "merge", "escalate", "snooze"):
                    assert (f"/do/{name}/" in told) is offered, (user, page, name)

    def test_who_gives_cases_to_others_may_merge_any(self, cluster, lead_user):
        told = browser_of(lead_user).get(page_of(cluster[2])).content.decode()

        assert "/do/merge/" in told and "/do/take-in-tied/" not in told

    def test_the_form_names_customers_and_their_own_open_cases_with_the_way_to_merge(self, cluster, analyst_user):
        case, accounts, own = cluster

        told = browser_of(analyst_user).get(self.button(case, "take-in-tied")).content.decode()

        assert f"{accounts[1].reference}, Again Two" in told
        assert f"It has an open case of its own, {own.reference}." in told
        assert told.count("It has an open case of its own") == 1
        assert f"/do/merge/?from=work&amp;other={own.reference}" in told

    @pytest.mark.parametrize("secret", [{"is_restricted": True}, {"kind": "legal"}, {"desk": "legal"}])
    def test_a_case_that_is_a_secret_is_not_told_of(self, cluster, analyst_user, secret):
        case, _, own = cluster
        Case.objects.filter(pk=own.pk).update(**secret)

        assert own.reference not in browser_of(analyst_user).get(self.button(case, "take-in-tied")).content.decode()

    def test_who_sees_no_customers_is_told_references_only(self, cluster):
        case, accounts, _ = cluster
        case.looked_at_by = person("sonja", "senior manager")

        told = str(TiedForm(record=case))

        assert accounts[1].reference in told and "Again" not in told

    def test_one_lands_where_one_was(self, cluster, analyst_user):
        case, accounts, own = cluster
        client, sent = browser_of(analyst_user), {"accounts": [accounts[2].reference]}

        asked = client.get(self.button(case, "take-in-tied"))
        assert asked.context["back_url"] == page_of(case)
        assert client.post(asked.context["action_url"], {}).context["back_url"] == page_of(case)
        done = client.post(asked.context["action_url"], sent, follow=True)

        assert done.redirect_chain[-1][0] == page_of(case)
        assert f"{accounts[2].reference} has an open case of its own, {own.reference}." in done.content.decode()
        plain = client.post(self.button(case, "take-in-tied").partition("?")[0], {"accounts": [accounts[1].reference]})
        assert plain.url == url_of(case)

    def test_the_way_to_merge_leads_to_one_case(self, cluster, analyst_user):
        case, accounts, own = cluster
        client = browser_of(analyst_user)
        review.take(own, user=analyst_user, at=NOON)

        asked = client.get(f"{self.button(case, 'merge')}&other={own.reference}")
        assert f'value="{own.reference}"' in asked.content.decode()
        strange = client.get(f"{self.button(case, 'merge')}&other=%22%3E%3Cb%3E")
        assert 'value="CSE' not in strange.content.decode() and "<b>" not in strange.content.decode()
        done = client.post(asked.context["action_url"], {"other": own.reference})

        own.refresh_from_db()
        assert done.url == page_of(case) and own.status == "closed"
        assert {subject.account for subject in case.subjects.all()} == {accounts[0], accounts[2]}

    def test_the_tick_boxes_of_several_name_the_customers(self, cluster, analyst_user):
        case, accounts, _ = cluster
        tied.take_in(case, accounts=[accounts[1]], by=analyst_user.as_actor, at=NOON)

        told = browser_of(analyst_user).get(self.button(case, "propose-several")).content.decode()

        assert f"{accounts[1].reference}, Again Two" in told


def test_an_error_names_no_outcome_that_the_form_has_not(analyst_user):
    case = make_case(make_account(), worked_by=analyst_user)
    finish_list(case, by=analyst_user.as_actor)
    client, account = browser_of(analyst_user), case.subjects.get().account
    version = client.get(page_of(case)).context["version"]
    chosen = {"account": account.reference, "outcome": "no_action", "reason": "unusual_use", "version": version}

    told = client.post(f"{page_of(case)}propose/", chosen).content.decode()

    assert "Choose one of: “watch more closely”, “close the account”." in told
    assert "limit the account" not in told and "suspend the account" not in told

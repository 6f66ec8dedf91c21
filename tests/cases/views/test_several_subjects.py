"""A case about several customers says of each thing whose it is, and is offered only what the person may do (R41)."""

import pytest
from django.test import Client

from accounts.models import IdentityDocument
from cases.flows import triage
from kyc_portal.staff.sections import url_of
from tests.builders import make_complete_account
from tests.cases.builders import make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


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
        case, accounts = pair
        shown = {each.reference: each.party.accounts.get() for each in IdentityDocument.objects.all()}

        for address in (page_of(case), url_of(case)):
            found = section(browser(analyst_user).get(address), "documents")
            assert found.head[1] == "Customer" and len(found.rows) == len(shown) >= 2
            for row in found.rows:
                account = shown[str(row[0].text)]
                assert row[1] == f"{account.party.legal_name} ({account.reference})"

    def test_what_is_not_there_is_said_of_all_of_them(self, pair, analyst_user):
        told = browser(analyst_user).get(page_of(pair[0])).content.decode()

        assert "No list entry resembles any of the 2 customers of this case." in told

    def test_of_one_customer_nothing_is_repeated(self, analyst_user):
        case = make_case(worked_by=analyst_user)

        answer = browser(analyst_user).get(page_of(case))

        assert "Customer" not in section(answer, "documents").head
        assert "No list entry resembles the customer." in answer.content.decode()

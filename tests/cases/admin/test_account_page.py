from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.flows import review, triage
from kyc_portal.staff import sections
from kyc_portal.staff.sections import Facts, Timeline
from tests.cases.builders import make_case, make_open_account, make_request
from tests.conftest import NOON


def page(account) -> str:
    return reverse("admin:accounts_account_change", args=[account.pk])


def part(client, account) -> str:
    """The section of cases on an account's page; "" when there is none."""
    shown = client.get(page(account)).content.decode()
    _, found, rest = shown.partition('id="cases"')
    return rest.partition("</section>")[0] if found else ""


@pytest.mark.django_db
class TestCasesOfAnAccount:
    def test_it_links_each_case_with_state_and_due_day(self, client, analyst_user):
        account = make_open_account()
        case = make_case(account, worked_by=analyst_user)
        client.force_login(analyst_user)

        shown = part(client, account)

        assert reverse("admin:cases_case_change", args=[case.pk]) in shown
        assert case.reference in shown and "in review" in shown
        assert "5 Mar" in shown and "own policy" in shown

    def test_an_ended_case_is_not_due(self, client, analyst_user, lead):
        account = make_open_account()
        case = triage.open_by_hand(accounts=[account], kind="abuse", title="Spam reported", by=lead, at=NOON)
        review.close_case(case, why="opened_in_error", by=lead, at=NOON)
        client.force_login(analyst_user)

        shown = part(client, account)

        assert case.reference in shown and "own policy" not in shown

    def test_it_says_when_there_is_none(self, client, analyst_user):
        make_case()
        client.force_login(analyst_user)

        assert "No case is about this account." in part(client, make_open_account())

    def test_a_reviewer_learns_nothing_of_a_legal_case(self, client, analyst_user, counsel_user, counsel):
        account = make_open_account()
        case = make_request(account, by=counsel).case

        client.force_login(analyst_user)
        assert case.reference not in part(client, account)
        client.force_login(counsel_user)
        assert case.reference in part(client, account)

    def test_who_may_not_see_cases_sees_no_section(self, client, reseller_desk_user):
        account = make_open_account()
        make_case(account)
        client.force_login(reseller_desk_user)

        assert client.get(page(account)).status_code == 200
        assert part(client, account) == ""

    def test_it_costs_the_same_for_3_and_for_30(self, client, analyst_user, lead):
        account, found = make_open_account(), []
        client.force_login(analyst_user)
        client.get(page(account))
        for more in (3, 27):
            for _ in range(more):
                triage.open_by_hand(accounts=[account], kind="abuse", title="Spam reported", by=lead, at=NOON)
            with CaptureQueriesContext(connection) as context:
                assert client.get(page(account)).status_code == 200
            found.append(len(context))

        assert found[0] == found[1]


class TestAddedSections:
    RECORD = SimpleNamespace(_meta=SimpleNamespace(label_lower="cases.case"))
    ADDED = Facts("added", "Added", [])
    OWN = Facts("own", "Own", [])

    @pytest.fixture(autouse=True)
    def one_added(self, monkeypatch):
        monkeypatch.setattr(sections, "_ADDED", {})
        sections.add_sections("cases.case", lambda record, *, user, at: [self.ADDED])

    def test_they_follow_a_pages_own(self):
        found = sections.with_added([self.OWN], self.RECORD, user=None, at=NOON)

        assert found == [self.OWN, self.ADDED]

    def test_they_stand_before_a_timeline_that_is_last(self):
        timeline = Timeline("timeline", "Timeline", [])

        found = sections.with_added([self.OWN, timeline], self.RECORD, user=None, at=NOON)

        assert found == [self.OWN, self.ADDED, timeline]

    def test_other_records_have_none(self):
        other = SimpleNamespace(_meta=SimpleNamespace(label_lower="cases.bundle"))

        assert sections.with_added([self.OWN], other, user=None, at=NOON) == [self.OWN]

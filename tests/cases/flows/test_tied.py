"""Accounts that belong together are taken into one case and decided there, each by a decision of its own (R41)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.flows import intake, seen_before
from accounts.models import Account
from cases.flows import decisions, review, tied, triage
from cases.models import Case, Decision
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
SHARED = {"email": "again@customer.example", "phone": "+4930901829"}


@pytest.fixture
def cluster(analyst_user) -> tuple[Case, list[Account]]:
    """A case about one of three that share a mailbox with somebody refused; analyst works it."""
    intake.refuse_prospect(make_account(**SHARED), reason="listed", by=SCHEDULER, at=NOON)
    accounts = [make_account(**SHARED) for _ in range(3)]
    seen_before.look_back(accounts[0].party, by=SCHEDULER, at=NOON)
    case = Case.objects.get()
    review.take(case, user=analyst_user, at=NOON)
    return case, accounts


def names(found) -> set[str]:
    return {each.account.reference for each in found}


def test_the_tied_accounts_are_offered_and_taken_in(cluster, analyst):
    case, accounts = cluster
    offered = tied.tied_accounts(case, at=NOON)
    refused = Account.objects.get(status="refused")
    assert names(offered) == {refused.reference, accounts[1].reference, accounts[2].reference}
    assert all(each.score >= 0.5 and "e-mail address" in each.sentence for each in offered)

    tied.take_in(case, accounts=accounts[1:], by=analyst, at=NOON)

    assert {row.account for row in case.subjects.all()} == set(accounts)
    assert names(tied.tied_accounts(case, at=NOON)) == {refused.reference}


def test_a_stranger_is_not_taken_in(cluster, analyst):
    case, accounts = cluster
    stranger = make_account()

    for given, sentence in (([], "No account is ticked"), ([accounts[1], stranger], f"{stranger.reference}: not tied")):
        with pytest.raises(tied.NotTied, match=sentence):
            tied.take_in(case, accounts=given, by=analyst, at=NOON)
    assert case.subjects.count() == 1


def test_only_whoever_works_the_case_takes_in(cluster, lead):
    case, accounts = cluster

    with pytest.raises(decisions.NotYourCase):
        tied.take_in(case, accounts=accounts[1:], by=lead, at=NOON)


def test_whom_somebody_found_to_be_another_is_not_offered(cluster, analyst):
    case, accounts = cluster
    tie = accounts[0].party.seen_before.get()

    seen_before.judge(tie, judgement="not_same", why="Another.", by=analyst, at=NOON)

    assert names(tied.tied_accounts(case, at=NOON)) == {accounts[1].reference, accounts[2].reference}


def test_each_gets_a_decision_of_its_own_all_of_them_or_none(cluster, analyst):
    case, accounts = cluster
    tied.take_in(case, accounts=accounts[1:], by=analyst, at=NOON)
    chosen = {"outcome": "watch", "reason": "unusual_use"}

    with pytest.raises(decisions.NotInCase):
        tied.propose_for(case, accounts=[*accounts[:2], make_account()], **chosen, by=analyst, at=NOON)
    assert not Decision.objects.exists()
    made = tied.propose_for(case, accounts=accounts[:2], **chosen, by=analyst, at=NOON)

    assert {(each.account, each.outcome, each.reason) for each in made} == {
        (account, "watch", "unusual_use") for account in accounts[:2]
    }  # fmt: skip
    case.refresh_from_db()
    assert Decision.objects.filter(case=case).count() == 2 and case.status == "decided"


def test_it_is_done_from_the_page_with_boxes(cluster, client, analyst_user):
    case, accounts = cluster
    client.force_login(analyst_user)
    url = reverse("admin:cases_case_do", args=[case.pk, "take_in_tied"])

    asked = client.get(url).content.decode()
    assert all(f'value="{account.reference}"' in asked for account in accounts[1:])
    client.post(url, {"accounts": [accounts[1].reference], "confirmed": "1"})

    assert {row.account for row in case.subjects.all()} == set(accounts[:2])
    page = client.get(reverse("review:case", args=[case.reference])).content.decode()
    assert "Seen before" in page and "Propose for several accounts" in page


class TestSeenBeforeOnTheCasePage:
    """The admin's page of a case shows the ties of all its customers; the workspace those of the chosen one."""

    def page(self, client, case) -> str:
        return client.get(reverse("admin:cases_case_change", args=[case.pk])).content.decode()

    def test_the_ties_of_each_customer_are_told_with_whose_they_are(self, cluster, client, analyst_user, analyst):
        case, accounts = cluster
        client.force_login(analyst_user)
        tie = accounts[0].party.seen_before.get()
        alone = self.page(client, case)
        assert 'id="seen-before"' in alone and tie.reference in alone and tie.sentence in alone
        assert reverse("accounts:links", args=[accounts[0].party_id]) in alone

        tied.take_in(case, accounts=accounts[1:], by=analyst, at=NOON)
        seen_before.look_back(accounts[1].party, by=SCHEDULER, at=NOON)

        shown = self.page(client, case)
        for account in accounts[:2]:
            assert account.party.reference in shown and account.party.seen_before.get().reference in shown

    def test_a_case_about_whom_was_shut_out_shows_who_came_after(self, cluster, client, analyst_user):
        _, accounts = cluster
        client.force_login(analyst_user)
        refused = Account.objects.get(status="refused")
        case = triage.open_by_hand(
            accounts=[refused], kind="red_flag", title="Look at it", by=analyst_user.as_actor, at=NOON
        )

        assert f"{accounts[0].party.reference}, came later" in self.page(client, case)

    def test_it_costs_as_many_queries_for_many_as_for_one(self, cluster, client, analyst_user, analyst):
        case, accounts = cluster
        client.force_login(analyst_user)
        self.page(client, case)
        counts = []
        for step in range(2):
            with CaptureQueriesContext(connection) as seen:
                assert "SEN-" in self.page(client, case)
            counts.append(len(seen))
            if step == 0:
                tied.take_in(case, accounts=accounts[1:], by=analyst, at=NOON)
                for account in accounts[1:]:
                    seen_before.look_back(account.party, by=SCHEDULER, at=NOON)

        assert counts[0] == counts[1]

    def test_who_may_not_see_customers_learns_of_none(self, cluster, client, senior_user):
        case, accounts = cluster
        client.force_login(senior_user)

        shown = self.page(client, case)

        assert case.reference in shown and 'id="seen-before"' not in shown
        assert accounts[0].party.seen_before.get().reference not in shown

"""Ties to whom we shut out on the pages: said in a sentence, judged there, never seen by who may not."""

import pytest
from django.urls import reverse

from accounts.flows import intake, seen_before
from accounts.models import SeenBefore
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
EMAIL = "again@customer.example"


@pytest.fixture
def tie() -> SeenBefore:
    gone = make_account(email=EMAIL)
    intake.refuse_prospect(gone, reason="listed", by=SCHEDULER, at=NOON)
    [found] = seen_before.look_back(make_account(email=EMAIL).party, by=SCHEDULER, at=NOON)
    return found


def page_of(client, record) -> str:
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
    return client.get(reverse(name, args=[record.pk])).content.decode()


def test_it_stands_on_the_pages_of_both_and_on_the_accounts(client, analyst_user, tie):
    client.force_login(analyst_user)

    for record in (tie.party, tie.party.accounts.get(), tie.earlier):
        shown = page_of(client, record)
        assert "Seen before" in shown and tie.reference in shown
        told = f"80%. Shares the same e-mail address with {tie.earlier_reference}, which was shut out (listed)."
        assert told in shown


def test_its_own_page_says_what_is_shared_and_how_rare_it_is(client, analyst_user, tie):
    client.force_login(analyst_user)

    shown = page_of(client, tie)

    assert "e-mail address" in shown and EMAIL not in shown
    assert tie.earlier.reference not in shown or tie.earlier_reference in shown


def test_it_is_judged_there(client, analyst_user, tie):
    client.force_login(analyst_user)
    url = reverse("admin:accounts_seenbefore_do", args=[tie.pk, "judge"])

    refused = client.post(url, {"judgement": "same", "why": ""})
    assert refused.status_code == 200 and SeenBefore.objects.get().judgement == ""
    client.post(url, {"judgement": "not_same", "why": "Sisters\nin one flat.", "confirmed": "1"})

    tie.refresh_from_db()
    assert (tie.judgement, tie.judged_why) == ("not_same", "Sisters in one flat.")
    assert "not the same" in page_of(client, tie)


def test_the_list_takes_a_fixed_number_of_queries(client, analyst_user, tie, django_assert_max_num_queries):
    for _ in range(4):
        seen_before.look_back(make_account(email=EMAIL).party, by=SCHEDULER, at=NOON)
    client.force_login(analyst_user)

    with django_assert_max_num_queries(12):
        shown = client.get(reverse("admin:accounts_seenbefore_changelist"), {"judgement": "open"}).content.decode()
    assert shown.count("SEN-") >= 5


def test_who_may_not_see_customers_never_learns_of_ties(client, tie, reseller_manager_user, senior_user):
    for user in (reseller_manager_user, senior_user):
        client.force_login(user)
        for address in (
            reverse("admin:accounts_seenbefore_changelist"),
            reverse("admin:accounts_seenbefore_change", args=[tie.pk]),
            reverse("admin:accounts_seenbefore_do", args=[tie.pk, "judge"]),
        ):
            answer = client.get(address)
            assert answer.status_code in (302, 403, 404) and tie.reference not in answer.content.decode()


def test_an_auditor_reads_and_does_not_judge(client, tie, auditor_user):
    client.force_login(auditor_user)

    assert tie.reference in page_of(client, tie)
    assert client.post(reverse("admin:accounts_seenbefore_do", args=[tie.pk, "judge"])).status_code == 403


def test_while_the_comparison_is_due_nobody_says_that_there_is_nothing(client, analyst_user):
    account = make_account()
    client.force_login(analyst_user)
    due, nothing = "What came last was not compared yet; it is within minutes.", "Nothing ties them to anybody"

    for record in (account, account.party):
        shown = page_of(client, record)
        assert shown.count(due) == 1 and nothing not in shown
    seen_before.look_back_due(at=NOON)

    for record in (account, account.party):
        shown = page_of(client, record)
        assert due not in shown and nothing in shown


def test_its_own_page_says_whose_opening_it_holds_up(client, analyst_user, tie, analyst):
    client.force_login(analyst_user)
    account, holds_up = tie.party.accounts.get(), "the opening of "

    assert f"{holds_up}{account.reference}" in page_of(client, tie)
    seen_before.judge(tie, judgement="not_same", why="Sisters.", by=analyst, at=NOON)
    assert holds_up not in page_of(client, tie)


def test_one_too_weak_to_hold_up_says_nothing_of_it(client, analyst_user, tie):
    SeenBefore.objects.filter(pk=tie.pk).update(score="0.6000")
    client.force_login(analyst_user)

    assert "the opening of " not in page_of(client, tie)


def test_the_list_says_percent_and_finds_what_cannot_be_told(client, analyst_user, analyst, tie):
    seen_before.judge(tie, judgement="cannot_tell", why="The picture is bad.", by=analyst, at=NOON)
    client.force_login(analyst_user)
    url = reverse("admin:accounts_seenbefore_changelist")

    shown = client.get(url, {"judgement": "cannot_tell"}).content.decode()
    assert tie.reference in shown and "80%" in shown and "0.8000" not in shown
    assert tie.reference not in client.get(url, {"judgement": "same"}).content.decode()


def test_no_page_counts_one_tie_as_several(client, analyst_user, tie):
    client.force_login(analyst_user)

    shown = page_of(client, tie.party)
    assert "ties that stand: 1" in shown and "80%" in shown and "0.80<" not in shown
    graph = client.get(reverse("accounts:links", args=[tie.party_id])).content.decode()
    assert "1 tie drawn" in graph and "e-mail address, nobody else holds it" in graph and "1 of 2" not in graph

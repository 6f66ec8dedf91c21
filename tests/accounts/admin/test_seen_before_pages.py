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
        assert f"{tie.earlier_reference} was shut out (listed)." in shown and "80%" in shown


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

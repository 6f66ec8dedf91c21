import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from cases.flows import decisions, triage
from cases.models import Decision
from cases.rules.outcomes import REASONS
from tests.builders import make_account
from tests.cases.builders import finish_list, make_case, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LIST = reverse("admin:cases_decision_changelist")


def propose_url(case) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, "propose"])


def options(page: str, name: str) -> dict[str, bool]:
    """The values a choice offers, and whether each is chosen beforehand."""
    select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL).group()
    return {value: bool(chosen) for value, chosen in re.findall(r'<option value="([^"]*)"( selected)?', select)}


@pytest.fixture
def form_of(client, analyst_user):
    """The page that asks what to decide, for a case about this account."""
    client.force_login(analyst_user)
    return lambda account=None: client.get(propose_url(make_case(account, worked_by=analyst_user))).content.decode()


@pytest.fixture
def limited(analyst_user, analyst) -> Decision:
    case = make_case(worked_by=analyst_user)
    account = case.subjects.get().account
    return decisions.propose(case, account=account, outcome="limit", reason="unusual_use", by=analyst, at=NOON)


class TestProposeForm:
    def test_it_says_what_one_signature_does(self, form_of):
        shown = form_of()

        assert "Takes your signature alone: no action, watch more closely, limit the account" in shown
        assert "Waits for a second person: suspend the account, close the account, block the account" in shown

    def test_nothing_is_chosen_beforehand(self, form_of):
        shown = form_of()

        for name in ("outcome", "reason"):
            first, *others = options(shown, name).items()
            assert first == ("", True)
            assert not any(chosen for _, chosen in others)

    def test_it_shows_what_the_customer_reads_for_each_reason(self, form_of):
        shown = form_of()

        table = shown[shown.index('aria-label="What the customer reads"') :]
        for reason in REASONS.values():
            words = reason.public_wording if reason.is_told else "nothing"
            row = re.search(rf"<td>{re.escape(reason.title)}</td><td>(.*?)</td>", table.replace("&#x27;", "'"))
            assert words in row.group(1)

    def test_it_shows_what_a_prospect_reads(self, form_of):
        shown = form_of(make_account())

        table = shown[shown.index('aria-label="What the customer reads"') :]
        row = re.search(rf"<td>{REASONS['evasion'].title}</td><td>(.*?)</td>", table)
        assert row.group(1) == "“We are not able to provide our services to you.”"
        assert REASONS["evasion"].public_wording not in table

    @pytest.mark.parametrize(
        ("status", "possible"),
        [
            ("prospect", {"", "no_action", "watch", "close", "block"}),
            ("active", {"", "no_action", "watch", "limit", "suspend", "close", "block"}),
            ("refused", {"", "no_action", "watch"}),
        ],
    )
    def test_it_offers_what_fits_the_account(self, form_of, status, possible):
        account = make_account()
        Account.objects.filter(pk=account.pk).update(status=status)
        account.refresh_from_db()

        shown = form_of(account)

        assert set(options(shown, "outcome")) == possible
        assert ("identity_not_verified" in options(shown, "reason")) == ("close" in possible)

    def test_it_refuses_an_outcome_it_did_not_offer(self, client, analyst_user):
        case = make_case(make_account(), worked_by=analyst_user)
        client.force_login(analyst_user)

        answer = client.post(
            propose_url(case),
            {"account": case.subjects.get().account.reference, "outcome": "limit", "reason": "unusual_use"},
        )

        assert "Select a valid choice" in answer.content.decode()
        assert not Decision.objects.exists()

    def test_of_several_accounts_the_flow_judges_the_chosen_one(self, client, analyst_user):
        case = make_case(make_open_account(), worked_by=analyst_user)
        prospect = make_account()
        triage.add_subject(case, prospect, at=NOON)
        finish_list(case, by=analyst_user.as_actor)
        client.force_login(analyst_user)

        answer = client.post(
            propose_url(case), {"account": prospect.reference, "outcome": "limit", "reason": "unusual_use"}
        )

        assert "is prospect: “limit the account” cannot be done to it" in answer.content.decode()

    def test_it_tells_what_was_put_into_effect_by_one(self, client, analyst_user):
        case = make_case(worked_by=analyst_user)
        finish_list(case, by=analyst_user.as_actor)
        client.force_login(analyst_user)
        sent = {"account": case.subjects.get().account.reference, "outcome": "limit", "reason": "unusual_use"}
        sent["at_once"] = "on"

        shown = client.post(propose_url(case), sent, follow=True).content.decode()

        assert "is in effect (one signature): limit the account" in shown

    def test_it_costs_the_same_for_3_and_for_30_accounts(self, client, analyst_user):
        case = make_case(worked_by=analyst_user)
        client.force_login(analyst_user)
        client.get(propose_url(case))  # the first look moves the moment of the lock
        found = []
        for more in (2, 27):
            for _ in range(more):
                triage.add_subject(case, make_account(), at=NOON)
            with CaptureQueriesContext(connection) as context:
                assert client.get(propose_url(case)).status_code == 200
            found.append(len(context))

        assert found[0] == found[1]


class TestOneSignature:
    def test_no_page_calls_it_countersigned(self, client, lead_user, limited):
        client.force_login(lead_user)
        record = reverse("admin:cases_decision_change", args=[limited.pk])
        case = reverse("admin:cases_case_change", args=[limited.case_id])

        for url in (LIST, record, case):
            shown = client.get(url).content.decode()
            assert "in effect (one signature)" in shown, url
            assert "countersigned" not in shown, url

    def test_two_signatures_are_called_countersigned(self, client, lead_user, lead, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        account = case.subjects.get().account
        made = decisions.propose(case, account=account, outcome="suspend", reason="unusual_use", by=analyst, at=NOON)
        decisions.countersign(made, by=lead, at=NOON)
        client.force_login(lead_user)

        shown = client.get(LIST).content.decode()

        assert "countersigned" in shown and "one signature" not in shown

    def test_signing_it_again_says_so(self, limited, lead):
        with pytest.raises(decisions.AlreadyAnswered, match="put into effect with one signature by ana"):
            decisions.countersign(limited, by=lead, at=NOON)


class TestUndo:
    def test_a_slip_is_undone_on_the_cases_page(self, client, analyst_user):
        case = make_case(worked_by=analyst_user)
        client.force_login(analyst_user)
        finish_list(case, by=analyst_user.as_actor)
        sent = {"account": case.subjects.get().account.reference, "outcome": "limit", "reason": "unusual_use"}
        shown = client.post(propose_url(case), sent, follow=True).content.decode()
        assert "It takes effect on" in shown and "Undo decision" in shown and "Countersign" not in shown

        undone = client.post(reverse("admin:cases_case_do", args=[case.pk, "undo"]), follow=True).content.decode()

        assert "is undone. Decide anew, or not at all." in undone and "Undo decision" not in undone
        assert Decision.objects.get().state == "undone"

    def test_the_form_says_for_how_long_and_for_what_not_to_wait(self, form_of):
        shown = form_of()

        assert "Choose it where others are being harmed meanwhile" in shown and "undo it for 10 minutes" in shown
        assert '<input type="checkbox" name="at_once"' in shown and "checked" not in shown

    def test_a_lead_undoes_what_they_signed_on_its_page(self, client, lead_user, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        account = case.subjects.get().account
        made = decisions.propose(case, account=account, outcome="close", reason="unusual_use", by=analyst, at=NOON)
        client.force_login(lead_user)
        do = lambda name: client.post(reverse("admin:cases_decision_do", args=[made.pk, name]), follow=True)  # noqa: E731

        signed, undone = do("countersign").content.decode(), do("undo").content.decode()

        assert "is signed: close the account. It takes effect on" in signed
        assert f"{made.reference} is undone." in undone
        assert Account.objects.get(pk=account.pk).status == "active"

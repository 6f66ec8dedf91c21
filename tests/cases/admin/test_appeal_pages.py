"""The pages of appeals, and what decisions bring about in one table."""

import pytest
from django.urls import reverse

from cases.flows import appeals, decisions
from cases.models import Appeal, Decision
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from tests.cases.builders import make_case
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def decision(analyst_user) -> Decision:
    case = make_case(worked_by=analyst_user)
    account = case.subjects.get().account
    return decisions.propose(
        case, account=account, outcome="limit", reason="unusual_use", by=analyst_user.as_actor, at=NOON
    )


@pytest.fixture
def appeal(decision) -> Appeal:
    return appeals.log(decision, text="Canarywords", received_on=NOON.date(), by=SCHEDULER, at=NOON)


def button(record, name: str) -> str:
    return reverse(f"admin:cases_{record._meta.model_name}_do", args=[record.pk, name])


class TestAppealPages:
    def test_a_letter_is_logged_on_the_decisions_page(self, client, lead_user, decision):
        client.force_login(lead_user)
        sent = {"received_on": "2026-04-20", "text": "We object.", "late_why": ""}

        refused = client.post(button(decision, "log-appeal"), sent).content.decode()
        logged = client.post(button(decision, "log-appeal"), sent | {"late_why": "ours"}, follow=True).content.decode()

        assert "Appeals could be sent through 2026-04-01. Say why this one is accepted" in refused
        assert "is logged; the answer is due by 2026-05-20." in logged and "it came in time and lay with us" in logged

    def test_the_words_are_for_who_answers(self, client, lead_user, compliance_user, appeal):
        seen = {}
        for user in (lead_user, compliance_user):
            client.force_login(user)
            seen[user.username] = client.get(url_of(appeal)).content.decode()

        assert "Canarywords" in seen["lea"] and "Canarywords" not in seen["colin"]

    def test_the_form_offers_only_what_is_milder(self, client, appeal):
        leo = person("leo", "lead reviewer")
        appeals.assign(appeal, to=leo, by=leo.as_actor, at=NOON)
        client.force_login(leo)

        shown = client.get(button(appeal, "answer")).content.decode()

        assert 'value="watch"' in shown and 'value="limit"' not in shown
        assert "Canarywords" in shown and "You are right. We have taken our decision back." in shown

    def test_the_list_is_filtered_by_what_waits(self, client, lead_user, appeal):
        client.force_login(lead_user)
        url = reverse("admin:cases_appeal_changelist")

        shown = {name: client.get(f"{url}?queue={name}").content.decode() for name in ("to_answer", "to_countersign")}

        assert appeal.reference in shown["to_answer"] and appeal.reference not in shown["to_countersign"]


class TestDecisionPages:
    def test_every_outcome_and_reason_stands_in_one_table(self, client, analyst_user):
        client.force_login(analyst_user)

        shown = client.get(reverse("admin:cases_decision_catalogue")).content.decode().replace("&#x27;", "'")

        for code in OutcomeCode:
            assert code.label.capitalize() in shown
        for reason in REASONS.values():
            assert reason.title in shown
        assert "10 minutes" in shown and "30 days" in shown and "in the last 7 days" in shown

    def test_the_case_leads_to_it(self, client, analyst_user, decision):
        client.force_login(analyst_user)

        assert reverse("admin:cases_decision_catalogue") in client.get(url_of(decision.case)).content.decode()

    def test_a_replay_is_read_on_a_page(self, client, analyst_user, decision):
        client.force_login(analyst_user)
        url = reverse("admin:cases_decision_replay", args=[decision.pk])
        assert url in client.get(url_of(decision)).content.decode()

        shown = client.get(url).content.decode()

        assert "What was seen then, and what is on file now" in shown and decision.seen_sha256 in shown

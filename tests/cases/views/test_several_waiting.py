"""Several decisions of one case wait: each is read and answered where the case is worked, and all of one person's at
once (R37, R41)."""

import re

import pytest
from django.urls import reverse

from cases.flows import decisions, tied, together, triage
from cases.models import Case, Decision
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.sections import url_of
from tests.cases.builders import finish_list, make_case, make_open_account
from tests.conftest import NOON, browser_of, person

pytestmark = pytest.mark.django_db


def page_of(case) -> str:
    return f"/review/{case.reference}/"


@pytest.fixture
def waiting(analyst_user) -> tuple[Case, list[Decision]]:
    """A case about three accounts, each with a proposal of the same person."""
    case = make_case(worked_by=analyst_user)
    for _ in range(2):
        triage.add_subject(case, make_open_account(), at=NOON)
    finish_list(case, by=analyst_user.as_actor)
    accounts = [subject.account for subject in case.subjects.order_by("pk")]
    made = tied.propose_for(
        case, accounts=accounts, outcome="suspend", reason="unusual_use", by=analyst_user.as_actor, at=NOON
    )
    return Case.objects.get(pk=case.pk), made


def send(user, case, name, **sent):
    client = browser_of(user)
    version = client.get(page_of(case)).context["version"]
    return client.post(f"{page_of(case)}{name}/", {"version": version, **sent})


def states(made) -> list[str]:
    return [Decision.objects.get(pk=each.pk).state for each in made]


class TestPage:
    def test_every_waiting_proposal_is_named_with_what_it_says_and_leads_to_its_page(self, waiting, lead_user):
        case, made = waiting

        page = browser_of(lead_user).get(page_of(case)).content.decode()

        panel = page[page.index('id="decision"') : page.index('id="list"')]
        assert "3 proposals wait" in panel
        for each in made:
            assert url_of(each) in panel and each.account.reference in panel
        assert panel.count("suspend the account") == 3 and panel.count("by ana") == 3
        assert panel.count(f'action="{page_of(case)}countersign/"') == 4  # each, and all of ana's
        assert panel.count(f'action="{page_of(case)}decline/"') == 4
        assert f'action="{page_of(case)}withdraw/"' not in panel

    def test_whoever_proposed_them_may_only_withdraw(self, waiting, analyst_user):
        case, _ = waiting

        page = browser_of(analyst_user).get(page_of(case)).content.decode()

        assert page.count(f'action="{page_of(case)}withdraw/"') == 4 and "All 3 of your proposals" in page
        assert "/countersign/" not in page and "/decline/" not in page

    def test_who_may_not_sign_reads_them_all_and_is_offered_nothing(self, waiting):
        case, made = waiting

        page = browser_of(person("audra", "auditor")).get(page_of(case)).content.decode()

        assert all(each.reference in page for each in made)
        assert "/countersign/" not in page and "/withdraw/" not in page

    def test_no_two_fields_of_the_page_share_an_id(self, waiting, lead_user):
        page = browser_of(lead_user).get(page_of(waiting[0])).content.decode()

        found = re.findall(r'\bid="([^"]+)"', page)
        assert len(found) == len(set(found)), sorted(each for each in found if found.count(each) > 1)

    def test_the_record_names_each_and_offers_no_button_that_could_not_say_which(self, waiting, lead_user):
        case, made = waiting

        page = browser_of(lead_user).get(url_of(case)).content.decode()

        aside = page[page.index('id="decision"') :]
        assert all(url_of(each) in aside and each.account.reference in aside for each in made)
        assert "do/countersign/" not in page and "do/decline/" not in page

    def test_the_page_that_asks_says_outcome_account_and_reason(self, waiting, lead_user):
        _, made = waiting
        client = browser_of(lead_user)

        for name in ("countersign", "decline"):
            asked = client.get(reverse("admin:cases_decision_do", args=[made[0].pk, name])).content.decode()
            main = asked[asked.index('id="content-main"') :]
            assert "suspend the account" in main and made[0].account.reference in main and "by ana" in main
            assert made[0].get_reason_display() in main

    def test_so_does_the_case_when_one_waits(self, waiting, analyst_user, lead_user):
        case, made = waiting
        together.withdraw(case, references=[each.reference for each in made[1:]], by=analyst_user.as_actor, at=NOON)
        client = browser_of(lead_user)

        assert "do/countersign/" in client.get(url_of(case)).content.decode()
        asked = client.get(reverse("admin:cases_case_do", args=[case.pk, "countersign"])).content.decode()

        assert "suspend the account" in asked and made[0].account.reference in asked and made[1].reference not in asked

    def test_the_queue_says_how_many_wait(self, waiting, lead_user):
        client = browser_of(lead_user)

        assert "ana proposed 3 decisions: suspend the account" in client.get("/review/").content.decode()
        listed = client.get(reverse("admin:cases_case_changelist")).content.decode()
        assert "ana proposed 3 decisions: suspend the account" in listed


class TestAnswers:
    def test_one_is_countersigned_and_another_declined(self, waiting, lead_user):
        case, made = waiting

        signed = send(lead_user, case, "countersign", decisions=[made[1].reference], at_once="on")
        declined = send(lead_user, case, "decline", decisions=[made[2].reference], why="Not this one.")

        assert (signed.status_code, declined.status_code) == (302, 302)
        assert states(made) == ["proposed", "countersigned", "declined"]

    def test_all_of_one_proposers_are_countersigned_at_once_each_with_its_event(self, waiting, lead_user):
        case, made = waiting

        send(lead_user, case, "countersign", decisions=[each.reference for each in made])

        assert states(made) == ["signed"] * 3
        told = AuditEvent.objects.filter(verb="cases.countersigned")
        assert {event.about_name for event in told} == {each.reference for each in made}
        page = browser_of(lead_user).get(page_of(case)).content.decode()
        assert page.count(f'action="{page_of(case)}undo/"') == 3

    def test_all_of_them_or_none(self, waiting, lead_user, analyst_user):
        case, made = waiting
        together.withdraw(case, references=[made[1].reference], by=analyst_user.as_actor, at=NOON)

        answer = send(lead_user, case, "countersign", decisions=[each.reference for each in made])

        assert answer.status_code == 200 and "was already withdrawn" in answer.content.decode()
        assert states(made) == ["proposed", "withdrawn", "proposed"]

    def test_nobody_signs_their_own_among_others(self, waiting, analyst_user):
        case, made = waiting
        by = analyst_user.as_actor

        with pytest.raises(SecondPersonNeeded):
            together.countersign(case, references=[each.reference for each in made], by=by, at=NOON)
        assert states(made) == ["proposed"] * 3

    def test_a_form_that_names_none_of_several_or_a_strange_one_is_refused(self, waiting, lead_user, analyst_user):
        case, made = waiting
        elsewhere = make_case()

        assert "Several decisions of this case wait" in send(lead_user, case, "countersign").content.decode()
        for named in ("DEC-2222-2222", "1 OR 1", "\x00", made[0].reference.lower()):
            answer = send(lead_user, case, "countersign", decisions=[named])
            assert answer.status_code == 200 and "There is a problem" in answer.content.decode()
        with pytest.raises(decisions.NotInCase, match="has no such decision"):
            together.withdraw(elsewhere, references=[made[0].reference], by=analyst_user.as_actor, at=NOON)
        assert states(made) == ["proposed"] * 3

    def test_what_was_typed_stays_beside_the_decision_it_was_typed_for(self, waiting, lead_user):
        case, made = waiting

        page = send(lead_user, case, "decline", decisions=[made[1].reference], why="\u202e").content.decode()

        place = page.index(f'aria-label="{made[1].reference} about')
        assert "direction control" in page[place : place + 6000]
        assert page.count("<details open>") == 1

"""Pages of what follows when an identity could not be verified: who sees and does what, in words (R38-R43)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.flows import redress
from accounts.models import CouldNotVerify, Objection
from tests.accounts.unverified import ask, could_not, propose, put
from tests.accounts.views.pages import address_of, open_page
from tests.builders import make_cip, make_complete_account, make_open_account
from tests.conftest import NOON, browser_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


def page_of(record) -> str:
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
    return reverse(name, args=[record.pk])


def do(record, name: str) -> str:
    return f"{page_of(record).removesuffix('change/')}do/{name}/"


def shown(browser, record) -> str:
    return " ".join(browser.get(page_of(record)).content.decode().split())


class TestVerification:
    def test_the_button_offers_what_fits_and_leads_to_the_outcome(self, analyst_user, analyst):
        attempt, browser = could_not(make_open_account(), by=analyst), browser_of(analyst_user)
        assert "Nobody has decided yet what follows" in shown(browser, attempt)

        form = browser.get(do(attempt, "decide-outcome")).context["form"]
        assert [code for code, _ in form.fields["outcome"].choices] == ["limited", "watched", "closed"]
        given = {"outcome": "closed", "reason": "no_source", "explanation": "Nobody knows them."}
        answer = browser.post(do(attempt, "decide-outcome"), given)

        row = CouldNotVerify.objects.get()
        assert answer.headers["Location"] == page_of(row) and row.state == "proposed"
        body = shown(browser, attempt)
        assert "waits for a second person" in body and "decide-outcome" not in body

    def test_a_refusal_is_said_at_the_form_which_keeps_what_was_typed(self, analyst_user, analyst):
        attempt, browser = could_not(make_open_account(), by=analyst), browser_of(analyst_user)
        given = {"outcome": "limited", "reason": "no_source", "explanation": "\u2800"}

        body = browser.post(do(attempt, "decide-outcome"), given).content.decode()

        assert "Explanation" in body and not CouldNotVerify.objects.exists()

    def test_the_workspace_has_the_button_on_a_key(self, analyst_user, analyst):
        attempt = could_not(make_open_account(), by=analyst)

        url = reverse("admin:accounts_verification_workspace", args=[attempt.pk])
        body = browser_of(analyst_user).get(url).content.decode()

        assert 'data-key="w"' in body and "Decide what follows" in body


class TestOutcome:
    def test_it_is_signed_by_a_lead_who_did_not_propose_it(self, analyst_user, analyst, lead_user):
        row = propose(could_not(make_open_account(), by=analyst), "watched", by=analyst)
        assert browser_of(analyst_user).get(do(row, "countersign")).status_code == 403
        lead = browser_of(lead_user)

        read = lead.get(do(row, "countersign")).content.decode()
        assert "kept under watch" in read and "Three sources, no answer." in read
        assert lead.post(do(row, "countersign")).status_code == 302

        body = shown(lead, row)
        assert "look again by" in body and "Nobody has asked for redress." in body

    def test_a_lead_does_not_sign_their_own(self, lead_user, lead):
        row = propose(could_not(make_open_account(), by=lead), "closed", by=lead)

        body = browser_of(lead_user).post(do(row, "countersign")).content.decode()

        assert "first step yourself" in body
        row.refresh_from_db()
        assert row.state == "proposed"

    def test_declining_and_withdrawing(self, analyst_user, analyst, lead_user):
        first = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)
        second = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)

        browser_of(lead_user).post(do(first, "decline"), {"why": "Try the register."})
        browser_of(analyst_user).post(do(second, "withdraw"))

        states = CouldNotVerify.objects.order_by("pk").values_list("state", flat=True)
        assert sorted(states) == ["declined", "withdrawn"]
        assert "Try the register." in shown(browser_of(lead_user), first)

    def test_redress_that_came_by_mail_is_entered(self, analyst_user, analyst):
        row, browser = put(make_complete_account(), "not_opened", by=analyst), browser_of(analyst_user)
        day = row.in_effect_at.date().isoformat()

        answer = browser.post(do(row, "enter-redress"), {"received_on": day, "text": "It is me."})

        asked = Objection.objects.get()
        assert answer.headers["Location"] == page_of(asked)
        assert "Request for redress" in shown(browser, asked)
        assert asked.reference in shown(browser, row) and "enter-redress" not in shown(browser, row)

    def test_an_auditor_reads_and_does_nothing(self, analyst, auditor_user):
        row = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)
        browser = browser_of(auditor_user)

        assert "Three sources, no answer." in shown(browser, row)
        for name in ("countersign", "decline", "withdraw"):
            assert browser.post(do(row, name)).status_code == 403


class TestRedress:
    def test_somebody_of_legal_answers_who_took_no_part(self, analyst_user, analyst, counsel_user):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst), text="Canarywords of mine.")
        counsel = browser_of(counsel_user)
        assert "Canarywords" in shown(counsel, asked)
        assert browser_of(analyst_user).get(do(asked, "answer-redress")).status_code == 403

        counsel.post(do(asked, "answer-redress"), {"answer": "upheld", "why": "The file is complete."})

        asked.refresh_from_db()
        assert (asked.outcome, asked.answered_by) == ("upheld", "carl")
        assert "the outcome stands" in shown(counsel, asked) and "The file is complete." in shown(counsel, asked)

    def test_a_lead_who_signed_reads_why_they_do_not_answer(self, analyst, lead, lead_user):
        asked = ask(put(make_open_account(), "watched", by=analyst, second=lead))

        body = browser_of(lead_user).post(do(asked, "answer-redress"), {"answer": "upheld", "why": "x"})

        assert "You took part" in body.content.decode() and Objection.objects.open().exists()

    def test_the_plain_answer_is_not_offered_for_redress(self, analyst, lead_user):
        asked = ask(put(make_complete_account(), "not_opened", by=analyst))

        body = shown(browser_of(lead_user), asked)

        assert "/do/answer-redress/" in body and "/do/answer/" not in body


class TestAccount:
    def test_its_page_says_what_holds_and_until_when(self, analyst, lead, lead_user):
        account = make_open_account()
        browser = browser_of(lead_user)
        assert "Nobody behind this account is beyond verifying" in shown(browser, account)

        row = put(account, "limited", by=analyst)
        body = shown(browser, account)

        assert row.reference in body and "after that use stops" in body

    def test_the_weight_of_a_watch_is_shown_with_the_risk(self, analyst, lead, lead_user):
        account = make_open_account()
        put(account, "watched", by=analyst, second=lead)

        assert "Kept under watch" in shown(browser_of(lead_user), account)

    def test_the_list_filters_what_is_to_be_done(self, analyst, lead, lead_user):
        waits = propose(could_not(make_open_account(), by=analyst), "closed", by=analyst)
        watched = put(make_open_account(), "watched", by=analyst, second=lead)
        CouldNotVerify.objects.filter(pk=watched.pk).update(look_again_on=NOON.date())
        browser = browser_of(lead_user)

        def listed(query):
            return browser.get(reverse("admin:accounts_couldnotverify_changelist") + query).content.decode()

        assert waits.reference in listed("?waiting=second") and watched.reference not in listed("?waiting=second")
        assert watched.reference in listed("?waiting=look") and waits.reference not in listed("?waiting=look")


class TestCustomersPage:
    def test_a_link_opens_a_page_that_asks_for_nothing_and_takes_a_request(self, analyst):
        account = make_complete_account()
        row = put(account, "not_opened", by=analyst, at=timezone.now())

        browser = open_page(address_of(account, "identity_not_verified"))
        body = browser.get("/me/").content.decode()
        assert "Ask us to look again</a>" in body and "Confirm the" not in body
        assert "Nothing has to be handed in here" in body and "What is asked</h2>" not in body
        assert row.reference not in body and "no_source" not in body
        assert browser.post("/me/done/").status_code == 409
        browser.post("/me/objection/", {"text": "It is me."})

        assert Objection.objects.get().against == row
        assert Objection.objects.get().reference in browser.get("/me/").content.decode()

    def test_after_the_answer_the_page_has_nothing_more_to_say(self, analyst):
        account = make_complete_account()
        row = put(account, "not_opened", by=analyst, at=timezone.now())
        browser = open_page(address_of(account, "identity_not_verified"))
        browser.post("/me/objection/", {"text": "It is me."})
        third = person("theo", "legal").as_actor

        redress.answer(row.redress.get(), answer="reversed", why="A new card.", by=third, at=timezone.now())

        assert "Nothing more is asked" in browser.get("/me/").content.decode()

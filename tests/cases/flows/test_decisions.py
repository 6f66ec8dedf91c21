import html
import threading
from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from accounts.flows import shut_out
from accounts.models import Account, Restriction
from cases.flows import decisions, effects
from cases.models import Case, Decision
from cases.rules.outcomes import REASONS, OutcomeCode, UnfitOutcome
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.records import audit
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.builders import make_account
from tests.cases.builders import make_case, make_open_account, make_signal
from tests.conftest import NOON, person

LATER = NOON + timedelta(hours=1)


def proposed(analyst_user, *, outcome="suspend", reason="unusual_use", account=None) -> Decision:
    case = make_case(account, worked_by=analyst_user)
    return decisions.propose(
        case, account=case.subjects.get().account, outcome=outcome, reason=reason, by=analyst_user.as_actor, at=NOON
    )


@pytest.mark.django_db
class TestPropose:
    def test_it_waits_for_a_second_person(self, analyst_user):
        decision = proposed(analyst_user)

        assert decision.state == "proposed"
        assert Case.objects.get().status == "proposed"
        assert not Restriction.objects.exists()

    def test_it_keeps_what_the_reviewer_saw_as_references(self, analyst_user):
        decision = proposed(analyst_user)

        signal = decision.account.signals.get()
        assert decision.rests_on["signals"] == [
            {"reference": signal.reference, "code": "country_conflict", "weight": signal.weight}
        ]
        assert decision.account.party.legal_name not in str(decision.rests_on)

    def test_it_is_for_whoever_works_the_case(self, analyst_user, lead):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(decisions.NotYourCase, match="ana works it"):
            decisions.propose(
                case, account=case.subjects.get().account, outcome="watch", reason="unusual_use", by=lead, at=NOON
            )

    def test_it_refuses_a_case_nobody_has(self, analyst):
        case = make_case()

        with pytest.raises(decisions.NotYourCase, match="nobody works it"):
            decisions.propose(
                case, account=case.subjects.get().account, outcome="watch", reason="unusual_use", by=analyst, at=NOON
            )

    def test_it_refuses_an_api_client_of_the_reviewer(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        client = Actor.api_client("key-1", "client", owner=analyst_user)

        with pytest.raises(decisions.NotYourCase):
            decisions.propose(
                case, account=case.subjects.get().account, outcome="watch", reason="unusual_use", by=client, at=NOON
            )

    def test_it_refuses_an_account_of_another_case(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(decisions.NotInCase):
            decisions.propose(
                case, account=make_open_account(), outcome="watch", reason="unusual_use", by=analyst, at=NOON
            )

    def test_it_refuses_a_second_proposal_about_the_account(self, analyst_user, analyst):
        first = proposed(analyst_user)

        with pytest.raises(decisions.AlreadyProposed, match=first.reference):
            decisions.propose(
                first.case, account=first.account, outcome="limit", reason="unusual_use", by=analyst, at=NOON
            )

    def test_it_refuses_what_does_not_go_together(self, analyst_user):
        with pytest.raises(UnfitOutcome):
            proposed(analyst_user, outcome="block", reason="unusual_use")

    def test_it_refuses_what_cannot_be_done_to_the_account(self, analyst_user):
        with pytest.raises(effects.CannotBeDone, match="prospect"):
            proposed(analyst_user, account=make_account())

    def test_it_takes_effect_at_once_where_one_signature_is_enough(self, analyst_user):
        decision = proposed(analyst_user, outcome="limit")

        restriction = Restriction.objects.get()
        signal = decision.account.signals.get()
        assert (decision.state, decision.answered_by) == ("countersigned", "")
        assert (restriction.level, restriction.basis) == ("limited", decision.reference)
        assert restriction.object_by == date(2026, 4, 1)
        assert (signal.answer, Case.objects.get().status) == ("limit", "decided")


@pytest.mark.django_db
class TestCountersign:
    def test_it_brings_the_decision_into_effect(self, analyst_user, lead):
        decision = decisions.countersign(proposed(analyst_user), by=lead, at=LATER)

        case = Case.objects.get()
        assert (decision.state, decision.answered_by) == ("countersigned", "lea")
        assert Restriction.objects.get().level == "suspended"
        assert (case.status, case.decided_at) == ("decided", LATER)

    def test_it_answers_only_the_flags_the_reviewer_saw(self, analyst_user, lead):
        decision = proposed(analyst_user)
        newer = make_signal(decision.account, "expired_document")

        decisions.countersign(decision, by=lead, at=LATER)

        newer.refresh_from_db()
        assert newer.answered_at is None
        assert Case.objects.get().status == "in_review"

    def test_it_needs_another_person(self, analyst_user, analyst):
        with pytest.raises(SecondPersonNeeded, match="first step yourself"):
            decisions.countersign(proposed(analyst_user), by=analyst, at=LATER)

    @pytest.mark.parametrize("actor", [SCHEDULER, Actor("operator", "os:root", "operator root")])
    def test_it_needs_a_person(self, analyst_user, actor):
        with pytest.raises(SecondPersonNeeded):
            decisions.countersign(proposed(analyst_user), by=actor, at=LATER)

    def test_it_refuses_the_api_client_of_another_person(self, analyst_user, lead_user):
        client = Actor.api_client("key-1", "client", owner=lead_user)

        with pytest.raises(SecondPersonNeeded, match="API client"):
            decisions.countersign(proposed(analyst_user), by=client, at=LATER)

    def test_it_never_tells_of_a_list_hit(self, analyst_user, lead):
        account = make_open_account()
        case = make_case(account, "confirmed_list_hit", worked_by=analyst_user)
        decision = decisions.propose(
            case, account=account, outcome="block", reason="list_match_confirmed", by=analyst_user.as_actor, at=NOON
        )

        decisions.countersign(decision, by=lead, at=LATER)

        account.refresh_from_db()
        _, body = wording_of(Notice.objects.get(kind="account_restricted"))
        assert account.status == "blocked"
        assert decision.rests_on_list
        assert not {"list", "sanction", "match", "block"} & set(body.lower().split())

    def test_it_closes_an_account(self, analyst_user, lead):
        decision = proposed(analyst_user, outcome="close")

        decisions.countersign(decision, by=lead, at=LATER)

        assert Account.objects.get(pk=decision.account_id).status == "closed"

    def test_it_refuses_a_prospect_that_is_to_be_closed(self, analyst_user, lead):
        decision = proposed(analyst_user, outcome="close", account=make_account())

        decisions.countersign(decision, by=lead, at=LATER)

        assert Account.objects.get(pk=decision.account_id).status == "refused"

    @pytest.mark.parametrize(
        ("reason", "kept", "counts"),
        [
            ("evasion", "evasion", True),
            ("malicious_use", "malicious_use", True),
            ("abuse_reported", "abuse_reported", True),
            ("owners_undisclosed", "owners_undisclosed", True),
            ("false_documents", "document_not_genuine", True),
            ("list_match_confirmed", "listed", True),
            ("outside_our_terms", "own_policy", False),
            ("reseller_ended", "reseller_ended", False),
        ],
    )
    def test_t21_what_is_held_against_a_prospect_stays_held(self, analyst_user, lead, reason, kept, counts):
        decision = proposed(analyst_user, outcome="close", reason=reason, account=make_account())

        decisions.countersign(decision, by=lead, at=LATER)

        account = Account.objects.get(pk=decision.account_id)
        assert (account.status, account.closing_reason) == ("refused", kept)
        assert shut_out.is_shut_out(account) is counts

    @pytest.mark.parametrize("opened", [True, False])
    @pytest.mark.parametrize("reason", [each.code for each in REASONS.values() if OutcomeCode.CLOSE in each.outcomes])
    def test_the_customer_reads_what_the_page_promised(self, analyst_user, lead_user, client, reason, opened):
        account = make_open_account() if opened else make_account()
        decision = proposed(analyst_user, outcome="close", reason=reason, account=account)
        told = decision.rests_on["rules"][0]["customer_reads"]
        client.force_login(lead_user)
        url = reverse("admin:cases_decision_change", args=[decision.pk])
        assert told in html.unescape(client.get(url).content.decode())

        decision = decisions.countersign(decision, by=lead_user.as_actor, at=LATER)

        notice = Notice.objects.get(kind="account_closed" if opened else "account_refused")
        body = wording_of(notice)[1]
        assert told in body and f"answer this message by {decision.appeal_by}" in body
        assert told.startswith("We are closing your account." if opened else "We cannot open your account.")
        assert told in html.unescape(client.get(url).content.decode())
        assert not opened or REASONS[reason].public_wording in body

    def test_it_says_who_was_first(self, analyst_user, lead, compliance):
        decision = decisions.countersign(proposed(analyst_user), by=lead, at=LATER)

        with pytest.raises(decisions.AlreadyAnswered, match="countersigned by lea on 2 Mar 2026 at 13:00 UTC"):
            decisions.countersign(decision, by=compliance, at=LATER)

    def test_it_writes_nothing_personal_into_the_trail(self, analyst_user, lead):
        decision = decisions.countersign(proposed(analyst_user), by=lead, at=LATER)

        told = str([(event.facts, event.about_name) for event in AuditEvent.objects.all()])
        assert decision.account.party.legal_name not in told
        assert [event.verb for event in audit.history_of(decision)] == ["cases.countersigned", "cases.proposed"]

    def test_it_leaves_nothing_behind_when_the_account_cannot_be_restricted(self, analyst_user, lead):
        decision = proposed(analyst_user)
        Account.objects.filter(pk=decision.account_id).update(status="closed", closed_at=NOON)

        with pytest.raises(Exception, match="closed"):
            decisions.countersign(decision, by=lead, at=LATER)

        decision.refresh_from_db()
        assert decision.state == "proposed"
        assert not AuditEvent.objects.filter(verb="cases.countersigned").exists()


@pytest.mark.django_db
class TestNoSecondSignature:
    def test_declining_sends_the_case_back(self, analyst_user, lead):
        decision = decisions.decline(proposed(analyst_user), why="Ask the customer first.", by=lead, at=LATER)

        assert (decision.state, decision.answered_why) == ("declined", "Ask the customer first.")
        assert Case.objects.get().status == "in_review"
        assert not Restriction.objects.exists()

    def test_declining_masks_card_numbers(self, analyst_user, lead):
        decision = decisions.decline(proposed(analyst_user), why="4111111111111111", by=lead, at=LATER)

        assert decision.answered_why == "••••••••••••1111"

    def test_nobody_declines_their_own(self, analyst_user, analyst):
        with pytest.raises(SecondPersonNeeded):
            decisions.decline(proposed(analyst_user), why="No", by=analyst, at=LATER)

    def test_withdrawing_is_for_whoever_proposed(self, analyst_user, lead, analyst):
        decision = proposed(analyst_user)

        with pytest.raises(decisions.NotYours, match="ana made this proposal"):
            decisions.withdraw(decision, by=lead, at=LATER)

        assert decisions.withdraw(decision, by=analyst, at=LATER).state == "withdrawn"
        assert Case.objects.get().status == "in_review"

    def test_a_new_proposal_may_follow(self, analyst_user, analyst, lead):
        first = decisions.decline(proposed(analyst_user), why="Milder.", by=lead, at=LATER)

        again = decisions.propose(
            first.case, account=first.account, outcome="limit", reason="unusual_use", by=analyst, at=LATER
        )

        assert again.state == "countersigned"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush", "roles_there")
class TestTwoSignaturesAtOnce:
    def test_one_wins_and_the_other_reads_who_and_when(self):
        decision = proposed(person("ina", "reviewer"))
        people, gate, told = [person("leo", "lead reviewer"), person("liv", "lead reviewer")], threading.Barrier(2), []

        def sign(user):
            try:
                gate.wait(10)
                told.append(decisions.countersign(decision, by=user.as_actor, at=LATER).answered_by)
            except decisions.AlreadyAnswered as refusal:
                told.append(str(refusal))
            finally:
                connection.close()

        threads = [threading.Thread(target=sign, args=[user]) for user in people]
        [thread.start() for thread in threads]
        [thread.join(30) for thread in threads]

        winner, refusal = sorted(told, key=len)
        assert winner in ("leo", "liv")
        assert f"already countersigned by {winner} on 2 Mar 2026" in refusal
        assert Restriction.objects.count() == 1

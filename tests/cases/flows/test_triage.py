import threading
from datetime import date

import pytest
from django.db import connection

from accounts.flows.texts import BadField
from accounts.models import Account, RiskSignal
from cases.flows import decisions, review, triage
from cases.models import Case, CaseSubject
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import make_case, make_open_account, make_request, make_signal
from tests.conftest import NOON


@pytest.mark.django_db
class TestTakeInSignal:
    def test_it_opens_a_case_with_words_without_personal_data(self):
        signal = make_signal()

        case = signal.in_case.case

        assert (case.kind, case.title, case.weight) == ("red_flag", "Countries do not agree", signal.weight)
        assert [subject.account for subject in case.subjects.all()] == [signal.account]
        assert signal.account.party.legal_name not in case.title

    def test_it_starts_the_triage_clock(self):
        case = make_case()

        clock = Deadline.objects.get(key=str(case.pk), kind="triage")
        assert (clock.due_on, clock.standing) == (case.due_on, "own_policy")

    def test_it_joins_the_open_case_of_the_account(self):
        account = make_open_account()

        first, second = make_signal(account), make_signal(account, "expired_document")

        case = Case.objects.get()
        assert first.in_case.case == second.in_case.case == case
        assert case.weight == first.weight + second.weight

    def test_it_turns_the_case_into_a_list_hit(self):
        account = make_open_account()
        make_signal(account)

        case = make_signal(account, "possible_list_hit").in_case.case

        assert (case.kind, case.title) == ("list_hit", "Possible list hit")

    def test_it_does_not_join_an_authoritys_request(self, counsel):
        account = make_open_account()
        request = make_request(account, by=counsel)

        assert make_case(account) != request.case

    def test_it_opens_a_new_case_once_the_old_one_is_decided(self, analyst_user, analyst):
        account = make_open_account()
        old = make_case(account, worked_by=analyst_user)
        decisions.propose(old, account=account, outcome="no_action", reason="concern_cleared", by=analyst, at=NOON)

        assert make_case(account) != old

    def test_it_takes_the_same_flag_once(self):
        signal = make_signal()

        again = triage.take_in_signal(signal, by=SCHEDULER, at=NOON)

        assert again.weight == signal.weight
        assert again.signals.count() == 1

    def test_it_keeps_persons_out_of_the_trail(self):
        signal = make_signal()

        facts = [event.facts for event in audit.history_of(signal.in_case.case)]

        assert facts
        assert signal.account.party.legal_name not in str(facts)


@pytest.mark.django_db
class TestOpenByHand:
    def opened(self, *accounts, by, kind="abuse", title="Spam reported by a third party"):
        return triage.open_by_hand(accounts=accounts, kind=kind, title=title, by=by, at=NOON)

    def test_it_opens_a_case_with_its_clock_about_the_accounts(self, analyst):
        one, two = make_open_account(), make_open_account()

        case = self.opened(one, two, by=analyst)

        clock = Deadline.objects.get(key=str(case.pk), kind="triage")
        assert (case.kind, case.status, case.title) == ("abuse", "open", "Spam reported by a third party")
        assert {subject.account for subject in case.subjects.all()} == {one, two}
        assert case.due_on == clock.due_on == date(2026, 3, 4)

    def test_it_weighs_as_much_as_the_highest_risk_of_its_accounts(self, analyst):
        one, two = make_open_account(), make_open_account()
        Account.objects.filter(pk=two.pk).update(risk_score=44)

        case = self.opened(one, two, by=analyst)

        assert case.weight == Case.objects.get(pk=case.pk).weight == 44

    def test_it_joins_no_case(self, analyst):
        account = make_open_account()
        there = make_case(account)

        assert self.opened(account, by=analyst) != there

    def test_it_stands_on_the_accounts_timeline_without_its_title(self, analyst):
        account = make_open_account()

        case = self.opened(account, by=analyst)

        event = next(each for each in audit.history_of(account) if each.verb == "cases.subject_named")
        assert (event.actor_label, event.facts) == ("ana", {"account": account.reference, "case": case.reference})

    @pytest.mark.parametrize("kind", ["legal", "list_hit", "other"])
    def test_it_leaves_other_kinds_to_their_own_doors(self, analyst, kind):
        with pytest.raises(triage.BadCase, match="Choose one of: red_flag, abuse"):
            self.opened(make_open_account(), by=analyst, kind=kind)

    def test_it_wants_an_account(self, analyst):
        with pytest.raises(triage.BadCase, match="no account"):
            self.opened(by=analyst)

    @pytest.mark.parametrize("title", ["About maria example here", "Mail from maria@customer.example"])
    def test_it_turns_away_names_and_addresses_in_the_title(self, analyst, title):
        with pytest.raises(triage.BadCase, match="holds a name or an address"):
            self.opened(make_open_account(legal_name="Maria Example"), by=analyst, title=title)

    def test_it_takes_words_that_only_contain_the_name(self, analyst):
        assert self.opened(make_open_account(legal_name="Ann"), by=analyst, title="Annual use explained").pk

    @pytest.mark.parametrize(("title", "fault"), [("", "is empty"), ("x" * 201, "200"), ("two\nlines", "line")])
    def test_it_refuses_titles_that_are_no_line(self, analyst, title, fault):
        with pytest.raises(BadField, match=fault):
            self.opened(make_open_account(), by=analyst, title=title)

        assert not Case.objects.exists()

    def test_e12_it_masks_a_card_number_in_the_title(self, analyst):
        case = self.opened(make_open_account(), by=analyst, title="Paid with 4111 1111 1111 1111")

        assert "4111 1111 1111" not in case.title
        assert "accounts.card_masked" in [event.verb for event in audit.history_of(case)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush")
class TestTwoFlagsAtOnce:
    def test_it_ends_in_one_case(self):
        account, codes = make_open_account(), ["country_conflict", "expired_document", "mrz_check_failed"]
        signals = [
            RiskSignal.objects.create(account=account, code=code, weight=20, sentence=code, known_at=NOON)
            for code in codes
        ]
        gate, failures = threading.Barrier(len(signals)), []

        def take_in(signal):
            try:
                gate.wait(10)
                triage.take_in_signal(signal, by=SCHEDULER, at=NOON)
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=take_in, args=[signal]) for signal in signals]
        [thread.start() for thread in threads]
        [thread.join(30) for thread in threads]

        assert failures == []
        assert Case.objects.get().signals.count() == len(signals)
        assert CaseSubject.objects.count() == 1


@pytest.mark.django_db
def test_review_of_one_customer_stays_in_one_case(analyst_user, analyst):
    account = make_open_account()
    old = make_case(account, worked_by=analyst_user)
    decisions.propose(old, account=account, outcome="no_action", reason="concern_cleared", by=analyst, at=NOON)
    new = make_case(account)

    with pytest.raises(review.NotFinished, match=new.reference):
        review.reopen(old, why="new_facts", by=analyst, at=NOON)

import threading

import pytest
from django.db import connection

from accounts.models import RiskSignal
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
        assert (clock.due_on, clock.is_law) == (case.due_on, False)

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

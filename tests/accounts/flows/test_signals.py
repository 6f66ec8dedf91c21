from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts import events
from accounts.flows import identification, rating, restrictions, signals
from accounts.models import Account, RiskSignal
from accounts.rules.detectors import DETECTORS, Flag
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_company, make_hit, make_open_account, new_person
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)
OVERDUE = Flag("reverification_overdue", "Re-verification is overdue by 3 days.", {"days": 3})


def look(account, at=NOON):
    return signals.run_detectors(account, by=SCHEDULER, at=at)


def add_passport(account, **changes):
    given = {"kind": "passport", "number": "C01X0006", "country": "DE", "expires_on": date(2034, 1, 1)}
    return identification.add_document(account.party, **{**given, **changes}, by=SCHEDULER, at=NOON)


class TestGatherFacts:
    def test_it_reads_what_each_source_says(self, db):
        account = make_account()
        document = add_passport(account, country="FR")
        identification.add_payment_method(
            account.party, kind="card", identifier="tok_000000000001", country="BR", by=SCHEDULER, at=NOON
        )
        confirmed, possible = make_hit(account.party, status="confirmed"), make_hit(account.party)

        facts = signals.gather_facts(account, on=NOON.date())

        assert (facts.document_countries, facts.payment_countries, facts.address_countries) == ({"FR"}, {"BR"}, {"DE"})
        assert (facts.confirmed_hits, facts.possible_hits) == ((confirmed.reference,), (possible.reference,))
        assert [each.reference for each in facts.documents] == [document.reference]
        assert facts.owner_threshold == 25

    def test_it_counts_the_hits_of_owners_and_their_whole_shares(self, db):
        account = make_company()
        for percent in (Decimal("24.5"), Decimal("24.9")):
            stake = identification.add_owner(account.party, owner=new_person(), percent=percent, by=SCHEDULER, at=NOON)
        hit = make_hit(stake.owner)

        facts = signals.gather_facts(account, on=NOON.date())

        assert facts.possible_hits == (hit.reference,)
        assert sorted(facts.owner_percents) == [Decimal("24.5"), Decimal("24.9")]
        assert "near_threshold_owners" in {signal.code for signal in look(account)}

    def test_its_queries_do_not_grow_with_what_is_on_file(self, db, django_assert_num_queries):
        few, many = make_account(), make_account()
        for number in range(12):
            add_passport(many, number=f"C01X00{number:02}")
            make_hit(many.party)

        few, many = (Account.objects.select_related("party").get(pk=each.pk) for each in (few, many))
        for account in (few, many):
            with django_assert_num_queries(11):
                signals.gather_facts(account, on=NOON.date())


class TestRaising:
    def test_it_raises_once_and_tells_the_apps_above(self, db):
        account, heard = make_account(), []

        def hear(sender, *, risk_signal, by, at, **kwargs):
            heard.append((risk_signal.code, by, at))

        events.signal_raised.connect(hear)
        try:
            first = signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=NOON)
            second = signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=LATER)
        finally:
            events.signal_raised.disconnect(hear)

        assert second == first and second.known_at == NOON
        assert heard == [("reverification_overdue", SCHEDULER, NOON)]

    def test_without_its_case_there_is_no_signal(self, db):
        account = make_account()

        def fail(sender, **kwargs):
            raise RuntimeError("no case can be opened")

        events.signal_raised.connect(fail)
        try:
            with pytest.raises(RuntimeError):
                signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=NOON)
        finally:
            events.signal_raised.disconnect(fail)

        assert not RiskSignal.objects.exists()

    def test_new_evidence_renews_an_open_flag_and_counts_do_not(self, db):
        account = make_account()
        first = make_hit(account.party)
        [signal] = look(account)
        told = AuditEvent.objects.count()
        look(account, at=LATER)
        same = AuditEvent.objects.count()
        second = make_hit(account.party)

        look(account, at=LATER)

        signal.refresh_from_db()
        assert told == same
        assert sorted(signal.evidence["hits"]) == sorted([first.reference, second.reference])
        assert signal.sentence.startswith("2 sanctions hits")

    def test_an_answered_flag_comes_back_only_with_new_evidence(self, db, analyst):
        account = make_account()
        make_hit(account.party)
        [signal] = look(account)
        signals.answer_signal(signal, answer="no_action", by=analyst, at=NOON)

        assert look(account, at=LATER) == []
        make_hit(account.party)
        [again] = look(account, at=LATER)

        assert again != signal and again.code == signal.code

    def test_what_a_flow_raises_itself_comes_back_after_an_answer(self, db, analyst):
        account = make_account()
        signal = signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=NOON)
        signals.answer_signal(signal, answer="no_action", by=analyst, at=NOON)

        assert signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=LATER) != signal

    def test_an_answer_is_given_once(self, db, analyst):
        signal = signals.raise_signal(make_account(), OVERDUE, by=SCHEDULER, at=NOON)
        signals.answer_signal(signal, answer="no_action", by=analyst, at=NOON)

        with pytest.raises(signals.AlreadyAnswered, match=signal.reference):
            signals.answer_signal(signal, answer="no_action", by=analyst, at=NOON)

    @pytest.mark.parametrize("answer", ["", "  ", "x" * 61])
    def test_an_answer_says_something_short(self, db, analyst, answer):
        signal = signals.raise_signal(make_account(), OVERDUE, by=SCHEDULER, at=NOON)

        with pytest.raises(signals.NoAnswer):
            signals.answer_signal(signal, answer=answer, by=analyst, at=NOON)

    def test_an_expired_document_is_seen_when_its_day_has_passed(self, db):
        account = make_account()
        add_passport(account, expires_on=date(2026, 3, 5))

        assert look(account) == []
        assert [each.code for each in look(account, at=NOON + timedelta(days=4))] == ["expired_document"]

    def test_two_at_once_raise_one(self, transactional_db, in_threads):
        account = make_account()

        raised = in_threads(*[lambda: signals.raise_signal(account, OVERDUE, by=SCHEDULER, at=NOON)] * 3)

        assert {each.pk for each in raised} == {RiskSignal.objects.get().pk}


class TestRating:
    def test_open_flags_make_the_tier_and_answers_unmake_it(self, db, analyst):
        account = make_account()
        make_hit(account.party, status="confirmed")
        [signal] = look(account)
        account.refresh_from_db()
        rated = (account.risk_tier, account.risk_score)

        signals.answer_signal(signal, answer="no_action", by=analyst, at=NOON)

        account.refresh_from_db()
        assert rated == ("high", 100)
        assert (account.risk_tier, account.risk_score, account.next_review_on) == ("low", 0, None)

    def test_a_restricted_customer_does_not_become_harmless(self, db, analyst):
        account = make_open_account()
        make_hit(account.party, status="confirmed")
        [signal] = look(account)
        restriction = restrictions.limit(
            account, reason="masked_access", public_wording="–", basis="DEC-1", by=analyst, at=NOON
        )

        signals.answer_signal(signal, answer="limit", by=analyst, at=NOON)
        account.refresh_from_db()
        while_limited = account.risk_tier
        restrictions.lift(restriction, why="explained", by=analyst, at=NOON)
        rating.rate_risk(account, by=SCHEDULER, at=NOON)

        account.refresh_from_db()
        assert (while_limited, account.risk_tier) == ("high", "low")

    def test_an_open_account_gets_its_next_review_by_tier(self, db):
        account = make_open_account()
        quiet = account.next_review_on
        make_hit(account.party, status="confirmed")

        look(account)

        account.refresh_from_db()
        assert quiet == NOON.date() + timedelta(days=730)
        assert account.next_review_on == NOON.date() + timedelta(days=180)

    def test_rating_again_postpones_nothing_and_tells_nothing(self, db):
        account = make_open_account()
        told = AuditEvent.objects.count()

        rating.rate_risk(account, by=SCHEDULER, at=NOON + timedelta(days=100))

        account.refresh_from_db()
        assert account.next_review_on == NOON.date() + timedelta(days=730)
        assert AuditEvent.objects.count() == told


class TestRunDue:
    def test_it_looks_at_open_accounts_only(self, db):
        account, prospect = make_open_account(), make_account()
        for each in (account, prospect):
            make_hit(each.party)

        assert signals.run_due(by=SCHEDULER, at=NOON) == {"done": 1, "failed": 0}
        assert (account.signals.count(), prospect.signals.count()) == (1, 0)

    def test_one_that_fails_does_not_stop_the_others(self, db, monkeypatch):
        bad, good = make_open_account(), make_open_account()
        make_hit(good.party)
        gather = signals._gather

        def fail_for_one(account, on):
            if account.pk == bad.pk:
                raise RuntimeError("cannot be read")
            return gather(account, on)

        monkeypatch.setattr(signals, "_gather", fail_for_one)

        assert signals.run_due(by=SCHEDULER, at=NOON) == {"done": 1, "failed": 1}
        assert good.signals.exists()


def test_every_flag_of_the_catalogue_fits_its_column():
    assert all(len(detector.code) <= 60 for detector in DETECTORS)

"""Many cases at once: judged as one alone, told one by one, in a number of queries that does not grow with them."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Restriction, RiskSignal
from cases.flows import absences, bulk, decisions, review
from cases.models import Assignment, Case, Decision
from cases.rules.outcomes import UnfitOutcome
from kyc_portal.policy.models import Deadline
from kyc_portal.records.models import AuditEvent
from tests.bench.queue import fill
from tests.cases.builders import make_case, make_open_account, make_request
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
CLEARED = {"outcome": "no_action", "reason": "concern_cleared"}
SUSPENDED = {"outcome": "suspend", "reason": "unusual_use"}
INSERTS = re.compile(r"INSERT INTO")


def keys(*cases) -> list:
    return [case.pk for case in cases]


def by_reference(told) -> dict:
    return {outcome.reference: outcome for outcome in told}


class TestAssign:
    def test_each_is_given_or_refused_with_its_sentence(self, analyst_user, lead_user, lead, counsel):
        free, had, ended = make_case(), make_case(worked_by=lead_user), make_case(worked_by=lead_user)
        bulk.decide(keys(ended), **CLEARED, user=lead_user, by=lead, at=NOON)
        hidden = make_request(by=counsel).case

        told = bulk.assign(
            [*keys(free, had, ended, hidden), uuid4()], to=analyst_user, user=lead_user, by=lead, at=NOON
        )

        assert [outcome.is_done for outcome in told] == [False, False, False, True, True]
        assert "decided. Open it again" in by_reference(told)[ended.reference].sentence
        assert hidden.reference not in str(told) and str(told).count("There is no such case") == 2
        assert set(Case.objects.filter(assigned_to=analyst_user)) == {free, had}
        assert Assignment.objects.filter(to_at__isnull=True, user=analyst_user).count() == 2
        assert AuditEvent.objects.filter(verb="cases.assigned", facts__to="ana").count() == 2

    def test_what_holds_for_all_is_one_refusal(self, analyst_user, analyst, lead_user, lead):
        case = make_case()
        with pytest.raises(review.CannotWorkCases, match="Ask a lead"):
            bulk.assign(keys(case), to=lead_user, user=analyst_user, by=analyst, at=NOON)
        absences.enter(user=analyst_user, from_on=NOON.date(), to_on=NOON.date(), by=analyst, at=NOON)
        with pytest.raises(review.Away):
            bulk.assign(keys(case), to=analyst_user, user=lead_user, by=lead, at=NOON)

    def test_none_and_too_many_are_refused(self, lead_user, lead):
        for wanted in ([], [uuid4() for _ in range(501)]):
            with pytest.raises(bulk.TooMany):
                bulk.assign(wanted, to=lead_user, user=lead_user, by=lead, at=NOON)


class TestClose:
    def test_it_closes_what_is_finished_and_says_what_is_not(self, lead_user, lead, analyst_user):
        decided, unanswered = make_case(worked_by=lead_user), make_case(worked_by=lead_user)
        bulk.decide(keys(decided), **CLEARED, user=lead_user, by=lead, at=NOON)

        told = by_reference(bulk.close(keys(decided, unanswered), why="decided", user=lead_user, by=lead, at=NOON))

        assert told[decided.reference].is_done and not told[unanswered.reference].is_done
        assert "not answered" in told[unanswered.reference].sentence
        assert Case.objects.get(pk=decided.pk).closed_at == NOON
        assert Case.objects.get(pk=unanswered.pk).status == "in_review"
        assert AuditEvent.objects.get(verb="cases.closed").facts == {"case": decided.reference, "why": "decided"}

    def test_a_reason_is_forced(self, lead_user, lead):
        with pytest.raises(review.UnknownWhy):
            bulk.close(keys(make_case()), why="", user=lead_user, by=lead, at=NOON)


class TestDecide:
    def test_it_says_and_does_what_one_alone_does(self, analyst_user, analyst):
        one, other = make_case(worked_by=analyst_user), make_case(worked_by=analyst_user)

        account = one.subjects.get().account
        alone = decisions.propose(one, account=account, **CLEARED, by=analyst, at=NOON)
        [told] = bulk.decide(keys(other), **CLEARED, user=analyst_user, by=analyst, at=NOON)

        assert told.is_done, told
        made = Decision.objects.get(case=other)
        same = ("outcome", "reason", "state", "proposed_by_key", "answered_at", "answered_by", "answered_why")
        assert [getattr(made, name) for name in same] == [getattr(alone, name) for name in same]
        assert made.rests_on.keys() == alone.rests_on.keys()
        one, other = Case.objects.get(pk=one.pk), Case.objects.get(pk=other.pk)
        assert (one.status, one.decided_at, one.weight) == (other.status, other.decided_at, other.weight)
        assert set(RiskSignal.objects.values_list("answer", "answered_at")) == {("no_action", NOON)}
        rated = set(Account.objects.values_list("risk_tier", "risk_score", "next_review_on"))
        assert len(rated) == 1
        assert not Deadline.objects.running().filter(kind="triage").exists()
        verbs = AuditEvent.objects.filter(within_key__in=[str(one.pk), str(other.pk)]).values_list("verb", flat=True)
        assert sorted(verbs) == ["cases.in_effect"] * 2

    def test_what_takes_two_people_is_proposed(self, analyst_user, analyst, lead):
        cases = [make_case(worked_by=analyst_user) for _ in range(2)]

        told = bulk.decide(keys(*cases), **SUSPENDED, user=analyst_user, by=analyst, at=NOON)

        assert all(outcome.is_done for outcome in told)
        assert set(Case.objects.values_list("status", flat=True)) == {"proposed"}
        assert not Restriction.objects.exists()
        signed = decisions.countersign(Decision.objects.first(), by=lead, at=NOON)
        assert Restriction.objects.get().account == signed.account

    def test_each_refusal_is_that_of_one_alone(self, analyst_user, analyst, lead_user):
        not_mine, waiting = make_case(worked_by=lead_user), make_case(worked_by=analyst_user)
        closed = make_case(worked_by=analyst_user)
        bulk.decide(keys(waiting), **SUSPENDED, user=analyst_user, by=analyst, at=NOON)
        Account.objects.filter(pk=closed.subjects.get().account_id).update(status="closed", closed_at=NOON)

        told = by_reference(
            bulk.decide(keys(not_mine, waiting, closed), **SUSPENDED, user=analyst_user, by=analyst, at=NOON)
        )

        assert not any(outcome.is_done for outcome in told.values())
        assert "lea works it" in told[not_mine.reference].sentence
        assert "waits for its second signature" in told[waiting.reference].sentence
        assert "cannot be done to it" in told[closed.reference].sentence
        assert Decision.objects.count() == 1

    def test_what_changes_accounts_at_once_is_done_one_by_one(self, analyst_user, analyst, lead_user):
        mine, not_mine = make_case(worked_by=analyst_user), make_case(worked_by=lead_user)
        limit = {"outcome": "limit", "reason": "unusual_use"}

        told = by_reference(
            bulk.decide([*keys(mine, not_mine), uuid4()], **limit, user=analyst_user, by=analyst, at=NOON)
        )

        assert told[mine.reference].is_done and not told[not_mine.reference].is_done
        assert Restriction.objects.get().level == "limited"
        with pytest.raises(bulk.TooMany, match="at most 50"):
            bulk.decide([uuid4() for _ in range(51)], **limit, user=analyst_user, by=analyst, at=NOON)

    def test_reason_and_outcome_must_go_together(self, analyst_user, analyst):
        with pytest.raises(UnfitOutcome):
            bulk.decide(
                keys(make_case()), outcome="block", reason="concern_cleared", user=analyst_user, by=analyst, at=NOON
            )

    def test_legal_matters_take_no_decision_and_are_not_told(self, analyst_user, analyst, counsel_user, counsel):
        legal = make_request(by=counsel).case

        [unseen] = bulk.decide(keys(legal), **CLEARED, user=analyst_user, by=analyst, at=NOON)
        [seen] = bulk.decide(keys(legal), **CLEARED, user=counsel_user, by=counsel, at=NOON)

        assert legal.reference not in str(unseen)
        assert (seen.is_done, seen.sentence) == (False, "Your role does not include this.")


@pytest.mark.parametrize("decided", [CLEARED, SUSPENDED], ids=["in effect", "proposed"])
def test_queries_do_not_grow_with_the_cases(analyst_user, analyst, decided):
    counted = []
    for many in (3, 12):
        cases = [make_case(make_open_account(), worked_by=analyst_user) for _ in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            told = bulk.decide(keys(*cases), **decided, user=analyst_user, by=analyst, at=NOON)
        assert all(outcome.is_done for outcome in told)
        counted.append([each["sql"] for each in captured.captured_queries])

    few, more = ([sql for sql in each if not INSERTS.match(sql)] for each in counted)
    assert len(few) == len(more) <= 60, more
    assert len(counted[0]) == len(counted[1]), "inserts go in batches"


@pytest.mark.parametrize("decided", [CLEARED, SUSPENDED], ids=["in effect", "proposed"])
def test_five_hundred_take_at_most_sixty_queries_besides_inserts(analyst_user, analyst, decided):
    fill(0, 500)
    Account.objects.update(status="active", opened_at=NOON)
    Case.objects.update(assigned_to=analyst_user, status="in_review")
    chosen = list(Case.objects.values_list("pk", flat=True))

    with CaptureQueriesContext(connection) as captured:
        told = bulk.decide(chosen, **decided, user=analyst_user, by=analyst, at=NOON)

    assert len(told) == 500 and all(outcome.is_done for outcome in told)
    assert Decision.objects.count() == 500
    statements = [each["sql"] for each in captured.captured_queries if not INSERTS.match(each["sql"])]
    assert len(statements) <= 60, len(statements)

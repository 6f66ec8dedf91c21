"""Two cases become one, and two again exactly as they were; what must stay apart stays apart."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from accounts.models import RiskSignal
from cases.flows import decisions, locks, merging, readers, review, triage
from cases.models import Case, CaseMerge, CaseNote, CaseSignal, CaseSubject
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records import audit
from tests.at_once import needs_row_locks
from tests.cases import reports
from tests.cases.builders import make_case, make_open_account, make_request, make_signal
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def picture(case: Case) -> dict:
    """Everything of a case that a merge touches."""
    row = Case.objects.filter(pk=case.pk).values().get()
    found = {name: row[name] for name in row if name != "closed_at" or row[name]}
    for model in (CaseSubject, CaseSignal, CaseNote):
        found[model.__name__] = sorted(model.objects.filter(case=case).values_list("pk", flat=True))
    found["reports"] = sorted(case.abuse_reports.values_list("pk", flat=True))
    found["clocks"] = [(clock.kind, clock.due_on) for clock in clocks_of(case)]
    found["has it"] = list(case.assignments.filter(to_at=None).values_list("user", flat=True))
    return found


@pytest.fixture
def two(analyst_user):
    """A case with a note of each, the second with a report's story beside its flag."""
    kept, other = make_case(worked_by=analyst_user), make_case(code="confirmed_list_hit", worked_by=analyst_user)
    for case in (kept, other):
        review.add_note(case, text="seen", by=analyst_user.as_actor, at=NOON)
    report = reports.take_in()
    type(report).objects.filter(pk=report.pk).update(case=other)
    other.weight = triage.weight_of(other, on=NOON.date())
    other.save(update_fields=["weight"])
    return kept, other


class TestMerge:
    def test_what_was_in_one_is_in_the_other(self, two, analyst):
        kept, other = two
        made = merging.merge(kept, other=f" {other.reference.lower()} ", by=analyst, at=LATER)

        kept.refresh_from_db()
        other.refresh_from_db()
        assert (other.status, kept.status) == ("closed", "in_review")
        assert kept.kind == "list_hit" and kept.title == other.title
        assert kept.subjects.count() == kept.signals.count() == kept.notes.count() == 2
        assert kept.abuse_reports.count() == 1 and not other.subjects.exists() and not other.notes.exists()
        assert made.undo_until == LATER + timedelta(hours=24)
        assert [audit.history_of(case)[0].verb for case in two] == ["cases.merged", "cases.merged"]

    def test_undone_both_stand_exactly_as_before(self, two, analyst):
        before = [picture(case) for case in two]
        kept, other = two
        merging.merge(kept, other=other.reference, by=analyst, at=LATER)

        merging.undo(kept, by=analyst, at=LATER + timedelta(hours=2))

        assert [picture(case) for case in two] == before

    def test_an_account_of_both_stays_with_each(self, analyst_user, analyst):
        account = make_open_account()
        kept, other = make_case(account, worked_by=analyst_user), make_case(worked_by=analyst_user)
        CaseSubject.objects.create(case=other, account=account, joined_at=NOON)
        before = [picture(case) for case in (kept, other)]

        merging.merge(kept, other=other.reference, by=analyst, at=LATER)
        assert kept.subjects.filter(account=account).count() == 1
        merging.undo(kept, by=analyst, at=LATER)

        assert [picture(case) for case in (kept, other)] == before

    def test_what_came_meanwhile_stays_with_its_account(self, two, analyst):
        kept, other = two
        account = other.subjects.get().account
        merging.merge(kept, other=other.reference, by=analyst, at=LATER)
        made = make_signal(account, "anonymised_access_only", at=LATER)

        merging.undo(kept, by=analyst, at=LATER)

        assert made.in_case.case == kept
        assert set(kept.subjects.values_list("account", flat=True)) >= {account.pk}
        assert other.subjects.get().account == account

    @pytest.mark.parametrize("how", ["late", "decided", "signed", "ended", "twice", "opened again"])
    def test_it_is_not_undone(self, two, analyst, how):
        kept, other = two
        merging.merge(kept, other=other.reference, by=analyst, at=LATER)
        at = LATER
        if how == "late":
            at = LATER + timedelta(hours=24, seconds=1)
        if how == "decided":
            account = kept.subjects.first().account
            decisions.propose(kept, account=account, outcome="watch", reason="unusual_use", by=analyst, at=LATER)
        if how == "signed":
            chosen = {"account": kept.subjects.first().account, "outcome": "limit", "reason": "unusual_use"}
            decisions.propose(kept, **chosen, at_once=False, by=analyst, at=LATER)
        if how == "ended":
            RiskSignal.objects.update(answered_at=LATER, answer="x")
            kept.abuse_reports.update(state="settled")
            review.close_case(kept, why="decided", by=analyst, at=LATER)
        if how == "twice":
            merging.undo(kept, by=analyst, at=LATER)
        if how == "opened again":
            review.reopen(other, why="new_facts", by=analyst, at=LATER)

        with pytest.raises(merging.NotUndone):
            merging.undo(kept, by=analyst, at=at)

    def test_a_withdrawn_proposal_is_no_decision(self, two, analyst):
        kept, other = two
        merging.merge(kept, other=other.reference, by=analyst, at=LATER)
        account = kept.subjects.first().account
        made = decisions.propose(kept, account=account, outcome="suspend", reason="unusual_use", by=analyst, at=LATER)
        decisions.withdraw(made, by=analyst, at=LATER)

        assert merging.undo(kept, by=analyst, at=LATER).undone_by == "ana"

    def test_what_must_stay_apart_is_refused(self, analyst_user, analyst, lead_user, lead, counsel):
        kept, proposed, secret = (make_case(worked_by=analyst_user) for _ in range(3))
        legal, taken = make_request(by=counsel).case, make_case(worked_by=lead_user)
        readers.restrict(secret, to=[analyst_user], by=lead, at=NOON)
        hidden = make_case(worked_by=lead_user)
        readers.restrict(hidden, to=[person("other", "lead reviewer")], by=lead, at=NOON)
        decisions.propose(
            proposed, account=proposed.subjects.get().account, outcome="suspend", reason="unusual_use", by=analyst,
            at=NOON,
        )  # fmt: skip
        told = {}
        for name, reference in (
            ("itself", kept.reference), ("proposed", proposed.reference), ("secret", secret.reference),
            ("legal", legal.reference), ("taken", taken.reference), ("hidden", hidden.reference),
            ("unknown", "CSE-2222-2222"),
        ):  # fmt: skip
            with pytest.raises((merging.NotMerged, review.CannotWorkCases)) as refused:
                merging.merge(kept, other=reference, by=analyst, at=NOON)
            told[name] = str(refused.value)

        assert told["legal"] == told["hidden"] == told["unknown"]
        assert "named people only" in told["secret"] and "decision proposed" in told["proposed"]
        assert "very case" in told["itself"] and "lea has it" in told["taken"]
        assert not CaseMerge.objects.exists()

    def test_nobody_else_merges(self, two, analyst):
        kept, other = two
        with pytest.raises(review.CannotWorkCases):
            merging.merge(kept, other=other.reference, by=person("bea", "reviewer").as_actor, at=NOON)

    def test_its_lock_is_gone(self, two, analyst):
        kept, other = two
        merging.merge(kept, other=other.reference, by=analyst, at=LATER)

        assert locks.holder(other, NOON) is None


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_of_two_merges_at_once_one_wins(roles_there, analyst_user):
    """A into B and B into A, at the same moment: one is closed, everything is in the other."""
    one, two = make_case(worked_by=analyst_user), make_case(worked_by=analyst_user)
    start, told = threading.Barrier(2), []

    def run(kept, other):
        start.wait()
        try:
            merging.merge(kept, other=other.reference, by=analyst_user.as_actor, at=LATER)
            told.append("done")
        except merging.NotMerged:
            told.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in ((one, two), (two, one))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(told) == ["done", "refused"]
    assert Case.objects.get(status="in_review").subjects.count() == 2

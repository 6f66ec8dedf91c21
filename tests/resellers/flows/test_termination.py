"""Two people end a relationship; from then on the reseller sells nothing (R59, R61, R62, T30)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.flows.texts import BadField
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.templatetags.marks import clock_tone
from kyc_portal.work.models import Job
from resellers import tasks
from resellers.flows import cip, file, findings, onboarding, termination
from resellers.models import Termination
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_applicant, make_downstream, make_open_account, make_reseller
from tests.conftest import NOON, person
from tests.resellers.ending import CARLA, RITA, SAM, carry_out, decided, make_finding, make_other, propose

pytestmark = pytest.mark.django_db


class TestPropose:
    def test_r59_it_keeps_the_reason_and_its_sealed_words_and_changes_nothing(self):
        reseller = make_reseller()
        link = make_downstream(reseller)

        row = propose(reseller)

        stored = Termination.objects.get(pk=row.pk)
        assert (stored.state, str(stored.words), stored.words.reveal()) == (
            "proposed", "••••••", "They refuse to keep a CIP.",
        )  # fmt: skip
        step = row.steps.get()
        assert (step.link, step.outcome, step.state) == (link, "direct", "waiting")
        assert file.standing_of(reseller, on=NOON.date()).may_sell
        event = AuditEvent.objects.get(verb="resellers.termination.proposed")
        assert event.facts == {"reseller": reseller.reference, "reason": "not_compliant", "count": 1}
        assert not Job.objects.filter(kind=termination.CARRY_OUT).exists()

    def test_it_takes_the_last_day_of_the_soonest_finding(self):
        reseller = make_reseller()
        make_finding(reseller, at=NOON + timedelta(days=3))
        finding = make_finding(reseller, at=NOON)

        row = propose(reseller, finding=finding, reason="not_cured", at=NOON + timedelta(days=4))

        assert (row.due_on, row.citation.standing) == (finding.due_on, "proposed")

    def test_a_second_one_is_refused_until_the_first_is_withdrawn(self):
        reseller = make_reseller()
        first = propose(reseller)

        with pytest.raises(termination.AlreadyEnding, match=f"{first.reference} is waits for|{first.reference}"):
            propose(reseller)
        termination.withdraw(first, why="They answered.", by=CARLA, at=NOON)

        assert propose(reseller).state == "proposed"

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"reason": "dislike"}, "Reason"),
            ({"words": " "}, "Why is empty"),
            ({"words": "a\x00b"}, "NUL"),
            ({"outcome": "sell"}, "Outcome"),
            ({"outcome": "migrate"}, "Name the one to whom they move"),
            ({"own_outcome": "direct"}, "own account must be close or suspend"),
            ({"reason": "not_cured"}, "Finding is empty"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_is_written(self, changes, says):
        reseller = make_reseller()
        with pytest.raises(BadField, match=says):
            propose(reseller, **changes)

        assert not Termination.objects.exists()

    def test_nobody_moves_to_the_reseller_itself(self):
        reseller = make_reseller()

        with pytest.raises(BadField, match="the one whose relationship ends"):
            propose(reseller, outcome="migrate", target=reseller)

    def test_nobody_moves_to_one_that_may_not_sell(self):
        target = make_applicant()

        with pytest.raises(BadField, match=f"{target.reference} may not sell. No contract is in force"):
            propose(make_reseller(), outcome="migrate", target=target)

    def test_a_target_without_a_move_is_refused(self):
        with pytest.raises(BadField, match="nobody moves"):
            propose(make_reseller(), outcome="close", target=make_other())

    def test_the_finding_of_another_reseller_is_refused(self):
        with pytest.raises(BadField, match="does not stand against this reseller"):
            propose(make_reseller(), reason="not_cured", finding=make_finding(make_other()))


class TestAgree:
    def test_r61_from_the_second_signature_the_reseller_sells_nothing(self, reseller_manager_user):
        reseller = make_reseller()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        row = propose(reseller)

        termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)

        row.refresh_from_db()
        assert (row.state, row.decided_by) == ("under_way", "carla")
        (why,) = file.standing_of(reseller, on=NOON.date()).reasons
        assert why == f"The relationship ended on {NOON.date()}. It sells nothing any more."
        with pytest.raises(onboarding.NoReseller, match="ended on"):
            onboarding.add_downstream(reseller, account=make_open_account(), by=RITA, at=NOON)
        for refused in (
            lambda: cip.submit_cip(reseller, title="New", text="New", by=RITA, at=NOON),
            lambda: file.record_contract(reseller, number="C-9", from_on=NOON.date(), to_on=None, by=RITA, at=NOON),
            lambda: onboarding.bind_manager(reseller, user=person("rolf", "reseller manager"), by=RITA, at=NOON),
            lambda: make_finding(reseller),
        ):
            with pytest.raises(file.Ended, match="Nothing is taken for it"):
                refused()
        assert reseller.managers.filter(ended_at__isnull=True).exists(), "they read on until all is done"
        assert Job.objects.get(kind=termination.CARRY_OUT).key == row.reference

    @pytest.mark.parametrize("by", [RITA, SCHEDULER])
    def test_neither_who_proposed_nor_the_scheduler_gives_the_second_signature(self, by):
        row = propose(make_reseller())

        with pytest.raises(SecondPersonNeeded):
            termination.agree(row, shown=termination.digest_of(row), by=by, at=NOON)

        row.refresh_from_db()
        assert row.state == "proposed"

    def test_it_is_agreed_once(self):
        row = decided(make_reseller())

        with pytest.raises(MoveNotAllowed):
            termination.agree(row, shown=termination.digest_of(row), by=SAM, at=NOON)
        with pytest.raises(MoveNotAllowed):
            termination.withdraw(row, why="Too late.", by=SAM, at=NOON)

    def test_what_was_cured_meanwhile_is_not_ended(self):
        reseller = make_reseller()
        finding = make_finding(reseller)
        row = propose(reseller, reason="not_cured", finding=finding)
        finding = findings.propose_cure(finding, why="Done.", by=RITA, at=NOON)
        findings.accept_cure(finding, shown=findings.digest_of(finding), by=CARLA, at=NOON)

        with pytest.raises(termination.NoLongerHolds, match=f"{finding.reference} is cured. Withdraw"):
            termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)

    def test_customers_who_came_since_the_proposal_are_handled_too(self):
        reseller = make_reseller()
        row = propose(reseller)
        link = make_downstream(reseller)

        termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)

        assert [step.link for step in row.steps.all()] == [link]


class TestChoose:
    def test_for_one_and_for_all_that_are_left(self):
        reseller, target = make_reseller(), make_other()
        for _ in range(3):
            make_downstream(reseller)
        row = propose(reseller)
        one = row.steps.first()

        termination.choose(row, outcome="migrate", target=target, steps=[one.pk], by=RITA, at=NOON)
        count = termination.choose(row, outcome="close", by=RITA, at=NOON)

        assert count == 3
        assert {(step.outcome, step.target) for step in row.steps.all()} == {("close", None)}
        assert [event.facts["count"] for event in AuditEvent.objects.filter(verb="resellers.termination.chosen")] == [
            1, 3,
        ]  # fmt: skip

    def test_what_is_done_is_not_chosen_again(self):
        reseller = make_reseller()
        make_downstream(reseller)
        row = carry_out(decided(reseller))

        with pytest.raises(MoveNotAllowed):
            termination.choose(row, outcome="close", by=RITA, at=NOON)

    def test_a_done_one_of_an_end_under_way_is_refused(self):
        reseller = make_reseller()
        done, _ = make_downstream(reseller), make_downstream(reseller)
        row = decided(reseller)
        row.steps.filter(link=done).update(state="done", result="direct", done_at=NOON)

        with pytest.raises(termination.StepDone, match="done already"):
            termination.choose(row, outcome="close", steps=[row.steps.get(link=done).pk], by=RITA, at=NOON)
        with pytest.raises(termination.NothingFailed):
            termination.try_again(row, by=RITA, at=NOON)

    def test_steps_of_another_end_are_out_of_reach(self):
        reseller, other = make_reseller(), make_other()
        make_downstream(reseller)
        theirs = propose(other)
        step = propose(reseller).steps.get()

        with pytest.raises(termination.StepDone, match="No customer is left"):
            termination.choose(theirs, outcome="close", steps=[step.pk], by=RITA, at=NOON)


class TestDeadlines:
    KNOWN = datetime(2026, 6, 1, 12, tzinfo=UTC)
    GOOD, BREACH = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 2, 12, tzinfo=UTC)

    def found(self):
        reseller = make_reseller(at=self.KNOWN - timedelta(days=30))
        return reseller, make_finding(reseller, at=self.KNOWN)

    def test_t30_ended_on_the_thirtieth_day_is_in_time(self):
        reseller, finding = self.found()
        row = decided(reseller, reason="not_cured", finding=finding, at=self.GOOD)

        assert termination.days_over(row, on=date(2026, 7, 1)) == 0
        row = carry_out(row, at=self.GOOD)

        finding.refresh_from_db()
        assert (row.state, finding.state, finding.due_on) == ("done", "ended", date(2026, 7, 1))
        assert not termination.was_late(row)
        assert not clocks_of(finding).exists(), "the clock stops when it is done"

    def test_t30_still_active_on_the_thirty_first_day_is_a_breach(self):
        reseller, finding = self.found()
        row = decided(reseller, reason="not_cured", finding=finding, at=self.GOOD)

        assert clocks_of(finding).get().due_on == date(2026, 7, 1), "deciding alone does not stop it"
        assert termination.days_over(row, on=date(2026, 7, 2)) == 1
        assert list(Termination.objects.overdue(date(2026, 7, 1))) == []
        assert list(Termination.objects.overdue(date(2026, 7, 2))) == [row]
        assert [clock_tone(row.due_on, date(2026, 7, day)) for day in (1, 2)] == ["warning", "danger"]
        assert termination.was_late(carry_out(row, at=self.BREACH))

    def test_t30_the_scheduler_proposes_from_the_thirty_first_day_and_once(self):
        _, finding = self.found()

        tasks.enforce_cure_deadlines(at=self.GOOD.isoformat())
        before = Termination.objects.count()
        told = [tasks.enforce_cure_deadlines(at=self.BREACH.isoformat()) for _ in range(2)]

        row = Termination.objects.get()
        assert (before, told[0]["done"], told[1]["done"]) == (0, 1, 0)
        assert (row.finding, row.state, row.proposed_by_key, row.outcome) == (finding, "proposed", "", "direct")
        assert finding.reference in row.words.reveal()
        termination.withdraw(row, why="They have until Monday.", by=CARLA, at=self.BREACH)
        tasks.enforce_cure_deadlines(at=(self.BREACH + timedelta(days=1)).isoformat())
        assert Termination.objects.count() == 1, "what a person withdrew is not proposed by the clock again"

    def test_one_person_decides_what_the_clock_proposed(self):
        reseller, _ = self.found()
        termination.propose_overdue(by=SCHEDULER, at=self.BREACH)

        row = reseller.terminations.get()
        row = termination.agree(row, shown=termination.digest_of(row), by=RITA, at=self.BREACH)

        assert row.state == "under_way"

    def test_where_a_person_has_proposed_the_clock_does_not(self):
        reseller, finding = self.found()
        row = propose(reseller, reason="not_cured", finding=finding, at=self.GOOD)

        termination.propose_overdue(by=SCHEDULER, at=self.BREACH)

        assert list(Termination.objects.all()) == [row]


@pytest.mark.usefixtures("triggers_lifted_for_flush")
class TestAtOnce:
    @needs_row_locks
    def test_two_agree_at_once(self, in_threads):
        reseller = make_reseller()
        make_downstream(reseller)
        row = propose(reseller)

        first, second = once_it_waits(
            lambda: termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON),
            lambda: termination.agree(row, shown=termination.digest_of(row), by=SAM, at=NOON),
            in_threads,
        )

        assert first.decided_by == "carla" and isinstance(second, MoveNotAllowed)
        assert AuditEvent.objects.filter(verb="resellers.termination.agreed").count() == 1
        assert row.steps.count() == 1

    @needs_row_locks
    def test_a_customer_brought_while_it_is_agreed_is_refused(self, in_threads):
        reseller = make_reseller()
        row, account = propose(reseller), make_open_account()

        _, second = once_it_waits(
            lambda: termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON),
            lambda: onboarding.add_downstream(reseller, account=account, by=RITA, at=NOON),
            in_threads,
        )

        assert isinstance(second, onboarding.NoReseller)
        assert not reseller.customers.exists()

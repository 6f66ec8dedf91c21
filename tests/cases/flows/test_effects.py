"""The minutes in which a signed decision can be undone, and how it takes effect afterwards."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from accounts.flows import closing, restrictions
from accounts.models import Account, Restriction
from cases.flows import decisions, effects, review
from cases.models import Case, Decision
from cases.tasks import bring_decisions_into_effect
from kyc_portal.notices.models import Notice
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records import audit
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job
from tests.at_once import needs_row_locks, once_it_waits
from tests.cases.builders import make_case
from tests.conftest import NOON, person

SIGNED_AT = NOON + timedelta(minutes=1)
DUE = SIGNED_AT + timedelta(minutes=10)


def signed(analyst_user, lead=None, *, outcome="limit", reason="unusual_use") -> Decision:
    """One that waits to take effect: with one signature, or with the lead's as well."""
    case, by = make_case(worked_by=analyst_user), analyst_user.as_actor
    account = case.subjects.get().account
    made = decisions.propose(
        case, account=account, outcome=outcome, reason=reason, at_once=False, by=by, at=NOON if lead else SIGNED_AT
    )
    return decisions.countersign(made, at_once=False, by=lead, at=SIGNED_AT) if lead else made


def told_of_it() -> bool:
    return Notice.objects.filter(kind__in=["account_restricted", "account_closed"]).exists()


def verbs_of(decision: Decision) -> list[str]:
    return [event.verb.removeprefix("cases.") for event in audit.history_of(decision)]


@pytest.mark.django_db
class TestWait:
    def test_one_signature_changes_nothing_for_ten_minutes(self, analyst_user):
        decision = signed(analyst_user)

        assert (decision.state, decision.takes_effect_at) == ("signed", DUE)
        assert Case.objects.get().status == "proposed"
        assert not Restriction.objects.exists() and not told_of_it()
        assert verbs_of(decision) == ["signed"]

    def test_neither_do_two(self, analyst_user, lead):
        decision = signed(analyst_user, lead, outcome="close")

        assert (decision.state, decision.answered_by, decision.takes_effect_at) == ("signed", "lea", DUE)
        assert Account.objects.get(pk=decision.account_id).status == "active"

    def test_the_minutes_are_the_policys(self, analyst_user):
        RegimeNumber.objects.filter(name="undo_minutes").update(value=3)

        assert signed(analyst_user).takes_effect_at == SIGNED_AT + timedelta(minutes=3)

    @pytest.mark.parametrize(("outcome", "reason"), [("no_action", "concern_cleared"), ("watch", "unusual_use")])
    def test_what_leaves_the_account_as_it_is_does_not_wait(self, analyst_user, outcome, reason):
        assert signed(analyst_user, outcome=outcome, reason=reason).state == "countersigned"

    def test_nothing_else_is_decided_about_the_account_meanwhile(self, analyst_user, analyst):
        waiting = signed(analyst_user)

        with pytest.raises(decisions.AlreadyProposed, match="is signed and takes effect on 2 Mar 2026 at 12:11 UTC"):
            decisions.propose(
                waiting.case, account=waiting.account, outcome="watch", reason="unusual_use", by=analyst, at=SIGNED_AT
            )

    def test_who_signs_too_late_reads_who_signed(self, analyst_user, lead, compliance):
        decision = signed(analyst_user, lead, outcome="suspend")

        with pytest.raises(decisions.AlreadyAnswered, match="already countersigned by lea on 2 Mar 2026 at 12:01"):
            decisions.countersign(decision, by=compliance, at=SIGNED_AT)


@pytest.mark.django_db
class TestSweep:
    def test_what_is_due_takes_effect_once(self, analyst_user, lead):
        decision = signed(analyst_user, lead, outcome="suspend")

        told = [bring_decisions_into_effect(at.isoformat()) for at in (DUE - timedelta(seconds=1), DUE, DUE)]

        decision.refresh_from_db()
        assert [each["done"] for each in told] == [0, 1, 0]
        assert (decision.state, decision.in_effect_at, decision.answered_at) == ("countersigned", DUE, SIGNED_AT)
        assert decision.appeal_by == date(2026, 4, 1) == Restriction.objects.get().object_by
        assert Restriction.objects.get().level == "suspended"
        assert Case.objects.get().status == "decided"
        assert decision.account.signals.get().answer == "suspend"
        assert verbs_of(decision) == ["took_effect", "countersigned", "proposed"]

    def test_a_clock_that_jumps_back_brings_nothing_forward_and_undoes_nothing(self, analyst_user):
        decision = signed(analyst_user)
        effects.bring_due_into_effect(at=DUE)

        effects.bring_due_into_effect(at=NOON - timedelta(days=2))

        decision.refresh_from_db()
        assert decision.state == "countersigned"
        with pytest.raises(effects.NothingToUndo, match=r"in effect \(one signature\) since 2 Mar 2026 at 12:11 UTC"):
            effects.undo(decision, by=analyst_user.as_actor, at=NOON - timedelta(days=2))

    def test_a_clock_that_jumps_back_leaves_what_waits_waiting(self, analyst_user):
        decision = signed(analyst_user)

        assert effects.bring_due_into_effect(at=NOON - timedelta(days=2)) == {"done": 0, "failed": 0}
        assert effects.bring_into_effect(decision, by=SCHEDULER, at=DUE - timedelta(seconds=1)) is None
        assert effects.bring_into_effect(decision, by=SCHEDULER, at=DUE).state == "countersigned"

    def test_what_cannot_be_done_any_more_ends_with_its_reason_and_blocks_nobody(self, analyst_user, lead):
        closed_since, fine = signed(analyst_user, lead, outcome="suspend"), signed(analyst_user)
        closing.close_account(closed_since.account, reason="customer_request", by=lead, at=SIGNED_AT)

        told = effects.bring_due_into_effect(at=DUE)

        closed_since.refresh_from_db()
        fine.refresh_from_db()
        assert told == {"done": 2, "failed": 0} and not Job.objects.filter(kind="cases.bring_into_effect").exists()
        assert (closed_since.state, fine.state) == ("not_done", "countersigned")
        assert "is closed: “suspend the account” cannot be done to it" in closed_since.ended_why
        assert Case.objects.get(pk=closed_since.case_id).status == "in_review"
        assert verbs_of(closed_since)[0] == "not_done"
        assert Restriction.objects.count() == 1

    def test_a_refusal_in_the_middle_leaves_nothing_half_done(self, analyst_user, lead):
        decision = signed(analyst_user, lead, outcome="suspend")
        restrictions.suspend(
            decision.account, reason="own", public_wording="Stopped.", basis=decision.reference, by=lead, at=SIGNED_AT
        )

        effects.bring_due_into_effect(at=DUE)

        decision.refresh_from_db()
        assert (decision.state, decision.in_effect_at) == ("not_done", None)
        assert "already suspended on this basis" in decision.ended_why
        assert decision.account.signals.get().answered_at is None
        assert "took_effect" not in verbs_of(decision)

    def test_one_that_was_purged_since_is_left_out(self, analyst_user):
        decision = signed(analyst_user)
        gone = Decision(case=decision.case, account=decision.account)  # read by the sweep, purged before its turn

        assert effects.bring_into_effect(gone, by=SCHEDULER, at=DUE) is None


@pytest.mark.django_db
class TestUndo:
    def test_whoever_signed_takes_it_back(self, analyst_user, lead):
        first = signed(analyst_user, lead, outcome="close")
        second = signed(analyst_user)

        effects.undo(first, by=lead, at=SIGNED_AT)
        effects.undo(second, by=analyst_user.as_actor, at=SIGNED_AT)

        assert effects.bring_due_into_effect(at=DUE) == {"done": 0, "failed": 0}
        assert set(Decision.objects.values_list("state", "ended_by")) == {("undone", "lea"), ("undone", "ana")}
        assert set(Case.objects.values_list("status", flat=True)) == {"in_review"}
        assert not Restriction.objects.exists() and not told_of_it()
        assert verbs_of(first) == ["undone", "countersigned", "proposed"]

    def test_the_proposer_of_two_may_as_well(self, analyst_user, lead):
        decision = signed(analyst_user, lead, outcome="close")

        assert effects.undo(decision, by=analyst_user.as_actor, at=SIGNED_AT).state == "undone"

    def test_nobody_else_may(self, analyst_user, lead):
        with pytest.raises(effects.NotYourSignature, match="Ask ana to undo it"):
            effects.undo(signed(analyst_user), by=lead, at=SIGNED_AT)

    def test_what_is_undone_is_decided_anew(self, analyst_user, analyst):
        undone = effects.undo(signed(analyst_user), by=analyst, at=SIGNED_AT)

        again = decisions.propose(
            undone.case, account=undone.account, outcome="watch", reason="unusual_use", by=analyst, at=DUE
        )

        assert again.state == "countersigned"

    def test_it_is_undone_once(self, analyst_user, analyst):
        decision = effects.undo(signed(analyst_user), by=analyst, at=SIGNED_AT)

        with pytest.raises(effects.NothingToUndo, match="is undone; only what is signed"):
            effects.undo(decision, by=analyst, at=SIGNED_AT)


@needs_row_locks
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush", "roles_there")
class TestUndoAndEffectAtOnce:
    def test_undone_first_never_takes_effect(self, in_threads):
        analyst_user = person("ina", "reviewer")
        decision = signed(analyst_user)

        undone, swept = once_it_waits(
            lambda: effects.undo(decision, by=analyst_user.as_actor, at=DUE),
            lambda: effects.bring_due_into_effect(at=DUE),
            in_threads,
        )

        assert undone.state == "undone" and swept == {"done": 1, "failed": 0}
        assert Decision.objects.get().state == "undone" and not Restriction.objects.exists()

    def test_in_effect_first_is_not_undone(self, in_threads):
        analyst_user = person("ina", "reviewer")
        decision = signed(analyst_user)

        done, refused = once_it_waits(
            lambda: effects.bring_into_effect(decision, by=SCHEDULER, at=DUE),
            lambda: effects.undo(decision, by=analyst_user.as_actor, at=DUE),
            in_threads,
        )

        assert done.state == "countersigned"
        assert isinstance(refused, effects.NothingToUndo)
        assert Restriction.objects.count() == 1


@needs_row_locks
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush", "roles_there")
class TestTwoLeadsAtOnce:
    def test_one_signs_and_the_other_reads_who(self, in_threads):
        analyst_user, leo, liv = (
            person("ina", "reviewer"),
            person("leo", "lead reviewer"),
            person("liv", "lead reviewer"),
        )
        case = make_case(worked_by=analyst_user)
        made = decisions.propose(
            case, account=case.subjects.get().account, outcome="suspend", reason="unusual_use",
            by=analyst_user.as_actor, at=NOON,
        )  # fmt: skip

        first, second = once_it_waits(
            lambda: decisions.countersign(made, at_once=False, by=leo.as_actor, at=SIGNED_AT),
            lambda: decisions.decline(made, why="Milder.", by=liv.as_actor, at=SIGNED_AT),
            in_threads,
        )

        assert first.state == "signed"
        assert isinstance(second, decisions.AlreadyAnswered) and "countersigned by leo" in str(second)

    def test_of_two_who_take_a_free_case_one_decides(self, in_threads):
        leo, liv = person("leo", "lead reviewer"), person("liv", "lead reviewer")
        case = make_case()
        account = case.subjects.get().account

        def decide(user):
            with transaction.atomic():
                review.take(case, user=user, at=NOON)
                return decisions.propose(
                    case, account=account, outcome="limit", reason="unusual_use", by=user.as_actor, at=NOON
                )

        first, second = once_it_waits(lambda: decide(leo), lambda: decide(liv), in_threads)

        assert first.state == "countersigned"
        assert isinstance(second, review.AlreadyTaken) and "taken by leo" in str(second)
        assert Decision.objects.count() == Restriction.objects.count() == 1

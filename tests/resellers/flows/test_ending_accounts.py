"""The end of a relationship fans out over every customer, whoever is killed at whichever seam (R59, R62)."""

import contextlib
from datetime import date, timedelta
from unittest import mock

import pytest
from django.db import OperationalError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.flows import closing, intake, restrictions
from accounts.models import Account
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from resellers.flows import ending_accounts, file, onboarding, termination
from resellers.models import DownstreamCustomer, Termination, TerminationStep
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_account, make_downstream, make_entry, make_hit, make_reseller
from tests.conftest import NOON
from tests.resellers.ending import CARLA, LATER, RITA, carry_out, decided, make_finding, make_other, propose
from tests.resellers.rosters import read
from tests.resellers.rosters import row as roster_row

pytestmark = pytest.mark.django_db
MADE = {"by": SCHEDULER, "at": NOON}


class Killed(BaseException):
    """A worker that is gone: nothing of ours catches it."""


def close(account):
    closing.close_account(account, reason="own_request", **MADE)


def block(account):
    restrictions.block(account, reason="listed", public_wording="Not now.", basis="test", **MADE)


def prospect_of(reseller):
    """A customer whom the reseller brought and whose account is not open yet."""
    return onboarding.add_downstream(reseller, account=make_account(), **MADE)


class TestOutcomes:
    def test_taken_over_they_are_asked_for_proof_and_are_ours(self, reseller_manager_user):
        reseller = make_reseller()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        other = make_downstream(reseller)
        link = make_downstream(reseller)
        row = propose(reseller, outcome="close")
        step = row.steps.get(link=link)
        termination.choose(row, outcome="direct", steps=[step.pk], by=RITA, at=NOON)
        termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)

        carry_out(row)

        link.refresh_from_db()
        account = Account.objects.get(pk=link.account_id)
        assert (account.status, account.review_trigger, account.review_asked_on) == (
            "active", "reseller_ended", NOON.date(),
        )  # fmt: skip
        assert link.ended_at == NOON and not DownstreamCustomer.objects.current().filter(account=account).exists()
        assert file.may_not_sell(account, NOON) == [], "nobody but ourselves sells to it now"
        assert Account.objects.get(pk=other.account_id).status == "closed"
        assert Notice.objects.filter(kind="reverification_asked", key=account.pk).exists()

    def test_moved_they_belong_to_the_other_reseller(self):
        reseller, target = make_reseller(), make_other()
        link = make_downstream(reseller)

        row = carry_out(decided(reseller, outcome="migrate", target=target))

        link.refresh_from_db()
        assert (link.reseller, link.ended_at, row.steps.get().result) == (target, None, "migrated")
        assert Account.objects.get(pk=link.account_id).review_trigger == "reseller_changed"

    def test_closed_they_are_told_so(self):
        reseller = make_reseller()
        link = make_downstream(reseller)

        row = carry_out(decided(reseller, outcome="close"))

        account = Account.objects.get(pk=link.account_id)
        assert (account.status, account.closing_reason, row.steps.get().result) == (
            "closed", "reseller_ended", "closed",
        )  # fmt: skip
        assert Notice.objects.filter(kind="account_closed", key=account.pk).exists()

    def test_r41_suspended_they_read_why_and_may_object(self):
        reseller = make_reseller()
        link = make_downstream(reseller)

        row = carry_out(decided(reseller, outcome="suspend"))

        restriction = link.account.restrictions.in_force().get()
        assert (restriction.level, restriction.basis) == ("suspended", row.reference)
        assert restriction.public_wording.startswith("The reseller through which you have this account")
        assert restriction.object_by == date(2026, 4, 1)

    @pytest.mark.parametrize(
        ("outcome", "result", "status"),
        [("close", "refused", "refused"), ("suspend", "not_in_use", "prospect"), ("direct", "direct", "prospect")],
    )
    def test_what_was_never_opened(self, outcome, result, status):
        reseller = make_reseller()
        link = prospect_of(reseller)

        row = carry_out(decided(reseller, outcome=outcome))

        assert (row.state, row.steps.get().result) == ("done", result)
        assert Account.objects.get(pk=link.account_id).status == status

    @pytest.mark.parametrize("outcome", ["close", "suspend", "direct"])
    def test_what_was_closed_meanwhile_needs_nothing(self, outcome):
        reseller = make_reseller()
        link = make_downstream(reseller)
        row = decided(reseller, outcome=outcome)
        close(link.account)

        assert carry_out(row).steps.get().result == "over"

    def test_what_moved_meanwhile_is_no_longer_theirs(self):
        reseller, target = make_reseller(), make_other()
        link = make_downstream(reseller)
        row = decided(reseller, outcome="close")
        onboarding.change_reseller(link, reseller=target, by=RITA, at=NOON)

        assert carry_out(row).steps.get().result == "not_theirs"
        assert Account.objects.get(pk=link.account_id).status == "active"

    def test_a_hit_changes_nothing_that_anybody_outside_reads(self):
        reseller = make_reseller()
        link = make_downstream(reseller)
        make_hit(link.account.party)

        carry_out(decided(reseller, outcome="suspend"))

        words = link.account.restrictions.get().public_wording
        assert "list" not in words.lower() and "sanction" not in words.lower()


class TestFailures:
    def test_a_blocked_account_is_not_closed_and_stops_no_other(self):
        reseller = make_reseller()
        blocked, other = make_downstream(reseller), make_downstream(reseller)
        block(blocked.account)
        row = carry_out(decided(reseller, outcome="close"))

        step = row.steps.get(link=blocked)
        assert (step.state, step.why_failed, step.attempts) == ("failed", "blocked", 1)
        assert row.steps.get(link=other).result == "closed"
        assert row.state == "under_way", "the reseller is not over while a customer is left"

        termination.choose(row, outcome="suspend", steps=[step.pk], by=RITA, at=LATER)
        row = carry_out(row, at=LATER)

        step.refresh_from_db()
        assert (row.state, step.result, step.attempts) == ("done", "stopped", 2)
        assert Account.objects.get(pk=blocked.account_id).status == "blocked"

    def test_a_target_that_may_not_sell_any_more_fails_and_another_is_chosen(self):
        reseller, target = make_reseller(), make_other()
        link = make_downstream(reseller)
        row = decided(reseller, outcome="migrate", target=target)
        file.end_contract(target.contracts.get(), to_on=NOON.date(), by=RITA, at=NOON)

        row = carry_out(row, at=LATER)

        step = row.steps.get()
        assert (step.state, step.why_failed) == ("failed", "target")
        assert "may not sell" in step.get_why_failed_display()
        link.refresh_from_db()
        assert link.reseller == reseller
        file.record_contract(target, number="C-2", from_on=NOON.date(), to_on=None, by=RITA, at=LATER)
        assert termination.try_again(row, by=RITA, at=LATER) == 1
        assert carry_out(row, at=LATER).state == "done"

    def test_a_target_that_ends_itself_meanwhile(self):
        reseller, target = make_reseller(), make_other()
        make_downstream(reseller)
        row = decided(reseller, outcome="migrate", target=target)
        decided(target)

        assert carry_out(row).steps.get().why_failed == "target"

    def test_what_nobody_foresaw_is_marked_and_the_others_go_on(self, monkeypatch, caplog):
        reseller = make_reseller()
        bad, good = make_downstream(reseller, legal_name="Secret Name"), make_downstream(reseller)
        row = decided(reseller, outcome="close")
        real = closing.close_account

        def fails(account, **given):
            if account.pk == bad.account_id:
                raise ValueError("Secret Name")
            return real(account, **given)

        monkeypatch.setattr(closing, "close_account", fails)
        row = carry_out(row)

        assert (row.steps.get(link=bad).why_failed, row.steps.get(link=good).result) == ("error", "closed")
        assert "ValueError" in caplog.text and "Secret" not in caplog.text
        event = AuditEvent.objects.get(verb="resellers.termination.step_failed")
        assert event.facts == {
            "account": bad.account.reference, "reseller": reseller.reference, "reason": "error",
        }  # fmt: skip

    def test_trouble_with_the_database_is_nobodys_fault_and_tried_again(self, monkeypatch):
        reseller = make_reseller()
        make_downstream(reseller)
        row = decided(reseller, outcome="close")

        def locked(*args, **given):
            raise OperationalError("database is locked")

        with monkeypatch.context() as patch:
            patch.setattr(closing, "close_account", locked)
            told = queue.run_due(NOON)
        assert (told["failed"], row.steps.get().state) == (1, "waiting")

        queue.run_due(NOON + timedelta(minutes=10))

        assert row.steps.get().result == "closed"


class TestTheReseller:
    def test_at_its_end_everything_of_it_is_over(self, reseller_manager_user):
        reseller = make_reseller()
        binding = onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        file.record_contract(reseller, number="C-2", from_on=date(2027, 1, 1), to_on=None, by=RITA, at=NOON)
        finding = make_finding(reseller)
        for number in ("A", "B"):
            make_entry(reseller, number)
        others, waiting = make_entry(make_other(), "A"), read(reseller, roster_row("C"))
        row = decided(reseller, reason="not_cured", finding=finding, at=LATER)

        row = carry_out(row, at=LATER)

        day = LATER.date()
        assert (row.state, row.finished_at) == ("done", LATER)
        assert Account.objects.get(pk=reseller.account_id).closing_reason == "terms_broken"
        assert {each.number: each.to_on for each in reseller.contracts.all()} == {
            "C-1": day, "C-2": date(2027, 1, 1),
        }  # fmt: skip
        assert [(entry.ended_at, entry.ended_why) for entry in reseller.entries.all()] == [(LATER, "ended")] * 2
        assert reseller.entries.as_of(NOON).count() == 2, "what it stated then stays as it was"
        others.refresh_from_db()
        waiting.refresh_from_db()
        assert others.ended_at is None and (waiting.state, waiting.file_sha256) == ("discarded", "")
        assert AuditEvent.objects.get(verb="resellers.roster.ended").facts["count"] == 2
        binding.refresh_from_db()
        finding.refresh_from_db()
        assert (binding.ended_at, finding.state) == (LATER, "ended")
        assert not clocks_of(finding).exists()

    def test_its_account_is_suspended_where_that_was_decided(self):
        reseller = make_reseller()

        carry_out(decided(reseller, own_outcome="suspend"))

        restriction = reseller.account.restrictions.in_force().get()
        assert restriction.public_wording == "Our agreement with you as a reseller has ended."

    def test_a_blocked_account_of_its_own_stays_blocked(self):
        reseller = make_reseller()
        row = decided(reseller)
        block(reseller.account)

        assert carry_out(row).state == "done"
        assert Account.objects.get(pk=reseller.account_id).status == "blocked"

    def test_what_is_only_proposed_is_not_carried_out(self):
        reseller = make_reseller()
        make_downstream(reseller)
        row = propose(reseller, outcome="close")

        told = ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON)

        assert (told, row.steps.get().state) == ({"done": 0, "failed": 0}, "waiting")

    def test_a_customer_who_slipped_in_is_handled_before_it_ends(self):
        reseller = make_reseller()
        row = decided(reseller)
        DownstreamCustomer.objects.create(reseller=reseller, account=make_account(), added_at=NOON)

        assert carry_out(row).state == "under_way"
        assert carry_out(row).state == "done"
        assert row.steps.get().result == "direct"


def mixed(reseller, target, count: int = 25) -> Termination:
    """An end over accounts in every state, with every outcome."""
    links = []
    for number in range(count):
        link = prospect_of(reseller) if number % 5 == 4 else make_downstream(reseller)
        if number % 7 == 3 and number % 5 != 4:
            restrictions.restrict_by_hand(link.account, level="limited", reason="listed", **MADE)
        if number % 11 == 6:
            holds.place_hold([link.account], reason="litigation", ground="a case", **MADE)
        links.append(link)
    row = propose(reseller)
    for number, link in enumerate(links):
        outcome = ("direct", "close", "suspend", "migrate")[number % 4]
        to = target if outcome == "migrate" else None
        termination.choose(row, outcome=outcome, target=to, steps=[row.steps.get(link=link).pk], by=RITA, at=NOON)
    close(links[0].account)
    return termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)


def end_state(row: Termination) -> dict:
    """All that is to be the same however often the worker was killed, by the account's reference."""
    steps = row.steps.select_related("link__account")
    return {
        step.link.account.reference: (
            step.state, step.result, step.attempts, step.link.account.status, step.link.reseller_id,
            step.link.ended_at is None, [*step.link.account.restrictions.order_by("basis").values_list("level")],
            Notice.objects.filter(key=step.link.account_id).count(),
            AuditEvent.objects.filter(verb="resellers.termination.step_done", about_key=step.link.account_id).count(),
            holds.held_records([step.link.account]).count(),
        )
        for step in steps
    }  # fmt: skip


def deadly(real, *, after: bool):
    """The function, which kills its worker before its work, or after it."""

    def dies(*args, **given):
        if after:
            real(*args, **given)
        raise Killed

    return dies


def undone(deed):
    """What the deed returns; whatever it wrote is taken back."""
    with transaction.atomic():
        found = deed()
        transaction.set_rollback(True)
    return found


def kill(row: Termination, place, name: str, *, after: bool) -> None:
    """Carry it out by a worker who is killed there."""
    with mock.patch.object(place, name, deadly(getattr(place, name), after=after)), pytest.raises(Killed):
        ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON)


class TestKilled:
    SEAMS = (
        (ending_accounts, "_begin"), (ending_accounts, "_taken"), (ending_accounts, "foregone"),
        (onboarding, "change_reseller"), (onboarding, "take_over"), (closing, "close_account"),
        (intake, "refuse_prospect"), (restrictions, "suspend"), (ending_accounts, "_tell"),
        (ending_accounts, "finish"), (ending_accounts, "_end_contracts"), (ending_accounts, "_end_roster"),
        (ending_accounts, "_end_own_account"), (onboarding, "end_binding"),
    )  # fmt: skip

    def test_25_accounts_in_every_state_killed_at_every_seam(self, reseller_manager_user):
        """Before and after the work of each seam; whoever comes next ends it, with each account handled once."""
        reseller, target = make_reseller(), make_other()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        make_entry(reseller, "A")
        row = mixed(reseller, target)
        straight = undone(lambda: end_state(carry_out(row)))
        results = {state[1] for state in straight.values()}

        def killed(place, name):
            for after in (False, True):
                kill(row, place, name, after=after)
            ended = carry_out(row)
            assert (ended.state, termination.progress(row)) == ("done", {"waiting": 0, "done": 25, "failed": 0})
            assert AuditEvent.objects.filter(verb="resellers.termination.done").count() == 1
            assert Account.objects.get(pk=reseller.account_id).status == "closed"
            return end_state(row)

        assert results == {"direct", "closed", "refused", "suspended", "migrated", "not_in_use", "over"}
        for place, name in self.SEAMS:
            assert undone(lambda place=place, name=name: killed(place, name)) == straight, name

    def test_killed_between_any_two_accounts(self):
        row = mixed(make_reseller(), make_other(), count=8)
        straight = undone(lambda: end_state(carry_out(row)))

        for handled in range(1, 9):
            kill(row, ending_accounts, "_handle", after=True)
            assert termination.progress(row)["done"] == handled

        assert end_state(carry_out(row)) == straight

    def test_any_series_of_deaths_ends_the_same(self):
        row = mixed(make_reseller(), make_other(), count=6)
        straight = undone(lambda: end_state(carry_out(row)))
        seams = st.tuples(st.sampled_from(self.SEAMS[:9]), st.booleans())

        def die(deaths):
            for (place, name), after in deaths:
                death = deadly(getattr(place, name), after=after)
                with mock.patch.object(place, name, death), contextlib.suppress(Killed):
                    ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON)
            return end_state(carry_out(row))

        @settings(max_examples=8, deadline=None)
        @given(deaths=st.lists(seams, max_size=4))
        def check(deaths):
            assert undone(lambda: die(deaths)) == straight

        check()


class TestTheQueue:
    def test_the_signature_wakes_a_worker_who_ends_it(self):
        reseller = make_reseller()
        make_downstream(reseller)
        row = decided(reseller)

        told = queue.run_due(NOON)

        row.refresh_from_db()
        assert (told["done"] >= 1, row.state) == (True, "done")
        assert Job.objects.get(kind=termination.CARRY_OUT).state == JobState.DONE


@pytest.mark.usefixtures("triggers_lifted_for_flush")
class TestAtOnce:
    @needs_row_locks
    def test_two_workers_handle_each_account_once(self, in_threads):
        reseller, target = make_reseller(), make_other()
        row = mixed(reseller, target, count=12)

        def work():
            return ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON)

        told = in_threads(work, work)

        row.refresh_from_db()
        assert row.state == "done", told
        assert sum(each["done"] for each in told) == 12
        assert AuditEvent.objects.filter(verb="resellers.termination.step_done").count() == 12
        assert set(row.steps.values_list("attempts", flat=True)) == {1}
        assert AuditEvent.objects.filter(verb="resellers.termination.done").count() == 1

    @needs_row_locks
    def test_a_hold_placed_at_the_moment_of_the_closing_stands(self, in_threads):
        reseller = make_reseller()
        link = make_downstream(reseller)
        row = decided(reseller, outcome="close")

        once_it_waits(
            lambda: holds.place_hold([link.account], reason="litigation", ground="a case", **MADE),
            lambda: ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON),
            in_threads,
        )

        assert row.steps.get().result == "closed"
        assert holds.held_records([link.account]).count() == 1, "what is held is closed, and nothing of it goes"

    @needs_row_locks
    def test_a_customer_moved_by_hand_at_the_same_moment(self, in_threads):
        reseller, target = make_reseller(), make_other()
        link = make_downstream(reseller)
        row = decided(reseller, outcome="close")

        once_it_waits(
            lambda: onboarding.change_reseller(link, reseller=target, by=RITA, at=NOON),
            lambda: ending_accounts.carry_out(row.reference, by=SCHEDULER, at=NOON),
            in_threads,
        )

        assert TerminationStep.objects.get().result == "not_theirs"
        assert Account.objects.get(pk=link.account_id).status == "active"

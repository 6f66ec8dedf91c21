"""Clocks: started from a figure with its citation, one of a kind on a record, stopped once (regulation 3.0)."""

from datetime import date

import pytest

from kyc_portal.policy.clocks import clocks_of, forget_clocks, start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Deadline, Holiday
from kyc_portal.records.models import AuditEvent
from tests.conftest import NOON
from tests.kyc_portal.records.files import make_party

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


def a_clock(about, by, kind="verify_by", figure="verify_days", on=DAY) -> Deadline:
    return start_clock(kind, about, figure=figure, regime=regime_on(DAY), on=on, by=by, at=NOON)


class TestStartClock:
    def test_it_is_due_so_many_days_later_and_cites_why(self, analyst):
        party = make_party()

        clock = a_clock(party, analyst)

        assert (clock.due_on, clock.name, clock.standing) == (date(2026, 3, 17), party.reference, "own_policy")
        event = AuditEvent.objects.get(verb="policy.clock.started")
        assert event.facts["citation"] == str(clock.citation) and event.about_key == str(party.pk)

    def test_a_clock_of_law_says_so_and_one_of_a_proposal_is_none(self, analyst):
        told = [
            a_clock(make_party(), analyst, "by", figure).standing
            for figure in ("blocked_report_days", "reseller_end_days")
        ]

        assert told == ["in_force", "proposed"]

    def test_business_days_leave_out_weekends_and_holidays(self, analyst):
        Holiday.objects.create(day=date(2026, 3, 4), title="a holiday")

        clock = a_clock(make_party(), analyst, "report_by", "blocked_report_days")

        assert clock.due_on == date(2026, 3, 17)  # ten business days would be the 16th; one of them is a holiday

    def test_a_running_one_is_kept(self, analyst):
        party = make_party()
        first = a_clock(party, analyst)

        second = a_clock(party, analyst, on=date(2026, 6, 1))

        assert second == first and second.due_on == first.due_on
        assert AuditEvent.objects.filter(verb="policy.clock.started").count() == 1

    def test_another_kind_and_another_record_run_beside_it(self, analyst):
        party = make_party()

        (
            a_clock(party, analyst),
            a_clock(party, analyst, "triage_by", "external_check_days"),
            a_clock(make_party(), analyst),
        )

        assert [clock.kind for clock in clocks_of(party)] == ["triage_by", "verify_by"]
        assert Deadline.objects.running().count() == 3

    def test_two_threads_start_one(self, transactional_db, in_threads, analyst):
        party = make_party()

        made = in_threads(*[lambda: a_clock(party, analyst)] * 2)

        assert len({getattr(clock, "pk", clock) for clock in made}) == 1


class TestStopClock:
    def test_it_stops_once(self, analyst):
        party = make_party()
        a_clock(party, analyst)

        assert stop_clock("verify_by", party, by=analyst, at=NOON) == 1
        assert stop_clock("verify_by", party, by=analyst, at=NOON) == 0
        assert not clocks_of(party).exists()
        assert AuditEvent.objects.filter(verb="policy.clock.stopped").count() == 1

    def test_after_it_a_new_one_may_start(self, analyst):
        party = make_party()
        first = a_clock(party, analyst)
        stop_clock("verify_by", party, by=analyst, at=NOON)

        assert a_clock(party, analyst) != first


class TestForgetClocks:
    def test_running_and_stopped_ones_go_and_others_stay(self, analyst):
        party, other = make_party(), make_party()
        a_clock(party, analyst), a_clock(other, analyst)
        stop_clock("verify_by", party, by=analyst, at=NOON)
        a_clock(party, analyst)

        assert forget_clocks(party) == 2
        assert Deadline.objects.count() == 1


class TestDeadlineQuerySet:
    @pytest.mark.parametrize(
        ("on", "overdue", "near"),
        [(date(2026, 3, 17), False, True), (date(2026, 3, 18), True, False), (date(2026, 3, 10), False, True)],
    )
    def test_a_clock_is_overdue_the_day_after_its_last_day(self, analyst, on, overdue, near):
        a_clock(make_party(), analyst)

        assert Deadline.objects.overdue(on).exists() is overdue
        assert Deadline.objects.due_within(on, date(2026, 3, 20)).exists() is near

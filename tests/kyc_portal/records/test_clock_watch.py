"""A clock that jumped stops the purge until it is right again or an administrator confirms it (TH24, D11)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Party
from kyc_portal.records import clock_watch, retention
from kyc_portal.records.clock_watch import ClockJumped
from kyc_portal.records.models import AuditEvent, ClockWatch, PurgeRun
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.tasks import purge_due_records, watch_clock
from tests.conftest import NOON
from tests.kyc_portal.records.files import RULE, make_party

pytestmark = pytest.mark.django_db

MORNING = datetime(2030, 6, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def only_the_small_rule(monkeypatch):
    monkeypatch.setattr(retention, "_RULES", {RULE.code: RULE})


class Machine:
    """The machine under the tests: its clock goes wherever it is put, its count of seconds only forward."""

    def __init__(self, travel):
        self.boot, self.seconds, self._travel = "boot-1", 1000.0, travel

    def passes(self, **span):
        self.seconds += timedelta(**span).total_seconds()
        self._travel.shift(timedelta(**span))

    def jumps(self, **span):
        self._travel.shift(timedelta(**span))


@pytest.fixture
def machine(monkeypatch):
    with time_machine.travel(MORNING, tick=False) as travel:
        machine = Machine(travel)
        monkeypatch.setattr(clock_watch, "_asked", None)
        monkeypatch.setattr(clock_watch, "_boot", lambda: machine.boot)
        monkeypatch.setattr(clock_watch, "_uptime", lambda: machine.seconds)
        monkeypatch.setattr(clock_watch, "_clock_of_database", lambda: datetime.now(UTC))
        clock_watch.look()
        yield machine


class TestRequireSteady:
    @pytest.mark.parametrize("span", [{"minutes": 1}, {"hours": 30}, {"days": 90}])
    def test_time_that_passed_is_no_jump_however_long_nobody_looked(self, machine, span):
        machine.passes(**span)

        clock_watch.require_steady()

    @pytest.mark.parametrize("span", [{"days": 730}, {"days": -1}, {"minutes": 61}, {"minutes": -61}])
    def test_a_jump_stops_the_purge_either_way(self, machine, span):
        machine.passes(minutes=1)
        machine.jumps(**span)

        with pytest.raises(ClockJumped, match="The clock jumped from 2030-06-01 08:00"):
            clock_watch.require_steady()

    @pytest.mark.parametrize("span", [{"minutes": 59}, {"minutes": -59}])
    def test_a_small_correction_is_no_jump(self, machine, span):
        machine.passes(minutes=1)
        machine.jumps(**span)

        clock_watch.require_steady()

    def test_it_stays_stopped_until_somebody_confirms(self, machine):
        machine.jumps(days=730)
        machine.passes(hours=5)
        with pytest.raises(ClockJumped):
            clock_watch.require_steady()
        machine.passes(hours=5)
        with pytest.raises(ClockJumped):
            clock_watch.require_steady()

        clock_watch.confirm(by=SCHEDULER, at=NOON)

        clock_watch.require_steady()
        told = AuditEvent.objects.filter(verb__startswith="records.clock.")
        assert list(told.order_by("id").values_list("verb", flat=True)) == [
            "records.clock.jumped",
            "records.clock.confirmed",
        ]

    def test_a_clock_that_is_put_right_within_the_hour_goes_on_by_itself(self, machine):
        machine.jumps(days=730)
        with pytest.raises(ClockJumped):
            clock_watch.require_steady()
        machine.passes(minutes=20)
        machine.jumps(days=-730)

        clock_watch.require_steady()

    def test_after_a_start_of_the_machine_a_long_gap_is_not_believed(self, machine):
        machine.passes(hours=30)
        machine.boot, machine.seconds = "boot-2", 5.0

        with pytest.raises(ClockJumped):
            clock_watch.require_steady()

    def test_two_clocks_that_differ_stop_it(self, machine, monkeypatch):
        monkeypatch.setattr(clock_watch, "_clock_of_database", lambda: MORNING - timedelta(hours=2))
        monkeypatch.setattr(clock_watch, "_asked", None)

        with pytest.raises(ClockJumped, match="The database's clock and this machine's differ"):
            clock_watch.require_steady()

    def test_there_is_nothing_to_confirm_without_a_jump(self, machine):
        with pytest.raises(clock_watch.NoJump):
            clock_watch.confirm(by=SCHEDULER, at=NOON)

    def test_the_limit_is_a_setting(self, machine, settings):
        settings.CLOCK_JUMP_SECONDS = 60
        machine.jumps(minutes=2)

        with pytest.raises(ClockJumped):
            clock_watch.require_steady()


class TestDoors:
    def test_the_nightly_purge_destroys_nothing_after_a_jump(self, machine):
        make_party(at=MORNING - timedelta(days=100))
        machine.jumps(days=730)

        with pytest.raises(ClockJumped):
            purge_due_records.run()

        assert Party.objects.count() == 1
        assert PurgeRun.objects.get().why_stopped.startswith("The clock jumped")

    def test_a_jump_during_the_run_stops_it_between_two_files(self, machine, monkeypatch):
        first, second = sorted(
            (make_party(at=MORNING - timedelta(days=1000)) for _ in range(2)), key=lambda one: one.pk
        )

        def jump(party):
            machine.jumps(days=-1)

        monkeypatch.setattr(retention, "_RULES", {"r": retention.RetentionRule(**{**vars(RULE), "before": jump})})
        with pytest.raises(ClockJumped):
            purge_due_records.run()

        assert list(Party.objects.all()) == [second]
        assert first.pk < second.pk

    def test_the_task_of_every_minute_tells_a_jump(self, machine):
        machine.jumps(days=2)

        assert watch_clock.run() == {"jumped": True}
        assert ClockWatch.objects.get().jumped_from == MORNING

    def test_a_real_machine_is_steady(self):
        clock_watch.require_steady()
        clock_watch.require_steady()

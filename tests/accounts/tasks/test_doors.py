"""The doors: each calls its flow with the scheduler and the moment it was given."""

import pytest

from accounts import tasks
from accounts.flows import (
    access_keeping,
    detector_counts,
    rating,
    restrictions,
    reverification,
    screening,
    signals,
    waiting,
)
from kyc_portal.celery import BEAT_SCHEDULE
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON

DOORS = [
    (tasks.screen_new_and_changed, screening, "screen_due"),
    (tasks.end_expired_restrictions, restrictions, "end_expired"),
    (tasks.request_due_reverifications, reverification, "request_due"),
    (tasks.run_detectors, signals, "run_due"),
    (tasks.count_flags, detector_counts, "count_new_days"),
    (tasks.end_tiers_set_by_hand, rating, "end_expired"),
    (tasks.claim_waiting_accesses, waiting, "claim_due"),
    (tasks.let_refused_lines_go, access_keeping, "let_refused_lines_go"),
]


class TestDoors:
    @pytest.mark.parametrize(("door", "module", "flow"), DOORS)
    def test_it_calls_its_flow(self, door, module, flow, monkeypatch):
        calls = []
        monkeypatch.setattr(module, flow, lambda *, by, at: calls.append((by, at)) or {"done": 1})

        told = door(at=NOON.isoformat())

        assert calls == [(SCHEDULER, NOON)]
        assert told == {"done": 1}

    @pytest.mark.parametrize(("door", "module", "flow"), DOORS)
    def test_a_failure_is_not_swallowed(self, door, module, flow, monkeypatch):
        def fail(**kwargs):
            raise RuntimeError("database away")

        monkeypatch.setattr(module, flow, fail)

        with pytest.raises(RuntimeError):
            door(at=NOON.isoformat())

    def test_each_stands_in_the_beat_table(self):
        known = {entry["task"] for entry in BEAT_SCHEDULE.values()}

        assert {door.name for door, _, _ in DOORS} <= known

    @pytest.mark.django_db
    @pytest.mark.parametrize(("door", "module", "flow"), DOORS)
    def test_it_runs_over_an_empty_portal(self, door, module, flow):
        door()
        door()

"""Large files: marked, destroyed in batches, restartable at any kill; holds win before the mark and not after it."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Address, Party
from kyc_portal.records import destroying, holds, purge_runs, retention, tombstones
from kyc_portal.records.clock_watch import ClockJumped
from kyc_portal.records.models import AuditEvent, Destruction, DoomedRecord, HeldRecord, PurgeRun, Tombstone
from kyc_portal.records.purge_models import RunState
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import RetentionRule
from kyc_portal.work.models import Job, JobState
from tests.conftest import NOON
from tests.kyc_portal.records.files import RULE, make_party
from tests.kyc_portal.records.test_retention import DAY_AFTER, purge

LARGE = RetentionRule(**{**vars(RULE), "in_batches": lambda party: [Address.objects.filter(party=party.pk)]})
ADDRESSES, BATCH = 10, 4
# And how many addresses are left then.
SEAMS = {"mark": 10, "destroy_first": 10, "destroy_batch": 6, "destroy_rest": 0, "append_soon": 0}


@pytest.fixture(autouse=True)
def batches_of_four(monkeypatch):
    monkeypatch.setattr(retention, "_RULES", {LARGE.code: LARGE})
    monkeypatch.setattr(destroying, "BATCH", BATCH)


def large_party() -> Party:
    party = make_party()
    for _ in range(ADDRESSES - 1):
        Address.objects.create(party=party, kind="residence", lines="1 Long Street", country="DE")
    return party


def one_step(party: Party):
    return retention._step(LARGE, party.pk, DAY_AFTER, None, by=SCHEDULER, at=NOON)


def next_batch(party: Party, run: PurgeRun | None = None) -> bool:
    return retention._next_batch(LARGE, party.pk, DAY_AFTER, run, by=SCHEDULER, at=NOON)


@pytest.mark.django_db
class TestBatches:
    def test_each_batch_has_its_event_and_the_tombstone_counts_them_all(self):
        party = large_party()

        [stone] = purge().gone

        batches = AuditEvent.objects.filter(verb="records.purge_batch").order_by("id")
        assert [event.facts["rows"] for event in batches] == [4, 4, 2]
        assert stone.counts == {"accounts.address": ADDRESSES, "accounts.party": 1}
        assert not Address.objects.filter(party=party.pk).exists()
        assert not Destruction.objects.exists() and not DoomedRecord.objects.exists()

    def test_the_file_is_there_and_marked_between_two_batches(self):
        party = large_party()

        assert one_step(party) == (None, True)

        assert Address.objects.filter(party=party.pk).count() == ADDRESSES - BATCH
        assert DoomedRecord.objects.get().key == str(party.pk)
        assert not Tombstone.objects.exists()

    def test_a_hold_after_the_mark_is_refused_in_words(self, counsel):
        party = large_party()
        one_step(party)

        with pytest.raises(holds.AlreadyDestroyed, match=r"The destruction of .* has begun"):
            holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

        assert not HeldRecord.objects.exists()

    def test_a_hold_before_the_mark_wins(self, counsel):
        party = large_party()
        holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

        assert purge().gone == []
        assert Address.objects.filter(party=party.pk).count() == ADDRESSES

    def test_a_small_file_is_never_marked(self):
        make_party()

        purge()

        assert not AuditEvent.objects.filter(verb="records.purge_batch").exists()

    def test_the_digest_depends_on_every_row(self):
        first, second = large_party(), large_party()

        stones = {stone.key: stone.digest for stone in purge().gone}

        assert stones[str(first.pk)] != stones[str(second.pk)]

    def test_the_digest_is_over_the_keys_in_their_order(self):
        party, file = large_party(), Destruction()
        keys = sorted(str(key) for key in Address.objects.filter(party=party.pk).values_list("pk", flat=True))

        destroying._take_away(file, Address.objects.filter(party=party.pk))

        told = json.dumps(["", "accounts.address", keys])
        assert file.digest == hashlib.sha256(told.encode()).hexdigest()
        assert file.counts == {"accounts.address": ADDRESSES}

    def test_a_batch_takes_rows_of_its_file_only(self):
        party, other = large_party(), large_party()

        one_step(party)
        while next_batch(party):
            pass

        assert not Address.objects.filter(party=party.pk).exists()
        assert Address.objects.filter(party=other.pk).count() == ADDRESSES

    def test_a_lost_worker_destroys_no_further_batch(self):
        party = large_party()
        run = purge_runs.ask(as_of=DAY_AFTER, today=DAY_AFTER, executes=True, by=SCHEDULER, at=NOON)
        lost = purge_runs.begin(run, by=SCHEDULER, at=NOON)
        one_step(party)
        PurgeRun.objects.update(lease_until=NOON)
        purge_runs.begin(run, by=SCHEDULER, at=NOON)

        with pytest.raises(purge_runs.RunLost):
            next_batch(party, lost)

        assert Address.objects.filter(party=party.pk).count() == ADDRESSES - BATCH

    def test_a_next_run_goes_on_where_the_last_one_was_stopped(self):
        party = large_party()
        one_step(party)

        [stone] = purge().gone

        assert stone.counts["accounts.address"] == ADDRESSES


@pytest.mark.django_db
class TestRuns:
    def test_a_file_that_raises_is_counted_and_the_others_go_on(self, monkeypatch, caplog):
        bad, good = make_party(), make_party()

        def refuse(party):
            if party.pk == bad.pk:
                raise RuntimeError("Maria Example")

        monkeypatch.setattr(retention, "_RULES", {"r": RetentionRule(**{**vars(RULE), "before": refuse})})

        report = purge()

        assert [stone.key for stone in report.gone] == [str(good.pk)]
        assert report.failed == [(f"tests_party/{bad.pk}", "RuntimeError")]
        assert Party.objects.filter(pk=bad.pk).exists()
        job = Job.objects.get(kind=retention.FAILED)
        assert (job.state, job.attempts, job.last_error) == (JobState.WAITING, 1, "RuntimeError")
        assert "RuntimeError" in caplog.text and "Maria" not in caplog.text
        run = PurgeRun.objects.get()
        assert (run.state, run.told["tests_party"]["gone"], run.told["tests_party"]["failed"]) == ("finished", 1, 1)

    def test_what_failed_waits_its_time_and_is_tried_again(self, monkeypatch):
        party = make_party()
        monkeypatch.setattr(retention, "_RULES", {"r": RetentionRule(**{**vars(RULE), "before": lambda root: 1 / 0})})
        purge()
        monkeypatch.setattr(retention, "_RULES", {"r": RULE})

        assert purge().gone == []  # too soon
        Job.objects.update(due_at=NOON)
        assert [stone.key for stone in purge().gone] == [str(party.pk)]
        assert Job.objects.get(kind=retention.FAILED).state == JobState.DONE

    def test_a_simulation_counts_rows_and_reasons_and_names_no_ground(self, counsel):
        make_party()
        holds.place_hold([make_party()], reason="order", ground="Order 4", by=counsel, at=NOON)
        make_party(at=NOON + timedelta(days=2000))
        run = purge_runs.ask(as_of=DAY_AFTER, today=NOON.date(), executes=False, by=counsel, at=NOON)

        retention.carry_out(run, at=NOON)

        run.refresh_from_db()
        told = run.told["tests_party"]
        assert (run.state, told["count"], told["hold"]) == (RunState.FINISHED, 1, 1)
        assert told["rows"] == {"accounts.address": 1, "accounts.party": 1}
        assert "Order 4" not in str(run.told)
        assert Party.objects.count() == 3

    def test_a_second_one_is_refused_while_the_first_is_under_way(self):
        first, second = (
            purge_runs.ask(as_of=DAY_AFTER, today=DAY_AFTER, executes=True, by=SCHEDULER, at=NOON) for _ in range(2)
        )
        purge_runs.begin(first, by=SCHEDULER, at=NOON)

        with pytest.raises(purge_runs.PurgeUnderWay, match=first.reference):
            purge_runs.begin(second, by=SCHEDULER, at=NOON)

    def test_a_lost_worker_is_replaced_and_destroys_nothing_more(self):
        party = make_party()
        run = purge_runs.ask(as_of=DAY_AFTER, today=DAY_AFTER, executes=True, by=SCHEDULER, at=NOON)
        lost = purge_runs.begin(run, by=SCHEDULER, at=NOON)
        PurgeRun.objects.update(lease_until=NOON)
        purge_runs.begin(run, by=SCHEDULER, at=NOON)

        with pytest.raises(purge_runs.RunLost):
            retention.purge_file(LARGE, party.pk, as_of=DAY_AFTER, by=SCHEDULER, at=NOON, run=lost)

        assert Party.objects.filter(pk=party.pk).exists()
        assert not Tombstone.objects.exists()

    def test_a_run_that_is_stopped_says_why(self, monkeypatch):
        def jumped():
            raise ClockJumped("The clock jumped.")

        monkeypatch.setattr(retention.clock_watch, "require_steady", jumped)
        make_party()

        with pytest.raises(ClockJumped):
            purge()

        run = PurgeRun.objects.get()
        assert (run.state, run.why_stopped) == (RunState.STOPPED, "The clock jumped.")
        assert Party.objects.count() == 1


def run_and_die(seam: str) -> int:
    """Run the purge in a process of its own that is gone, without any clearing up, right after `seam` has returned."""
    script = f"""
import os, django
django.setup()
from django.db import connections
from kyc_portal.records import destroying, destruction_ledger, retention
from tests.kyc_portal.records import test_destroying as here
home = destruction_ledger if {seam!r} == "append_soon" else destroying
whole = getattr(home, {seam!r})
def and_die(*args, **named):
    whole(*args, **named)
    os._exit(9)
setattr(home, {seam!r}, and_die)
retention._RULES.clear()
retention._RULES[here.LARGE.code] = here.LARGE
destroying.BATCH = here.BATCH
here.purge()
"""
    address = connection.settings_dict
    names = {"DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests"}
    if connection.vendor == "sqlite":
        names["DATABASE_URL"] = f"sqlite:///{address['NAME']}"
    else:
        names["DATABASE_URL"] = f"postgres://{address['USER']}@{address['HOST']}:{address['PORT']}/{address['NAME']}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **names},
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode in (0, 9), done.stderr.decode()
    return done.returncode


class TestKilled:
    """Killed at each seam, and purged again: the file is gone once, with one tombstone that counts every row."""

    @pytest.mark.parametrize("seam", SEAMS)
    def test_it_goes_on_from_where_it_was(self, seam, transactional_db):
        party = large_party()

        assert run_and_die(seam) == 9
        PurgeRun.objects.update(lease_until=NOON)  # five minutes later
        left = Address.objects.filter(party=party.pk).count()
        purge()

        stone = Tombstone.objects.get()
        assert left == SEAMS[seam]
        assert stone.counts == {"accounts.address": ADDRESSES, "accounts.party": 1}
        assert not Party.objects.filter(pk=party.pk).exists()
        assert list(tombstones.faults()) == []
        assert not Destruction.objects.exists()

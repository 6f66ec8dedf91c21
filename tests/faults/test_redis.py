"""Redis is gone for a while: nothing is lost, because rows are the truth, and the work goes on by itself."""

import os
import time

from django.utils import timezone

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import ask
from tests.faults import acts
from tests.faults.conftest import ROUNDS
from tests.faults.processes import start_beat, start_worker, wait_for

AWAY = float(os.environ.get("FAULT_SECONDS_WITHOUT_REDIS", "60"))
JOBS = 20


def ask_for(*keys: str) -> None:
    for key in keys:
        ask("tests.note", key, due_at=timezone.now(), at=timezone.now())


def done() -> int:
    return Job.objects.filter(kind="tests.note", state=JobState.DONE).count()


def test_what_was_asked_for_before_and_meanwhile_is_done_once(folder, chance, begun, broker):
    begun += [start_worker(folder, 0), start_beat(folder)]
    keys = []
    for number in range(min(ROUNDS, 3)):  # each takes a minute and more
        before, meanwhile = [[f"{when}-{number}-{each}" for each in range(JOBS)] for when in ("before", "meanwhile")]
        keys += before + meanwhile
        ask_for(*before)
        time.sleep(chance.uniform(0, 3))
        broker.kill()
        ask_for(*meanwhile)
        acts.write_events(100, by=SCHEDULER, at=timezone.now())
        time.sleep(AWAY)
        broker.start()
        wait_for(lambda: done() == len(keys), "the jobs to be done")  # noqa: B023 called at once

    assert sorted((folder / "notes").read_text().split()) == sorted(keys)
    assert not Job.objects.exclude(state=JobState.DONE).exists()
    sealing = acts.Sealing()
    wait_for(lambda: not acts.AuditPending.objects.exists(), "the worker to seal")
    sealing.require_end()
    print(f"{min(ROUNDS, 3)} times without Redis for {AWAY:.0f} s: {len(keys)} jobs done, each once")

"""SIGKILL at random moments: afterwards exactly what should be there is there, once."""

import time

import pytest
from django.db import connection
from django.utils import timezone

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.sealing import seal_pending
from tests.faults import acts, deliveries
from tests.faults.conftest import ROUNDS
from tests.faults.processes import start_command, start_worker, wait_for

ACTS = [acts.Purge, acts.Sealing, acts.Rotation, acts.CustomersImport, acts.LogImport, deliveries.Deliveries]


class Told:
    """How often a kill found the work under way, and how often a part of it was done by then; printed at the end."""

    def __init__(self):
        self.at_work = self.partly = 0

    def note(self, was_at_work: bool, is_partly_done: bool) -> None:
        self.at_work, self.partly = self.at_work + was_at_work, self.partly + is_partly_done

    def say(self) -> None:
        print(f"{ROUNDS} kills, {self.at_work} in the middle of the work, {self.partly} with a part of it done")


def finish(folder, act, begun, number) -> float:
    """Let the work be done to its end; says how many seconds it took, without the start of the process."""
    acts.let_leases_run_out(by=SCHEDULER, at=timezone.now())
    process = start_command(folder, number, *act.command)
    begun.append(process)
    since = time.monotonic()
    assert process.end() == 0, process.said()
    return time.monotonic() - since


def judge(act) -> None:
    act.require_end()
    acts.require_whole_trail()
    assert acts.orphan_files() == []


@pytest.mark.parametrize("kind", ACTS, ids=lambda kind: kind.__name__)
class TestKilledCommand:
    def test_what_a_killed_command_left_undone_is_done_once_by_the_next(self, kind, folder, chance, begun):
        act, told = kind(), Told()
        act.prepare(folder)
        lasts = finish(folder, act, begun, 0)
        judge(act)

        for number in range(1, ROUNDS + 1):
            act.prepare(folder)
            process = start_command(folder, number, *act.command)
            begun.append(process)
            time.sleep(chance.uniform(0, lasts))
            was_at_work = process.kill()

            told.note(was_at_work, act.look())
            acts.require_whole_trail()
            finish(folder, act, begun, number)
            judge(act)
        told.say()


@pytest.mark.parametrize("kind", ACTS, ids=lambda kind: kind.__name__)
class TestKilledDatabase:
    def test_what_a_killed_database_left_undone_is_done_once(self, kind, folder, chance, begun, postgresql):
        act, told = kind(), Told()
        act.prepare(folder)
        lasts = finish(folder, act, begun, 0)

        for number in range(1, ROUNDS + 1):
            act.prepare(folder)
            process = start_command(folder, number, *act.command)
            begun.append(process)
            time.sleep(chance.uniform(0, lasts))
            was_at_work = not process.is_over()
            self.strike(postgresql, chance.random() < 0.5)
            process.end()
            postgresql.start()

            told.note(was_at_work, act.look())
            acts.require_whole_trail()
            finish(folder, act, begun, number)
            judge(act)
        told.say()

    @staticmethod
    def strike(postgresql, is_whole: bool) -> None:
        """The whole server, or one of its sessions."""
        if is_whole:
            postgresql.kill()
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            own = cursor.fetchone()[0]
        postgresql.kill_a_backend(but=own)
        connection.close()


@pytest.mark.parametrize("kind", [acts.Purge, acts.Sealing], ids=lambda kind: kind.__name__)
class TestKilledWorker:
    def test_what_a_killed_worker_left_undone_is_done_once_by_the_next(self, kind, folder, chance, begun, broker):
        act, told = kind(), Told()
        lasts = None
        for number in range(ROUNDS + 1):
            act.prepare(folder)
            worker = start_worker(folder, number)
            begun.append(worker)
            self.wake(act, broker, worker)
            if lasts is None:
                since = time.monotonic()
                self.wait_until_done(act, worker, 1)
                lasts = time.monotonic() - since
                worker.kill()
                judge(act)
                continue
            time.sleep(chance.uniform(0, lasts))
            was_at_work = " succeeded in " not in worker.said()
            worker.kill()  # in any case: one that lives on would take the next one's messages
            told.note(was_at_work, act.look())
            acts.require_whole_trail()

            acts.let_leases_run_out(by=SCHEDULER, at=timezone.now())
            next_worker = start_worker(folder, number)
            begun.append(next_worker)
            before = next_worker.said().count(" succeeded in ")
            self.wake(act, broker, next_worker)  # as the beat does
            self.wait_until_done(act, next_worker, before + 1)
            next_worker.kill()
            broker.client.flushdb()
            seal_pending()
            judge(act)
        told.say()

    @staticmethod
    def wake(act, broker, worker) -> None:
        seen = worker.said().count(f"{act.task}[")
        broker.send(act.task)
        wait_for(lambda: worker.said().count(f"{act.task}[") > seen, "the worker to take the task")

    @staticmethod
    def wait_until_done(act, worker, times: int) -> None:
        wait_for(lambda: worker.said().count(" succeeded in ") >= times, "the task to succeed")

"""Jobs: asked for once, done under a lease, counted when they fail, given up after five times (trust.md 1.3)."""

import time
import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import LEASE, MOST_ATTEMPTS, ask, claim, heartbeat, pause_after, run_due, try_again
from tests.at_once import needs_row_locks
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + LEASE + timedelta(seconds=1)


@pytest.fixture
def handled(monkeypatch) -> list:
    """Jobs of the kind tests.note are noted here; tests.fail raises, with something personal in its message."""
    done = []

    def fail(key, *, by, at):
        raise RuntimeError(f"maria@customer.example {key}")

    monkeypatch.setattr(queue, "_HANDLERS", {})
    queue.register("tests.note", lambda key, *, by, at: done.append((key, by, at)))
    queue.register("tests.fail", fail)
    return done


def a_job(kind="tests.note", key="k", due_at=NOON) -> Job:
    return ask(kind, key, due_at=due_at, at=NOON)


class TestAsk:
    def test_asking_twice_is_one_job(self):
        assert a_job() == a_job()
        assert Job.objects.count() == 1

    def test_another_key_or_kind_is_another_job(self):
        a_job(), a_job(key="l"), a_job(kind="tests.fail")

        assert Job.objects.count() == 3

    def test_it_goes_with_its_cause(self):
        with pytest.raises(RuntimeError), transaction.atomic():
            a_job()
            raise RuntimeError

        assert not Job.objects.exists()

    def test_after_it_was_done_it_is_a_new_job(self, handled):
        first = a_job()
        run_due(NOON)

        assert a_job() != first
        assert run_due(NOON)["done"] == 1

    def test_asking_while_it_is_being_done_does_it_once_more(self, handled):
        queue.register(
            "tests.again", lambda key, *, by, at: handled.append(key) or len(handled) > 1 or a_job("tests.again")
        )
        a_job("tests.again")

        told = run_due(NOON)

        assert (told["done"], len(handled)) == (2, 2)
        assert [(job.state, job.attempts) for job in Job.objects.all()] == [(JobState.DONE, 1)]

    def test_asking_for_a_dead_letter_leaves_it_dead(self):
        Job.objects.filter(pk=a_job().pk).update(state=JobState.DEAD)

        assert a_job().state == JobState.DEAD
        assert Job.objects.count() == 1

    def test_threads_that_ask_at_once_agree_on_one(self, transactional_db, in_threads):
        made = in_threads(*[a_job] * 4)

        assert {getattr(job, "pk", job) for job in made} == {Job.objects.get().pk}


class TestClaim:
    def test_it_takes_the_most_urgent_due_job_under_a_lease(self):
        a_job(key="late", due_at=NOON)
        urgent = a_job(key="urgent", due_at=NOON - timedelta(hours=1))
        a_job(key="not yet", due_at=NOON + timedelta(seconds=1))

        job = claim(NOON)

        assert job == urgent
        assert (job.state, job.lease_until, job.attempts) == (JobState.LEASED, NOON + LEASE, 1)

    def test_nothing_due_is_none(self):
        assert claim(NOON) is None

    def test_a_leased_job_is_nobody_elses(self):
        a_job()
        claim(NOON)

        assert claim(NOON + LEASE) is None

    def test_an_abandoned_lease_is_taken_over(self):
        a_job()
        first = claim(NOON)

        second = claim(LATER)

        assert (second.pk, second.attempts) == (first.pk, 2)
        assert second.lease_token != first.lease_token

    def test_a_row_of_a_sweep_is_not_claimed(self):
        Job.objects.filter(pk=a_job().pk).update(is_sweep=True)

        assert claim(NOON) is None

    def test_a_job_that_kills_its_worker_each_time_becomes_a_dead_letter(self):
        a_job()
        for round_ in range(MOST_ATTEMPTS):
            assert claim(NOON + round_ * (LATER - NOON)).state == JobState.LEASED

        last = claim(NOON + MOST_ATTEMPTS * (LATER - NOON))

        assert (last.state, last.last_error) == (JobState.DEAD, "WorkerLost")
        assert claim(NOON + timedelta(days=1)) is None

    def test_two_threads_never_get_the_same_job(self, transactional_db, in_threads):
        for number in range(12):
            a_job(key=str(number))

        def take_all():
            taken = []
            while job := claim(NOON):
                taken.append(job.key)
            return taken

        taken = in_threads(*[take_all] * 3)

        assert sorted(key for keys in taken for key in keys) == sorted(str(number) for number in range(12))

    @needs_row_locks
    def test_it_skips_what_another_transaction_holds(self, transactional_db, in_threads):
        held, free = a_job(key="held", due_at=NOON - timedelta(hours=1)), a_job(key="free")

        with transaction.atomic():
            Job.objects.select_for_update().get(pk=held.pk)
            [job] = in_threads(lambda: claim(NOON))

        assert job == free

    @needs_row_locks
    def test_a_job_is_not_done_before_its_second_cause_has_committed(self, transactional_db, in_threads):
        a_job()

        with transaction.atomic():
            a_job()
            during = in_threads(lambda: claim(NOON))

        assert during == [None]
        assert claim(NOON) is not None


class TestHeartbeat:
    def test_it_prolongs_the_lease(self):
        a_job()
        job = claim(NOON)

        assert heartbeat(job, NOON + timedelta(seconds=50))
        assert claim(LATER) is None

    def test_it_is_false_after_a_take_over(self):
        a_job()
        first = claim(NOON)
        second = claim(LATER)

        assert not heartbeat(first, LATER)
        assert heartbeat(second, LATER)

    def test_it_is_false_after_the_job_was_asked_for_again(self):
        a_job()
        job = claim(NOON)
        a_job()

        assert not heartbeat(job, NOON)


class TestRunDue:
    def test_it_does_what_is_due(self, handled):
        a_job(key="a"), a_job(key="b"), a_job(key="c", due_at=LATER)

        assert run_due(NOON) == {"done": 2, "failed": 0, "dead": 0}
        assert sorted(handled) == [("a", SCHEDULER, NOON), ("b", SCHEDULER, NOON)]
        assert Job.objects.filter(state=JobState.DONE, finished_at=NOON, lease_until=None).count() == 2

    def test_it_stops_after_so_many(self, handled):
        for number in range(5):
            a_job(key=str(number))

        assert run_due(NOON, most=3)["done"] == 3

    def test_a_failure_waits_longer_each_time_and_then_is_a_dead_letter(self, handled):
        a_job("tests.fail")
        now, seen = NOON, []
        for _ in range(MOST_ATTEMPTS):
            told = run_due(now)
            job = Job.objects.get()
            seen.append((job.state, job.due_at - now, told["failed"], told["dead"]))
            now = job.due_at

        assert [state for state, *_ in seen] == [JobState.WAITING] * 4 + [JobState.DEAD]
        assert [wait.total_seconds() for _, wait, *_ in seen] == [30, 60, 120, 240, 480]
        assert seen[-1][2:] == (0, 1)
        assert run_due(now + timedelta(days=9)) == {"done": 0, "failed": 0, "dead": 0}

    def test_one_failure_does_not_stop_the_others(self, handled):
        a_job("tests.fail", due_at=NOON - timedelta(hours=1))
        a_job()

        assert run_due(NOON) == {"done": 1, "failed": 1, "dead": 0}

    def test_the_error_is_kept_by_its_class_only(self, handled, caplog):
        a_job("tests.fail", key="REF-1")

        run_due(NOON)

        assert Job.objects.get().last_error == "RuntimeError"
        assert "maria" not in caplog.text and "RuntimeError" in caplog.text

    def test_an_unknown_kind_fails_and_is_counted(self, handled):
        a_job("tests.nobody_does_this")

        assert run_due(NOON)["failed"] == 1
        assert Job.objects.get().last_error == "KeyError"

    def test_who_lost_the_lease_does_not_close_the_job(self, handled):
        def taken_over_meanwhile(key, *, by, at):
            Job.objects.update(lease_token=uuid.uuid4())

        queue.register("tests.slow", taken_over_meanwhile)
        a_job("tests.slow")

        run_due(NOON)

        assert Job.objects.get().state == JobState.LEASED

    def test_a_lease_begins_when_its_job_is_claimed(self, handled, monkeypatch):
        clock = iter([0.0, 0.0, 300.0, 600.0])
        monkeypatch.setattr(queue.time, "monotonic", lambda: next(clock))
        leases = []
        queue.register("tests.slow", lambda key, *, by, at: leases.append(Job.objects.get(key=key).lease_until))
        a_job("tests.slow", key="a"), a_job("tests.slow", key="b")

        run_due(NOON)

        assert [lease - NOON - LEASE for lease in leases] == [timedelta(0), timedelta(seconds=300)]


class TestDeadLetters:
    def test_one_that_is_revived_counts_anew(self, handled):
        Job.objects.filter(pk=a_job().pk).update(state=JobState.DEAD, attempts=5)

        job = try_again(Job.objects.get(), at=NOON)

        assert (job.state, job.attempts, job.due_at) == (JobState.WAITING, 0, NOON)
        assert run_due(NOON)["done"] == 1

    def test_only_the_dead_are_revived(self):
        a_job()
        job = claim(NOON)

        assert try_again(job, at=NOON).state == JobState.LEASED

    def test_the_pause_has_an_end(self):
        assert pause_after(10**6) == pause_after(MOST_ATTEMPTS) == timedelta(minutes=8)


@pytest.mark.django_db(transaction=True)
class TestKeptAlive:
    def test_a_long_job_keeps_its_lease_until_it_ends(self):
        queue.ask("test.long", due_at=NOON, at=NOON)
        job = queue.claim(NOON)
        first = job.lease_until

        with queue.kept_alive(job, every=timedelta(milliseconds=20)):
            time.sleep(0.3)

        job.refresh_from_db()
        assert job.lease_until > first

    def test_it_does_not_prolong_what_another_worker_took_over(self):
        queue.ask("test.long", due_at=NOON, at=NOON)
        job = queue.claim(NOON)
        queue.claim(NOON + timedelta(minutes=2))
        taken = Job.objects.get(pk=job.pk).lease_until

        with queue.kept_alive(job, every=timedelta(milliseconds=20)):
            time.sleep(0.2)

        assert Job.objects.get(pk=job.pk).lease_until == taken

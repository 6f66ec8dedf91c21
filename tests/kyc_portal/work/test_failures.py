"""Sweeps: one row that fails does not stop the others; five failures in a row make it a dead letter."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from kyc_portal.work import failures
from kyc_portal.work.failures import MOST_COUNTED, note_failure, note_success, sweep
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.queue import try_again
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
KIND = "tests.sweep"


@pytest.fixture
def rows(db) -> list[Group]:
    return [Group.objects.create(name=f"tests {number}") for number in range(3)]


def failing_for(*bad):
    """Renames each row; raises afterwards for the bad ones."""

    def act(row):
        Group.objects.filter(pk=row.pk).update(name=f"done {row.pk}")
        if row in bad:
            raise RuntimeError("maria@customer.example")

    return act


class TestSweep:
    def test_all_rows_are_done(self, rows):
        assert sweep(KIND, rows, failing_for(), at=NOON) == {"done": 3, "failed": 0}
        assert not Job.objects.exists()

    def test_one_that_fails_is_undone_and_counted_and_the_others_go_on(self, rows, caplog):
        told = sweep(KIND, rows, failing_for(rows[1]), at=NOON)

        assert told == {"done": 2, "failed": 1}
        assert Group.objects.get(pk=rows[1].pk).name == "tests 1"
        job = Job.objects.get()
        assert (job.key, job.attempts, job.last_error, job.is_sweep) == (str(rows[1].pk), 1, "RuntimeError", True)
        assert "maria" not in caplog.text

    def test_one_that_failed_waits_before_it_is_tried_again(self, rows):
        sweep(KIND, rows, failing_for(rows[1]), at=NOON)

        assert sweep(KIND, rows, failing_for(rows[1]), at=NOON)["failed"] == 0
        assert sweep(KIND, rows, failing_for(rows[1]), at=NOON + timedelta(seconds=30))["failed"] == 1

    def test_after_five_failures_it_is_a_dead_letter_and_left_out(self, rows):
        for hour in range(6):
            told = sweep(KIND, rows, failing_for(rows[1]), at=NOON + timedelta(hours=hour))

        job = Job.objects.get()
        assert (job.state, job.attempts, told) == (JobState.DEAD, 5, {"done": 2, "failed": 0})

    def test_a_revived_row_is_tried_again_and_its_success_clears_it(self, rows):
        for hour in range(5):
            sweep(KIND, rows, failing_for(rows[1]), at=NOON + timedelta(hours=hour))
        try_again(Job.objects.get(), at=NOON)

        assert sweep(KIND, rows, failing_for(), at=NOON) == {"done": 3, "failed": 0}
        assert Job.objects.get().state == JobState.DONE

    def test_a_success_between_failures_begins_the_count_anew(self, rows):
        sweep(KIND, rows, failing_for(rows[1]), at=NOON)
        sweep(KIND, rows, failing_for(), at=NOON + timedelta(hours=1))

        sweep(KIND, rows, failing_for(rows[1]), at=NOON + timedelta(hours=2))

        assert sorted(Job.objects.values_list("state", "attempts")) == [(JobState.DONE, 1), (JobState.WAITING, 1)]

    def test_the_same_key_of_another_kind_is_not_held_back(self, rows):
        sweep(KIND, rows, failing_for(rows[1]), at=NOON)

        assert failures.held_back(KIND, NOON) == {str(rows[1].pk)}
        assert failures.held_back("tests.other", NOON) == set()


class TestTasks:
    class Sender:
        name = "tests.tasks.nightly"

    def test_five_failures_of_a_task_make_a_dead_letter(self):
        for _ in range(5):
            failures.task_failed(sender=self.Sender, exception=ValueError("maria"))

        job = Job.objects.get()
        assert (job.kind, job.key, job.state, job.last_error) == ("task", self.Sender.name, JobState.DEAD, "ValueError")

    def test_its_next_success_clears_them(self):
        failures.task_failed(sender=self.Sender, exception=ValueError())

        failures.task_succeeded(sender=self.Sender)

        assert Job.objects.get().state == JobState.DONE

    def test_a_success_without_failures_leaves_no_row(self):
        failures.task_succeeded(sender=self.Sender)
        note_success("task", self.Sender.name)

        assert not Job.objects.exists()

    def test_a_task_that_fails_for_weeks_does_not_count_beyond_its_column(self):
        note_failure("task", "t", ValueError(), NOON)
        Job.objects.update(attempts=MOST_COUNTED)

        note_failure("task", "t", ValueError(), NOON)

        assert Job.objects.get().attempts == MOST_COUNTED

    def test_two_threads_that_fail_at_once_are_both_counted(self, transactional_db, in_threads):
        told = in_threads(*[lambda: note_failure(KIND, "k", ValueError(), NOON)] * 2)

        assert told == [None, None]
        assert Job.objects.get().attempts == 2

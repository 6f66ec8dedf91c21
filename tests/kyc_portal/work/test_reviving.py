import pytest

from kyc_portal.records.models import AuditEvent
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.reviving import NotDead, revive
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def make_dead() -> Job:
    return Job.objects.create(kind="test.kind", state=JobState.DEAD, attempts=5, asked_at=NOON, due_at=NOON)


class TestRevive:
    def test_it_lets_a_dead_letter_be_tried_again_and_says_who_did(self, administrator_user):
        job = revive(make_dead(), by=administrator_user.as_actor, at=NOON)

        event = AuditEvent.objects.get(verb="work.job.revived")
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        assert (event.actor_label, event.facts) == ("adam", {"kind": "test.kind"})
        assert queue.claim(NOON) == job

    @pytest.mark.parametrize("state", [JobState.WAITING, JobState.LEASED, JobState.DONE])
    def test_it_refuses_a_job_that_is_not_dead(self, administrator_user, state):
        job = Job.objects.create(kind="test.kind", state=state, asked_at=NOON, due_at=NOON)

        with pytest.raises(NotDead, match="nothing to try again"):
            revive(job, by=administrator_user.as_actor, at=NOON)

        assert not AuditEvent.objects.filter(verb="work.job.revived").exists()

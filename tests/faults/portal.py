"""The Celery app of the fault tests: the portal's own with jobs that leave a note, and an impatient beat."""

import os
from pathlib import Path

import django

from kyc_portal.celery import app

django.setup()

from kyc_portal.work import queue  # noqa: E402  models need Django first

app.conf.beat_schedule = {
    "run due jobs": {"task": "kyc_portal.work.tasks.run_due_jobs", "schedule": 1.0},
    "seal the audit trail": {"task": "kyc_portal.records.tasks.seal_pending", "schedule": 1.0},
}


def note(key, *, by, at):
    """One line for each time a job of the tests was done."""
    with Path(os.environ["FOLDER"], "notes").open("a") as notes:
        notes.write(f"{key}\n")


queue.register("tests.note", note)

"""The Celery app and the beat table: which task, when, why. Messages may be lost or doubled; rows are the truth."""

import logging
import os
from pathlib import Path

from celery import Celery, Task, signals
from celery.schedules import crontab
from django.conf import settings

from kyc_portal.records.acting import acting
from kyc_portal.records.refs import SCHEDULER

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kyc_portal.settings.development")


class PortalTask(Task):
    """A task is a door: what it changes is the scheduler's, unless its flow says otherwise."""

    abstract = True

    def __call__(self, *args, **kwargs):
        with acting(SCHEDULER):
            return super().__call__(*args, **kwargs)


app = Celery("kyc_portal", task_cls=PortalTask)

BEAT_SCHEDULE = {
    "run due jobs": {"task": "kyc_portal.work.tasks.run_due_jobs", "schedule": 15.0},
    "seal the audit trail": {"task": "kyc_portal.records.tasks.seal_pending", "schedule": 5.0},
    "build approved bundles": {"task": "cases.tasks.build_approved_bundles", "schedule": 15.0},
    "take in abuse reports": {"task": "cases.tasks.take_in_abuse_reports", "schedule": 60.0},
    "screen new and changed parties": {"task": "accounts.tasks.screen_new_and_changed", "schedule": 60.0},
    "look back for whom we shut out": {"task": "accounts.tasks.look_back_due", "schedule": 60.0},
    "fingerprint access": {"task": "accounts.tasks.fingerprint_access", "schedule": crontab(hour=1, minute=0)},
    "look at access answers": {"task": "accounts.tasks.look_at_access_answers", "schedule": 60.0},
    "send notices": {"task": "kyc_portal.notices.tasks.deliver_queued_notices", "schedule": 60.0},
    "end restrictions that ran out": {
        "task": "accounts.tasks.end_expired_restrictions",
        "schedule": crontab(minute=5),
    },
    "end checks without an answer": {
        "task": "accounts.tasks.end_unanswered_checks",
        "schedule": crontab(minute=35),
    },
    "end certifications that lapsed": {
        "task": "resellers.tasks.lapse_certifications",
        "schedule": crontab(hour=0, minute=40),
    },
    "open yearly attestations": {"task": "resellers.tasks.open_attestations", "schedule": crontab(hour=0, minute=50)},
    "ask for re-verification": {
        "task": "accounts.tasks.request_due_reverifications",
        "schedule": crontab(hour=1, minute=10),
    },
    "end tiers set by hand": {"task": "accounts.tasks.end_tiers_set_by_hand", "schedule": crontab(hour=1, minute=30)},
    "make watches due": {"task": "accounts.tasks.make_watches_due", "schedule": crontab(hour=1, minute=20)},
    "claim accesses that wait": {"task": "accounts.tasks.claim_waiting_accesses", "schedule": crontab(minute=50)},
    "let refused lines go": {"task": "accounts.tasks.let_refused_lines_go", "schedule": crontab(hour=3, minute=50)},
    "look for red flags": {"task": "accounts.tasks.run_detectors", "schedule": crontab(hour=1, minute=40)},
    "count red flags": {"task": "accounts.tasks.count_flags", "schedule": crontab(hour=6, minute=40)},
    "bring decisions into effect": {"task": "cases.tasks.bring_decisions_into_effect", "schedule": 60.0},
    "lapse preservations": {"task": "cases.tasks.lapse_preservations", "schedule": crontab(hour=2, minute=10)},
    "hold what Commerce looks at": {"task": "cases.tasks.hold_flagged", "schedule": crontab(hour=2, minute=20)},
    "screen rosters": {"task": "resellers.tasks.screen_rosters", "schedule": crontab(hour=2, minute=40)},
    "bring special measures into effect": {"task": "cases.tasks.bring_measures_into_effect", "schedule": 300.0},
    "lift special measures that are over": {"task": "cases.tasks.lift_expired_measures", "schedule": 300.0},
    "compute hits of special measures": {
        "task": "cases.tasks.compute_measure_hits",
        "schedule": crontab(hour=0, minute=5),
    },
    "give back cases of who is away": {"task": "cases.tasks.give_back_cases_of_absent", "schedule": crontab(minute=2)},
    "count the hours of cases": {"task": "cases.tasks.recompute_due_moments", "schedule": crontab(hour=0, minute=20)},
    "remind of deadlines": {
        "task": "kyc_portal.staff.tasks.remind_of_deadlines",
        "schedule": crontab(hour=6, minute=0),
    },
    "tell auditors of break-glass": {
        "task": "kyc_portal.staff.tasks.tell_of_break_glass",
        "schedule": crontab(hour=6, minute=20),
    },
    "check the audit trail's guards": {
        "task": "kyc_portal.records.tasks.check_append_only",
        "schedule": 60.0,
    },
    "hold changes of rows against the audit trail": {
        "task": "kyc_portal.records.tasks.reconcile_changes",
        "schedule": crontab(hour=4, minute=20),
    },
    "forget old log-ins": {"task": "kyc_portal.staff.tasks.forget_old_log_ins", "schedule": crontab(minute=20)},
    "purge what is due": {
        "task": "kyc_portal.records.tasks.purge_due_records",
        "schedule": crontab(hour=3, minute=40),
    },
    "forget verdicts on addresses": {
        "task": "accounts.tasks.forget_verdicts",
        "schedule": crontab(hour=5, minute=40),
    },
    "watch the clock": {"task": "kyc_portal.records.tasks.watch_clock", "schedule": 60.0},
    "reconcile files of documents": {"task": "accounts.tasks.reconcile_files", "schedule": crontab(hour=4, minute=20)},
    "reconcile bundles": {"task": "cases.tasks.reconcile_bundles", "schedule": crontab(hour=4, minute=40)},
    "enforce the last days of cures": {
        "task": "resellers.tasks.enforce_cure_deadlines",
        "schedule": crontab(hour=0, minute=40),
    },
    "reconcile copies of CIPs": {
        "task": "resellers.tasks.reconcile_cip_bundles",
        "schedule": crontab(hour=4, minute=50),
    },
    "complete the destruction ledger": {
        "task": "kyc_portal.records.tasks.complete_destruction_ledger",
        "schedule": crontab(hour=5, minute=10),
    },
}

app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    enable_utc=True,
    timezone="UTC",
    beat_schedule=BEAT_SCHEDULE,
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _filesystem_transport(folder: Path) -> dict:
    """Transport options of the embedded broker: messages are files below `folder`, gone when the portal stops."""
    for name in ("messages", "done"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    messages = str(folder / "messages")
    return {"data_folder_in": messages, "data_folder_out": messages, "control_folder": str(folder / "done")}


@signals.setup_logging.connect
def keep_our_logs(loglevel=None, **kwargs):
    """Celery would write the arguments, results and errors of tasks in full; our own settings stand instead."""
    logging.getLogger("celery").setLevel(loglevel or logging.WARNING)


@app.on_after_configure.connect
def choose_transport(sender, **kwargs):
    """Set what the chosen broker needs; Redis looks often for messages whose worker died (by default in minutes)."""
    if sender.conf.broker_url.startswith("filesystem:"):
        sender.conf.broker_transport = "kyc_portal.work.file_broker:Transport"
        sender.conf.broker_transport_options = _filesystem_transport(settings.BROKER_DIR)
    else:
        sender.conf.broker_transport_options = {"unacked_restore_interval": 2, "unacked_restore_throttle": 1}

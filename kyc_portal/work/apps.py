from celery import signals
from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "kyc_portal.work"
    label = "work"
    verbose_name = "Work to do"

    def ready(self):
        from kyc_portal.records import retention
        from kyc_portal.work import failures, purging, queue
        from kyc_portal.work.failures import task_failed, task_succeeded

        retention.count_failures_with(failures)
        queue.register(purging.KIND, purging.carry_out)
        signals.task_failure.connect(task_failed)
        signals.task_success.connect(task_succeeded)

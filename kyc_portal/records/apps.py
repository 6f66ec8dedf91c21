from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from kyc_portal.records import append_only


def make_triggers_again(sender, **kwargs):
    """After each migration: a rebuilt table on SQLite has lost its triggers."""
    append_only.create_triggers()


class RecordsConfig(AppConfig):
    name = "kyc_portal.records"
    label = "records"
    verbose_name = "Audit, holds and retention"

    def ready(self):
        from kyc_portal.records import destruction_ledger

        autodiscover_modules("verbs")
        autodiscover_modules("retention")  # in the order of INSTALLED_APPS: the highest app's files go first
        post_migrate.connect(make_triggers_again, sender=self)
        checks.register(append_only.check_triggers)
        checks.register(destruction_ledger.check_ledger)

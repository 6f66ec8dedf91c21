from django.apps import AppConfig
from django.core import checks
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import autodiscover_modules

from kyc_portal.records import session, triggers


def lift_triggers(sender, **kwargs):
    """SQLite cannot rebuild a table that a trigger of another one reads; `migrate` mends what it stops half-way."""
    if connection.vendor == "sqlite":
        triggers.drop()


def make_triggers_again(sender, **kwargs):
    """After each migration: a rebuilt table on SQLite has lost its triggers, and new tables have none yet."""
    triggers.create()


class RecordsConfig(AppConfig):
    name = "kyc_portal.records"
    label = "records"
    verbose_name = "Audit, holds and retention"

    def ready(self):
        from kyc_portal.records import append_only, deletion, destruction_ledger, held_rows, row_triggers  # noqa: F401, their import registers them

        connection_created.connect(session.introduce, dispatch_uid="records.session")
        autodiscover_modules("verbs")
        autodiscover_modules("retention")  # in the order of INSTALLED_APPS: the highest app's files go first
        deletion.guard_models()
        pre_migrate.connect(lift_triggers, sender=self)
        post_migrate.connect(make_triggers_again, sender=self)
        checks.register(triggers.check)
        checks.register(destruction_ledger.check_ledger)

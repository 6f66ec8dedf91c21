"""Audit events and tombstones may only grow: the database itself refuses to change or remove them."""

from django.db import migrations

from kyc_portal.records import append_only


def create(apps, schema_editor):
    append_only.create_triggers()


def drop(apps, schema_editor):
    append_only.drop_triggers()


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]

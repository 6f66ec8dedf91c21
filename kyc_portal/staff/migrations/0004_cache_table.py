from django.core.management import call_command
from django.db import migrations


def make_cache_table(apps, schema_editor):
    """The table of the settings' cache, where that is the database: production counts wrong codes in it."""
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0003_sessions_ended"),
    ]

    operations = [
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
    ]

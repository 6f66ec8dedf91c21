"""Nothing to do here any more: each migration ends with the triggers being made (kyc_portal/records/triggers.py).

Made in the middle of a migration they would stand in the way of what comes next: SQLite cannot rebuild a table that
a trigger of another table reads.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = []

"""The list of triggers: what stands in it is made, kept and missed on both databases."""

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from kyc_portal.records import triggers

pytestmark = pytest.mark.django_db

HOLLOW = {
    "sqlite": (
        "DROP TRIGGER records_tombstone_no_delete",
        "CREATE TRIGGER records_tombstone_no_delete BEFORE DELETE ON records_tombstone BEGIN SELECT 1; END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION records_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END'",
    ),
}


class TestAlteredTriggers:
    def test_one_that_no_longer_refuses_counts_as_missing_and_is_mended(self):
        with connection.cursor() as cursor:
            for statement in HOLLOW[connection.vendor]:
                cursor.execute(statement)

        missing = triggers.missing()
        triggers.create()

        assert "records_tombstone_no_delete" in missing
        assert triggers.missing() == []

    def test_one_on_another_table_does_not_stand_for_the_right_one(self):
        if connection.vendor != "postgresql":
            pytest.skip("on SQLite a name is unique in the whole database")
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER records_tombstone_no_delete ON records_tombstone")
            cursor.execute(
                "CREATE TRIGGER records_tombstone_no_delete BEFORE DELETE ON records_auditpending"
                " FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change()"
            )

        assert triggers.missing() == ["records_tombstone_no_delete"]


class TestMigrate:
    @pytest.mark.django_db(transaction=True)
    def test_nothing_is_missing_after_it(self):
        with transaction.atomic():
            triggers.drop()
        gone = triggers.missing()

        call_command("migrate", fake=True, verbosity=0)  # the tables of tests come from the models

        assert set(gone) == triggers.expected()
        assert triggers.missing() == []

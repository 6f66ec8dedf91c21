"""The audit trail and the tombstones only grow; a missing guard is found, named and mended."""

import io
import uuid

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from kyc_portal.records import append_only, audit, sealing, triggers
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    CheckpointStamp,
    DestroyedPayload,
    Tombstone,
)
from kyc_portal.records.refs import SCHEDULER, RecordRef
from kyc_portal.records.tasks import TrailUnguarded, check_append_only
from kyc_portal.records.verbs import Verb
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def an_event() -> AuditEvent:
    return audit.record(Verb.VIEWED, RecordRef("a.b", "1", "B-1"), by=SCHEDULER, at=NOON)


def a_tombstone() -> Tombstone:
    return Tombstone.objects.create(
        label="a.b", key="1", name="B-1", rule="r", basis="b", kept_through=NOON.date(), counts={}, holds_looked_at=0,
        digest="d", event_id=uuid.uuid4(), purged_at=NOON, purged_by="s",
    )  # fmt: skip


def a_destroyed_payload() -> DestroyedPayload:
    return DestroyedPayload.objects.create(event_id=uuid.uuid4(), purge_event_id=uuid.uuid4())


def a_leaf() -> AuditLeaf:
    an_event(), sealing.seal_pending()
    return AuditLeaf.objects.first()


def a_checkpoint() -> AuditCheckpoint:
    an_event(), sealing.seal_pending()
    return AuditCheckpoint.objects.first()


def a_stamp() -> CheckpointStamp:
    return CheckpointStamp.objects.create(size=1, authority="tsa.example", token=b"t", stamped_at=NOON)


MAKERS = [an_event, a_tombstone, a_leaf, a_checkpoint, a_stamp, a_destroyed_payload]


def _raw(sql: str):
    def act(row):
        with connection.cursor() as cursor:
            cursor.execute(sql.format(table=row._meta.db_table, pk=connection.ops.quote_name(row._meta.pk.column)))

    return act


def _second(row) -> str:
    return row._meta.concrete_fields[1].attname


def _save(row):
    row.save(force_update=True)


def _bulk_update(row):
    type(row).objects.bulk_update([row], [_second(row)])


ACTS = {
    "save": _save,
    "delete": lambda row: row.delete(),
    "queryset update": lambda row: type(row).objects.update(**{_second(row): models.F(_second(row))}),
    "queryset delete": lambda row: type(row).objects.all().delete(),
    "raw delete of a queryset": lambda row: type(row).objects.all()._raw_delete("default"),
    "bulk update": _bulk_update,
    "raw UPDATE": _raw("UPDATE {table} SET {pk} = {pk}"),
    "raw DELETE": _raw("DELETE FROM {table}"),
    "overwriting insert": lambda row: type(row).objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=[row._meta.pk.name],
        update_fields=[_second(row)],
    ),
}


class TestGuards:
    @pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
    @pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
    def test_no_change_gets_through(self, make, act):
        row = make()
        before = type(row).objects.filter(pk=row.pk).values().get()

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act(row)

        assert type(row).objects.filter(pk=row.pk).values().get() == before

    @pytest.mark.parametrize("table", append_only.TABLES)
    def test_replace_on_sqlite_does_not_pass_by(self, table):
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite has REPLACE")
        an_event(), a_tombstone(), a_stamp(), a_destroyed_payload(), sealing.seal_pending()

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608

    @pytest.mark.parametrize("table", append_only.TABLES)
    def test_truncate_on_postgresql_does_not_get_through(self, table):
        if connection.vendor != "postgresql":
            pytest.skip("only PostgreSQL has TRUNCATE")

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table}")

    def test_new_rows_get_through(self):
        before = AuditEvent.objects.count()

        an_event(), an_event()

        assert AuditEvent.objects.count() == before + 2


class TestMissingGuards:
    def test_nothing_is_missing_to_begin_with(self):
        assert triggers.missing() == []
        assert triggers.check(None) == []
        assert check_append_only.run() == {"triggers": len(triggers.expected())}

    @pytest.mark.parametrize("name", sorted(append_only.TABLES))
    def test_one_that_is_gone_is_found_and_named(self, name):
        trigger = f"{name}_no_delete"
        _drop(trigger, name)

        [error] = triggers.check(None)

        assert triggers.missing() == [trigger]
        assert trigger in error.msg and "migrate" in error.hint
        with pytest.raises(TrailUnguarded, match=trigger):
            check_append_only.run()

    def test_one_that_is_switched_off_counts_as_missing_and_is_mended(self):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite cannot switch a trigger off")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE records_auditevent DISABLE TRIGGER records_auditevent_no_update")

        missing = triggers.missing()
        triggers.create()

        assert missing == ["records_auditevent_no_update"]
        assert triggers.missing() == []

    def test_migrate_is_not_stopped_by_what_it_mends(self):
        triggers.drop()

        assert triggers.check(None, databases=["default"]) == []
        assert len(triggers.check(None)) == len(triggers.expected())

    def test_a_table_rebuilt_by_a_migration_is_noticed_and_mended_by_migrate(self, transactional_db):
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite rebuilds a table to change it")
        with connection.schema_editor() as editor:
            editor.alter_field(AuditEvent, AuditEvent._meta.get_field("verb"), _wider(AuditEvent, "verb", 90))

        missing = triggers.missing()
        call_command("migrate", fake=True, verbosity=0, stdout=io.StringIO())

        assert missing == ["records_auditevent_no_delete", "records_auditevent_no_update"]
        assert triggers.missing() == []

    def test_making_them_before_the_tables_are_there_does_nothing(self, monkeypatch):
        monkeypatch.setattr(append_only, "TABLES", ("records_nowhere",))

        triggers.create()

        assert triggers.missing() == []


class TestFlush:
    """The tests' own ground: after a transactional test everything stands as before."""

    def test_a_committed_event_is_cleaned_away(self, transactional_db):
        an_event()

        assert AuditEvent.objects.filter(about_name="B-1").exists()

    def test_the_guards_are_back_after_it(self, transactional_db, analyst_user):
        assert not AuditEvent.objects.filter(about_name="B-1").exists()
        assert triggers.missing() == []
        assert analyst_user.has_perm("accounts.view_account")


def _drop(trigger: str, table: str) -> None:
    on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}{on_table}")


def _wider(model, name: str, length: int) -> models.Field:
    field = models.CharField(max_length=length)
    field.set_attributes_from_name(name)
    field.model = model
    return field

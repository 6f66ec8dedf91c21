"""The three database roles: what the app and the purge role cannot do, tried as these roles on PostgreSQL."""

import io
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.flows import closing
from accounts.models import Account, Party
from kyc_portal.records import append_only, changes, grants, sealing
from kyc_portal.records.models import AuditEvent, RowChange, SubjectKey
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_open_account
from tests.conftest import NOON

postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no roles")

ACTS = (
    "UPDATE {table} SET {key} = {key}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "DROP TRIGGER {trigger} ON {table}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
)


@contextmanager
def connected_as(role: str):
    """Everything inside reaches the database as this role."""
    owner = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = role
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["USER"] = owner


def print_grants() -> str:
    out = io.StringIO()
    call_command("print_grants", app="portal_app", purge="portal_purge", stdout=out)
    return out.getvalue()


@pytest.fixture
def granted(transactional_db):
    """A customer's open account, and both roles with what print_grants prints."""
    account = make_open_account()
    MigrationRecorder(connection).ensure_schema()  # as where migrations made the tables
    with connection.cursor() as cursor:
        cursor.execute(print_grants())
    return account


def refused(statement: str, **names: str) -> bool:
    """Whether the database denies this role the statement, with these names of tables and columns."""
    quoted = {place: connection.ops.quote_name(name) for place, name in names.items()}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(**quoted))
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


@postgresql
class TestRoles:
    @pytest.mark.parametrize("role", ["portal_app", "portal_purge"])
    def test_neither_changes_what_may_only_grow_nor_the_guards(self, granted, role):
        keys = {model._meta.db_table: model._meta.pk.column for model in apps.get_models()}
        with connected_as(role):
            for table in append_only.TABLES:
                for act in ACTS:
                    assert refused(act, table=table, key=keys[table], trigger=f"{table}_no_delete"), (act, table)
            assert refused("CREATE TABLE mine (id int)")
            assert refused("UPDATE django_migrations SET name = 'x'")
            assert grants.faults_of_role() == []

    @pytest.mark.parametrize("role", ["portal_app", "portal_purge"])
    def test_neither_destroys_or_alters_what_was_written_down_of_a_change(self, granted, role):
        table, trigger = append_only.CHANGES, f"{append_only.CHANGES}_no_delete"
        with connected_as(role):
            for act in ACTS[1:]:
                assert refused(act, table=table, trigger=trigger), act
            with pytest.raises(ProgrammingError, match="records_rowchange is append-only"), transaction.atomic():
                RowChange.objects.update(actor="person:somebody-else")
            make_account()  # its changes are written down by this role
            told = changes.reconcile(by=SCHEDULER, at=NOON)
            assert grants.faults_of_role() == []

        assert told.rows and not RowChange.objects.waiting().exists()

    @pytest.mark.parametrize("act", ["DELETE", "TRUNCATE", "TRIGGER"])
    def test_a_role_that_may_destroy_them_is_told(self, granted, act):
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT {act} ON records_rowchange TO portal_app")
        with connected_as("portal_app"):
            [(what, _)] = grants.faults_of_role()

        assert "may change records_rowchange," in what

    def test_the_app_works_but_destroys_no_record(self, granted):
        with connected_as("portal_app"):
            account = make_account()
            closing.close_account(granted, reason="own_request", by=SCHEDULER, at=NOON)
            sealing.seal_pending()
            Session.objects.create(session_key="k", session_data="x", expire_date=timezone.now())
            Session.objects.all().delete()
            still = AuditEvent.objects.filter(about_key=str(account.pk)).exists()
            destroyed = [refused("DELETE FROM {table}", table=table) for table in sorted(grants.kept_tables())]

        assert still and all(destroyed)
        assert Account.objects.count() == 2 and SubjectKey.objects.exists()

    def test_the_purge_role_may_also_destroy(self, granted):
        party = granted.party

        with connected_as("portal_purge"):
            SubjectKey.objects.filter(subject=party.pk).delete()
            Party.objects.filter(pk=make_account().party_id).update(legal_name="changed")

        assert not SubjectKey.objects.filter(subject=party.pk).exists()

    def test_the_owner_is_told_that_it_owns(self, granted):
        [(what, how)] = grants.faults_of_role()

        assert "owns the tables" in what and "print_grants" in how

    def test_a_role_that_may_change_the_trail_is_told_of_the_tables(self, granted):
        with connection.cursor() as cursor:
            cursor.execute("GRANT UPDATE ON records_auditevent TO portal_app")
        with connected_as("portal_app"):
            [(what, _)] = grants.faults_of_role()
        with connection.cursor() as cursor:
            cursor.execute(print_grants())  # run again, it takes the right away
        with connected_as("portal_app"):
            mended = grants.faults_of_role()

        assert "may change records_auditevent," in what and mended == []


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own refusal")
def test_sqlite_has_no_roles_to_grant_to():
    with pytest.raises(CommandError, match="Only PostgreSQL has roles"):
        print_grants()
    assert grants.faults_of_role() == []

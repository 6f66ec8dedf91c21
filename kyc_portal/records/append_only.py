"""The triggers that refuse any change to what may only grow, on both databases; made again after each migration.

A rebuild of a table on SQLite drops its triggers without a word, hence the check when web, worker or a command starts.
"""

from django.core import checks
from django.db import OperationalError, connection

TABLES = (
    "records_auditevent",
    "records_auditleaf",
    "records_auditcheckpoint",
    "records_destroyedpayload",
    "records_tombstone",
)

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {ACT} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION records_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
_POSTGRES = """
CREATE OR REPLACE TRIGGER {table}_no_{act} BEFORE {ACT} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change()
"""


def _acts() -> tuple[str, ...]:
    return ("update", "delete", "truncate") if connection.vendor == "postgresql" else ("update", "delete")


def expected_triggers() -> set[str]:
    """The names of all triggers this database must have."""
    return {f"{table}_no_{act}" for table in TABLES for act in _acts()}


def create_triggers() -> None:
    """Make the triggers that are missing; harmless when all are there, or a table is not there yet."""
    template = _POSTGRES if connection.vendor == "postgresql" else _SQLITE
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for table in there.intersection(TABLES):
            for act in _acts():
                cursor.execute(template.format(table=table, act=act, ACT=act.upper()))


def drop_triggers() -> None:
    """Take the triggers away: only the reverse of the migration and the tests' flush need it."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for act in _acts():
                on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{act}{on_table}")


def missing_triggers() -> list[str]:
    """The triggers that should be there and are not, sorted; empty before the first migration."""
    with connection.cursor() as cursor:
        if TABLES[0] not in connection.introspection.table_names(cursor):
            return []
        if connection.vendor == "postgresql":
            # A disabled trigger ('D') guards nothing, so it counts as missing.
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return sorted(expected_triggers() - {name for (name,) in cursor.fetchall()})


def check_triggers(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """System check: every start but `migrate` (which mends it) is refused while a trigger is missing."""
    if databases:  # `migrate` names its databases; it must not be stopped by what it is about to put right
        return []
    try:
        missing = missing_triggers()
    except OperationalError:
        return []  # no database within reach: that is told by whoever needs it
    return [
        checks.Error(
            f"The append-only trigger {name} is missing: the audit trail is unguarded.",
            hint="Run `manage.py migrate`, which makes it again, and find out who removed it.",
            id="records.E001",
        )
        for name in missing
    ]

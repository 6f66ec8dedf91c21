"""The triggers by which the database itself guards the records: one list for both databases, made after each migration.

A rebuild of a table on SQLite drops its triggers without a word, hence the check when web, worker or a command starts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core import checks
from django.db import OperationalError, connection, transaction


@dataclass(frozen=True)
class Trigger:
    """One trigger as the database at hand wants it.

    `statement` makes it: on SQLite it begins with CREATE TRIGGER, on PostgreSQL with CREATE OR REPLACE TRIGGER.
    `function` is the statement that makes the function it calls (PostgreSQL), its body between two $$.
    """

    name: str
    table: str
    statement: str
    function: str = ""


@dataclass(frozen=True)
class TriggerSet:
    """Triggers with one purpose. `triggers_for` takes the vendor, "sqlite" or "postgresql"."""

    title: str
    guarded: str  # what stands unguarded without them, as the check says it
    triggers_for: Callable[[str], list[Trigger]]


_SETS: list[TriggerSet] = []


def register(*sets: TriggerSet) -> None:
    """Add sets of triggers; each app does so when it is ready."""
    _SETS.extend(each for each in sets if each not in _SETS)


def _all() -> list[tuple[TriggerSet, Trigger]]:
    return [(each, trigger) for each in _SETS for trigger in each.triggers_for(connection.vendor)]


def expected() -> set[str]:
    """The names of all triggers this database must have."""
    return {trigger.name for _, trigger in _all()}


def create() -> None:
    """Make every trigger as it must be; harmless when all are there, or a table is not there yet."""
    with transaction.atomic(), connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        triggers = [trigger for _, trigger in _all() if trigger.table in there]
        if connection.vendor == "postgresql":
            functions = dict.fromkeys(trigger.function for trigger in triggers)
            _execute_all(cursor, [*functions, *(trigger.statement for trigger in triggers)])
            return
        made = _made_on_sqlite(cursor)
        for trigger in triggers:
            if made.get(trigger.name) != trigger.statement:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")
                cursor.execute(trigger.statement)


def drop() -> None:
    """Take the triggers away: what changes tables on SQLite, the reverse of a migration, and the tests' flush."""
    on_postgres = connection.vendor == "postgresql"
    with transaction.atomic(), connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        names = [(trigger.name, trigger.table) for _, trigger in _all() if trigger.table in there]
        statements = [f"DROP TRIGGER IF EXISTS {name}{f' ON {table}' if on_postgres else ''}" for name, table in names]
        _execute_all(cursor, statements)


def missing() -> list[str]:
    """The triggers that should be there and are not, sorted. One that was switched off or altered counts as missing."""
    return [trigger.name for _, trigger in _missing()]


def _missing() -> list[tuple[TriggerSet, Trigger]]:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        is_whole = _whole_on_postgres(cursor) if connection.vendor == "postgresql" else _whole_on_sqlite(cursor)
    gone = [(each, trigger) for each, trigger in _all() if trigger.table in tables and not is_whole(trigger)]
    return sorted(gone, key=lambda pair: pair[1].name)


def _whole_on_sqlite(cursor) -> Callable[[Trigger], bool]:
    made = _made_on_sqlite(cursor)
    return lambda trigger: made.get(trigger.name) == trigger.statement


def _made_on_sqlite(cursor) -> dict[str, str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(cursor.fetchall())


def _whole_on_postgres(cursor) -> Callable[[Trigger], bool]:
    """Enabled ('D' is a disabled one), on its own table, and calling a function that still says what it should."""
    cursor.execute(
        "SELECT tgname, relname, prosrc FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    made = set(cursor.fetchall())
    return lambda trigger: (trigger.name, trigger.table, trigger.function.split("$$")[1]) in made


def _execute_all(cursor, statements: list[str]) -> None:
    if connection.vendor == "postgresql":  # one way to the server and back for all of them
        statements = ["; ".join(statements)] if statements else []
    for statement in statements:
        cursor.execute(statement)


def check(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """System check: every start but `migrate` (which mends it) is refused while a trigger is missing."""
    if databases:  # `migrate` names its databases; it must not be stopped by what it is about to put right
        return []
    try:
        gone = _missing()
    except OperationalError:
        return []  # no database within reach: that is told by whoever needs it
    return [
        checks.Error(
            f"The {each.title} trigger {trigger.name} is missing: {each.guarded} unguarded.",
            hint="Run `manage.py migrate`, which makes it again, and find out who removed it.",
            id="records.E001",
        )
        for each, trigger in gone
    ]

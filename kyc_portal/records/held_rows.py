"""The triggers that refuse to delete a row whose file is held, and to end a hold but by its release (R54, R80).

On PostgreSQL a trigger looks once at all rows of a statement. It locks their files first, as placing a hold does, so
that a hold not committed yet is waited for and none is overlooked. SQLite has one writer; there it looks row by row.
"""

from collections import defaultdict

from django.db import models

from kyc_portal.records import deletion
from kyc_portal.records.roots import Path, root_of, select_keys
from kyc_portal.records.triggers import Trigger, TriggerSet, register

_IN_FORCE = (
    "records_heldrecord held JOIN records_legalhold hold ON hold.id = held.hold_id WHERE hold.released_at IS NULL"
)
_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))  # a key as holds name it, from the 32 digits SQLite keeps
_AS_TEXT = " || '-' || ".join(f"substr(touched.key, {start}, {length})" for start, length in _PARTS)

_SQLITE_HELD = """CREATE TRIGGER {table}_held BEFORE DELETE ON {table}
WHEN {held}
BEGIN SELECT RAISE(ABORT, '{table}: a legal hold keeps this row'); END"""
_POSTGRES_HELD_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_keep_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holding text;
    {declarations}
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '%: rows go under READ COMMITTED only, under which no hold is overlooked', TG_TABLE_NAME
        USING ERRCODE = '23000';
    END IF;
    {statements}
    SELECT string_agg(DISTINCT hold.reference, ', ') INTO holding FROM {in_force} AND ({held});
    IF holding IS NOT NULL THEN
        RAISE EXCEPTION '%: a legal hold keeps these rows (%)', TG_TABLE_NAME, holding USING ERRCODE = '23000';
    END IF;
    RETURN NULL;
END $$
"""
_POSTGRES_HELD = """
CREATE OR REPLACE TRIGGER {table}_held AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_held()
"""

_POSTGRES_REFUSE = """
CREATE OR REPLACE FUNCTION records_refuse_{name}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%: {why}', TG_TABLE_NAME USING ERRCODE = '23000'; END $$
"""
_BY_RELEASE_ONLY = "a hold ends by its release only, and once"
_UNTOUCHABLE = (  # table, act, and the condition under which the act is refused
    ("records_legalhold", "delete", ""),
    (
        "records_legalhold",
        "update",
        "OLD.released_at IS NOT NULL OR OLD.placed_at <> NEW.placed_at OR OLD.id <> NEW.id",
    ),
    ("records_heldrecord", "delete", ""),
    ("records_heldrecord", "update", ""),
)


def _by_root(model: type[models.Model], paths: list[Path], vendor: str) -> dict[type[models.Model], str]:
    """For each kind of record at the end of these paths: the SELECT of the keys a deletion touches."""
    selects = defaultdict(list)
    for path in paths:
        selects[root_of(model, path)].append(select_keys(model, path, vendor))
    ordered = sorted(selects, key=lambda root: root._meta.label_lower)  # the order in which holds and purges lock
    return {root: " UNION ".join(dict.fromkeys(selects[root])) for root in ordered}


def _held_on_sqlite(model: type[models.Model], paths: list[Path]) -> Trigger:
    held = " OR ".join(
        f"EXISTS (SELECT 1 FROM ({select}) touched JOIN {_IN_FORCE}"  # noqa: S608, names of our own models
        f" AND held.label = '{root._meta.label_lower}' AND held.key = {_AS_TEXT})"
        for root, select in _by_root(model, paths, "sqlite").items()
    )
    table = model._meta.db_table
    return Trigger(f"{table}_held", table, _SQLITE_HELD.format(table=table, held=held))


def _held_on_postgres(model: type[models.Model], paths: list[Path]) -> Trigger:
    table, declarations, statements, held = model._meta.db_table, [], [], []
    for root, select in _by_root(model, paths, "postgresql").items():
        keys, of_root = f"{root._meta.model_name}_keys", root._meta.db_table
        declarations.append(f"{keys} uuid[] := ARRAY({select});")
        statements.append(f"PERFORM 1 FROM {of_root} WHERE id = ANY({keys}) ORDER BY id FOR KEY SHARE;")
        held.append(f"(held.label = '{root._meta.label_lower}' AND held.key = ANY({keys}::text[]))")
    function = _POSTGRES_HELD_FUNCTION.format(
        table=table, in_force=_IN_FORCE, held=" OR ".join(held), declarations="\n    ".join(declarations),
        statements="\n    ".join(statements),
    )  # fmt: skip
    return Trigger(f"{table}_held", table, _POSTGRES_HELD.format(table=table), function)


def _refused(table: str, act: str, name: str, why: str, condition: str, vendor: str) -> Trigger:
    when = f"WHEN ({condition})" if condition else ""
    if vendor == "postgresql":
        rows = "ROW" if condition else "STATEMENT"
        statement = (
            f"CREATE OR REPLACE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table}"
            f" FOR EACH {rows} {when} EXECUTE FUNCTION records_refuse_{name}()"
        )
        return Trigger(f"{table}_no_{act}", table, statement, _POSTGRES_REFUSE.format(name=name, why=why))
    statement = (
        f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} {when}\n"
        f"BEGIN SELECT RAISE(ABORT, '{table}: {why}'); END"
    )
    return Trigger(f"{table}_no_{act}", table, statement)


def _triggers_for(vendor: str) -> list[Trigger]:
    models_ = deletion.guarded_models()
    found = [
        _refused(table, act, "end_of_hold", _BY_RELEASE_ONLY, condition, vendor)
        for table, act, condition in _UNTOUCHABLE
    ]
    if vendor == "sqlite":
        return found + [_held_on_sqlite(model, deletion.paths_of(model)) for model in models_]
    return found + [_held_on_postgres(model, deletion.paths_of(model)) for model in models_]


register(TriggerSet("hold", "what is held is", _triggers_for))

"""The triggers by which the database itself writes down each change of a recorded row: what, which columns, by whom.

The actor comes from the database session: on PostgreSQL from two settings of the transaction (session.py), and a change
without them is refused; on SQLite from two functions that only the portal's own connections have, so that a foreign
program's change fails there as well. Values are never copied, only the names of the columns that changed.
"""

from django.apps import apps
from django.db import models

from kyc_portal.records.recorded import Recorded
from kyc_portal.records.triggers import Trigger, TriggerSet, register

OUR_APPS = ("accounts", "resellers", "cases", "records", "policy", "notices", "staff", "api", "regulator")
FURTHER = {"auth.group", "auth.group_permissions"}  # not ours, but they say who may do what
ACTS = ("insert", "update", "delete")

NOT_RECORDED = {
    "records.auditevent": "It is the record; append-only and sealed.",
    "records.auditpayload": "Bound to its event by a commitment; a missing one is found by the check.",
    "records.auditpending": "A queue that the sealer empties.",
    "records.auditleaf": "Append-only and signed.",
    "records.auditcheckpoint": "Append-only and signed.",
    "records.witnessedcheckpoint": "Which witness was handed what; the witnesses themselves are the proof.",
    "records.checkpointstamp": "Append-only and signed by a third party.",
    "records.destroyedpayload": "Append-only, with a digest in the event of its purge.",
    "records.identityview": "It is a record of reading, a counter a day.",
    "records.tombstone": "Append-only, with its event.",
    "records.rowchange": "It is the record.",
    "records.purgerun": "The progress of a purge; its beginning and end are events.",
    "records.destruction": "A purge in the middle of a large file; each batch is an event.",
    "records.doomedrecord": "Marks of the same, gone with it.",
    "cases.caselock": "Who works a case at this moment; taking it, and taking it over, are events.",
    "records.clockwatch": "The last moment the clock was seen right; a jump is an event.",
}


def recorded_models() -> list[type[models.Model]]:
    """Every model whose changes the database records, in the order of their tables."""
    everything = apps.get_models(include_auto_created=True)
    found = [
        model
        for model in everything
        if model._meta.managed
        and not model._meta.proxy
        and (
            issubclass(model, Recorded)
            or model._meta.label_lower in FURTHER
            or (model._meta.app_label in OUR_APPS and model._meta.label_lower not in NOT_RECORDED)
        )
    ]
    return sorted(found, key=lambda model: model._meta.db_table)


def _triggers_for(vendor: str) -> list[Trigger]:
    write = _on_postgresql if vendor == "postgresql" else _on_sqlite
    return [trigger for model in recorded_models() for trigger in write(model)]


def _columns(model: type[models.Model]) -> list[str]:
    return [field.column for field in model._meta.local_concrete_fields]


_INTO = "INSERT INTO records_rowchange (label, key, act, fields, actor, request_id, at, standing)"

# --- PostgreSQL: one function a table, called once a statement with all its rows ---

# Its plan is made once a session, by the number of rows of the first statement: a nested loop, right for a few, would
# take hours over the old and new rows of a statement that changes a hundred thousand.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_records() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    who text := coalesce(current_setting('kyc.actor', true), '');
    request text := coalesce(current_setting('kyc.request', true), '');
BEGIN
    IF who = '' THEN
        RAISE EXCEPTION 'no actor is set: this change of {table} is refused';
    END IF;
    IF TG_OP = 'INSERT' THEN
        {into} {inserted};
    ELSIF TG_OP = 'UPDATE' THEN
        {into} {updated};
    ELSE
        {into} {deleted};
    END IF;
    RETURN NULL;
END $$
"""
_REFUSE_TRUNCATE = """
CREATE OR REPLACE FUNCTION records_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%: this table is never emptied', TG_TABLE_NAME USING ERRCODE = '23000'; END $$
"""
_EACH = "SELECT '{label}', one.\"{key}\"::text, '{act}', '', who, request, clock_timestamp(), '' FROM {rows} one"
_ONCE = "SELECT '{label}', '', '{act}', '', who, request, clock_timestamp(), '' WHERE EXISTS (SELECT 1 FROM {rows})"
_DIFFERENT = (
    "SELECT '{label}', new_row.\"{key}\"::text, 'update', changed.fields, who, request, clock_timestamp(), '' "
    'FROM new_rows new_row LEFT JOIN old_rows old_row ON old_row."{key}" = new_row."{key}", '
    "LATERAL (SELECT concat_ws(' ', {differences}) AS fields) changed WHERE changed.fields <> ''"
)
_REFERENCING = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}


def _on_postgresql(model: type[models.Model]) -> list[Trigger]:
    table, label, key = model._meta.db_table, model._meta.label_lower, model._meta.pk.column
    rows = _ONCE if getattr(model, "recorded_in_bulk", False) else _EACH
    differ = 'CASE WHEN old_row."{0}" IS DISTINCT FROM new_row."{0}" THEN \'{0}\' END'
    differences = ", ".join(differ.format(column) for column in _columns(model))
    if getattr(model, "is_roll_up", False):
        updated = _ONCE.format(label=label, act="update", rows="new_rows")
    else:
        updated = _DIFFERENT.format(label=label, key=key, differences=differences)
    function = _FUNCTION.format(
        table=table, into=_INTO, updated=updated,
        inserted=rows.format(label=label, key=key, act="insert", rows="new_rows"),
        deleted=rows.format(label=label, key=key, act="delete", rows="old_rows"),
    )  # fmt: skip
    made = [
        Trigger(
            f"{table}_records_{act}",
            table,
            f"CREATE OR REPLACE TRIGGER {table}_records_{act} AFTER {act.upper()} ON {table} "
            f"REFERENCING {_REFERENCING[act]} FOR EACH STATEMENT EXECUTE FUNCTION {table}_records()",
            function,
        )
        for act in ACTS
    ]
    emptied = f"CREATE OR REPLACE TRIGGER {table}_records_truncate BEFORE TRUNCATE ON {table} "
    emptied += "FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_truncate()"
    return [*made, Trigger(f"{table}_records_truncate", table, emptied, _REFUSE_TRUNCATE)]


# --- SQLite: one trigger a row ---

_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
_TRIGGER = """CREATE TRIGGER {table}_records_{act} AFTER {ACT} ON {table} {when}
BEGIN {into} VALUES ('{label}', {key}, '{act}', {fields}, kyc_actor(), kyc_request(), {now}, ''); END"""
_NOT_YET = """WHEN NOT EXISTS (
    SELECT 1 FROM records_rowchange
    WHERE request_id = kyc_request() AND label = '{label}' AND act = '{act}' AND standing = ''
)"""


def _on_sqlite(model: type[models.Model]) -> list[Trigger]:
    table, label, made = model._meta.db_table, model._meta.label_lower, []
    in_bulk, is_roll_up = getattr(model, "recorded_in_bulk", False), getattr(model, "is_roll_up", False)
    differ = "CASE WHEN OLD.\"{0}\" IS NOT NEW.\"{0}\" THEN '{0} ' ELSE '' END"
    changed = f"trim({' || '.join(differ.format(column) for column in _columns(model))})"
    for act in ACTS:
        key, fields, when = _key_on_sqlite(model, "OLD" if act == "delete" else "NEW"), "''", ""
        if act == "update" and not is_roll_up:
            fields, when = changed, f"WHEN {changed} <> ''"
        elif in_bulk:
            key, when = "''", _NOT_YET.format(label=label, act=act)
        statement = _TRIGGER.format(
            table=table, act=act, ACT=act.upper(), when=when, into=_INTO, label=label, key=key, fields=fields, now=_NOW
        )
        made.append(Trigger(f"{table}_records_{act}", table, statement))
    return made


def _key_on_sqlite(model: type[models.Model], row: str) -> str:
    """The key as Python writes it: SQLite keeps a UUID without its dashes."""
    column = f'{row}."{model._meta.pk.column}"'
    field = model._meta.pk
    while field.remote_field is not None:
        field = field.target_field
    if not isinstance(field, models.UUIDField):
        return f"CAST({column} AS TEXT)"
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in parts)


register(TriggerSet("recording", "changes of its rows are", _triggers_for))

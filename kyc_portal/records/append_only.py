"""The triggers that refuse any change to what may only grow, on both databases."""

from kyc_portal.records.triggers import Trigger, TriggerSet, register

TABLES = (
    "records_auditevent",
    "records_auditleaf",
    "records_auditcheckpoint",
    "records_checkpointstamp",
    "records_destroyedpayload",
    "records_tombstone",
)

_SQLITE = """CREATE TRIGGER {table}_no_{act} BEFORE {ACT} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
# Of a change record only the outcome of looking at it may still be written, so its triggers name the other columns.
CHANGES = "records_rowchange"
_FIXED = ("id", "label", "key", "act", "fields", "actor", "request_id", "at")

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION records_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
_POSTGRES = """
CREATE OR REPLACE TRIGGER {table}_no_{act} BEFORE {ACT} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change()
"""


def refusing(table: str, acts: tuple[str, ...], vendor: str) -> list[Trigger]:
    """The triggers that refuse these acts ("update", "delete", and on PostgreSQL "truncate") on a table."""
    template, function = (_POSTGRES, _POSTGRES_FUNCTION) if vendor == "postgresql" else (_SQLITE, "")
    return [
        Trigger(f"{table}_no_{act}", table, template.format(table=table, act=act, ACT=act.upper()), function)
        for act in acts
    ]


def guards(vendor: str) -> list[Trigger]:
    """All of them, as that database ("sqlite" or "postgresql") wants them."""
    acts = ("update", "delete", "truncate") if vendor == "postgresql" else ("update", "delete")
    made = [trigger for table in TABLES for trigger in refusing(table, acts, vendor)]
    template, function = (_POSTGRES, _POSTGRES_FUNCTION) if vendor == "postgresql" else (_SQLITE, "")
    for act in acts:
        on = f"UPDATE OF {', '.join(_FIXED)}" if act == "update" else act.upper()
        made.append(Trigger(f"{CHANGES}_no_{act}", CHANGES, template.format(table=CHANGES, act=act, ACT=on), function))
    return made


register(TriggerSet("append-only", "the audit trail is", guards))

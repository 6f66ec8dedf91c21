"""What the database lets each of its roles do on PostgreSQL (trust.md, ASVS 13.2.2).

Three roles: the owner makes the tables, the app role works (web), and the purge role works and may also destroy
(worker). None but the owner can change what may only grow; a portal whose role could does not start.
"""

from collections.abc import Iterator

from django.db import OperationalError, connection

from kyc_portal.records import append_only, retention
from kyc_portal.records.models import AuditPayload, SubjectKey

ONLY_READ = ("django_migrations",)  # so that nobody but the owner can say that a migration was run


def kept_tables() -> set[str]:
    """The tables of which rows are destroyed by a purge alone."""
    models = {model for rule in retention.all_rules() if rule.candidates for model in rule.covers}
    return {model._meta.db_table for model in models | {SubjectKey, AuditPayload}}


def statements(app: str, purge: str) -> Iterator[str]:
    """The SQL that gives both roles what they need and takes everything else, for the tables there are now."""
    name = connection.ops.quote_name
    both = f"{name(app)}, {name(purge)}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {both};"
    yield f"GRANT USAGE ON SCHEMA public TO {both};"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {both};"
    kept = kept_tables()
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
    for table in tables:
        if table in ONLY_READ:
            yield f"GRANT SELECT ON {name(table)} TO {both};"
        elif table in append_only.TABLES:
            yield f"GRANT SELECT, INSERT ON {name(table)} TO {both};"
        elif table == append_only.CHANGES:  # a trigger lets only the outcome of looking at it be written again
            yield f"GRANT SELECT, INSERT, UPDATE ON {name(table)} TO {both};"
        elif table in kept:
            yield f"GRANT SELECT, INSERT, UPDATE ON {name(table)} TO {both};"
            yield f"GRANT DELETE ON {name(table)} TO {name(purge)};"
        else:
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name(table)} TO {both};"


_RIGHTS = """
SELECT
    (SELECT rolsuper OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = current_user),
    EXISTS (SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
            AND pg_has_role(current_user, relowner, 'MEMBER')),
    ARRAY (SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace
           AND has_table_privilege(current_user, oid, 'DELETE, TRUNCATE, TRIGGER'
                                   || CASE WHEN relname = %s THEN '' ELSE ', UPDATE' END) ORDER BY relname)
"""


def faults_of_role() -> list[tuple[str, str]]:
    """What the role of this connection could do and must not, as (what is wrong, what to do); one query.

    Empty on SQLite, which has no roles, and while the database is out of reach, which others tell.
    """
    if connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            tables = [*append_only.TABLES, append_only.CHANGES]
            cursor.execute(_RIGHTS, [tables, append_only.CHANGES])
            is_mighty, is_owner, changeable = cursor.fetchone()
    except OperationalError:
        return []
    if is_mighty:
        return [("The database role is a superuser, makes roles or replicates.", "Use a plain role; see print_grants.")]
    if is_owner:
        return [
            (
                "The database role owns the tables, so it could drop the guards of the audit trail.",
                "Migrate as the owner, run everything else as another role; see `manage.py print_grants`.",
            )
        ]
    if changeable:
        what = f"The database role may change {', '.join(changeable)}, which may only grow."
        return [(what, "Run what `manage.py print_grants` prints, as the owner.")]
    return []

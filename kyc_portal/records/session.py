"""Tell the database who acts, so that its triggers can write it down (row_triggers.py).

On PostgreSQL two settings are made in the transaction before its first write, and again when the actor changes or a
savepoint took them back; they end with the transaction. On SQLite the triggers call two functions of the connection.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from kyc_portal.records.acting import current_actor, current_request_id

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE)\b", re.IGNORECASE)
_TAKES_BACK = "ROLLBACK TO"
_TELL = "SELECT set_config('kyc.actor', %s, true), set_config('kyc.request', %s, true)"
_NOBODY = ("", "")
_OUTSIDE = 0  # libpq's PQTRANS_IDLE: no transaction has begun at the server


def _who() -> tuple[str, str]:
    actor = current_actor()
    return (f"{actor.kind}:{actor.key}", current_request_id()) if actor else _NOBODY


def _actor() -> str:
    return _who()[0]


def _request() -> str:
    return _who()[1]


def introduce(sender, connection, **kwargs) -> None:
    """Signal: a connection was made; from now on its writes say whose they are."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("kyc_actor", 0, _actor)
        connection.connection.create_function("kyc_request", 0, _request)
    elif connection.vendor == "postgresql":
        connection.told = _NOBODY
        if _tell_first not in connection.execute_wrappers:
            connection.execute_wrappers.append(_tell_first)


def _tell_first(execute, sql, params, many, context):
    """Around each statement on PostgreSQL: before a write, make sure that the transaction names the actor of now."""
    connection = context["connection"]
    if connection.connection.info.transaction_status == _OUTSIDE:
        connection.told = _NOBODY
    if not isinstance(sql, str) or _WRITES.match(sql):
        if not connection.in_atomic_block and current_actor() is not None:
            with transaction.atomic(using=connection.alias):  # the settings live as long as a transaction
                _tell(connection)
                return execute(sql, params, many, context)
        _tell(connection)
    elif sql.startswith(_TAKES_BACK):
        connection.told = None
    return execute(sql, params, many, context)


@contextmanager
def copying_into(table: str) -> Iterator[Any]:
    """PostgreSQL's COPY into "table (columns)", which passes the wrapper above by; gives psycopg's Copy to write to.

    Within a transaction. Raises Django's IntegrityError and its kin.
    """
    with connection.wrap_database_errors, connection.cursor() as cursor:
        _tell(connection)
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            yield copy


def _tell(connection) -> None:
    who = _who()
    if connection.told != who:
        connection.connection.execute(_TELL, who)
        connection.told = who

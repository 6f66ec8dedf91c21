"""Write many access records at once, and whose they are: each event once, what belongs to nobody we know set to wait.

Both databases do the same. PostgreSQL takes the rows by COPY into a table of the transaction and goes on from there;
SQLite takes them as they are.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import connection

from accounts.formats.access_rows import ADDRESS, COLUMNS, Row, as_copy_line
from accounts.models import AccessBatch, RangeEdition

_KEPT = tuple(name for name in COLUMNS if name not in ("line", "account_key"))
_WAITS = tuple(name for name in COLUMNS if name not in ("country", "anonymiser", "special_use"))
_RECORD = "INSERT INTO accounts_accessrecord (account_id, batch_id, edition_id, {kept}) {rows} ON CONFLICT DO NOTHING"
_WAITING = "INSERT INTO accounts_waitingline (batch_id, waiting_since, {waits}) {rows} ON CONFLICT DO NOTHING"
_EDITION = "CASE WHEN line.address IS NULL THEN NULL ELSE %s END"  # of what is no address no list says anything
_OF_ONE = "SELECT %s, %s, {edition}, {kept} FROM arriving line ORDER BY line.line"
_OF_MANY = """
SELECT whose.account_id, %s, {edition}, {kept} FROM arriving line JOIN arriving_of whose
    ON whose.source_system = line.source_system AND whose.account_key = line.account_key
WHERE whose.account_id IS NOT NULL ORDER BY whose.account_id, line.at
"""
_OF_NOBODY = """
SELECT %s, %s, {waits} FROM arriving line JOIN arriving_of whose
    ON whose.source_system = line.source_system AND whose.account_key = line.account_key
WHERE whose.account_id IS NULL ORDER BY line.source_system, line.account_key, line.event_id
"""


def _record(rows: str) -> str:
    kept = ", ".join(f"line.{name}" for name in _KEPT)
    return _RECORD.format(kept=", ".join(_KEPT), rows=rows.format(kept=kept, edition=_EDITION))


def _waiting(rows: str) -> str:
    return _WAITING.format(
        waits=", ".join(_WAITS), rows=rows.format(waits=", ".join(f"line.{name}" for name in _WAITS))
    )


# Whose a key is: as staff named it, as the provider numbers its accounts, or by our own reference in any letter case.
_WHOSE = """
SELECT key.source_system, key.account_key, COALESCE(named.account_id, numbered.id, ours.id) AS account_id
FROM {keys} key
LEFT JOIN accounts_cloudaccount named ON named.source_system = key.source_system AND named.key = key.account_key
LEFT JOIN accounts_account numbered ON numbered.external_key = key.account_key
LEFT JOIN accounts_account ours ON ours.reference = UPPER(key.account_key)
"""


@dataclass
class Written:
    """What became of some rows: new records, rows that wait, and the lines of accounts that are being destroyed."""

    new: int
    waiting: int = 0
    doomed: tuple[int, ...] = ()


class Writer(Protocol):
    """Writes the rows of one delivery; `pack` may run in another thread than `write`, and asks no database."""

    def pack(self, rows: list[Row]) -> list[Row] | bytes: ...

    def write(self, packed: list[Row] | bytes) -> Written: ...


def writer_for(batch: AccessBatch, edition: RangeEdition, *, at: datetime) -> Writer:
    """The writer of the database at hand; the transaction is the caller's."""
    return (_OnPostgresql if connection.vendor == "postgresql" else _OnSqlite)(batch, edition, at)


class _OnPostgresql:
    """A temporary table takes the rows of one write at a time, so that nothing grows with the delivery."""

    def __init__(self, batch: AccessBatch, edition: RangeEdition, at: datetime):
        self.batch, self.edition, self.at = batch, edition, at
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS arriving (line integer, account_key text, at timestamptz, "
                "kind text, action text, principal text, address inet, raw_source text, port integer, "
                "user_agent_sha256 text, source_system text, event_id text, country text, anonymiser text, "
                "special_use text) ON COMMIT DROP"
            )
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS arriving_of (source_system text, account_key text, "
                "account_id uuid) ON COMMIT DROP"
            )
            _check_references_at_once(cursor)

    def pack(self, rows: list[Row]) -> bytes:
        return "".join(map(as_copy_line, rows)).encode()

    def write(self, packed: bytes) -> Written:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE arriving, arriving_of")
            with cursor.copy(f"COPY arriving ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                copy.write(packed)
            if self.batch.account_id is not None:
                return Written(self._add_of_one(cursor))
            doomed = self._find_whose(cursor)
            return Written(self._add_of_many(cursor), self._let_wait(cursor), doomed)

    def _add_of_one(self, cursor) -> int:
        cursor.execute(_record(_OF_ONE), [self.batch.account_id, self.batch.pk, self.edition.pk])
        return cursor.rowcount

    def _find_whose(self, cursor) -> tuple[int, ...]:
        """Find the accounts, keep their files from going meanwhile, and take out the lines of those already going."""
        keys = "(SELECT DISTINCT source_system, account_key FROM arriving)"
        cursor.execute(f"INSERT INTO arriving_of {_WHOSE.format(keys=keys)}")
        cursor.execute(  # one that went between the two statements is not known any more
            "WITH there AS MATERIALIZED (SELECT id FROM accounts_account WHERE id = ANY(ARRAY("
            "SELECT account_id FROM arriving_of)) ORDER BY id FOR KEY SHARE) UPDATE arriving_of SET account_id = NULL "
            "WHERE account_id IS NOT NULL AND account_id NOT IN (SELECT id FROM there)"
        )
        cursor.execute(
            "DELETE FROM arriving line USING arriving_of whose, records_doomedrecord doomed "
            "WHERE doomed.label = 'accounts.account' AND doomed.key = whose.account_id::text "
            "AND whose.source_system = line.source_system AND whose.account_key = line.account_key RETURNING line.line"
        )
        return tuple(line for (line,) in cursor.fetchall())

    def _add_of_many(self, cursor) -> int:
        cursor.execute(_record(_OF_MANY), [self.batch.pk, self.edition.pk])
        return cursor.rowcount

    def _let_wait(self, cursor) -> int:
        cursor.execute(_waiting(_OF_NOBODY), [self.batch.pk, self.at])
        return cursor.rowcount


def _check_references_at_once(cursor) -> None:
    """Have foreign keys looked at after each statement; left to the end they would be remembered for every row."""
    cursor.execute(
        "SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint WHERE contype = 'f' AND condeferrable "
        "AND conrelid IN ('accounts_accessrecord'::regclass, 'accounts_waitingline'::regclass)"
    )
    cursor.execute(f"SET CONSTRAINTS {cursor.fetchone()[0]} IMMEDIATE")


class _OnSqlite:
    """Rows go in as they are: there is one writer, and nobody else can have come between."""

    def __init__(self, batch: AccessBatch, edition: RangeEdition, at: datetime):
        self.batch, self.edition, self.at = batch.pk.hex, edition.pk, str(at.replace(tzinfo=None))
        self.account = batch.account_id and batch.account_id.hex

    def pack(self, rows: list[Row]) -> list[Row]:
        return [(*row[:2], _as_text(row[2]), *row[3:]) for row in rows]

    def write(self, packed: list[Row]) -> Written:
        with connection.cursor() as cursor:
            if self.account is not None:
                return Written(self._add(cursor, [(self.account, row) for row in packed]))
            whose = self._whose(cursor, {(row[10], row[1]) for row in packed})
            cursor.execute("SELECT key FROM records_doomedrecord WHERE label = 'accounts.account'")
            going = {key.replace("-", "") for (key,) in cursor.fetchall()}
            of_whom = [(whose[row[10], row[1]], row) for row in packed]
            return Written(
                self._add(cursor, [(account, row) for account, row in of_whom if account and account not in going]),
                self._let_wait(cursor, [row for account, row in of_whom if account is None]),
                tuple(row[0] for account, row in of_whom if account in going),
            )

    def _whose(self, cursor, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
        cursor.execute("DELETE FROM arriving_key")
        cursor.executemany("INSERT INTO arriving_key VALUES (%s, %s)", sorted(keys))
        cursor.execute(_WHOSE.format(keys="arriving_key"))
        return {(system, key): account for system, key, account in cursor.fetchall()}

    def _add(self, cursor, rows: list[tuple[str, Row]]) -> int:
        if not rows:
            return 0
        cursor.executemany(
            _record(f"VALUES ({_marks(3 + len(_KEPT))})"),
            [(account, self.batch, self.edition if row[ADDRESS] else None, *row[2:]) for account, row in rows],
        )
        return cursor.rowcount

    def _let_wait(self, cursor, rows: list[Row]) -> int:
        if not rows:
            return 0
        cursor.executemany(
            _waiting(f"VALUES ({_marks(2 + len(_WAITS))})"), [(self.batch, self.at, *row[:12]) for row in rows]
        )
        return cursor.rowcount


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _as_text(moment: datetime) -> str:
    """A moment in UTC as Django writes it there."""
    return str(moment.replace(tzinfo=None))

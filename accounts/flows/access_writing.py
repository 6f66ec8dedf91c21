"""Write many access records at once, and whose they are: each event once, what belongs to nobody we know set to wait.

Both databases do the same. PostgreSQL takes rows by COPY, at first straight into their table, for most deliveries hold
nothing twice; once one does, by way of a table of the transaction that leaves out what is there. SQLite takes them as
they are.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts.flows.batches import in_batches
from accounts.formats.access_rows import ADDRESS, BETWEEN, COLUMNS, KEY, SYSTEM, Row, as_copy_line, escaped
from accounts.models import AccessBatch, RangeEdition
from kyc_portal.records.session import copying_into

KEYS_KNOWN = 200_000
_KEPT = tuple(name for name in COLUMNS if name not in ("line", "account_key"))
_SAID = _KEPT[: -len(("country", "anonymiser", "special_use"))]  # by the line itself, whatever its address means
_ALL, _OWN, _ORDER = ", ".join(_KEPT), ", ".join(_SAID), "source_system, account_key, event_id"
_RECORD = f"INSERT INTO accounts_accessrecord (account_id, batch_id, edition_id, {_ALL}) "
_WAITING = f"INSERT INTO accounts_waitingline (batch_id, waiting_since, line, account_key, {_OWN}) "
_ONCE = " ON CONFLICT DO NOTHING"
_OF_SOMEBODY = f"SELECT account_id, %s, edition_id, {_ALL} FROM arriving"  # noqa: S608 names of columns alone
_OF_NOBODY = f"SELECT %s, %s, line, account_key, {_OWN} FROM arriving ORDER BY {_ORDER}"  # noqa: S608 the same

# Which lines say something else than the record that is there under their number.
_DIFFERING = f"""
SELECT line.line FROM arriving line JOIN accounts_accessrecord there ON there.account_id = line.account_id
    AND there.source_system = line.source_system AND there.event_id = line.event_id
WHERE ({", ".join(f"there.{name}" for name in _SAID)}) IS DISTINCT FROM ({", ".join(f"line.{name}" for name in _SAID)})
ORDER BY line.line
"""  # noqa: S608 names of columns alone
_AS_STORED = _OWN.replace("at", "CAST(at AS TEXT)", 1)  # else the connection would make moments of them
_THERE = f"SELECT {_AS_STORED} FROM accounts_accessrecord WHERE account_id = %s AND event_id IN ({{marks}})"  # noqa: S608
_EVENT = 1 + _SAID.index("event_id")  # in a form, which begins with the edition
_NUMBERED = slice(_SAID.index("source_system"), _SAID.index("event_id") + 1)

# Looked up one by one, each by its index, whatever the planner thinks of the tables. Our reference in any letter case.
WHOSE = """
SELECT key.source_system, key.account_key, COALESCE(
    (SELECT account_id FROM accounts_cloudaccount
        WHERE source_system = key.source_system AND accounts_cloudaccount.key = key.account_key AND ended_at IS NULL),
    (SELECT id FROM accounts_account WHERE external_key = key.account_key),
    (SELECT id FROM accounts_account WHERE reference = UPPER(key.account_key))
) AS account_id FROM {keys} key
"""

# One that goes between the two steps is not known any more. In the order of their keys, for others lock them too.
_FOUND_AND_LOCKED = f"""
WITH found AS MATERIALIZED ({
    WHOSE.format(
        keys="(SELECT * FROM unnest(string_to_array(%s, %s), string_to_array(%s, %s)) "
        "AS given (source_system, account_key))"
    )
}), there AS MATERIALIZED (
    SELECT id FROM accounts_account WHERE id = ANY(ARRAY(SELECT account_id FROM found)) ORDER BY id FOR KEY SHARE
)
SELECT source_system, account_key, there.id::text FROM found LEFT JOIN there ON there.id = found.account_id
"""  # noqa: S608 no value of anybody's

Key = tuple[str, str]  # source system, and its key of the account


@dataclass
class Group:
    """The rows of one key: their lines, and themselves in the form the database takes."""

    lines: list[int]
    forms: list[Any]


@dataclass
class Written:
    """What became of some rows: new records, and rows that wait; the lines of accounts that are being destroyed, and of
    events that are there and say something else."""

    new: int
    waiting: int = 0
    doomed: list[int] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)


def writer_for(batch: AccessBatch, edition: RangeEdition, *, at: datetime) -> "Writer":
    """The writer of the database at hand; the transaction is the caller's."""
    return (_OnPostgresql if connection.vendor == "postgresql" else _OnSqlite)(batch, edition, at)


class Writer(ABC):
    """Writes the rows of one delivery; `pack` may run in another thread than `write`, and asks no database."""

    def __init__(self, batch: AccessBatch, edition: RangeEdition, at: datetime):
        self.batch, self.edition, self.at = batch, edition, at
        self.whose: dict[Key, str | None] = {}  # their rows stay locked, so what was found is true to the end
        self.going: set[str] = set()  # accounts whose destruction has begun

    def pack(self, rows: list[Row]) -> dict[Key, Group]:
        groups: dict[Key, Group] = {}
        for row in rows:
            key = row[SYSTEM], row[KEY]
            if (group := groups.get(key)) is None:
                group = groups[key] = Group([], [])
            group.lines.append(row[0])
            group.forms.append(self._form(row))
        return groups

    def write(self, groups: dict[Key, Group]) -> Written:
        written = Written(0)
        if not groups:
            return written
        with connection.cursor() as cursor:
            if self.batch.account_id is not None:
                account = self._as_key(self.batch.account_id)
                self._add(cursor, [(account, group) for group in groups.values()], written)
                return written
            self._find_whose(cursor, groups.keys())
            mine, nobodys = [], {}
            for key, group in groups.items():
                account = self.whose[key]
                if account is None:
                    nobodys[key] = group
                elif account in self.going:
                    written.doomed += group.lines
                else:
                    mine.append((account, group))
            if mine:
                self._add(cursor, sorted(mine, key=itemgetter(0)), written)
            if nobodys:
                written.waiting = self._let_wait(cursor, nobodys)
        return written

    def _find_whose(self, cursor, keys: Iterable[Key]) -> None:
        if len(self.whose) > KEYS_KNOWN:
            self.whose.clear()
        if new := sorted(key for key in keys if key not in self.whose):
            self._look_up(cursor, new)

    @abstractmethod
    def _form(self, row: Row) -> Any:
        """The row as this database takes it, from the edition on."""

    @abstractmethod
    def _as_key(self, account_id: Any) -> str:
        """An account's key as this database takes it."""

    @abstractmethod
    def _look_up(self, cursor, keys: list[Key]) -> None:
        """Fill `whose` for these keys, and `going`."""

    @abstractmethod
    def _add(self, cursor, rows: list[tuple[str, Group]], written: Written) -> None:
        """Write records, those of each account, and note how many were new and which are there saying otherwise."""

    @abstractmethod
    def _let_wait(self, cursor, groups: dict[Key, Group]) -> int:
        """Set these to wait; returns how many were not waiting yet."""


class _OnPostgresql(Writer):
    """Its forms are texts of COPY: edition, and the columns of _KEPT."""

    def __init__(self, batch: AccessBatch, edition: RangeEdition, at: datetime):
        super().__init__(batch, edition, at)
        self.edition_text, self.repeats = f"{edition.pk}\t", False
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")  # the daily roll-ups are sorted in memory
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS arriving (account_id uuid, line integer, account_key text, "
                "edition_id bigint, at timestamptz, kind text, action text, principal text, address inet, "
                "raw_source text, port integer, user_agent_sha256 text, source_system text, event_id text, "
                "country text, anonymiser text, special_use text) ON COMMIT DROP"
            )
            _check_references_at_once(cursor)

    def _form(self, row: Row) -> str:
        return (self.edition_text if row[ADDRESS] else "\\N\t") + as_copy_line(row[2:])

    def _as_key(self, account_id: Any) -> str:
        return str(account_id)

    def _look_up(self, cursor, keys: list[Key]) -> None:
        """Find the accounts, and keep their files from going until this delivery is written."""
        systems, names = (BETWEEN.join(column) for column in zip(*keys, strict=True))
        cursor.execute(_FOUND_AND_LOCKED, [systems, BETWEEN, names, BETWEEN])
        found = {(system, key): account for system, key, account in cursor.fetchall()}
        self.whose |= found
        cursor.execute(  # asked once they are locked: until then somebody else may have begun
            "SELECT key FROM records_doomedrecord "
            "WHERE label = 'accounts.account' AND key = ANY(string_to_array(%s, %s))",
            [BETWEEN.join(filter(None, found.values())), BETWEEN],
        )
        self.going |= {key for (key,) in cursor.fetchall()}

    def _add(self, cursor, rows: list[tuple[str, Group]], written: Written) -> None:
        count = sum(len(group.forms) for _, group in rows)
        if not self.repeats:
            try:
                into = f"accounts_accessrecord (account_id, batch_id, edition_id, {_ALL})"
                with transaction.atomic(), copying_into(into) as copy:
                    copy.write(_begun(rows, f"\t{self.batch.pk}\t"))
                written.new = count
                return
            except IntegrityError:
                self.repeats = True
        lines = [
            f"{account}\t{line}\t\\N\t{form}"
            for account, group in rows
            for line, form in zip(group.lines, group.forms, strict=True)
        ]
        self._lay_out(cursor, "".join(lines))
        cursor.execute(_RECORD + _OF_SOMEBODY + _ONCE, [self.batch.pk])
        written.new = cursor.rowcount
        if written.new < count:
            cursor.execute(_DIFFERING)
            written.differing = [line for (line,) in cursor.fetchall()]

    def _let_wait(self, cursor, groups: dict[Key, Group]) -> int:
        lines = [
            f"\\N\t{line}\t{escaped(key)}\t{form}"
            for (_, key), group in groups.items()
            for line, form in zip(group.lines, group.forms, strict=True)
        ]
        self._lay_out(cursor, "".join(lines))
        cursor.execute(_WAITING + _OF_NOBODY + _ONCE, [self.batch.pk, self.at])
        return cursor.rowcount

    def _lay_out(self, cursor, text: str) -> None:
        cursor.execute("TRUNCATE arriving")
        with copying_into(f"arriving (account_id, line, account_key, edition_id, {_ALL})") as copy:
            copy.write(text)


def _begun(rows: list[tuple[str, Group]], rest: str) -> str:
    """Each form with its account and the rest before it."""
    return "".join([f"{account}{rest}" + f"{account}{rest}".join(group.forms) for account, group in rows])


def _check_references_at_once(cursor) -> None:
    """Have foreign keys looked at after each statement; left to the end they would be remembered for every row."""
    cursor.execute(
        "SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint WHERE contype = 'f' AND condeferrable "
        "AND conrelid IN ('accounts_accessrecord'::regclass, 'accounts_waitingline'::regclass)"
    )
    cursor.execute(f"SET CONSTRAINTS {cursor.fetchone()[0]} IMMEDIATE")


class _OnSqlite(Writer):
    """Rows go in as they are: there is one writer, and nobody else can have come between."""

    def _form(self, row: Row) -> Row:
        return (self.edition.pk if row[ADDRESS] else None, _as_text(row[2]), *row[3:])

    def _as_key(self, account_id: Any) -> str:
        return account_id.hex

    def _look_up(self, cursor, keys: list[Key]) -> None:
        cursor.execute("DELETE FROM arriving_key")
        cursor.executemany("INSERT INTO arriving_key VALUES (%s, %s)", keys)
        cursor.execute(WHOSE.format(keys="arriving_key"))
        self.whose |= {(system, key): account for system, key, account in cursor.fetchall()}
        cursor.execute("SELECT key FROM records_doomedrecord WHERE label = 'accounts.account'")
        self.going = {key.replace("-", "") for (key,) in cursor.fetchall()}

    def _add(self, cursor, rows: list[tuple[str, Group]], written: Written) -> None:
        batch = self.batch.pk.hex
        values = [(account, batch, *form) for account, group in rows for form in group.forms]
        cursor.executemany(f"{_RECORD}VALUES ({_marks(len(values[0]))}){_ONCE}", values)
        written.new = cursor.rowcount
        if written.new < len(values):
            for account, group in rows:
                written.differing += self._differing(cursor, account, group)

    def _differing(self, cursor, account: str, group: Group) -> list[int]:
        there = {}
        for part in in_batches(form[_EVENT] for form in group.forms):
            cursor.execute(_THERE.format(marks=_marks(len(part))), [account, *part])
            there |= {row[_NUMBERED]: row for row in cursor.fetchall()}
        same = slice(1, 1 + len(_SAID))
        told = zip(group.lines, (form[same] for form in group.forms), strict=True)
        return [line for line, said in told if there[said[_NUMBERED]] != said]

    def _let_wait(self, cursor, groups: dict[Key, Group]) -> int:
        begin = (self.batch.pk.hex, _as_text(self.at))
        values = [
            (*begin, line, key, *form[1 : 1 + len(_SAID)])
            for (_, key), group in groups.items()
            for line, form in zip(group.lines, group.forms, strict=True)
        ]
        cursor.executemany(f"{_WAITING}VALUES ({_marks(len(values[0]))}){_ONCE}", values)
        return cursor.rowcount


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _as_text(moment: datetime) -> str:
    """A moment in UTC as Django writes it there."""
    return str(moment.replace(tzinfo=None))

"""Say what addresses meant by the lists of an edition, and keep each verdict once: added to, never rewritten (R18).

An address never shows who somebody is: a verdict is one sign among others and decides nothing alone.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from accounts.flows.batches import in_batches
from accounts.flows.editions import JUDGE_ANEW, current_snapshots, edition_of, snapshots_of
from accounts.flows.range_book import book_of
from accounts.formats.access_rows import as_any_copy_line
from accounts.models import AddressVerdict, RangeEdition
from accounts.rules.range_book import RangeBook
from accounts.rules.verdicts import AddressLimits, Verdict
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.records.session import copying_into
from kyc_portal.work import queue

COUNTS = (
    "plain", "vpn", "tor", "proxy", "residential proxy", "relay", "hosting", "anonymous", "satellite", "mobile",
    "disagreeing", "old_place", "old_kinds", "unasked",
)  # fmt: skip
MOST_REMEMBERED = 200_000
AT_ONCE = 5_000  # verdicts a statement writes
_COLUMNS = (
    "edition_id", "judged_at", "address", "country", "network", "anonymiser", "special_use", "confidence", "findings",
)  # fmt: skip
# Looked up one by one by the index, whatever the planner thinks of the table.
_NOT_KNOWN = """
SELECT number - 1 FROM unnest(string_to_array(%s, ',')::inet[]) WITH ORDINALITY AS given (address, number) WHERE (
    SELECT id FROM accounts_addressverdict WHERE address = given.address AND edition_id = %s
) IS NULL
"""
_LOCK = 0xADD7  # of the advisory lock on PostgreSQL; SQLite has one writer anyway


class Judge:
    """One edition of the lists on one day. Ask `judge_on` for it once per import; `of` needs no query."""

    def __init__(self, edition: RangeEdition | None, book: RangeBook, day: date, limits: AddressLimits):
        self.edition, self.book, self.limits = edition, book, limits
        self.of: Callable[[str], Verdict] = book.verdicts_on(day, limits)
        self._kept: set[str] = set()
        self._left_some = False

    def keep(self, addresses: Iterable[str], *, at: datetime) -> int:
        """Write the verdicts on addresses in canonical form that this edition has none of yet; returns how many.

        Within a flow. While another transaction writes verdicts nothing is written, but left to the job that judges
        anew: two that wrote the same addresses in different order would wait for each other.
        """
        new = set(addresses) - self._kept
        written = self.keep_ready(self.ready(new, at=at), at=at)
        if not self._left_some:
            if len(self._kept) > MOST_REMEMBERED:
                self._kept.clear()
            self._kept |= new
        return written

    def ready(self, addresses: Iterable[str], *, at: datetime) -> dict[str, Any]:
        """The verdicts on addresses as `keep_ready` takes them; asks no database, so another thread may call it."""
        moment = AddressVerdict._meta.get_field("judged_at").get_db_prep_value(at, connection)
        form = as_any_copy_line if connection.vendor == "postgresql" else tuple
        return {address: form(self._row(address, moment)) for address in sorted(addresses)}

    def keep_ready(self, verdicts: dict[str, Any], *, at: datetime) -> int:
        """Do as `keep` does with what `ready` gave."""
        if not verdicts:
            return 0
        if not _alone():
            if not self._left_some:
                ask = partial(queue.ask, JUDGE_ANEW, key=str(self.edition.pk), due_at=at, at=at)
                transaction.on_commit(ask)
            self._left_some = True
            return 0
        return sum(self._write(dict(part)) for part in in_batches(verdicts.items(), AT_ONCE))

    def _write(self, verdicts: dict[str, Any]) -> int:
        """Write the verdicts that are not there. Not by the models: addresses come by the million."""
        into = f"accounts_addressverdict ({', '.join(_COLUMNS)})"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_NOT_KNOWN, [",".join(verdicts), self.edition.pk])
                forms = list(verdicts.values())
                lines = [forms[number] for (number,) in cursor.fetchall()]
                if lines:
                    with copying_into(into) as copy:
                        copy.write("".join(lines))
                return len(lines)
            insert = f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT DO NOTHING"  # noqa: S608
            cursor.executemany(insert, verdicts.values())
            return cursor.rowcount

    def _row(self, address: str, moment: Any) -> tuple:
        verdict = self.of(address)
        return (
            self.edition.pk, moment, address, verdict.country, verdict.network, verdict.anonymiser, verdict.special_use,
            verdict.confidence, verdict.findings_as_json,
        )  # fmt: skip


def _alone() -> bool:
    """Whether no other transaction writes verdicts until this one ends; asked without waiting."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]


def wait_for_others() -> None:
    """Wait until no other transaction writes or deletes verdicts; until this one ends, none does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def judge_on(at: datetime) -> Judge:
    """The current lists with their edition, which is made when it is new: within a flow that writes an event."""
    snapshots = list(current_snapshots())
    return _judge(edition_of(snapshots, at), book_of(snapshots), at)


def judge_by(edition: RangeEdition, at: datetime) -> Judge:
    """The lists of any edition, current or not."""
    return _judge(edition, book_of(snapshots_of(edition)), at)


def _judge(edition: RangeEdition | None, book: RangeBook, at: datetime) -> Judge:
    day = legal_day(at)
    return Judge(edition, book, day, limits_of(regime_on(day)))


def limits_of(regime: Regime) -> AddressLimits:
    """The figures by which addresses are weighed."""
    return AddressLimits(
        counts={name: regime.number(f"address_counts_{name.replace(' ', '_')}") for name in COUNTS},
        place_days=regime.whole("address_place_days"),
        kinds_days=regime.whole("address_kinds_days"),
        high_from=regime.number("address_high_from"),
        medium_from=regime.number("address_medium_from"),
    )


def judge_now(at: datetime) -> Judge:
    """The current lists for who only looks: without an edition, so it keeps nothing."""
    return _judge(None, book_of(list(current_snapshots())), at)

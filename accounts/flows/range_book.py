"""Sets of range lists in memory, ready to be asked (R18)."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from threading import Lock

from django.conf import settings

from accounts.formats.address_lists import AddressRanges, NetworkFacts, read_mmdb
from accounts.formats.addresses import SPECIAL_USE_AS_OF
from accounts.formats.range_table import Cell, RangeTable
from accounts.models import AddressRange, AddressRangeSnapshot
from accounts.rules.verdicts import AddressLimits, Answer, AskedList, Verdict, judge

CACHED_VERDICTS, CACHED_ADDRESSES = 1 << 16, 1 << 16
BOOKS_KEPT = 2  # the lists of today, and those of an edition that is being judged beside them


def copy_of(snapshot: AddressRangeSnapshot) -> Path:
    """Where our own copy of a database lies."""
    return Path(settings.PRIVATE_DIR) / "ranges" / f"{snapshot.sha256}.mmdb"


class RangeBook:
    """Some lists in memory; never changes, and is read by many. Memory grows with the lists, not with what is asked."""

    def __init__(self, snapshots: Sequence[AddressRangeSnapshot]):
        texts = [snapshot for snapshot in snapshots if not snapshot.is_mmdb]
        self.asked = [_asked(snapshot) for snapshot in snapshots]
        self._texts = [_asked(snapshot) for snapshot in texts]
        self._databases = [(_asked(one), read_mmdb(copy_of(one))) for one in snapshots if one.is_mmdb]
        self._table = RangeTable([_ranges_of(snapshot) for snapshot in texts])

    def verdicts_on(self, day: date, limits: AddressLimits):
        """A function from an address in canonical form to its Verdict by these lists on `day`; ValueError for others.

        What is not public is neither located nor called anonymous (T20, T21).
        """
        find, databases = self._table.find, self._databases

        @lru_cache(maxsize=CACHED_VERDICTS)
        def verdict(cell: Cell, facts: tuple[NetworkFacts, ...]) -> Verdict:
            return judge(cell.special_use, SPECIAL_USE_AS_OF, self._answers(cell, facts), day, limits)

        if not databases:
            return lambda address: verdict(find(address), ())

        @lru_cache(maxsize=CACHED_ADDRESSES)
        def of(address: str) -> Verdict:
            cell = find(address)
            if cell.special_use:
                return verdict(cell, ())
            return verdict(cell, tuple(database.facts_of(address) for _, database in databases))

        return of

    def _answers(self, cell: Cell, facts: Sequence[NetworkFacts]) -> list[Answer]:
        """What each list says, in the order in which the lists were asked."""
        if cell.special_use:
            return []
        found = {
            asked.reference: Answer(asked, kinds=frozenset({asked.kind}) if cell.lists >> bit & 1 else frozenset())
            for bit, asked in enumerate(self._texts)
        }
        for (asked, _), said in zip(self._databases, facts, strict=True):
            found[asked.reference] = _answer(asked, said)
        return [found[asked.reference] for asked in self.asked]


def _answer(asked: AskedList, said: NetworkFacts) -> Answer:
    """A database is asked only for what it was loaded as."""
    if asked.kind == "country":
        return Answer(asked, country=said.country)
    if asked.kind == "asn":
        return Answer(asked, network=f"AS{said.asn} {said.network_name}".strip()[:120] if said.asn else "")
    return Answer(asked, kinds=said.kinds)


def _asked(snapshot: AddressRangeSnapshot) -> AskedList:
    return AskedList(snapshot.reference, snapshot.kind, snapshot.source, snapshot.as_of)


def _ranges_of(snapshot: AddressRangeSnapshot) -> AddressRanges:
    pairs: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    rows = AddressRange.objects.filter(snapshot=snapshot).order_by("version", "first")
    for version, first, last in rows.values_list("version", "first", "last").iterator():
        pairs[version].append((int(first, 16), int(last, 16)))
    return AddressRanges(ipv4=tuple(pairs[4]), ipv6=tuple(pairs[6]))


_books: dict[tuple, RangeBook] = {}
_lock = Lock()


def book_of(snapshots: Sequence[AddressRangeSnapshot]) -> RangeBook:
    """These lists, ready to be asked; read from the database only when none of the last sets was the same."""
    key = tuple((snapshot.pk, snapshot.as_of) for snapshot in snapshots)
    with _lock:
        if (book := _books.pop(key, None)) is None:
            book = RangeBook(snapshots)
        _books[key] = book  # the youngest stands last
        while len(_books) > BOOKS_KEPT:
            _books.pop(next(iter(_books)))
        return book

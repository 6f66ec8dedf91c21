"""Several range lists as one book: an address in, the verdict of all of them out, without a query (R18, T20-T22)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from accounts.formats.address_lists import AddressRanges, MmdbFacts, NetworkFacts
from accounts.formats.addresses import SPECIAL_USE_AS_OF
from accounts.formats.range_table import Cell, RangeTable
from accounts.rules.verdicts import AddressLimits, Answer, AskedList, Verdict, judge

CACHED_VERDICTS, CACHED_ADDRESSES = 1 << 16, 1 << 16


class RangeBook:
    """Some lists in memory; never changes, and is read by many. Memory grows with the lists, not with what is asked."""

    def __init__(self, lists: Mapping[AskedList, AddressRanges | MmdbFacts]):
        """`lists` in the order in which they are asked: each with its ranges, or its open database."""
        self.asked = list(lists)
        texts = {asked: ranges for asked, ranges in lists.items() if isinstance(ranges, AddressRanges)}
        self._texts, self._table = list(texts), RangeTable(list(texts.values()))
        self._databases = [(asked, database) for asked, database in lists.items() if asked not in texts]

    def verdicts_on(self, day: date, limits: AddressLimits) -> Callable[[str], Verdict]:
        """A function from an address in canonical form to its Verdict by these lists on `day`; ValueError for others.

        What is not public is neither located nor called anonymous (T20, T21).
        """
        find, databases = self._table.find, self._databases

        @lru_cache(maxsize=CACHED_VERDICTS)
        def verdict(cell: Cell, facts: tuple[NetworkFacts, ...]) -> Verdict:
            return judge(cell.special_use, SPECIAL_USE_AS_OF, self._answers(cell, facts), day, limits)

        @lru_cache(maxsize=CACHED_ADDRESSES)
        def of(address: str) -> Verdict:
            cell = find(address)
            if cell.special_use or not databases:
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

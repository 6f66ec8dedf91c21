"""Many lists of ranges as one table of boundaries: one bisection says of an address what every list says (R18, T20)."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from accounts.formats.address_lists import AddressRanges, Range
from accounts.formats.addresses import special_ranges


class Cell(NamedTuple):
    """What holds for every address between two boundaries: the lists that name it, by their number, as a bit mask;
    and why it is not public, or ""."""

    lists: int
    special_use: str


class RangeTable:
    """Sorted boundaries of both families with a cell from each to the next; cells that say the same are one object.

    Takes some 50 bytes a boundary, two boundaries a range at most; it never changes and may be read by many threads.
    """

    def __init__(self, lists: Sequence[AddressRanges]):
        """`lists` in the order of the bits: list number n sets bit n of `Cell.lists`."""
        self._kinds: dict[Cell, Cell] = {}
        names = [name for *_, name in special_ranges()]
        self._names, self._above = names, len(lists)  # special uses are lists too: their bits stand above the others'
        self._firsts4, self._cells4 = self._built(4, [ranges.ipv4 for ranges in lists])
        self._firsts6, self._cells6 = self._built(6, [ranges.ipv6 for ranges in lists])

    def find(self, address: str) -> Cell:
        """The cell of an address in canonical form; ValueError when it is not one. IPv4 inside IPv6 is IPv4."""
        try:
            if ":" not in address:
                number = int.from_bytes(inet_pton(AF_INET, address), "big")
                return self._cells4[bisect_right(self._firsts4, number) - 1]
            number = int.from_bytes(inet_pton(AF_INET6, address), "big")
        except OSError as error:
            raise ValueError("not an address") from error
        if number >> 32 == 0xFFFF:
            return self._cells4[bisect_right(self._firsts4, number & 0xFFFFFFFF) - 1]
        return self._cells6[bisect_right(self._firsts6, number) - 1]

    def __len__(self) -> int:
        return len(self._firsts4) + len(self._firsts6)

    def _built(self, version: int, lists: list[Iterable[Range]]) -> tuple[list[int], list[Cell]]:
        """Ranges of one list do not overlap, so each boundary just turns its bit over."""
        turns: dict[int, int] = {0: 0}
        special = [[(first, last)] if of == version else [] for of, first, last, _ in special_ranges()]
        for bit, ranges in enumerate([*lists, *special]):
            for first, last in ranges:
                turns[first] = turns.get(first, 0) ^ 1 << bit
                turns[last + 1] = turns.get(last + 1, 0) ^ 1 << bit
        firsts: list[int] = []
        cells: list[Cell] = []
        mask = 0
        for first in sorted(turns):
            mask ^= turns[first]
            cell = self._cell(mask)
            if not cells or cell is not cells[-1]:
                firsts.append(first)
                cells.append(cell)
        return firsts, cells

    def _cell(self, mask: int) -> Cell:
        special, lists = mask >> self._above, mask & (1 << self._above) - 1
        first = (special & -special).bit_length() - 1  # the lowest bit: the more specific use stands first
        cell = Cell(lists, self._names[first] if special else "")
        return self._kinds.setdefault(cell, cell)

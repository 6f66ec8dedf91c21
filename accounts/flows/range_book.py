"""Sets of range lists in memory, read from the database once (R18)."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from django.conf import settings

from accounts.formats.address_lists import AddressRanges, MmdbFacts, read_mmdb
from accounts.models import AddressRange, AddressRangeSnapshot
from accounts.rules.range_book import RangeBook
from accounts.rules.verdicts import AskedList

BOOKS_KEPT = 2  # the lists of today, and those of an edition that is being judged beside them


def copy_of(snapshot: AddressRangeSnapshot) -> Path:
    """Where our own copy of a database lies."""
    return Path(settings.PRIVATE_DIR) / "ranges" / f"{snapshot.sha256}.mmdb"


def _asked(snapshot: AddressRangeSnapshot) -> AskedList:
    return AskedList(snapshot.reference, snapshot.kind, snapshot.source, snapshot.as_of)


def _content_of(snapshot: AddressRangeSnapshot) -> AddressRanges | MmdbFacts:
    if snapshot.is_mmdb:
        return read_mmdb(copy_of(snapshot))
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
            book = RangeBook({_asked(each): _content_of(each) for each in snapshots})
        _books[key] = book  # the youngest stands last
        while len(_books) > BOOKS_KEPT:
            _books.pop(next(iter(_books)))
        return book

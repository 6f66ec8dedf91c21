"""Write many rows without holding them all: at most 500 at a time (trust.md 1.3, contract 5)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

BATCH = 500

Row = TypeVar("Row")


def in_batches(rows: Iterable[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """Yield lists of up to `size` rows, in order; nothing for no rows."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def one_ahead(items: Iterable[Row]) -> Iterator[Row]:
    """Yield the items while the next one is made in a second thread, which must ask no database."""
    remaining, end = iter(items), object()
    with ThreadPoolExecutor(max_workers=1) as beside:
        coming = beside.submit(next, remaining, end)
        while (item := coming.result()) is not end:
            coming = beside.submit(next, remaining, end)
            yield item

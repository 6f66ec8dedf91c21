"""Write many rows without holding them all: at most 500 at a time (trust.md 1.3, contract 5)."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

BATCH = 500
_AS_EVER = sys.getswitchinterval()

Row = TypeVar("Row")


def in_batches(rows: Iterable[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """Yield lists of up to `size` rows, in order; nothing for no rows."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


@contextmanager
def _ready_to_give_way() -> Iterator[None]:
    """Whoever hears from the database goes on within a tenth of a millisecond, though the other thread is computing."""
    sys.setswitchinterval(0.000_1)
    try:
        yield
    finally:
        sys.setswitchinterval(_AS_EVER)


def made_ahead(items: Iterable[Row], count: int) -> Iterator[Row]:
    """Yield the items while up to `count` later ones are made in a second thread, which must ask no database."""
    remaining, end = iter(items), object()
    with ThreadPoolExecutor(max_workers=1) as beside, _ready_to_give_way():
        coming = deque(beside.submit(next, remaining, end) for _ in range(count))
        while (item := coming.popleft().result()) is not end:
            coming.append(beside.submit(next, remaining, end))
            yield item

"""Two transactions that wait for each other: the database ends one of them, and that one is done anew."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

TIMES = 5
_DEADLOCK = "40P01"  # PostgreSQL's; SQLite has one writer

Result = TypeVar("Result")


def anew_after_deadlock(act: Callable[[], Result]) -> Result:
    """Do an act that is one transaction of its own, again when it was ended in favour of another, up to TIMES.

    Within a transaction of the caller's it is done once: what that one did before is gone with it.
    """
    for _ in range(1 if connection.in_atomic_block else TIMES - 1):
        try:
            return act()
        except OperationalError as error:
            if connection.in_atomic_block or getattr(error.__cause__, "sqlstate", "") != _DEADLOCK:
                raise
    return act()

"""Two connections at the same moment: the second waits for what the first has not committed."""

import threading
import time

import pytest
from django.db import connection, transaction

from kyc_portal.records.acting import acting
from kyc_portal.records.refs import Actor

HOLDER = Actor(kind="person", key="holder", label="holder")


def needs_row_locks(test):
    return pytest.mark.skipif(connection.vendor != "postgresql", reason="needs row locks of PostgreSQL")(test)


def rounds(count: int) -> int:
    """How often to run a race that is run so often on PostgreSQL: SQLite has one writer, there a tenth says as much."""
    return count if connection.vendor == "postgresql" else max(2, count // 10)


def waits_for_lock() -> bool:
    """Whether another connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        # Never a copy from earlier in a transaction; and of this database only, for beside it others run tests as well.
        cursor.execute(
            "SELECT count(*) FROM pg_locks waits WHERE NOT granted AND EXISTS (SELECT 1 FROM pg_locks has WHERE "
            "has.pid = waits.pid AND has.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return cursor.fetchone()[0] > 0


def once_it_waits(first, second, in_threads, then=None) -> tuple:
    """`first` has done its part and not committed yet while `second` already waits for it; gives both results.

    `then` is what the first goes on to do while the second waits.
    """
    has_done_its_part = threading.Event()

    def holder():
        with acting(HOLDER), transaction.atomic():
            done = first()
            has_done_its_part.set()
            deadline = time.monotonic() + 20
            while not waits_for_lock():
                assert time.monotonic() < deadline, "the other did not wait for the lock"
                time.sleep(0.02)
            if then is not None:
                then()
            return done

    def follower():
        assert has_done_its_part.wait(20), "the first never did its part"
        return second()

    return tuple(in_threads(holder, follower))

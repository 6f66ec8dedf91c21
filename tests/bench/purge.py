"""How fast a purge destroys access records with their files, beside one plain SQL DELETE of the same records.

    make bench ARGS="purge --records 100000 --files 100"

The rival deletes only the access records, in one statement. The purge destroys the whole files under lock, after
looking for holds and references, and leaves a tombstone, an event and the list of what it destroyed.
"""

import argparse
import gc
import time

from django.db import connection
from django.utils import timezone

from tests.bench.running import median_ratio, own_database, paired

# The same statement on both databases; records alike but for their number.
FILL = """
INSERT INTO accounts_accessrecord (
    account_id, batch_id, at, kind, action, principal, address, raw_source, user_agent_sha256, source_system, event_id,
    country, anonymiser, special_use
)
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s)
SELECT batch.account_id, batch.id, batch.imported_at, 'access', 'Login', 'user-1', '8.8.8.8', '8.8.8.8', '', 'console',
    'e' || numbers.number, '', '', ''
FROM accounts_accessbatch AS batch CROSS JOIN numbers
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with own_database("purge"):

        def purge() -> float:
            fill(options.files, options.records)
            return timed_purge(options.files)

        def delete() -> float:
            fill(options.files, options.records)
            took = timed_delete(options.records)
            timed_purge(options.files)  # what is left of the files
            return took

        told = paired({"purge": purge, "delete": delete}, options.rounds)
        ours, theirs = told["purge"], told["delete"]
        print(f"  {options.records:,} access records in {options.files} files that are due")
        print(f"  purge          {options.records / min(ours):9,.0f} records a second")
        print(f"  plain DELETE   {options.records / min(theirs):9,.0f} records a second")
        print(f"  purge to plain DELETE, by speed: {median_ratio(theirs, ours)}")


def fill(files: int, records: int) -> None:
    """So many files that ended long ago, each with its share of the records."""
    from accounts.models import AccessBatch
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from tests.faults.acts import LONG_AGO, make_files

    accounts = make_files(files, closed_at=LONG_AGO, is_full=False, by=SCHEDULER, at=LONG_AGO)
    with one_flow(SCHEDULER):
        AccessBatch.objects.bulk_create(
            AccessBatch(
                account=account, format="jsonl", file_name="bench", sha256="0" * 64, read_count=0, new_count=0,
                known_count=0, refused_count=0, imported_at=LONG_AGO, imported_by="bench",
            )
            for account in accounts
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(FILL, [records // files])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    gc.collect()  # what the filling left behind is nobody's time


def timed_delete(records: int) -> float:
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    began = time.perf_counter()
    with one_flow(SCHEDULER), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_accessrecord")
        assert cursor.rowcount == records
    return time.perf_counter() - began


def timed_purge(files: int) -> float:
    from kyc_portal.records import retention
    from kyc_portal.records.clock import legal_day
    from kyc_portal.records.models import Tombstone
    from kyc_portal.records.refs import SCHEDULER

    stones, now, began = Tombstone.objects.count(), timezone.now(), time.perf_counter()
    retention.purge_due(as_of=legal_day(now), today=legal_day(now), execute=True, by=SCHEDULER, at=now)
    took = time.perf_counter() - began
    assert Tombstone.objects.count() == stones + files
    return took


if __name__ == "__main__":
    main()

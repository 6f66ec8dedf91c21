"""How long the check of a long trail takes, and whether its memory stays flat, beside reading the same rows only.

    make bench ARGS="verifying --events 1000000"

The rival reads every event with its canonical bytes and hashes them: what no check could leave out.
"""

import argparse
import json
from datetime import UTC, datetime

from django.db import connection

from tests.bench.running import in_a_process, own_database, seconds

WRITTEN_AT_ONCE = 20_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

CHECK = """
import django, json, time
django.setup()
from kyc_portal.records import verifying
from tests.bench.running import peak
before, began = peak(), time.perf_counter()
verdict = verifying.verify(witnesses={})
print(json.dumps({"code": verdict.code, "sealed": verdict.sealed, "seconds": time.perf_counter() - began,
                  "peak": peak(), "before": before}))
"""
READ = """
import django, hashlib, json, time
django.setup()
from django.db import connection
QUERY = '''SELECT leaf."index", event.canonical FROM records_auditleaf AS leaf
JOIN records_auditevent AS event ON event.id = leaf.event_id WHERE leaf."index" > %s ORDER BY leaf."index" LIMIT 2000'''
began, last, size = time.perf_counter(), -1, 0
with connection.cursor() as cursor:
    while True:
        cursor.execute(QUERY, [last])
        rows = cursor.fetchall()
        if not rows:
            break
        size += len([hashlib.sha256(bytes(canonical)).digest() for _, canonical in rows])
        last = rows[-1][0]
print(json.dumps({"sealed": size, "seconds": time.perf_counter() - began}))
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args(arguments).events
    with own_database("verifying"):
        there = 0
        for size in (events // 10, events):
            print(f"  {size - there:,} events written and sealed in {seconds(lambda n=size - there: fill(n)):.0f} s")
            there = size
            report()


def fill(count: int) -> None:
    """Events as flows write them, sealed ten thousand at a time."""
    from kyc_portal.records import audit, sealing
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER, RecordRef
    from kyc_portal.records.verbs import Verb

    about = RecordRef("accounts.account", "0d4c3c5e-3f0e-4f6b-9d39-0c6f3a1b2c3d", "ACC-1111-2222")
    for done in range(0, count, WRITTEN_AT_ONCE):
        some = min(WRITTEN_AT_ONCE, count - done)
        with one_flow(SCHEDULER):
            audit.write([
                audit.draft(Verb.EXPORTED, about, by=SCHEDULER, at=NOON, what="bench", rows=number)
                for number in range(some)
            ])  # fmt: skip
        sealing.seal_pending()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def report() -> None:
    ours, rival = json.loads(in_a_process(CHECK)), json.loads(in_a_process(READ))
    assert ours["sealed"] == rival["sealed"] and ours["code"] == 4, ours
    print(
        f"  verify {ours['sealed']:>9,} events  {ours['seconds']:6.1f} s, {ours['sealed'] / ours['seconds']:8,.0f} a "
        f"second, {ours['peak']:.0f} MB at most ({ours['before']:.0f} at start); "
        f"{ours['seconds'] / rival['seconds']:.1f} times as long as reading and hashing them"
    )


if __name__ == "__main__":
    main()

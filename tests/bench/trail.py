"""What the sealed audit trail costs eight writers at once, beside the same transactions with a plain audit insert.

    make bench ARGS="trail --seconds 10 --rounds 7"

A transaction updates a customer, raises a flag and records one event. The rival writes the same columns, through the
ORM as well, under the same indexes into a table of its own, without canonical bytes, queue, seal or triggers. A sealer
runs beside ours. Told are the ratio of the throughput, that of the slowest twentieth, who was seen waiting for a lock,
and how old the oldest event without a seal ever was, under load and at rest. The sealer runs as often as the beat's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial

from django.db import connection

from tests.bench.running import ROOT, median_ratio, own_database, paired, url

WRITERS = 8
WRITER = """
import django, json, sys, time
django.setup()
from django.db import connection, models
from django.utils import timezone
from accounts.models import Account, RiskSignal
from kyc_portal.records import audit
from kyc_portal.records.acting import current_request_id, one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, RecordRef
from kyc_portal.records.verbs import Verb

accounts = list(Account.objects.order_by("pk")[int(sys.argv[1])::8])

class PlainEvent(models.Model):
    locals().update({field.name: field.clone() for field in AuditEvent._meta.fields})
    class Meta:
        app_label, db_table, managed = "records", "bench_plain_audit", False

def plain(account, now):
    ref = RecordRef.of(account)
    PlainEvent.objects.create(
        verb=Verb.EXPORTED.code, at=now, actor_kind=SCHEDULER.kind, actor_key=SCHEDULER.key,
        actor_label=SCHEDULER.label, about_label=ref.label, about_key=ref.key, about_name=ref.name,
        facts={"what": "bench", "rows": 1}, request_id=current_request_id(), canonical=b"")

def sealed(account, now):
    audit.record(Verb.EXPORTED, account, by=SCHEDULER, at=now, what="bench", rows=1)

def write(record, account, number):
    now, began = timezone.now(), time.perf_counter()
    with one_flow(SCHEDULER):
        Account.objects.filter(pk=account.pk).update(risk_score=number % 100)
        RiskSignal.objects.create(
            account=account, code="bench", weight=1, sentence="bench", known_at=now, answered_at=now, answer="none")
        record(account, now)
    return time.perf_counter() - began

connection.ensure_connection()
print("ready", flush=True)
for line in sys.stdin:
    kind, lasts = line.split()
    record, took, ends = {"plain": plain, "sealed": sealed}[kind], [], time.monotonic() + float(lasts)
    while time.monotonic() < ends:
        took.append(write(record, accounts[len(took) % len(accounts)], len(took)))
    print(json.dumps(took), flush=True)
"""
SEALER = """
import django, time
django.setup()
from kyc_portal.celery import BEAT_SCHEDULE
from kyc_portal.records import sealing
while True:
    sealing.seal_pending()
    time.sleep(BEAT_SCHEDULE["seal the audit trail"]["schedule"])
"""
WAITING = """
SELECT lock.locktype || coalesce(' on ' || lock.relation::regclass::text, '')
FROM pg_locks AS lock JOIN pg_stat_activity AS session USING (pid)
WHERE NOT lock.granted AND session.datname = current_database()
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with own_database("trail"):
        prepare()
        writers = [_process(WRITER, str(number)) for number in range(WRITERS)]
        sealer, watch = _process(SEALER), None
        try:
            for writer in writers:
                assert writer.stdout.readline() == "ready\n"
            watch = Watch()
            sides = {kind: partial(run, writers, kind, options.seconds) for kind in ("sealed", "plain")}
            told = paired(sides, options.rounds)
            at_rest = lag_at_rest(writers[0], watch)
        finally:
            if watch:
                watch.stop()
            for process in (*writers, sealer):
                process.kill()
                process.communicate()
        report(told, watch, at_rest)


def _process(code: str, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "DATABASE_URL": url(), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def prepare() -> None:
    """Customers of the portal for the writers to change, and the rival's table with the indexes of ours."""
    from django.utils import timezone

    from kyc_portal.records import sealing
    from kyc_portal.records.models import AuditEvent
    from kyc_portal.records.refs import SCHEDULER
    from tests.faults.acts import make_files

    make_files(400, closed_at=timezone.now(), is_full=False, by=SCHEDULER, at=timezone.now())
    sealing.seal_pending()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_plain_audit AS SELECT * FROM records_auditevent WHERE 1 = 0")
        cursor.execute("CREATE UNIQUE INDEX bench_plain_id ON bench_plain_audit (id)")
        for index in AuditEvent._meta.indexes:
            cursor.execute(f"CREATE INDEX bench_{index.name} ON bench_plain_audit ({', '.join(index.fields)})")


def run(writers: list[subprocess.Popen], kind: str, lasts: float) -> list[float]:
    """All writers at once for so many seconds; how long each of their transactions took."""
    for writer in writers:
        writer.stdin.write(f"{kind} {lasts}\n")
        writer.stdin.flush()
    return [seconds for writer in writers for seconds in json.loads(writer.stdout.readline())]


def lag_at_rest(writer: subprocess.Popen, watch: "Watch") -> float:
    """The age in seconds of the oldest event without a seal while one writer does little, a second at a time."""
    time.sleep(12)  # what the load left is sealed
    watch.lag, under_load = 0.0, watch.lag
    for _ in range(20):
        run([writer], "sealed", 0.001)
        time.sleep(1)
    watch.lag, at_rest = under_load, watch.lag
    return at_rest


class Watch:
    """Looks five times a second who waits for a lock, and how old the oldest event without a seal is."""

    def __init__(self):
        self.waits: dict[str, int] = {}
        self.lag = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        from kyc_portal.records.models import AuditEvent, AuditPending

        with closing(connection):
            while not self._stopped.wait(0.2):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute(WAITING)
                        for (what,) in cursor.fetchall():
                            self.waits[what] = self.waits.get(what, 0) + 1
                oldest = AuditPending.objects.order_by("event_id").values_list("event_id", flat=True).first()
                event = AuditEvent.objects.filter(pk=oldest).first() if oldest else None
                if event is not None:
                    self.lag = max(self.lag, time.time() - event.at.timestamp())

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def slowest(took: list[float]) -> float:
    """The time that one transaction of twenty exceeds."""
    return statistics.quantiles(took, n=20)[-1]


def report(told: dict[str, list[list[float]]], watch: Watch, at_rest: float) -> None:
    ours, theirs = told["sealed"], told["plain"]
    counts = [[len(each) for each in side] for side in (ours, theirs)]
    print(f"  {WRITERS} writers, {sum(counts[0]):,} transactions with the sealed trail, {sum(counts[1]):,} plain")
    print(f"  throughput, sealed to plain   {median_ratio(*counts)}")
    print(f"  slowest twentieth, the same   {median_ratio(list(map(slowest, ours)), list(map(slowest, theirs)))}")
    waits = ", ".join(f"{what}: {count}" for what, count in sorted(watch.waits.items())) or "nobody"
    print(f"  seen waiting for a lock       {waits if connection.vendor == 'postgresql' else 'not looked at'}")
    print(f"  oldest event without a seal   {watch.lag:.1f} s under load, {at_rest:.1f} s at rest")


if __name__ == "__main__":
    main()

"""A hold against a purge, on the same file at the same moment: whoever is told “held” finds the file there."""

import threading
import time
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from kyc_portal.records import holds, retention
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent, HeldRecord, Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.verbs import Verb
from tests.faults import acts
from tests.faults.conftest import RACES

AT_ONCE = 100  # files that are made together
RULE = "customer_file"
LONGEST_LEAD = 0.05  # seconds by which one of the two may be ahead; mostly the purge, which has more to read


def run_both(*sides) -> None:
    """Both sides at once, each in a thread with its own connection; what one of them raises fails the test."""
    failures = []

    def run(side) -> None:
        try:
            side()
        except BaseException as failure:
            failures.append(failure)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[side]) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def race(accounts: list[Account], chance) -> tuple[set, set]:
    """Hold and purge each of these files at once; the keys of those held and of those whose hold was refused."""
    held, refused, day = set(), set(), legal_day(timezone.now())
    leads = [(chance.uniform(0, LONGEST_LEAD), chance.random() < 0.75) for _ in accounts]
    start = threading.Barrier(2, timeout=60)

    def place() -> None:
        for account, (lead, is_purge_ahead) in zip(accounts, leads, strict=True):
            start.wait()
            time.sleep(lead if is_purge_ahead else 0)
            try:
                holds.place_hold([account], reason="order", ground="Order 1", by=SCHEDULER, at=timezone.now())
                held.add(account.pk)
            except holds.AlreadyDestroyed:
                refused.add(account.pk)

    def destroy() -> None:
        for account, (lead, is_purge_ahead) in zip(accounts, leads, strict=True):
            start.wait()
            time.sleep(0 if is_purge_ahead else lead)
            purge_file(account.pk, day)

    run_both(place, destroy)
    return held, refused


def purge_file(key: UUID, day) -> None:
    """The purge of one file, as a run over all of them does it."""
    [rule] = [rule for rule in retention.all_rules() if rule.code == RULE]
    retention.purge_file(rule, key, as_of=day, by=SCHEDULER, at=timezone.now())


class TestHoldAgainstPurge:
    def test_no_held_file_is_gone_and_no_hold_stands_on_a_destroyed_one(self, folder, chance):
        held_count = 0
        for done in range(0, RACES, AT_ONCE):
            count, now = min(AT_ONCE, RACES - done), timezone.now()
            accounts = acts.make_files(count, closed_at=acts.LONG_AGO, is_full=False, by=SCHEDULER, at=acts.LONG_AGO)
            every = {account.pk for account in accounts}

            held, refused = race(accounts, chance)

            names = [str(key) for key in every]
            there = set(Account.objects.filter(pk__in=every).values_list("pk", flat=True))
            stones = Tombstone.objects.filter(key__in=names, purged_at__gte=now).values_list("key", flat=True)
            holds_on = HeldRecord.objects.filter(key__in=names).values_list("key", flat=True)
            told = AuditEvent.objects.filter(about_key__in=names, verb=Verb.PURGED.code).values_list("about_key")
            assert there == held
            assert every - there == refused
            assert sorted(stones) == sorted(map(str, refused)) == sorted(key for (key,) in told)
            assert sorted(holds_on) == sorted(map(str, held))
            held_count += len(held)

        acts.require_whole_trail()
        print(f"{RACES:,} races: {held_count:,} won by the hold, {RACES - held_count:,} by the purge")

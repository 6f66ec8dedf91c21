"""Deliveries of access records for many accounts that are struck down: each is there once, or not at all."""

import itertools
import json
import uuid
from pathlib import Path

from django.utils import timezone

from accounts.flows import access_days
from accounts.models import AccessBatch, AccessDay, AccessRecord, Account, UnknownAccount, WaitingLine
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts import logs
from tests.faults.acts import LONG_AGO, make_files

_numbers = itertools.count(1)
SUMS = ("account", "day", "kind", "public", "country", "network", "anonymiser", "count", "hours", "first_at", "last_at")


class Deliveries:
    """A folder of deliveries that overlap; each speaks of several accounts and of one nobody knows."""

    files, rows, overlap = 4, 1_500, 100

    def prepare(self, folder: Path) -> None:
        self.accounts = make_files(5, closed_at=timezone.now(), is_full=False, by=SCHEDULER, at=LONG_AGO)
        self.key, self.folder = uuid.uuid4().hex, folder / f"deliveries-{next(_numbers)}"
        self.folder.mkdir()
        names = [*(account.reference for account in self.accounts), self.key]
        for number in range(self.files):
            begin = number * (self.rows - self.overlap)
            with (self.folder / f"{number}.jsonl").open("w") as file:
                for line in range(begin, begin + self.rows):
                    name = names[line % len(names)]
                    event = logs.event(line, account=name, event_id=f"{self.key}-{line}", source=f"8.8.{line % 9}.8")
                    file.write(json.dumps(event) + "\n")

    @property
    def command(self):
        return ("import_access_log", str(self.folder), "--format", "jsonl")

    def _batches(self):
        keys = AccessRecord.objects.filter(account__in=self.accounts).values("batch")
        return list(AccessBatch.objects.filter(pk__in=keys).order_by("imported_at", "pk"))

    def look(self) -> bool:
        """Of each delivery that was acknowledged all is there, once, and its sums; of the others nothing is."""
        batches = self._batches()
        records = AccessRecord.objects.filter(account__in=self.accounts)
        waiting = WaitingLine.objects.filter(account_key=self.key)
        assert records.count() == records.values("event_id").distinct().count() == sum(b.new_count for b in batches)
        assert waiting.count() == waiting.values("event_id").distinct().count() == sum(b.waiting_count for b in batches)
        told = UnknownAccount.objects.filter(key=self.key).values_list("line_count", flat=True)
        assert sum(told) == waiting.count()
        for batch in batches:
            assert batch.read_count == batch.new_count + batch.known_count + batch.waiting_count == self.rows
            assert records.filter(batch=batch).count() == batch.new_count
            assert AuditEvent.objects.filter(about_key=str(batch.pk)).count() == 1
        self._require_sums()
        return 0 < len(batches) < self.files

    def _require_sums(self) -> None:
        mine = AccessDay.objects.filter(account__in=self.accounts)
        before = sorted(mine.values_list(*SUMS), key=str)
        for account in Account.objects.filter(pk__in=[each.pk for each in self.accounts]):
            access_days.recount(account, by=SCHEDULER, at=timezone.now())
        assert sorted(mine.values_list(*SUMS), key=str) == before

    def require_end(self) -> None:
        self.look()
        assert len(self._batches()) == self.files
        events = self.rows + (self.files - 1) * (self.rows - self.overlap)
        records = AccessRecord.objects.filter(account__in=self.accounts).count()
        assert records + WaitingLine.objects.filter(account_key=self.key).count() == events

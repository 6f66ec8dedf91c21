"""Access records of a bundle, read so that any number of them needs no more memory (requirements R18, R114)."""

from collections.abc import Iterator

from django.db import models
from django.db.models import Count, Max, Min

from accounts.models import AccessBatch, AccessRecord, Account
from cases.flows.bundle_facts import Chosen
from cases.flows.bundle_items import days_of_access
from cases.flows.bundle_redactor import Redactor
from cases.formats.access_records import Record
from cases.formats.stix import Sighting
from cases.rules.disclosure import DataClass
from cases.rules.redaction import FieldClass

ROWS_AT_ONCE = 2000


def batches(chosen: Chosen) -> models.QuerySet:
    """The approved log files."""
    return chosen.rows(AccessBatch, DataClass.ACCESS)


def _records(chosen: Chosen) -> models.QuerySet:
    """Of a log file of one account that one's records; of a delivery for many those of the approved accounts alone."""
    files = batches(chosen).order_by()
    accounts = chosen.rows(Account, DataClass.ACCESS).order_by()
    of_one = models.Q(batch__in=files.filter(account__isnull=False), account=models.F("batch__account"))
    of_many = models.Q(batch__in=files.filter(account__isnull=True), account__in=accounts)
    return days_of_access(AccessRecord.objects.filter(of_one | of_many), chosen.asked)


class _Moment(models.Func):
    """A moment in UTC as ISO 8601 with a final Z, made where it lies: psycopg's way to Python's and back is slow."""

    output_field = models.TextField()

    def as_postgresql(self, compiler, connection, **context):
        template = (
            "REPLACE(TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000Z', 'Z')"
        )
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="REPLACE(%(expressions)s, ' ', 'T') || 'Z'", **context)


def records(chosen: Chosen, show: Redactor) -> Iterator[Record]:
    """Each record as its recipient may see it, oldest first."""
    hidden, acts = show.hides(FieldClass.NETWORK_ADDRESS), show.hides(FieldClass.ACTIVITY)
    if hidden is not None:
        show.note(hidden, "access/records, address and raw source")
    if acts is not None:
        show.note(acts, "access/records, action, principal and event")
    found = _records(chosen).order_by("at", "pk").values_list(
        _Moment("at"), "account__reference", "kind", "address", "raw_source", "batch__reference", "action",
        "principal", "source_system", "event_id",
    ).iterator(chunk_size=ROWS_AT_ONCE)  # fmt: skip
    if hidden is None and acts is None and not show.scrubs:
        yield from found
        return
    for at, account, kind, address, raw_source, batch, action, principal, source, event in found:
        if hidden is not None:
            address = raw_source = hidden.of("")
        if acts is not None:
            action = principal = event = acts.of("")
        yield (
            at, account, kind, address, show.scrub(raw_source), batch, action, show.scrub(principal), source, event
        )  # fmt: skip


def are_shown(chosen: Chosen, show: Redactor) -> bool:
    """Whether there are addresses to tell of; where they are blacked out the redaction log says so."""
    if not batches(chosen).exists():
        return False
    if (hidden := show.hides(FieldClass.NETWORK_ADDRESS)) is not None:
        show.note(hidden, "exchange/indicators.stix.json")
    return hidden is None


def sightings(chosen: Chosen, show: Redactor) -> Iterator[Sighting]:
    """Each address of each account with its first and last day, by address.

    What a list of that day said of an address goes along only where red flags do, unredacted.
    """
    tells = chosen.has(DataClass.RISK) and show.hides(FieldClass.DETECTION) is None
    found = (
        _records(chosen).filter(address__isnull=False).values_list("account__reference", "address")
        .annotate(first=Min("at"), last=Max("at"), count=Count("pk"), named=Max("anonymiser"))
        .order_by("address", "account__reference")
    )  # fmt: skip
    for account, address, first, last, count, named in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield Sighting(account, address, first, last, count, named if tells else "")

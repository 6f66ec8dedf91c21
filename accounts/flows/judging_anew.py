"""Judge lately seen addresses by a new edition of the lists; may be killed and done again at any point (R18, R46)."""

from collections.abc import Iterator
from datetime import datetime

from django.db import models

from accounts.flows.editions import current_snapshots, digest_of
from accounts.flows.verdicts import judge_by, wait_for_others
from accounts.models import AccessBatch, AccessRecord, RangeEdition, WaitingLine
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef

BATCH = 2_000


def judge_anew(key: str, *, by: Actor, at: datetime) -> int:
    """Add the edition's verdict on each address taken in within the regime's days that has none yet; returns how many.

    `key` is the edition's. When other lists are current by now, only addresses of records that name the edition are
    judged by it. Each batch is a transaction of its own, and what is written is not written again.
    """
    edition = RangeEdition.objects.filter(pk=key).first()
    if edition is None:
        return 0
    judge, added = judge_by(edition, at), 0
    for addresses in _seen_lately(edition, at):
        with one_flow(by, at):
            wait_for_others()
            written = judge.keep(addresses, at=at)
            if written:
                about = RecordRef.of(edition)
                audit.record(Verb.ADDRESSES_JUDGED, about, by=by, at=at, count=written, digest=edition.sha256)
        added += written
    return added


def _seen_lately(edition: RangeEdition, at: datetime) -> Iterator[set[str]]:
    """Addresses by the batch, straight along the primary keys from the first row taken in within the window."""
    days = regime_on(legal_day(at)).days("address_judged_anew_days")
    recent = AccessBatch.objects.filter(imported_at__gte=at - days)
    lists = sorted(current_snapshots().values_list("reference", flat=True))
    is_current = digest_of(lists) == edition.sha256
    for model, rows_of_batch in ((AccessRecord, "records"), (WaitingLine, "waiting_lines")):
        first = recent.aggregate(first=models.Min(f"{rows_of_batch}__pk"))["first"]
        if first is None or (model is WaitingLine and not is_current):
            continue
        rows = model.objects.filter(address__isnull=False)
        yield from _along_keys(rows if is_current else rows.filter(edition=edition), first)


def _along_keys(rows: models.QuerySet, first: int) -> Iterator[set[str]]:
    last = first - 1
    while part := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "address")[:BATCH]):
        last = part[-1][0]
        yield {address for _, address in part}

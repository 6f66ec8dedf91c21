"""Let verdicts go when nothing names their address any more (R47; own policy): they say nothing of anybody then."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from accounts.flows.verdicts import wait_for_others
from accounts.models import AccessRecord, AddressVerdict, WaitingLine
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef

BATCH = 2_000
ALL = RecordRef("accounts.addressverdict", "all", "verdicts on addresses")


def forget_unnamed(*, by: Actor, at: datetime) -> int:
    """Delete verdicts older than the regime's days whose address no record and no waiting line names; says how many.

    A hold needs no look here: it keeps the records, and a record keeps every verdict on its address. Batches are
    transactions of their own, along the keys, so whoever is killed goes on the next night.
    """
    before, last, gone = at - regime_on(legal_day(at)).days("address_verdict_days"), 0, 0
    while True:
        with one_flow(by, at):
            wait_for_others()  # an import that names an address again has committed, or finds its verdict gone
            seen, count = _next_batch(before, last)
            if count:
                audit.record(Verb.VERDICTS_FORGOTTEN, ALL, by=by, at=at, count=count)
        if not seen:
            return gone
        last, gone = seen, gone + count


def _next_batch(before: datetime, last: int) -> tuple[int, int]:
    """The last key looked at, 0 when none is left, and how many went."""
    named = Exists(AccessRecord.objects.filter(address=OuterRef("address")))
    waiting = Exists(WaitingLine.objects.filter(address=OuterRef("address")))
    rows = AddressVerdict.objects.filter(pk__gt=last, judged_at__lt=before).annotate(stays=named | waiting)
    part = list(rows.order_by("pk").values_list("pk", "stays")[:BATCH])
    going = [pk for pk, stays in part if not stays]
    if going:
        AddressVerdict.objects.filter(pk__in=going).delete()
    return (part[-1][0] if part else 0), len(going)

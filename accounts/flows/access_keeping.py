"""How long deliveries for many accounts, refused lines and accesses of nobody we know are kept (own policy, R54).

Access records go with their account's file (keeping.py). None of this is anybody's file, so no hold can stand on it.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from accounts.models import AccessBatch, AccessRecord, RefusedLine, UnknownAccount, WaitingLine
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.retention import Period

DELIVERY, REFUSED, WAITING = "access_delivery_days", "refused_line_days", "waiting_access_days"
AT_ONCE = 5_000


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(settings.LEGAL_TIME_ZONE))


def _period(figure: str, begins: date, event: str) -> Period:
    regime = regime_on(begins)
    days = regime.whole(figure)
    return Period(
        figure, begins + timedelta(days=days), f"{days} days after {event} on {begins} ({regime.cite(figure)})."
    )


# --- deliveries for many accounts -------------------------------------------------------------------------------------


def unused_deliveries(as_of: date) -> models.QuerySet[AccessBatch]:
    """Deliveries for many accounts of before that day of which no record is left, no access waits, no line is kept."""
    of_it = models.OuterRef("pk")
    rows = AccessBatch.objects.filter(account__isnull=True, imported_at__lt=_midnight(as_of))
    for model in (AccessRecord, WaitingLine, RefusedLine):
        rows = rows.exclude(models.Exists(model.objects.filter(batch=of_it)))
    return rows


def periods_of_delivery(batch: AccessBatch) -> list[Period]:
    """Its days begin with the day it was taken in."""
    return [_period(DELIVERY, legal_day(batch.imported_at), "it was taken in")]


def contents_of_delivery(batch: AccessBatch) -> Iterable[models.QuerySet]:
    """The delivery alone: nothing else is left of it."""
    return [AccessBatch.objects.filter(pk=batch.pk, account__isnull=True)]


def let_refused_lines_go(*, by: Actor, at: datetime) -> int:
    """Nightly: refused lines of deliveries for many accounts go after their days; how many went.

    They may speak of anybody, and who wants to mend them has done so. Those of one account go with its file.
    """
    today = legal_day(at)
    through = today - timedelta(days=regime_on(today).whole(REFUSED) + 1)
    rows = RefusedLine.objects.filter(batch__account__isnull=True, batch__imported_at__lt=_midnight(through))
    gone = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with one_flow(by, at):
            RefusedLine.objects.filter(pk__in=keys)._raw_delete(RefusedLine.objects.db)
            audit.record(
                Verb.REFUSED_LINES_GONE, RecordRef(RefusedLine._meta.label_lower, "", "refused lines"), by=by, at=at,
                count=len(keys), through=str(through),
            )  # fmt: skip
        gone += len(keys)
    return gone


# --- accesses of nobody we know ---------------------------------------------------------------------------------------


def unclaimed(as_of: date) -> models.QuerySet[UnknownAccount]:
    """Keys under which nothing came since before that day."""
    return UnknownAccount.objects.filter(last_delivered_at__lt=_midnight(as_of))


def periods_of_unknown(unknown: UnknownAccount) -> list[Period]:
    """Their days begin anew with each delivery, so that what is still used is not forgotten."""
    return [_period(WAITING, legal_day(unknown.last_delivered_at), "the last of it came")]


def _lines_of(unknown: UnknownAccount) -> models.QuerySet[WaitingLine]:
    return WaitingLine.objects.filter(source_system=unknown.source_system, account_key=unknown.key)


def contents_of_unknown(unknown: UnknownAccount) -> Iterable[models.QuerySet]:
    """Its lines and the key."""
    return [_lines_of(unknown), UnknownAccount.objects.filter(pk=unknown.pk)]


def lines_of_unknown(unknown: UnknownAccount) -> Iterable[models.QuerySet]:
    """What may be very much of it."""
    return [_lines_of(unknown)]

"""Remind the owners of clocks that are near or past: one mail a day to each address, of what may be known there."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string

from kyc_portal.notices.verbs import Verb
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor, RecordRef

DAYS_AHEAD = timedelta(days=5)


@flow
def remind_owners(
    *, on: date, told: Iterable[tuple[str, QuerySet[Deadline]]], by: Actor, at: datetime
) -> dict[str, int]:
    """Send each staff address its clocks due within five days or past, once a day; one query for each address.

    `told` gives each address with the clocks that exist for whoever reads it; who has none near gets no mail. The list
    names records by reference only. Returns {"clocks": n, "mails": n}: the clocks somebody was told of.
    """
    near = Deadline.objects.running().filter(due_on__lte=on + DAYS_AHEAD)
    near = near.filter(Q(reminded_on__isnull=True) | Q(reminded_on__lt=on))
    clocks = list(near.select_for_update(of=("self",)).select_related("citation").order_by("due_on", "reference"))
    if not clocks:
        return {"clocks": 0, "mails": 0}

    told_of, mails = set(), 0
    for address, existing in told:
        seen = set(existing.filter(pk__in=near.values("pk")).values_list("pk", flat=True))
        own = [clock for clock in clocks if clock.pk in seen]
        if own:
            _send(address, own, on)
            mails += 1
            told_of.update(clock.pk for clock in own)
    for clock in clocks:
        if clock.pk in told_of:
            about = RecordRef(clock.label, clock.key, clock.name)
            audit.record(Verb.REMINDED, about, by=by, at=at, kind=clock.kind, due_on=clock.due_on)
    Deadline.objects.filter(pk__in=told_of).update(reminded_on=on)
    return {"clocks": len(told_of), "mails": mails}


def _send(address: str, clocks: list[Deadline], on: date) -> None:
    count = "1 clock needs you" if len(clocks) == 1 else f"{len(clocks)} clocks need you"
    body = render_to_string("notices/deadlines.body.txt", {"clocks": clocks, "on": on})
    EmailMessage(f"{settings.PROVIDER_NAME}: {count}", body, to=[address]).send()

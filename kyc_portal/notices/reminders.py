"""Remind the owners of clocks that are near or past: one mail a day to each address, without personal data."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string

from kyc_portal.notices.verbs import Verb
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor, RecordRef

DAYS_AHEAD = timedelta(days=5)


@flow
def remind_owners(*, on: date, addresses: Iterable[str], by: Actor, at: datetime) -> dict:
    """Send the list of clocks due within five days or past to the given staff addresses, once a day.

    The list names records by reference only. Returns {"clocks": n, "mails": n}.
    """
    near = Deadline.objects.running().filter(due_on__lte=on + DAYS_AHEAD)
    near = near.filter(Q(reminded_on__isnull=True) | Q(reminded_on__lt=on))
    clocks = list(near.select_for_update(of=("self",)).select_related("citation").order_by("due_on"))
    addresses = sorted(set(addresses))
    if not clocks or not addresses:
        return {"clocks": 0, "mails": 0}

    body = render_to_string("notices/deadlines.body.txt", {"clocks": clocks, "on": on})
    for address in addresses:
        EmailMessage(f"{settings.PROVIDER_NAME}: {len(clocks)} clocks need you", body, to=[address]).send()
    for clock in clocks:
        about = RecordRef(clock.label, clock.key, clock.name)
        audit.record(Verb.REMINDED, about, by=by, at=at, kind=clock.kind, due_on=clock.due_on)
    Deadline.objects.filter(pk__in=[clock.pk for clock in clocks]).update(reminded_on=on)
    return {"clocks": len(clocks), "mails": len(addresses)}

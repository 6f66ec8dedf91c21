"""End certifications that nobody withdrew: the record changed, or the last day is past (R63)."""

from datetime import date, datetime

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.work.failures import sweep
from resellers.flows import file
from resellers.models import CertifiedEntry, Reseller
from resellers.rules.certification import LineEnd
from resellers.rules.roster import EndedWhy
from resellers.verbs import Verb


def take_roster_change(sender, *, upload, by, at, **signal) -> None:
    """The receiver of events.roster_changed, within its transaction."""
    break_changed(upload.reseller, by=by, at=at)


@flow
def break_changed(reseller: Reseller, *, by: Actor, at: datetime) -> int:
    """End each certification whose row of the roster ended; returns how many. To be called where the rows end.

    The caller holds the reseller's lock (file.locked), as everything that ends rows of its roster must.
    """
    standing = CertifiedEntry.objects.standing().filter(reseller=reseller, entry__ended_at__isnull=False)
    anew = standing.filter(entry__ended_why=EndedWhy.CHANGED.value)
    broken = anew.update(ended_at=at, ended_why=LineEnd.CHANGED.value)
    broken += standing.update(ended_at=at, ended_why=LineEnd.GONE.value)  # whatever else ended them
    if broken:
        facts = {"reseller": reseller.reference, "changed": broken}
        audit.record(Verb.CERTIFICATION_BROKEN, reseller, by=by, at=at, within=reseller.account, **facts)
    return broken


def lapse_due(*, on: date, by: Actor, at: datetime) -> dict:
    """End what lapsed before this day, each reseller in a transaction of its own; may be repeated.

    Returns {"done": n, "failed": n} of resellers.
    """
    rows = Reseller.objects.filter(pk__in=CertifiedEntry.objects.lapsed(on).values("reseller"))
    resellers = rows.select_related("account").order_by("pk")
    return sweep("resellers.lapse", resellers, lambda reseller: lapse(reseller, on=on, by=by, at=at), at=at)


@flow
def lapse(reseller: Reseller, *, on: date, by: Actor, at: datetime) -> int:
    """End what lapsed of one reseller; returns how many."""
    reseller = file.locked(reseller)
    lines = CertifiedEntry.objects.lapsed(on).filter(reseller=reseller)
    count = lines.update(ended_at=at, ended_why=LineEnd.LAPSED.value)
    if count:
        facts = {"reseller": reseller.reference, "count": count}
        audit.record(Verb.CERTIFICATION_LAPSED, reseller, by=by, at=at, within=reseller.account, **facts)
    return count

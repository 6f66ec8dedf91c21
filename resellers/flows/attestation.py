"""A reseller's yearly attestation: open it each year, count what it attests, sign it (R63)."""

import hashlib
import json
from datetime import date, datetime

from django.db.models import Count, Max, Min, Q

from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import wording_shown
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep
from resellers.flows import authority, file
from resellers.flows.coverage import held_at
from resellers.models import Attestation, Reseller, ResellerManager, RosterEntry
from resellers.rules.attestation import GAPS, period_due
from resellers.rules.cip import CipStatus
from resellers.verbs import Verb

SIGN_BY = "yearly attestation"
EVER_APPROVED = [CipStatus.APPROVED.value, CipStatus.REPLACED.value]


class AlreadySigned(Refusal):
    """The attestation was signed before; it cannot be signed twice or changed."""


def open_due(*, on: date, by: Actor, at: datetime) -> dict:
    """Open the attestation of each reseller whose year is over, each in a transaction of its own; may be repeated.

    A year begins with the first CIP that was approved. Returns {"done": n, "failed": n}.
    """
    rows = Reseller.objects.filter(cips__status__in=EVER_APPROVED).distinct().select_related("account__party")
    due = [reseller for reseller in rows.order_by("pk") if _period(reseller, on)]
    return sweep("resellers.attestation", due, lambda reseller: open_attestation(reseller, on=on, by=by, at=at), at=at)


def _period(reseller: Reseller, on: date) -> tuple[date, date] | None:
    """The period to be attested by now; None while none is over, or while no contract is in force."""
    first = reseller.cips.filter(status__in=EVER_APPROVED).aggregate(day=Min("decided_at"))["day"]
    if first is None or file.contract_on(reseller, on) is None or file.ended_on(reseller) is not None:
        return None
    last = reseller.attestations.aggregate(day=Max("to_on"))["day"]
    begins = add_days(last, 1) if last else legal_day(first)
    return period_due(begins, on, regime_on(on).whole("attestation_months"))


@flow
def open_attestation(reseller: Reseller, *, on: date, by: Actor, at: datetime) -> Attestation | None:
    """Open a reseller's next attestation and start its clock; None when none is due on this day."""
    reseller = file.locked(reseller)
    period = _period(reseller, on)
    if period is None:
        return None
    number = (reseller.attestations.aggregate(last=Max("number"))["last"] or 0) + 1
    row = Attestation(reseller=reseller, number=number, from_on=period[0], to_on=period[1], opened_on=on)
    clock = start_clock(SIGN_BY, row, figure="attestation_days", regime=regime_on(on), on=on, by=by, at=at)
    row.due_on, row.citation = clock.due_on, clock.citation
    row.save(force_insert=True)
    facts = {"reseller": reseller.reference, "due_on": row.due_on}
    audit.record(Verb.ATTESTATION_OPENED, row, by=by, at=at, within=reseller, **facts)
    return row


@flow
def sign_attestation(
    attestation: Attestation, *, statement_number: str, binding: ResellerManager | None, by: Actor, at: datetime
) -> Attestation:
    """Sign it under the wording that was shown, with its figures as they are now, and stop its clock.

    Raises NoAuthority, AlreadySigned, WordingChanged or Ended.
    """
    reseller = file.locked(attestation.reseller)
    binding = authority.held(binding, reseller, by=by)
    file.require_running(reseller)
    row = Attestation.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=attestation.pk)
    if row.signed_at is not None:
        raise AlreadySigned(f"{row.reference} was signed by {row.signed_by} on {legal_day(row.signed_at)}.")
    row.statement = wording_shown(StatementKind.ATTESTATION, statement_number, legal_day(at))
    row.signed_at, row.signed_by, row.signed_by_key, row.signed_under = at, by.label, person_key(by), binding
    row.counts, row.gaps = counted(reseller, at)
    row.save()
    stop_clock(SIGN_BY, row, by=by, at=at)
    signed = json.dumps([row.counts, row.gaps], sort_keys=True).encode()
    audit.record(
        Verb.ATTESTED, row, by=by, at=at, within=reseller, reseller=reseller.reference, version=row.statement.number,
        digest=hashlib.sha256(signed).hexdigest(),
    )  # fmt: skip
    return row


def counted(reseller: Reseller, moment: datetime) -> tuple[dict, dict]:
    """What the roster and the certifications of a reseller said at a moment; one query, the same whenever it is asked.

    Counts are {"total", "verified", "certified", "countries": {code: the same three}}, gaps {code of GAPS: customers};
    of gaps only those that are there.
    """
    is_verified = Q(verified_on__isnull=False) & ~Q(method="")
    rows = RosterEntry.objects.as_of(moment).filter(reseller=reseller).values("country").order_by("country")
    found = rows.annotate(
        total=Count("pk"),
        verified=Count("pk", filter=is_verified),
        certified=Count("pk", filter=held_at(moment)),
        not_verified=Count("pk", filter=~is_verified),
        not_certified=Count("pk", filter=~held_at(moment)),
    )
    countries, gaps = {}, dict.fromkeys(GAPS, 0)
    for row in found:
        countries[row["country"]] = {name: row[name] for name in ("total", "verified", "certified")}
        for code in GAPS:
            gaps[code] += row[code]
    sums = {name: sum(each[name] for each in countries.values()) for name in ("total", "verified", "certified")}
    return {**sums, "countries": countries}, {code: count for code, count in gaps.items() if count}

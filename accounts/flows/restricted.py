"""Whom we restricted and whose file is gone: only fingerprints are left, under a rule of their own (trust.md 5.2, 11).

They say that somebody who was shut out has come back, and nothing else: no name, no value, no party.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.flows import links
from accounts.models import Account, Identifier, Party, RestrictedCustomer, RetainedFingerprint, SeenBefore
from accounts.rules.closing import cause_of
from accounts.rules.links import LinkFigures, LinkStrength
from kyc_portal.calendars import keep_through
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.verdicts import Period

YEARS = "restricted_fingerprint_years"


@dataclass(frozen=True)
class RestrictedBefore:
    """A customer restricted earlier whose file is purged, how strong the tie is (0 to 1), and why, in words."""

    customer: RestrictedCustomer
    score: float
    sentence: str


def remember(account: Account, parties: Iterable[UUID], *, on: date) -> RestrictedCustomer | None:
    """Keep the fingerprints of these parties, whose file is about to go; None when nothing was held against them."""
    reason = cause_of(account.closing_reason, account.restrictions.in_force().values_list("level", flat=True))
    if not reason:
        return None
    customer, _ = RestrictedCustomer.objects.get_or_create(
        reference=account.reference, defaults={"reason": reason, "remembered_on": on}
    )  # there already when a backup brought the file back
    found = Identifier.objects.filter(party__in=list(parties)).order_by().values_list("kind", "digest").distinct()
    RetainedFingerprint.objects.bulk_create(
        [RetainedFingerprint(customer=customer, kind=kind, digest=digest) for kind, digest in found],
        ignore_conflicts=True,
    )
    return customer


def find_restricted(party: Party, figures: LinkFigures | None = None) -> list[RestrictedBefore]:
    """Customers restricted earlier who share a fingerprint with this party, the strongest tie first; two queries.

    And the two of the figures where they are not given.
    """
    figures = figures or links.figures_on(legal_day(timezone.now()))
    found = links.tied_to_gone(party, figures)
    customers = RestrictedCustomer.objects.in_bulk(found) if found else {}
    told = [_told(customers[key], tie) for key, tie in found.items() if key in customers]
    return sorted(told, key=lambda each: (-each.score, each.customer.reference))


def _told(customer: RestrictedCustomer, tie: LinkStrength) -> RestrictedBefore:
    reason = customer.reason.replace("_", " ")
    sentence = f"{tie.sentence} Restricted earlier ({reason}); the file was purged on {customer.remembered_on}."
    return RestrictedBefore(customer, tie.score, sentence)


def remembered_before(as_of: date) -> models.QuerySet[RestrictedCustomer]:
    """Restricted customers remembered before that day."""
    return RestrictedCustomer.objects.filter(remembered_on__lt=as_of)


def periods_of(customer: RestrictedCustomer) -> list[Period]:
    """Our own period, from the day on which the file went."""
    regime = regime_on(legal_day(timezone.now()))
    years, source = regime.whole(YEARS), regime.cite(YEARS)
    through = keep_through(customer.remembered_on, years=years)
    return [
        Period(YEARS, through, f"{years} years after the file was destroyed on {customer.remembered_on} ({source}).")
    ]


def contents_of(customer: RestrictedCustomer) -> list[models.QuerySet]:
    """Its fingerprints, then itself. Ties to it stay with whom they are of (forget_ties)."""
    fingerprints = RetainedFingerprint.objects.filter(customer=customer)
    ties = SeenBefore.objects.filter(remembered=customer)
    return [ties, fingerprints, RestrictedCustomer.objects.filter(pk=customer.pk)]


def hand_over_ties(parties: Iterable[UUID], customer: RestrictedCustomer | None, *, at: datetime) -> None:
    """The file of these parties is about to go: ties to them go on to what is remembered, or are over."""
    ties = SeenBefore.objects.filter(earlier__in=list(parties)).exclude(party__in=list(parties))
    if customer is not None:
        there = SeenBefore.objects.filter(remembered=customer).values("party")  # a backup had brought the file back
        ties.exclude(party__in=list(there.values_list("party", flat=True))).update(earlier=None, remembered=customer)
    ties.update(earlier=None, over_at=Coalesce("over_at", Value(at)), updated_at=at)


def forget_ties(customer: RestrictedCustomer) -> None:
    """Nothing is left by which the customer could be known: whoever was tied to it keeps the row, which is over."""
    at = moment(None)
    ties = SeenBefore.objects.filter(remembered=customer)
    ties.update(remembered=None, over_at=Coalesce("over_at", Value(at)), updated_at=at)

"""Whom we restricted and whose file is gone: only fingerprints are left, under a rule of their own (trust.md 5.2, 11).

They say that somebody who was shut out has come back, and nothing else: no name, no value, no party.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.flows import links
from accounts.models import Account, Identifier, Party, RestrictedCustomer, RetainedFingerprint
from accounts.rules.closing import cause_of
from accounts.rules.links import LinkFigures, LinkStrength
from kyc_portal.calendars import keep_through
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
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
    """Its fingerprints, then itself."""
    fingerprints = RetainedFingerprint.objects.filter(customer=customer)
    return [fingerprints, RestrictedCustomer.objects.filter(pk=customer.pk)]

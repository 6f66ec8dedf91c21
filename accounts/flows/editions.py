"""The editions of the range lists: which lists were current together, each set once (R18)."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime

from django.db import models

from accounts.models import AddressRangeSnapshot, RangeEdition
from kyc_portal.policy.current import Regime, regime_on

OF_PLACES = ("country", "asn")  # kinds of list that say where a network is; the others say what it is
JUDGE_ANEW = "accounts.judge_addresses_anew"  # the kind of job; its key is the edition's


def current_snapshots() -> models.QuerySet[AddressRangeSnapshot]:
    """The lists in use, by kind and source."""
    return AddressRangeSnapshot.objects.filter(is_current=True).order_by("kind", "source")


def old_lists(day: date, regime: Regime | None = None) -> models.QuerySet[AddressRangeSnapshot]:
    """Of the lists in use those whose data is older than the regime's days for their kind."""
    regime = regime or regime_on(day)
    of_places = models.Q(kind__in=OF_PLACES, as_of__lt=day - regime.days("address_place_days"))
    of_kinds = ~models.Q(kind__in=OF_PLACES) & models.Q(as_of__lt=day - regime.days("address_kinds_days"))
    return current_snapshots().filter(of_places | of_kinds)


def edition_of(snapshots: Iterable[AddressRangeSnapshot], at: datetime) -> RangeEdition:
    """The edition of these lists, made when they are together for the first time; within a flow that records why."""
    lists = sorted(snapshot.reference for snapshot in snapshots)
    made = RangeEdition.objects.get_or_create(sha256=digest_of(lists), defaults={"lists": lists, "made_at": at})
    return made[0]


def digest_of(lists: list[str]) -> str:
    """SHA-256 over the references of an edition, in order."""
    return hashlib.sha256(json.dumps(lists).encode()).hexdigest()


def snapshots_of(edition: RangeEdition) -> list[AddressRangeSnapshot]:
    """The lists of an edition, current or not, by kind and source."""
    return list(AddressRangeSnapshot.objects.filter(reference__in=edition.lists).order_by("kind", "source"))

"""The editions of the range lists: which lists were current together, each set once (R18)."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from django.db import models

from accounts.models import AddressRangeSnapshot, RangeEdition

JUDGE_ANEW = "accounts.judge_addresses_anew"  # the kind of job; its key is the edition's


def current_snapshots() -> models.QuerySet[AddressRangeSnapshot]:
    """The lists in use, by kind and source."""
    return AddressRangeSnapshot.objects.filter(is_current=True).order_by("kind", "source")


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

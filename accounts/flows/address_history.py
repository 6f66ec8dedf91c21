"""Everything that was ever said of one address, and which accounts of ours were seen from it (R18, R46)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from accounts.flows.verdicts import limits_of
from accounts.models import AccessRecord, AddressRangeSnapshot, AddressVerdict
from accounts.rules.verdicts import (
    SAID,
    AddressLimits,
    AskedList,
    Weighed,
    aged,
    changes,
    disagreements,
    in_words,
    weigh,
)
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day

MOST_VERDICTS = 50
MOST_READ = 2_000  # access records a look at one address reads; a busy exit has millions


@dataclass(frozen=True)
class Said:
    """One verdict with the sources of its lists, why it counts what it counts, and what changed since the former."""

    row: AddressVerdict
    words: str
    weighed: Weighed
    disagreeing: tuple[str, ...]
    changed: tuple[str, ...]


def history_of(address: str, *, at: datetime) -> list[Said]:
    """The newest verdicts on an address, newest first; four queries, and at most MOST_VERDICTS."""
    newest = AddressVerdict.objects.filter(address=address).select_related("edition").order_by("-pk")
    rows = list(newest[:MOST_VERDICTS])
    lists = _lists_of({reference for row in rows for reference in row.edition.lists})
    limits = limits_of(regime_on(legal_day(at)))
    found = []
    for row, former in zip(rows, [*rows[1:], None], strict=True):
        found.append(_told(row, former, row.findings, lists, legal_day(row.judged_at), limits))
    return found


def said_then(record: AccessRecord, *, at: datetime) -> Said | None:
    """What the lists of an access said of its address on the day it was taken in; None while no verdict is kept.

    The verdict may be older, from when its edition met the address first: it is the same, but its lists have aged.
    """
    rows = AddressVerdict.objects.filter(address=record.address, edition=record.edition_id)
    row = rows.select_related("edition").first()
    if row is None:
        return None
    day = max(legal_day(record.batch.imported_at), legal_day(row.judged_at))
    limits = limits_of(regime_on(legal_day(at)))
    return _told(row, None, aged(row.findings, day), _lists_of(set(row.edition.lists)), day, limits)


def _told(
    row: AddressVerdict, former: AddressVerdict | None, findings: Sequence[Mapping], lists: Mapping[str, AskedList],
    day: date, limits: AddressLimits,
) -> Said:  # fmt: skip
    asked = [lists[reference] for reference in row.edition.lists if reference in lists]
    return Said(
        row=row,
        words=in_words(findings, {reference: one.source for reference, one in lists.items()}),
        weighed=weigh(row.special_use, findings, asked, day, limits),
        disagreeing=disagreements(findings),
        changed=changes(_said(former), _said(row)) if former else (),
    )


def _said(row: AddressVerdict) -> Mapping[str, str]:
    return {name: getattr(row, name) for name in SAID}


def _lists_of(references: set[str]) -> dict[str, AskedList]:
    rows = AddressRangeSnapshot.objects.filter(reference__in=references)
    return {row.reference: AskedList(row.reference, row.kind, row.source, row.as_of) for row in rows}


@dataclass(frozen=True)
class SeenFrom:
    """Accounts seen from an address within `days` before or after a moment, by key with how often; `is_all` is False
    when there were more accesses than a look reads."""

    days: int
    accounts: dict[UUID, int] = field(default_factory=dict)
    is_all: bool = True


def seen_from(address: str, *, around: datetime, at: datetime) -> SeenFrom:
    """Which accounts were seen from an address around a moment; along an index, and never more than MOST_READ rows.

    Who may know of which account is judged by whoever shows it.
    """
    window = regime_on(legal_day(at)).days("address_accounts_days")
    rows = AccessRecord.objects.filter(address=address, at__range=(around - window, around + window)).order_by("-at")
    keys = list(rows.values_list("account_id", flat=True)[:MOST_READ])
    return SeenFrom(window.days, dict(Counter(keys)), len(keys) < MOST_READ)

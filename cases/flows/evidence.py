"""What a case stands on: whom it concerns, and what a reviewer had before them (requirements R41, R114)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from accounts.flows import ownership, parties_concerned
from accounts.models import (
    Account,
    IdentityDocument,
    Party,
    RiskSignal,
    Screening,
    ScreeningHit,
    Verification,
    WatchlistSnapshot,
)
from cases.models import Case


def accounts_of(case: Case) -> list[Account]:
    """The accounts a case is about, with their parties, in the order in which they joined."""
    subjects = case.subjects.select_related("account__party").order_by("joined_at", "pk")
    return [subject.account for subject in subjects]


def parties_of(accounts: Iterable[Account], *, on: date) -> list[Party]:
    """The customers and everybody who held a share in them, or controlled them, on that day; each once."""
    parties = {}
    for account in accounts:
        for party in parties_concerned.everybody(account, on=on):
            parties.setdefault(party.pk, party)
    return list(parties.values())


def seen_by_reviewer(account: Account, *, on: date) -> dict[str, list[dict]]:
    """What stands on file about an account now, as references, codes, scores and hashes: nothing personal."""
    return seen_of_many([account], on=on)[account.pk]


def seen_of_many(accounts: Sequence[Account], *, on: date) -> dict[UUID, dict[str, list[dict]]]:
    """The same by account, for many: six queries, and one for each level of owners above any of them."""
    above = ownership.keys_above({account.party_id for account in accounts}, on)
    parties = set().union(*above.values())
    hits = ScreeningHit.objects.filter(party__in=parties).select_related("snapshot").order_by(*ScreeningHit.ORDER)
    documents = IdentityDocument.objects.filter(party__in=parties).order_by("reference")
    signals = RiskSignal.objects.open().filter(account__in=accounts).order_by("-weight", "reference")
    attempts = Verification.objects.filter(account__in=accounts).select_related("cip_version").order_by("reference")
    compared = Screening.objects.filter(party__in=parties).values_list("party_id", "snapshot_id").distinct().order_by()
    compared = set(compared)
    snapshots = WatchlistSnapshot.objects.filter(pk__in={snapshot for _, snapshot in compared})
    on_file = _OnFile(
        list(hits), _grouped(documents, "party_id"), _grouped(signals, "account_id"),
        _grouped(attempts, "account_id"), compared, list(snapshots.order_by("list_name", "reference")),
    )  # fmt: skip
    return {account.pk: on_file.seen(account, above[account.party_id]) for account in accounts}


def _grouped(rows: Iterable, column: str) -> dict[UUID, list]:
    found = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return found


@dataclass
class _OnFile:
    """What was read for many accounts, each list in its own order."""

    hits: list[ScreeningHit]
    documents: dict[UUID, list[IdentityDocument]]
    signals: dict[UUID, list[RiskSignal]]
    attempts: dict[UUID, list[Verification]]
    compared: set[tuple[UUID, UUID]]
    snapshots: list[WatchlistSnapshot]

    @cached_property
    def places(self) -> dict[UUID, list[int]]:
        """By party the places of its hits in their order."""
        found = defaultdict(list)
        for place, hit in enumerate(self.hits):
            found[hit.party_id].append(place)
        return found

    @cached_property
    def lists(self) -> dict[UUID, set[UUID]]:
        found = defaultdict(set)
        for party, snapshot in self.compared:
            found[party].add(snapshot)
        return found

    def seen(self, account: Account, parties: set[UUID]) -> dict[str, list[dict]]:
        hits = [self.hits[place] for place in sorted(place for key in parties for place in self.places.get(key, ()))]
        documents = (row for key in parties for row in self.documents.get(key, ()))
        lists = set().union(*(self.lists.get(key, set()) for key in parties))
        return {
            "lists": [
                {"reference": row.reference, "list": row.list_name, "sha256": row.sha256, "current": row.is_current}
                for row in self.snapshots if row.pk in lists
            ],
            "hits": [
                {
                    "reference": hit.reference, "score": str(hit.score), "status": hit.status,
                    "list": hit.snapshot.reference, "entry": hit.entry_uid,
                }
                for hit in hits
            ],
            "signals": [
                {"reference": row.reference, "code": row.code, "weight": row.weight}
                for row in self.signals.get(account.pk, ())
            ],
            "documents": [
                {"reference": row.reference, "kind": row.kind, "sha256": row.file_sha256}
                for row in sorted(documents, key=lambda row: row.reference)
            ],
            "verifications": [
                {"reference": row.reference, "status": row.status, "cip": row.cip_version.reference}
                for row in self.attempts.get(account.pk, ())
            ],
        }  # fmt: skip

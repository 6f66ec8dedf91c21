"""What a case stands on: whom it concerns, and what a reviewer had before them (requirements R41, R114)."""

from collections.abc import Iterable
from datetime import date

from accounts.flows import parties_concerned
from accounts.models import Account, IdentityDocument, Party, RiskSignal, ScreeningHit, Verification, WatchlistSnapshot
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
    parties = parties_of([account], on=on)
    hits = ScreeningHit.objects.filter(party__in=parties).select_related("snapshot").order_by(*ScreeningHit.ORDER)
    signals = RiskSignal.objects.open().filter(account=account).order_by("-weight", "reference")
    documents = IdentityDocument.objects.filter(party__in=parties).order_by("reference")
    verifications = Verification.objects.filter(account=account).select_related("cip_version").order_by("reference")
    lists = WatchlistSnapshot.objects.filter(screenings__party__in=parties).distinct()
    return {
        "lists": [
            {"reference": row.reference, "list": row.list_name, "sha256": row.sha256, "current": row.is_current}
            for row in lists.order_by("list_name", "reference")
        ],
        "hits": [
            {
                "reference": hit.reference, "score": str(hit.score), "status": hit.status,
                "list": hit.snapshot.reference, "entry": hit.entry_uid,
            }
            for hit in hits
        ],
        "signals": [{"reference": row.reference, "code": row.code, "weight": row.weight} for row in signals],
        "documents": [
            {"reference": row.reference, "kind": row.kind, "sha256": row.file_sha256} for row in documents
        ],
        "verifications": [
            {"reference": row.reference, "status": row.status, "cip": row.cip_version.reference}
            for row in verifications
        ],
    }  # fmt: skip

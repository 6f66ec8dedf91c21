"""What a case stands on: whom it concerns, and what a reviewer had before them (requirements R41, R114)."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from accounts.flows import ownership, parties_concerned
from accounts.models import (
    Account,
    IdentityDocument,
    Party,
    Restriction,
    RiskSignal,
    Screening,
    ScreeningHit,
    Verification,
    WatchlistSnapshot,
)
from cases.models import AbuseReport, Case, MeasureHit, SpecialMeasure
from cases.rules.outcomes import Consequence
from cases.rules.replay import RULES
from kyc_portal.policy.current import regime_on
from kyc_portal.records.canonical import facts_text


@dataclass(frozen=True)
class Evidence:
    """A further kind of what a reviewer has before them: `find` gives, by account, rows of codes and references.

    Each row has a "reference"; nothing in it is personal. `title` is what pages call the kind.
    """

    kind: str
    title: str
    find: Callable[[Sequence[Account], date], dict[UUID, list[dict]]]


def _standing_of(accounts: Sequence[Account], on: date) -> dict[UUID, list[dict]]:
    return {
        account.pk: [
            {
                "reference": account.reference, "status": account.status, "tier": account.risk_tier,
                "risk": account.risk_score,
            }
        ]
        for account in accounts
    }  # fmt: skip


def _restrictions_of(accounts: Sequence[Account], on: date) -> dict[UUID, list[dict]]:
    found = defaultdict(list)
    for row in Restriction.objects.in_force().filter(account__in=accounts).order_by("reference"):
        found[row.account_id].append({"reference": row.reference, "level": row.level, "basis": row.basis})
    return found


def _measures_of(accounts: Sequence[Account], on: date) -> dict[UUID, list[dict]]:
    """The special measures in force on that day that may mean an account, and how that was judged (R95)."""
    found = defaultdict(list)
    in_force = SpecialMeasure.objects.binding_on(on)
    rows = MeasureHit.objects.filter(account__in=accounts, gone_at__isnull=True, measure__in=in_force)
    for hit in rows.select_related("measure").order_by("reference"):
        found[hit.account_id].append({
            "reference": hit.reference, "measure": hit.measure.reference, "judgement": hit.judgement,
            "action": hit.measure.action,
        })  # fmt: skip
    return found


# What is kept with a decision besides hits, lists, flags, documents and verifications. Whatever else is in force about
# an account is one more row here, or is added with `add_evidence` when an app is ready.
FURTHER: list[Evidence] = [
    Evidence("account", "Account seen", _standing_of),
    Evidence("restrictions", "Restrictions seen", _restrictions_of),
    Evidence("measures", "Special measures seen", _measures_of),
]
REPORTS = "reports"  # kept by case, not by account: another case may be restricted to named people
TITLES = {
    "signals": "Red flags seen", "hits": "Hits seen", "lists": "Lists seen", "documents": "Documents seen",
    "verifications": "Verifications seen", REPORTS: "Abuse reports seen", RULES: "What the rules said",
    **{each.kind: each.title for each in FURTHER},
}  # fmt: skip


def add_evidence(evidence: Evidence) -> None:
    """Keep one more kind with every decision from now on."""
    if all(each.kind != evidence.kind for each in FURTHER):
        FURTHER.append(evidence)
        TITLES[evidence.kind] = evidence.title


def kept(case: Case, account: Account, consequence: Consequence, *, on: date) -> dict:
    """The columns of a decision that keep what was seen and what the rules said, with their hash."""
    return kept_of_many({case.pk: [account]}, consequence, on=on)[case.pk, account.pk]


def kept_of_many(
    about: Mapping[UUID, Sequence[Account]], consequence: Consequence, *, on: date
) -> dict[tuple[UUID, UUID], dict]:
    """The same by case and account, for many; `about` gives the accounts by case."""
    accounts = {account.pk: account for found in about.values() for account in found}
    statuses, kept_rows = {account.status for account in accounts.values()}, {}
    said = {status: rules_then(consequence, status=status, on=on) for status in statuses}
    seen, reports = seen_of_many(list(accounts.values()), on=on), reports_of(about)
    for case, found in about.items():
        for account in found:
            rests_on = {
                **seen[account.pk],
                REPORTS: reports[case, account.pk],
                RULES: said[accounts[account.pk].status],
            }
            kept_rows[case, account.pk] = {"rests_on": rests_on, "seen_sha256": digest_of(rests_on)}
    return kept_rows


def reports_of(about: Mapping[UUID, Sequence[Account]]) -> dict[tuple[UUID, UUID], list[dict]]:
    """By case and account the abuse reports about the account that are looked at in the case; one query."""
    found = {(case, account.pk): [] for case, accounts in about.items() for account in accounts}
    rows = AbuseReport.objects.filter(case__in=list(about), account__in={account for _, account in found})
    for report in rows.order_by("reference"):
        found.setdefault((report.case_id, report.account_id), []).append(
            {"reference": report.reference, "sha256": report.sha256}
        )
    return found


def rules_then(consequence: Consequence, *, status: str, on: date) -> list[dict]:
    """What the rules say of a consequence on a day for an account that stands so: one row, without a reference."""
    regime, window = regime_on(on), consequence.appeal_window
    return [
        {
            "effect": consequence.effect.value, "signatures": 2 if consequence.must_be_countersigned else 1,
            "customer_reads": consequence.told(status) or "nothing",
            "appeal_days": regime.whole(window) if window else 0, "regime": regime.code,
        }
    ]  # fmt: skip


def digest_of(rests_on: dict) -> str:
    """SHA-256 of what was seen, in one spelling."""
    return hashlib.sha256(facts_text(rests_on).encode()).hexdigest()


def row_of_signal(signal: RiskSignal) -> dict:
    return {"reference": signal.reference, "code": signal.code, "weight": signal.weight}


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
    """The same by account, for many: six queries, those of FURTHER, and one for each level of owners above any."""
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
    further = {each.kind: each.find(accounts, on) for each in FURTHER}
    return {
        account.pk: {
            **on_file.seen(account, above[account.party_id]),
            **{kind: list(rows.get(account.pk, ())) for kind, rows in further.items()},
        }
        for account in accounts
    }


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
            "signals": [row_of_signal(row) for row in self.signals.get(account.pk, ())],
            "documents": [
                {"reference": row.reference, "kind": row.kind, "sha256": row.file_sha256}
                for row in sorted(documents, key=lambda row: row.reference)
            ],
            "verifications": [
                {"reference": row.reference, "status": row.status, "cip": row.cip_version.reference}
                for row in self.attempts.get(account.pk, ())
            ],
        }  # fmt: skip

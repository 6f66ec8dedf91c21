"""Whom we closed for cause, restricted or refused, and why: only they count as an earlier customer (R39-R41, R106).

Who left on their own, or was turned away for no fault of theirs, may come back like anybody else.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.models import Account, OwnershipStake, Restriction, SeenBefore
from accounts.models.account import ENDED_STATUSES
from accounts.rules.closing import GRAVE_LEVELS, NO_FAULT, ORDINARY, cause_of
from accounts.rules.onboarding import AccountStatus


@dataclass(frozen=True)
class ShutOut:
    """A customer with something held against it: its party, the account, and the code of what it was."""

    party: UUID
    account: str
    why: str

    @property
    def outcome(self) -> str:
        """What became of it, as staff read it."""
        return outcome_of(self.why)


def outcome_of(why: str) -> str:
    """A code of what became of an earlier customer in words."""
    return why.replace("_", " ")


def accounts_shut_out(parties: Collection[UUID]):
    """Accounts of these parties that were closed for cause, refused, or are suspended or blocked; one query."""
    grave = Restriction.objects.in_force().filter(account=OuterRef("pk"), level__in=GRAVE_LEVELS)
    ended = Q(status__in=ENDED_STATUSES) & ~Q(closing_reason__in=[*NO_FAULT, ""])
    return Account.objects.filter(party__in=parties).filter(ended | Q(Exists(grave))).order_by("created_at", "pk")


def is_shut_out(account: Account) -> bool:
    """Whether this account counts as one that was shut out; one query."""
    return accounts_shut_out([account.party_id]).filter(pk=account.pk).exists()


def behind(parties: Collection[UUID]) -> dict[UUID, list[ShutOut]]:
    """For each of these parties those shut out of whom it is the customer, or whom it ever owned a part of.

    Two queries, plus one for each level of companies below, plus one when anybody was shut out.
    """
    return among(customers_of(parties))


def among(customers: Mapping[UUID, set[UUID]]) -> dict[UUID, list[ShutOut]]:
    """The same for whom it is known already what they hold stakes in (customers_of); a query, two when any is."""
    wanted = set().union(*customers.values()) if customers else set()
    accounts = list(accounts_shut_out(wanted)) if wanted else []
    if not accounts:
        return {}
    levels = defaultdict(list)
    standing = Restriction.objects.in_force().filter(account__in=accounts)
    for account, level in standing.values_list("account_id", "level"):
        levels[account].append(level)
    found: dict[UUID, ShutOut] = {}
    for account in accounts:  # of several accounts of one customer the newest speaks
        reason = account.closing_reason if account.status in ENDED_STATUSES else ""
        found[account.party_id] = ShutOut(account.party_id, account.reference, cause_of(reason, levels[account.pk]))
    told = {party: [found[key] for key in sorted(below) if key in found] for party, below in customers.items()}
    return {party: each for party, each in told.items() if each}


def established(customers: Mapping[UUID, set[UUID]], *, flag_from: float) -> set[UUID]:
    """Those of these parties, none of them shut out, who make a value they hold look common; two queries.

    Customers whose account was opened and is in use or ended in an ordinary way, and whoever owns a part of one; nobody
    who is tied to one shut out by `flag_from` (0 to 1) or more, unless a person found that they are not the same. Else
    whoever comes again and again would make what they share look innocent. `customers` as customers_of gives them.
    """
    wanted = set().union(*customers.values()) if customers else set()
    in_use = Q(status=AccountStatus.ACTIVE.value) | Q(status=AccountStatus.CLOSED.value, closing_reason__in=ORDINARY)
    opened = Account.objects.filter(in_use, party__in=wanted, opened_at__isnull=False)
    good = set(opened.values_list("party_id", flat=True)) if wanted else set()
    if good:
        good -= set(SeenBefore.objects.bearing(flag_from).filter(party__in=good).values_list("party_id", flat=True))
    return {party for party, below in customers.items() if good & below}


def customers_of(parties: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """For each party itself and everything it ever held a stake in, directly or through others; a query a level."""
    below, frontier, seen = defaultdict(set), set(parties), set(parties)
    while frontier:
        level = OwnershipStake.objects.filter(owner__in=frontier).values_list("owner_id", "owned_id").distinct()
        for owner, owned in level:
            below[owner].add(owned)
        frontier = {owned for owner in frontier for owned in below.get(owner, ())} - seen
        seen |= frontier
    return {party: _downwards(party, below) for party in parties}


def _downwards(party: UUID, below: dict[UUID, set[UUID]]) -> set[UUID]:
    seen, frontier = {party}, {party}
    while frontier:
        frontier = set().union(*(below.get(each, set()) for each in frontier)) - seen
        seen |= frontier
    return seen

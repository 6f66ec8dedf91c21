"""What blocked persons hold together: the 50 percent rule over the graph of owners (31 CFR 578.411; R36, T16).

A party that blocked parties own at or above the bound, added up, is blocked itself and then counts in full for what it
owns; one below the bound passes nothing on. Shares are therefore added, never multiplied: this is another question
than a person's whole share. In a circle nobody is blocked by the circle alone; it takes a blocked person outside it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.rules.ownership import WHOLE, Graph, Stake, held_by, owners_by_party, reached_above

FIFTY = Decimal(50)


@dataclass(frozen=True)
class BlockedHolder:
    """A party that counts as blocked, and why: `listed`, or through `by`, pairs of blocked holder and percent."""

    party: str
    listed: bool
    by: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class BlockedHolding:
    """What blocked parties hold of `subject` in percent, capped at 100; `holders` are all who count on the way,
    `short` the parties that blocked persons own in part and that pass nothing on."""

    subject: str
    percent: Decimal
    bound: Decimal
    listed: bool
    direct: tuple[tuple[str, Decimal], ...]
    holders: tuple[BlockedHolder, ...]
    short: tuple[tuple[str, Decimal], ...]

    @property
    def is_blocked(self) -> bool:
        return self.listed or self.percent >= self.bound


def blocked_holding(
    subject: str, stakes: Iterable[Stake], blocked: frozenset[str], *, blocking_percent: Decimal = FIFTY
) -> BlockedHolding:
    """Return what blocked parties hold of the subject in aggregate, with everything the answer rests on."""
    graph = owners_by_party(stakes)
    why = _cascade(graph, blocked, blocking_percent)
    carrying = why.keys() - {subject}
    direct = _blocked_owners(graph, subject, carrying)
    percent = WHOLE if subject in blocked else min(WHOLE, sum((share for _, share in direct), Decimal(0)))
    above = reached_above(subject, graph) - {subject}
    held = {party: held_by(graph.get(party, {}), carrying) for party in above - why.keys()}
    return BlockedHolding(
        subject,
        percent,
        blocking_percent,
        subject in blocked,
        direct,
        tuple(why[party] for party in why if party in above),
        tuple(sorted((party, share) for party, share in held.items() if share)),
    )


def blocked_parties(
    stakes: Iterable[Stake], blocked: frozenset[str], *, blocking_percent: Decimal = FIFTY
) -> frozenset[str]:
    """Return the blocked persons and every party blocked through them."""
    return frozenset(_cascade(owners_by_party(stakes), blocked, blocking_percent))


def blocked_share(
    subject: str, stakes: Iterable[Stake], blocked: frozenset[str], *, blocking_percent: Decimal = FIFTY
) -> Decimal:
    """Return the percentage of the subject that blocked parties hold in aggregate (T16); 100 when it is listed itself.

    Compare with `blocking_percent`: at or above it the subject is blocked although no list names it.
    """
    return blocked_holding(subject, stakes, blocked, blocking_percent=blocking_percent).percent


def _cascade(graph: Graph, blocked: frozenset[str], bound: Decimal) -> dict[str, BlockedHolder]:
    """All who are blocked, each after those through whom it is; every stake is looked at once."""
    found = {party: BlockedHolder(party, listed=True) for party in sorted(blocked)}
    holds: dict[str, list[Stake]] = defaultdict(list)
    for owned in sorted(graph):
        for stake in graph[owned].values():
            holds[stake.owner].append(stake)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    waiting = list(found)
    for party in waiting:  # grows while it is walked
        for stake in holds[party]:
            sums[stake.owned] += stake.percent
            if stake.owned not in found and stake.percent and sums[stake.owned] >= bound:
                by = _blocked_owners(graph, stake.owned, found.keys())
                found[stake.owned] = BlockedHolder(stake.owned, listed=False, by=by)
                waiting.append(stake.owned)
    return found


def _blocked_owners(graph: Graph, party: str, blocked: Iterable[str]) -> tuple[tuple[str, Decimal], ...]:
    held = ((owner, stake.percent) for owner, stake in graph.get(party, {}).items() if owner in blocked)
    return tuple(sorted((pair for pair in held if pair[1]), key=lambda pair: (-pair[1], pair[0])))


def blocked_reasons(found: BlockedHolding, called: Callable[[str], str]) -> tuple[str, ...]:
    """The answer in sentences, the sum last; `called` gives the name by which a party is to be told. Empty when blocked
    persons hold nothing."""
    if found.listed:
        return (f"{called(found.subject)} is listed itself and blocked whole.",)
    told = []
    for holder in found.holders:
        if holder.listed:
            told.append(f"{called(holder.party)} is listed.")
            continue
        total = sum((share for _, share in holder.by), Decimal(0))
        told.append(
            f"{called(holder.party)} is blocked through its owners, {_shares(holder.by, called)}: {_percent(total)}, "
            f"at or above {_percent(found.bound)}. It counts in full for what it owns."
        )
    for party, share in found.short:
        told.append(
            f"Of {called(party)} blocked persons hold {_percent(share)}, below {_percent(found.bound)}. It passes "
            "nothing on."
        )
    if not told:
        return ()
    verdict = "It is blocked although no list names it." if found.is_blocked else "That is not enough to block it."
    shares = f", {_shares(found.direct, called)}" if found.direct else ""
    told.append(f"Of {called(found.subject)} blocked parties hold {_percent(found.percent)}{shares}. {verdict}")
    return tuple(told)


def _shares(pairs: Iterable[tuple[str, Decimal]], called: Callable[[str], str]) -> str:
    return " and ".join(f"{called(party)} with {_percent(share)}" for party, share in pairs)


def _percent(value: Decimal) -> str:
    return f"{value.normalize() + 0:f} %"

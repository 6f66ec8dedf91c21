"""Who owns and controls an entity, directly and through others (requirements R21, R36; T14-T16).

Shares are multiplied along a chain and added up over chains. A chain visits no party twice: with cross-holdings
this counts every chain of distinct owners once and leaves out what flows round in a circle, which can only
understate a share by the part that the circle returns. `faults` names the circle's parties, so that a person looks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from kyc_portal.refusal import Refusal

WHOLE = Decimal(100)
# Guards for the machine, not rules of law: a structure beyond them is an error or a disguise.
MOST_CHAINS = 20_000
LONGEST_CHAIN = 100


class TooTangled(Refusal):
    """The ownership graph has more chains than anybody could look at."""


@dataclass(frozen=True)
class Stake:
    """`owner` holds `percent` (0 to 100) of `owned`; `control` says that it exercises substantial control as well."""

    owner: str
    owned: str
    percent: Decimal
    control: bool = False


@dataclass(frozen=True)
class OwnershipPath:
    """One chain, from the owner down to the subject, with the percentage of the subject that reaches the owner."""

    parties: tuple[str, ...]
    percent: Decimal


@dataclass(frozen=True)
class BeneficialOwner:
    """An individual with their whole share in percent, whether the control prong is met, and every chain."""

    owner: str
    percent: Decimal
    control: bool
    paths: tuple[OwnershipPath, ...]


@dataclass(frozen=True)
class OwnershipNode:
    """One box of the drawing: `percent` is the share in the box below it, `reaching` the share in the subject.

    `repeated` marks a party that already stands in this chain; the drawing stops there.
    """

    party: str
    percent: Decimal
    reaching: Decimal
    control: bool
    repeated: bool
    owners: tuple["OwnershipNode", ...]


Graph = dict[str, dict[str, Stake]]


def _owners_by_party(stakes: Iterable[Stake]) -> Graph:
    """Index stakes by what is owned; several stakes of one owner in one party become one."""
    graph: Graph = defaultdict(dict)
    for stake in stakes:
        if stake.percent < 0 or stake.owner == stake.owned:
            continue  # named by faults(); neither may lower nor raise anybody's share
        earlier = graph[stake.owned].get(stake.owner)
        if earlier is not None:
            percent, control = earlier.percent + stake.percent, earlier.control or stake.control
            stake = Stake(stake.owner, stake.owned, percent, control)
        graph[stake.owned][stake.owner] = stake
    return graph


def _chains(subject: str, graph: Graph) -> Iterator[OwnershipPath]:
    """Yield every chain of distinct parties that ends in the subject. Raises TooTangled."""
    waiting = [OwnershipPath((subject,), WHOLE)]
    count = 0
    while waiting:
        path = waiting.pop()
        for owner, stake in graph.get(path.parties[0], {}).items():
            if owner in path.parties:
                continue
            count += 1
            if count > MOST_CHAINS or len(path.parties) > LONGEST_CHAIN:
                raise TooTangled(
                    f"The ownership of this party has more than {MOST_CHAINS} chains, or one of over {LONGEST_CHAIN} "
                    "parties. Remove stakes that are entered twice, or ask for a structure chart."
                )
            longer = OwnershipPath((owner, *path.parties), path.percent * stake.percent / WHOLE)
            yield longer
            waiting.append(longer)


def beneficial_owners(
    subject: str, stakes: Iterable[Stake], individuals: frozenset[str], threshold: Decimal
) -> tuple[BeneficialOwner, ...]:
    """Return the individuals who own at least `threshold` percent of the subject, or control it (NPRM, R21).

    The threshold is inclusive: 25.00 percent is enough at 25 (T14). The control prong is met, with any share,
    by an unbroken chain of control down to the subject, or by controlling holders that together hold at least
    the threshold. Largest share first. Raises TooTangled.
    """
    graph = _owners_by_party(stakes)
    paths: dict[str, list[OwnershipPath]] = defaultdict(list)
    for path in _chains(subject, graph):
        if path.parties[0] in individuals:
            paths[path.parties[0]].append(path)

    found = []
    for owner, chains in paths.items():
        percent = sum((chain.percent for chain in chains), Decimal(0))
        control = _controls(owner, subject, graph, threshold)
        if percent >= threshold or control:
            found.append(BeneficialOwner(owner, percent, control, tuple(sorted(chains, key=lambda c: -c.percent))))
    return tuple(sorted(found, key=lambda each: (-each.percent, each.owner)))


def _controls(owner: str, subject: str, graph: Graph, threshold: Decimal) -> bool:
    """Follow links of control downwards from the owner; then look at what the controlled parties hold."""
    held = [stake for owners in graph.values() for stake in owners.values() if stake.control]
    controlled = {owner}
    grown = True
    while grown:
        below = {stake.owned for stake in held if stake.owner in controlled}
        grown = not below <= controlled
        controlled |= below
    if subject in controlled:
        return True
    return len(controlled) > 1 and _held_by(graph.get(subject, {}), controlled) >= threshold


def blocked_parties(
    stakes: Iterable[Stake], blocked: frozenset[str], *, blocking_percent: Decimal = Decimal(50)
) -> frozenset[str]:
    """Return the blocked persons and every party blocked through them (31 CFR 578.411).

    A party that blocked parties own at or above `blocking_percent`, added up, is blocked itself and then counts
    in full for what it owns; a party below that passes nothing on.
    """
    graph = _owners_by_party(stakes)
    found = set(blocked)
    while newly := {
        party for party in graph if party not in found and _held_by(graph[party], found) >= blocking_percent
    }:
        found |= newly
    return frozenset(found)


def blocked_share(
    subject: str, stakes: Iterable[Stake], blocked: frozenset[str], *, blocking_percent: Decimal = Decimal(50)
) -> Decimal:
    """Return the percentage of the subject that blocked parties hold in aggregate (T16); 100 when it is listed itself.

    Compare with `blocking_percent`: at or above it the subject is blocked although no list names it.
    """
    if subject in blocked:
        return WHOLE
    stakes = list(stakes)
    carrying = blocked_parties(stakes, blocked, blocking_percent=blocking_percent) - {subject}
    return min(WHOLE, _held_by(_owners_by_party(stakes).get(subject, {}), carrying))


def _held_by(owners: dict[str, Stake], parties: Iterable[str]) -> Decimal:
    wanted = set(parties)
    return sum((stake.percent for owner, stake in owners.items() if owner in wanted), Decimal(0))


def tree(subject: str, stakes: Iterable[Stake]) -> OwnershipNode:
    """Return the owners of the subject as a tree to draw, largest holders first. Raises TooTangled."""
    graph = _owners_by_party(stakes)
    for _ in _chains(subject, graph):
        pass  # only to be refused before a drawing that nobody could read is begun
    return _node(Stake(subject, "", WHOLE), WHOLE, graph, ())


def _node(stake: Stake, reaching: Decimal, graph: Graph, below: tuple[str, ...]) -> OwnershipNode:
    repeated = stake.owner in below
    held = [] if repeated else sorted(graph.get(stake.owner, {}).values(), key=lambda s: (-s.percent, s.owner))
    here = (*below, stake.owner)
    owners = tuple(_node(each, reaching * each.percent / WHOLE, graph, here) for each in held)
    return OwnershipNode(stake.owner, stake.percent, reaching, stake.control, repeated, owners)


def faults(subject: str, stakes: Iterable[Stake]) -> tuple[str, ...]:
    """Return, as sentences, what cannot be right in the stakes that bear on the subject; parties by their keys."""
    stakes = list(stakes)
    graph = _owners_by_party(stakes)
    reached = {subject} | _reached_above(subject, graph)
    found = []
    for stake in stakes:
        if stake.owned not in reached:
            continue
        if stake.owner == stake.owned:
            found.append(f"{stake.owner} is entered as its own owner. Remove that stake.")
        if not 0 <= stake.percent <= WHOLE:
            found.append(f"{stake.owner} holds {stake.percent} % of {stake.owned}: enter 0 to 100.")
    for party in sorted(reached):
        total = sum((stake.percent for stake in graph.get(party, {}).values()), Decimal(0))
        if total > WHOLE:
            found.append(f"The owners of {party} add up to {total} %, more than 100. Correct the shares.")
    circle = sorted(party for party in reached if party in _reached_above(party, graph))
    if circle:
        found.append(f"These parties own each other in a circle: {', '.join(circle)}. Check the shares by hand.")
    return tuple(found)


def _reached_above(party: str, graph: Graph) -> set[str]:
    """Every party that owns part of `party`, directly or through others; itself only if it stands in a circle."""
    found: set[str] = set()
    waiting = list(graph.get(party, {}))
    while waiting:
        owner = waiting.pop()
        if owner not in found:
            found.add(owner)
            waiting += graph.get(owner, {})
    return found

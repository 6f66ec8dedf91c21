"""Who owns and controls an entity, directly and through others, and why (requirements R21, R36; T14-T16).

The method is that of integrated ownership. With A[x, y] the part of y that x holds, an owner's whole share of a party
is the matching entry of the inverse of (I - A): every chain down to the party is multiplied and all are added up,
those that go round a circle of cross-holdings without end included. What the circle's companies hold of each other
thus counts for whoever stands outside, and the people above a fully owned company reach 100 percent together. It is
solved exactly, in fractions, by eliminating one party after the other (`whole_shares`).

Where owners of a circle hold all of each other, or more than all, the sum has no end. There it is cut: what returns to
a party through the circle is left out, and `faults` says so.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import count

from kyc_portal.refusal import Refusal

WHOLE = Decimal(100)
# Guards for the machine, not rules of law: a structure beyond them is an error or a disguise.
MOST_STEPS = 50_000  # of elimination inside circles; 36 companies that all own each other
MOST_CHAINS_TOLD = 10
MOST_CHAINS_SOUGHT = 2_000
_SHOWN = Context(prec=60, rounding=ROUND_FLOOR)
_SIX_PLACES = Decimal("0.000001")


class TooTangled(Refusal):
    """The circles in the ownership graph are larger than anybody could look at."""


@dataclass(frozen=True)
class Stake:
    """`owner` holds `percent` (0 to 100) of `owned`; `control` says that it exercises substantial control as well.

    It counts from `from_on` through `to_on`; None is "always" and "still".
    """

    owner: str
    owned: str
    percent: Decimal
    control: bool = False
    from_on: date | None = None
    to_on: date | None = None

    def is_held_on(self, day: date) -> bool:
        """Whether the stake counts on that day; its first and last day included."""
        return (self.from_on is None or self.from_on <= day) and (self.to_on is None or day <= self.to_on)


@dataclass(frozen=True)
class OwnershipPath:
    """One chain, from the owner down to the subject, with the percentage of the subject that reaches the owner."""

    parties: tuple[str, ...]
    percent: Decimal


@dataclass(frozen=True)
class BeneficialOwner:
    """An individual with their whole share and why they count.

    `share` is the exact fraction of 1, `percent` the same for display, rounded down. `owns` and `control` say which
    prongs are met; `paths` are the largest chains, `controls_by` the parties through which control is exercised.
    """

    owner: str
    share: Fraction
    owns: bool
    control: bool
    paths: tuple[OwnershipPath, ...]
    controls_by: tuple[str, ...] = ()

    @property
    def percent(self) -> Decimal:
        return as_percent(self.share)


Graph = dict[str, dict[str, Stake]]


def held_on(stakes: Iterable[Stake], day: date) -> list[Stake]:
    """The stakes that count on a day."""
    return [stake for stake in stakes if stake.is_held_on(day)]


def as_percent(share: Fraction) -> Decimal:
    """A fraction of 1 in percent: exact when six decimals hold it, else rounded down, so that nobody is rounded up to
    a threshold."""
    percent = _SHOWN.divide(Decimal(share.numerator * 100), Decimal(share.denominator))
    return percent.quantize(_SIX_PLACES, context=_SHOWN).normalize(_SHOWN) + 0


def owners_by_party(stakes: Iterable[Stake]) -> Graph:
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


def reached_above(party: str, graph: Graph) -> set[str]:
    """Every party that owns part of `party`, directly or through others; itself only if it stands in a circle."""
    found: set[str] = set()
    waiting = list(graph.get(party, {}))
    while waiting:
        owner = waiting.pop()
        if owner not in found:
            found.add(owner)
            waiting += graph.get(owner, {})
    return found


# --- whole shares -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WholeShares:
    """Each party's whole share of the subject as a fraction of 1, and the parties at which a circle had to be cut."""

    of: dict[str, Fraction]
    cut: frozenset[str]


def whole_shares(subject: str, graph: Graph) -> WholeShares:
    """Solve m = e + A m exactly, e being 1 at the subject (method in the module's text). Raises TooTangled.

    Parties are eliminated from the subject upwards, so that without circles each has one single entry left, its whole
    share. In a circle, eliminating k adds A[i, k] A[k, j] / (1 - A[k, k]) to A[i, j]; the sum converges if and only if
    every 1 - A[k, k] is above 0 (then I - A is an M-matrix). Where it is not, A[k, k] is dropped: the cut.
    """
    order = _upwards(subject, graph)
    holds: dict[str, dict[str, Fraction]] = defaultdict(dict)  # owner -> owned -> part of 1
    held: dict[str, dict[str, Fraction]] = {}
    for owned in order:
        held[owned] = {owner: Fraction(stake.percent) / 100 for owner, stake in graph.get(owned, {}).items()}
        for owner, part in held[owned].items():
            holds[owner][owned] = part
    rows, cut, steps = {}, set(), 0
    for party in order[1:]:
        row = dict(holds.pop(party, {}))
        factor, is_cut = _of_the_circle(row.pop(party, Fraction(0)))
        if is_cut:
            cut.add(party)
        rows[party] = {owned: part * factor for owned, part in row.items()}
        owners = held.pop(party)
        owners.pop(party, None)
        for owned in rows[party]:
            held[owned].pop(party)
        steps += len(owners) * (len(row) - 1)  # 0 outside circles
        if steps > MOST_STEPS:
            raise TooTangled(
                "The companies above this party own each other in circles too large to be followed. Remove stakes that "
                "are entered twice, or ask for a structure chart."
            )
        for owner, upper in owners.items():
            holds[owner].pop(party)
            for owned, lower in rows[party].items():
                part = holds[owner].get(owned, 0) + upper * lower
                holds[owner][owned] = held[owned][owner] = part
    factor, is_cut = _of_the_circle(holds[subject].get(subject, Fraction(0)))
    shares = {subject: factor}
    for party in reversed(order[1:]):
        shares[party] = sum((part * shares[owned] for owned, part in rows[party].items()), Fraction(0))
    del shares[subject]
    return WholeShares(shares, frozenset(cut | ({subject} if is_cut else set())))


def _of_the_circle(returning: Fraction) -> tuple[Fraction, bool]:
    """1 + r + r² + … for what comes back to a party; 1, and True, where that sum has no end."""
    return (1 / (1 - returning), False) if returning < 1 else (Fraction(1), True)


def _upwards(subject: str, graph: Graph) -> list[str]:
    """The subject and all above it, each after everything it owns; in a circle the first one met goes first."""
    done, seen = [], {subject}
    stack = [(subject, iter(sorted(graph.get(subject, {}))))]
    while stack:
        party, owners = stack[-1]
        upper = next((owner for owner in owners if owner not in seen), None)
        if upper is None:
            done.append(party)
            stack.pop()
        else:
            seen.add(upper)
            stack.append((upper, iter(sorted(graph.get(upper, {})))))
    return done[::-1]


# --- beneficial owners ------------------------------------------------------------------------------------------------


def beneficial_owners(
    subject: str, stakes: Iterable[Stake], individuals: frozenset[str], threshold: Decimal
) -> tuple[BeneficialOwner, ...]:
    """Return the individuals who own at least `threshold` percent of the subject, or control it (NPRM, R21).

    The threshold is inclusive: 25.00 percent is enough at 25 (T14). The control prong is met, with any share,
    by an unbroken chain of control down to the subject, or by controlling holders that together hold at least
    the threshold. Largest share first. Raises TooTangled.
    """
    graph = owners_by_party(stakes)
    shares = whole_shares(subject, graph).of
    bound = Fraction(threshold) / 100
    lower = _stakes_by_owner(graph)
    found = []
    for owner in shares.keys() & individuals:
        controls_by = _control(owner, subject, graph, lower, threshold)
        owns = shares[owner] >= bound
        if owns or controls_by:
            paths = tuple(_largest_chains(owner, subject, lower))
            found.append(BeneficialOwner(owner, shares[owner], owns, bool(controls_by), paths, controls_by))
    return tuple(sorted(found, key=lambda each: (-each.share, each.owner)))


def _stakes_by_owner(graph: Graph) -> dict[str, list[Stake]]:
    lower: dict[str, list[Stake]] = defaultdict(list)
    for owned in sorted(graph):
        for stake in graph[owned].values():
            lower[stake.owner].append(stake)
    return lower


def _control(owner, subject: str, graph: Graph, lower: dict[str, list[Stake]], threshold: Decimal) -> tuple[str, ...]:
    """The parties through which the owner controls the subject; the subject itself last when the chain is unbroken."""
    came_from, waiting = {owner: ""}, deque([owner])
    while waiting:
        party = waiting.popleft()
        for stake in lower.get(party, ()):
            if stake.control and stake.owned not in came_from:
                came_from[stake.owned] = party
                waiting.append(stake.owned)
    if subject in came_from:
        chain = deque([subject])
        while (upper := came_from[chain[0]]) != owner:
            chain.appendleft(upper)
        return tuple(chain)
    if len(came_from) > 1 and held_by(graph.get(subject, {}), came_from) >= threshold:
        return tuple(sorted((came_from.keys() & graph[subject].keys()) - {owner}))
    return ()


def _largest_chains(owner: str, subject: str, lower: dict[str, list[Stake]]) -> Iterator[OwnershipPath]:
    """Yield up to MOST_CHAINS_TOLD chains of distinct parties from the owner to the subject, the largest first."""
    number = count()
    waiting = [(Fraction(-1), next(number), (owner,))]
    told = 0
    for _ in range(MOST_CHAINS_SOUGHT):
        if not waiting or told == MOST_CHAINS_TOLD:
            return
        share, _, parties = heapq.heappop(waiting)
        if parties[-1] == subject:
            told += 1
            yield OwnershipPath(parties, as_percent(-share))
            continue
        for stake in lower.get(parties[-1], ()):
            if stake.owned not in parties:
                longer = share * Fraction(stake.percent) / 100
                heapq.heappush(waiting, (longer, next(number), (*parties, stake.owned)))


def held_by(owners: dict[str, Stake], parties: Container[str]) -> Decimal:
    """What these parties hold together, in percent, by the stakes in one party."""
    return sum((stake.percent for owner, stake in owners.items() if owner in parties), Decimal(0))

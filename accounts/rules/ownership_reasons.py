"""Why somebody counts as beneficial owner, and what cannot be right in the stakes, in sentences (R21)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from accounts.rules.ownership import (
    WHOLE,
    BeneficialOwner,
    Graph,
    Stake,
    as_percent,
    owners_by_party,
    reached_above,
    whole_shares,
)

Called = Callable[[str], str]


def owner_reasons(
    owner: BeneficialOwner, subject: str, stakes: Iterable[Stake], threshold: Decimal, called: Called
) -> tuple[str, ...]:
    """Why this owner counts: each chain with its product, what circles add, the sum, and how control is exercised.

    `called` gives the name by which a party is to be told.
    """
    graph = owners_by_party(stakes)
    told = [_chain(path.parties, path.percent, graph, called) for path in owner.paths if path.percent]
    listed = sum((_exact(path.parties, graph) for path in owner.paths), Fraction(0))
    if owner.share > listed:
        told.append(f"Further chains and what circles of cross-holdings return: {_percent(owner.share - listed)}.")
    bound = f"{threshold.normalize() + 0:f} %"
    if owner.owns:
        told.append(f"In all {_percent(owner.share)}, at or above {bound}: the ownership prong is met.")
    elif owner.share:
        told.append(f"In all {_percent(owner.share)}, below {bound}: the ownership prong is not met.")
    if owner.control:
        told.append(_control(owner, subject, bound, called))
    return tuple(told)


def _control(owner: BeneficialOwner, subject: str, bound: str, called: Called) -> str:
    through = owner.controls_by[:-1] if owner.controls_by[-1] == subject else owner.controls_by
    if owner.controls_by[-1] == subject:
        way = f" through {' and '.join(map(called, through))}" if through else ""
        return f"Exercises substantial control over {called(subject)}{way}: the control prong is met."
    return (
        f"Controls {' and '.join(map(called, through))}, and with them holds {bound} or more of {called(subject)}: the "
        "control prong is met."
    )


def _exact(parties: Sequence[str], graph: Graph) -> Fraction:
    share = Fraction(1)
    for owner, owned in pairwise(parties):
        share *= Fraction(graph[owned][owner].percent) / 100
    return share


def _chain(parties: Sequence[str], percent: Decimal, graph: Graph, called: Called) -> str:
    held = [
        f"{called(owned)} with {graph[owned][owner].percent.normalize() + 0:f} %" for owner, owned in pairwise(parties)
    ]
    if len(held) == 1:
        return f"Holds {held[0]}."
    return f"Holds {', which holds '.join(held)}: {percent:f} %."


def _percent(share: Fraction) -> str:
    return f"{as_percent(share):f} %"


# --- what cannot be right ---------------------------------------------------------------------------------------------


def faults(subject: str, stakes: Iterable[Stake]) -> tuple[str, ...]:
    """Return, as sentences, what cannot be right in the stakes that bear on the subject; parties by their keys.

    A circle alone is none: it is counted exactly (see `circles`). Raises TooTangled.
    """
    stakes = list(stakes)
    graph = owners_by_party(stakes)
    reached = {subject} | reached_above(subject, graph)
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
            found.append(f"The owners of {party} add up to {total.normalize() + 0:f} %, more than 100. Correct them.")
    if cut := sorted(whole_shares(subject, graph).cut):
        found.append(
            f"A circle of owners holds all of itself, so that its shares have no sum: it was cut at {', '.join(cut)}. "
            "Find out who stands outside and correct the shares."
        )
    return tuple(found)


def circles(subject: str, stakes: Iterable[Stake]) -> tuple[str, ...]:
    """Say which parties above the subject own each other in a circle; parties by their keys. Nothing to correct."""
    graph = owners_by_party(stakes)
    around = sorted(party for party in _in_no_dead_end(subject, graph) if party in reached_above(party, graph))
    if not around:
        return ()
    return (f"These parties own each other in a circle: {', '.join(around)}. The shares count what flows round.",)


def _in_no_dead_end(subject: str, graph: Graph) -> set[str]:
    """Who is left above the subject after taking away, again and again, whoever nobody owns: only these may stand in a
    circle."""
    left = {subject} | reached_above(subject, graph)
    owners = {party: {owner for owner in graph.get(party, {}) if owner in left} for party in left}
    holds: dict[str, set[str]] = {party: set() for party in left}
    for party, above in owners.items():
        for owner in above:
            holds[owner].add(party)
    waiting = [party for party in left if not owners[party]]
    while waiting:
        party = waiting.pop()
        left.discard(party)
        for owned in holds[party]:
            owners[owned].discard(party)
            if not owners[owned]:
                waiting.append(owned)
    return left


def most_beside(stake: Stake, others: Iterable[Stake], today: date) -> tuple[Decimal, date]:
    """The largest sum of shares in one party on any day on which `stake` is held, itself included, and that day.

    Of a stake of unknown beginning only its last day, or today, is known: nobody knows who held what before.
    """
    spans = [_known_days(each, today) for each in (stake, *others)]
    first, last, _ = spans[0]
    days = sorted({begin for begin, _, _ in spans if first <= begin <= last})
    sums = [(sum((part for begin, end, part in spans if begin <= day <= end), Decimal(0)), day) for day in days]
    return max(sums, key=lambda pair: pair[0])


def _known_days(stake: Stake, today: date) -> tuple[date, date, Decimal]:
    return stake.from_on or stake.to_on or today, stake.to_on or date.max, stake.percent

"""Where each node and each tie of a link graph stands: the same data always gives the same picture (R106, T22).

A node has a row of its own, so that no two labels can meet; its column is its distance from the start. The strongest
tie towards the start is a branch, as in a tree; every other tie runs in a lane at the right of all nodes.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

MOST_NODES = 40
MOST_LANES = 8


@dataclass(frozen=True)
class Line:
    """A tie of two nodes by their keys, and how strong it is (0 to 1)."""

    a: Hashable
    b: Hashable
    strength: float


@dataclass(frozen=True)
class Place:
    """A node: its row and column from 0; `parent` is the row towards the start and `branch` the tie that leads there.

    Without a parent it is the start, or nothing ties it to what is drawn above it.
    """

    key: Hashable
    row: int
    column: int
    parent: int | None = None
    branch: int | None = None


@dataclass(frozen=True)
class Crossing:
    """A tie (its number) that runs in a lane, from 0 at the left, between two rows, the upper one first."""

    tie: int
    upper: int
    lower: int
    lane: int


@dataclass
class Layout:
    """Every node in order of its row; ties in lanes; what was left out: keys of nodes and numbers of ties.

    Each tie is a branch, a crossing, or left out: because an end of it is not drawn, or because no lane was free.
    """

    places: list[Place] = field(default_factory=list)
    crossings: list[Crossing] = field(default_factory=list)
    left_out: list[Hashable] = field(default_factory=list)
    ties_left_out: list[int] = field(default_factory=list)

    @property
    def columns(self) -> int:
        return max((place.column for place in self.places), default=0) + 1

    @property
    def lanes(self) -> int:
        return max((crossing.lane for crossing in self.crossings), default=-1) + 1


def lay_out(
    start: Hashable, nodes: Sequence[Hashable], ties: Sequence[Line], *, most: int = MOST_NODES, lanes: int = MOST_LANES
) -> Layout:
    """Place the start, and up to `most` other nodes, nearest and strongest first, whatever order they come in.

    Keys are compared as text. Ties to nodes that are not there, and of a node to itself, are left out.
    """
    keys = sorted({*nodes, start}, key=str)
    around = _neighbours(set(keys), ties)
    parents, order = _nearest_first(start, keys, around)
    kept = set(order[: most + 1])
    places = _in_rows(order, kept, parents, around)
    layout = Layout(places, left_out=[key for key in order if key not in kept])
    rows = {place.key: place.row for place in places}
    branches = {place.branch for place in places}
    others = [
        number for number, tie in enumerate(ties)
        if number not in branches and tie.a != tie.b and tie.a in rows and tie.b in rows
    ]  # fmt: skip
    layout.crossings = _in_lanes(others, ties, rows, lanes)
    drawn = branches | {crossing.tie for crossing in layout.crossings}
    layout.ties_left_out = [number for number in range(len(ties)) if number not in drawn]
    return layout


def _neighbours(keys: set, ties: Sequence[Line]) -> dict[Hashable, list[tuple[float, str, int, Hashable]]]:
    """By node its ties, the strongest first: (minus strength, other as text, number of the tie, other)."""
    around = defaultdict(list)
    for number, tie in enumerate(ties):
        if tie.a != tie.b and tie.a in keys and tie.b in keys:
            around[tie.a].append((-tie.strength, str(tie.b), number, tie.b))
            around[tie.b].append((-tie.strength, str(tie.a), number, tie.a))
    return {key: sorted(found, key=lambda each: each[:3]) for key, found in around.items()}


def _nearest_first(start, keys: list, around: dict) -> tuple[dict, list]:
    """Every node by distance, and by strength within one: its parent as (key, tie), and the order.

    What no tie joins to the start follows, each part from its first node.
    """
    parents, order = {}, []
    for first in [start, *keys]:
        if first in parents:
            continue
        parents[first] = (None, None)
        ring = [first]
        while ring:
            order += ring
            reached = {}
            for key in ring:
                for weak, _, number, other in around.get(key, ()):
                    if other not in parents and (other not in reached or weak < reached[other][0]):
                        reached[other] = (weak, key, number)
            ring = sorted(reached, key=lambda key: (reached[key][0], str(key)))
            parents |= {key: reached[key][1:] for key in ring}
    return parents, order


def _in_rows(order: list, kept: set, parents: dict, around: dict) -> list[Place]:
    """Each node after its parent, and before the parent's next one: what belongs together stands together."""
    below, roots = defaultdict(list), []
    for key in order:
        if key in kept:
            parent, _ = parents[key]
            (roots if parent is None else below[parent]).append(key)
    places, rows = [], {}
    below = {key: _side_by_side(children, around) for key, children in below.items()}
    waiting = [(key, 0) for key in reversed(roots)]
    while waiting:
        key, column = waiting.pop()
        parent, tie = parents[key]
        rows[key] = len(places)
        places.append(Place(key, rows[key], column, rows.get(parent), tie))
        waiting.extend((child, column + 1) for child in reversed(below.get(key, ())))
    return places


def _side_by_side(children: list, around: dict) -> list:
    """The children of one node in their order, but after each the one it is tied to most strongly, and so on."""
    ordered, left = [], dict.fromkeys(children)
    while left:
        key = next(iter(left))
        while key is not None:
            ordered.append(key)
            del left[key]
            key = next((other for *_, other in around.get(key, ()) if other in left), None)
    return ordered


def _in_lanes(numbers: list[int], ties: Sequence[Line], rows: dict, lanes: int) -> list[Crossing]:
    """The strongest ties first, each into the leftmost lane in which it meets no other, if there is one."""
    found = []
    taken: list[list[tuple[int, int]]] = [[] for _ in range(lanes)]
    ends = {number: tuple(sorted((rows[ties[number].a], rows[ties[number].b]))) for number in numbers}
    for number in sorted(numbers, key=lambda each: (-ties[each].strength, ends[each], each)):
        upper, lower = ends[number]
        lane = next((n for n in range(lanes) if all(lower < a or b < upper for a, b in taken[n])), None)
        if lane is not None:
            taken[lane].append((upper, lower))
            found.append(Crossing(number, upper, lower, lane))
    return sorted(found, key=lambda each: (each.upper, each.lane))

"""The owners of a party as a tree to draw, nearest first, cut where nobody could read on (R21)."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from accounts.rules.ownership import WHOLE, Stake, owners_by_party

MOST_BOXES = 120


class Repeat(StrEnum):
    """Why a party's own owners are not drawn at this box."""

    NONE = ""
    CIRCLE = "circle"  # it stands in this chain already
    AGAIN = "again"  # its owners are drawn at another box


@dataclass
class OwnershipNode:
    """One box of the drawing: `percent` is the share in the box below it, `reaching` that of this chain in the subject.

    `left_out` says how many owners of this party were not drawn, because the drawing is full.
    """

    party: str
    percent: Decimal
    reaching: Decimal
    control: bool = False
    repeat: Repeat = Repeat.NONE
    left_out: int = 0
    owners: list["OwnershipNode"] = field(default_factory=list)


@dataclass(frozen=True)
class OwnershipTree:
    """The drawing: its root, how many boxes it has besides, and at how many parties it was cut."""

    root: OwnershipNode
    boxes: int
    cut_at: int


def tree(subject: str, stakes: Iterable[Stake], most: int = MOST_BOXES) -> OwnershipTree:
    """Return the owners of the subject level by level, largest holders first, at most `most` boxes besides the root.

    Every party's owners are drawn once; where it stands again, in a circle or because it holds through several
    companies, its box says so.
    """
    graph = owners_by_party(stakes)
    root = OwnershipNode(subject, WHOLE, WHOLE)
    waiting = deque([(root, frozenset([subject]))])
    drawn, boxes, cut_at = {subject}, 0, 0
    while waiting:
        box, chain = waiting.popleft()
        held = sorted(graph.get(box.party, {}).values(), key=lambda stake: (-stake.percent, stake.owner))
        room = most - boxes
        if len(held) > room:
            box.left_out, cut_at = len(held) - room, cut_at + 1
        for stake in held[:room]:
            boxes += 1
            reaching = box.reaching * stake.percent / WHOLE
            upper = OwnershipNode(stake.owner, stake.percent, reaching, stake.control)
            box.owners.append(upper)
            if stake.owner in chain:
                upper.repeat = Repeat.CIRCLE
            elif stake.owner in drawn:
                upper.repeat = Repeat.AGAIN if stake.owner in graph else Repeat.NONE
            else:
                drawn.add(stake.owner)
                waiting.append((upper, chain | {stake.owner}))
    return OwnershipTree(root, boxes, cut_at)

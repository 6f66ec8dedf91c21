"""What stood on a day: the states of CIP versions and findings as they were at a moment (R4, R57)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from resellers.rules.cip import CipStatus
from resellers.rules.findings import FindingState

ENDINGS = (CipStatus.APPROVED, CipStatus.REPLACED)


@dataclass(frozen=True)
class Version:
    """What of one CIP version its state at a moment depends on."""

    number: int
    status: str
    decided_at: datetime | None


def states_of(versions: Iterable[Version], moment: datetime) -> dict[int, str]:
    """The state of each version at `moment`, in words, by its number.

    Of those approved by then only the one decided last was in force. What was not decided by then was being reviewed.
    """
    known = {}
    approved = []
    for each in versions:
        if each.decided_at is None or each.decided_at > moment:
            known[each.number] = "handed in, not decided"
        elif each.status in ENDINGS:
            approved.append(each)
        else:
            known[each.number] = CipStatus(each.status).label
    newest = max(approved, key=lambda each: (each.decided_at, each.number), default=None)
    for each in approved:
        known[each.number] = (CipStatus.APPROVED if each is newest else CipStatus.REPLACED).label
    return known


def finding_state(state: str, *, planned_at: datetime | None, ended_at: datetime | None, moment: datetime) -> str:
    """The state of a finding at `moment`, in words."""
    if ended_at is not None and ended_at <= moment:
        return FindingState(state).label
    is_planned = planned_at is not None and planned_at <= moment
    return (FindingState.PLANNED if is_planned else FindingState.OPEN).label

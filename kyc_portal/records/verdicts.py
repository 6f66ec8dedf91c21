"""What keeps a file and until when: plain values, in the words staff read (requirements R47-R50)."""

from dataclasses import dataclass
from datetime import date
from enum import Enum


@dataclass(frozen=True)
class Period:
    """One reason to keep a file, and the last day it asks for; the longest of a file's periods wins (R50)."""

    basis: str
    kept_through: date
    sentence: str


def longest(periods: list[Period]) -> Period | None:
    """The period that ends last; None while no clock runs."""
    return max(periods, key=lambda period: period.kept_through, default=None)


class Why(Enum):
    """What keeps a file."""

    PERIOD = "period"
    HOLD = "hold"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Verdict:
    """What the rules say of one file: the longest period, a sentence for each thing that keeps it, and whether it may
    go. `why` is None when it is due, or when no clock runs (then `period` is None too)."""

    period: Period | None
    keeps: tuple[str, ...] = ()
    why: Why | None = None
    is_due: bool = False

"""From signals to a risk tier, and from the tier to the next review (requirements R2, R45)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kyc_portal.refusal import Refusal


class Tier(StrEnum):
    """How closely a customer is looked at."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def label(self) -> str:
        """The words staff read."""
        return f"{self.value} risk"


CHOICES = [(tier.value, tier.label) for tier in Tier]
RANK = {tier: rank for rank, tier in enumerate(Tier)}  # low to high


class NoInterval(Refusal):
    """The regime profile sets no review interval for a tier."""


@dataclass(frozen=True)
class TierBounds:
    """Scores (0 to 100) from which a customer is of medium and of high risk; own policy."""

    medium: int
    high: int


@dataclass(frozen=True)
class RiskFactor:
    """One open signal: its catalogue code and its weight, 0 to 100."""

    code: str
    weight: int


@dataclass(frozen=True)
class RiskAssessment:
    """The tier, the score (0 to 100) and the factors that made it, heaviest first."""

    tier: Tier
    score: int
    reasons: tuple[RiskFactor, ...]


def assess(signals: Iterable[RiskFactor], *, bounds: TierBounds) -> RiskAssessment:
    """Weigh the open signals of one customer.

    A code counts once, however often it was raised. Weights add up like independent chances, so that several
    slight signals rise slowly. Raises ValueError for a weight outside 0 to 100.
    """
    heaviest: dict[str, RiskFactor] = {}
    for signal in signals:
        if not 0 <= signal.weight <= 100:
            raise ValueError(f"The weight of {signal.code} is not between 0 and 100.")
        if signal.weight > heaviest.get(signal.code, RiskFactor("", -1)).weight:
            heaviest[signal.code] = signal

    reasons = tuple(sorted(heaviest.values(), key=lambda factor: (-factor.weight, factor.code)))
    clear = 1.0
    for factor in reasons:
        clear *= 1 - factor.weight / 100
    score = round(100 * (1 - clear))
    tier = Tier.HIGH if score >= bounds.high else Tier.MEDIUM if score >= bounds.medium else Tier.LOW
    return RiskAssessment(tier, score, reasons)


def review_interval(tier: str, intervals: Mapping[str, int]) -> int:
    """Return after how many days a customer of that tier is verified again; `intervals` come from the regime (R45).

    Raises NoInterval when the profile sets none, or one that is not a positive number of days.
    """
    days = intervals.get(str(tier), 0)
    if days <= 0:
        raise NoInterval(
            f"The regime profile sets no review interval for “{str(tier)[:40]}” risk. Add a number of days to it."
        )
    return days

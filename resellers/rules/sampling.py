"""Draw a sample of a reseller's customers so that anybody can draw it again, and say how sure its error rate is (R64).

The draw needs no portal: order the customers of a stratum by SHA-256 of the seed, a line feed and the reference
(`printf '%s\\n%s' SEED DSC-… | sha256sum`), and take as many from the top as the stratum's share says.

The shares: every stratum whose proportional share is below one customer gets one, as long as there are enough to give
one to each; the others divide what is left in proportion, rounded down, and what rounding left over goes to the largest
remainders, of equal ones to the larger stratum, then to the first by its code.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappush, heapreplace
from math import sqrt
from statistics import NormalDist

from accounts.rules.privacy import Worded
from accounts.rules.risk import RiskFactor, TierBounds, assess
from kyc_portal.policy.lifecycle import Lifecycle


class SampleState(Worded):
    """How far a sample is."""

    ASKED = "asked", "files asked for"
    CONCLUDED = "concluded", "concluded"
    DROPPED = "dropped", "dropped with the relationship"


MOVES = Lifecycle(
    {
        SampleState.ASKED: [SampleState.CONCLUDED, SampleState.DROPPED],
        SampleState.CONCLUDED: [],
        SampleState.DROPPED: [],
    },
    {state: state.label for state in SampleState},
)


class Result(Worded):
    """What was found in one file."""

    PASS = "pass", "in order"
    FAIL = "fail", "not in order"


class FailReason(Worded):
    """Why a file counts as failed; the reseller reads these words."""

    NO_PROOF = "no_proof", "holds no proof of the identity"
    EXPIRED = "expired", "the document had expired when it was looked at"
    OTHER_PERSON = "other_person", "is about somebody else"
    DIFFERS = "differs", "says something else than the roster"
    OTHER_METHOD = "other_method", "was verified in another way than stated"
    UNREADABLE = "unreadable", "cannot be read"
    MISSING = "missing", "was not handed in by the last day"


GIVEN_REASONS = tuple(each for each in FailReason if each is not FailReason.MISSING)  # the last one is the clock's


@dataclass(frozen=True)
class Unit:
    """One customer as it stands in the frame."""

    reference: str
    country: str
    risk: str

    @property
    def stratum(self) -> str:
        return f"{self.country}-{self.risk}"


@dataclass(frozen=True)
class Weighing:
    """What makes a customer on a roster a risk, as figures of one day (weights 0 to 100); `home` is the reseller's."""

    home: str
    unverified: int
    sublets: int
    without_documents: int
    abroad: int
    medium: int
    high: int

    def risk_of(self, *, country: str, is_verified: bool, method: str, depth: int) -> str:
        """The tier ("low", "medium", "high") of a customer by what its reseller states of it."""
        told = {
            "unverified": self.unverified if not is_verified else 0,
            "without_documents": self.without_documents if is_verified and method == "other" else 0,
            "sublets": self.sublets if depth else 0,
            "abroad": self.abroad if self.home and country != self.home else 0,
        }
        factors = [RiskFactor(code, weight) for code, weight in told.items() if weight]
        return assess(factors, bounds=TierBounds(self.medium, self.high)).tier.value


@dataclass(frozen=True)
class Tally:
    """The frame in figures: how many customers each stratum has, and the SHA-256 over all references in order."""

    counts: dict[str, int]
    sha256: str

    @property
    def count(self) -> int:
        return sum(self.counts.values())


def tally(frame: Iterable[Unit]) -> Tally:
    """Count a frame that comes in ascending order of its references, each once (`sort | sha256sum` gives the same).

    Every reference ends with a line feed in the digest. Raises ValueError for another order. Memory: the strata.
    """
    counts: dict[str, int] = defaultdict(int)
    digest, last = hashlib.sha256(), ""
    for unit in frame:
        if unit.reference <= last:
            raise ValueError(f"The frame is not in order at {unit.reference}.")
        digest.update(f"{unit.reference}\n".encode())
        counts[unit.stratum] += 1
        last = unit.reference
    return Tally(dict(sorted(counts.items())), digest.hexdigest())


def shares(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """How many customers are drawn from each stratum; they add up to `size`.

    Raises ValueError for a size below 1 or above the frame.
    """
    total = sum(counts.values())
    if not 1 <= size <= total:
        raise ValueError(f"A sample of {size} cannot be drawn from {total}.")
    open_strata = {code: count for code, count in counts.items() if count}
    lifted: dict[str, int] = {}
    while size >= len(open_strata) + sum(lifted.values()):
        left, rest = size - sum(lifted.values()), sum(open_strata.values())
        small = [code for code, count in open_strata.items() if left * count < rest]
        if not small:
            break
        for code in small:
            lifted[code] = 1
            del open_strata[code]
    found = {**dict.fromkeys(counts, 0), **lifted, **_by_remainder(open_strata, size - sum(lifted.values()))}
    return dict(sorted(found.items()))


def _by_remainder(counts: Mapping[str, int], size: int) -> dict[str, int]:
    total = sum(counts.values())
    if not total:
        return {}
    whole = {code: size * count // total for code, count in counts.items()}
    order = sorted(counts, key=lambda code: (-(size * counts[code] % total), -counts[code], code))
    for code in order[: size - sum(whole.values())]:
        whole[code] += 1
    return whole


def rank(seed: str, reference: str) -> str:
    """By what a stratum is ordered: 64 hex digits."""
    return hashlib.sha256(f"{seed}\n{reference}".encode()).hexdigest()


def pick(seed: str, frame: Iterable[Unit], wanted: Mapping[str, int]) -> list[Unit]:
    """The customers drawn, by stratum and rank; the order of the frame does not matter. Memory: the sample."""
    heaps: dict[str, list] = defaultdict(list)
    for unit in frame:
        most = wanted.get(unit.stratum, 0)
        if not most:
            continue
        heap, key = heaps[unit.stratum], (-int(rank(seed, unit.reference), 16), unit.reference)  # the last one on top
        if len(heap) < most:
            heappush(heap, (*key, unit))
        elif key > heap[0][:2]:
            heapreplace(heap, (*key, unit))
    return [entry[-1] for code in sorted(heaps) for entry in sorted(heaps[code], key=lambda entry: -entry[0])]


@dataclass(frozen=True)
class SizeRule:
    """How many customers a sample takes: a percentage of the frame between a least and a most."""

    percent: float
    least: int
    most: int

    def size_for(self, count: int) -> int:
        """The size for a frame of `count`; all of it where it is small."""
        wanted = -(-count * self.percent // 100)
        return int(min(count, max(self.least, min(self.most, wanted))))


@dataclass(frozen=True)
class Interval:
    """A rate with the bounds between which it lies at the stated confidence; all from 0 to 1."""

    rate: float
    low: float
    high: float


def error_rate(failed: int, count: int, *, confidence: float) -> Interval:
    """The share of failed files with Wilson's score interval (E. B. Wilson, JASA 22, 1927, p. 209).

    Chosen over the exact one of Clopper and Pearson because that is wider than it states, and over the textbook one
    because that fails near 0, where a good reseller is (Brown, Cai and DasGupta, Statistical Science 16, 2001, p. 101).
    That the frame is finite is left out of account, which only makes the interval wider. Raises ValueError.
    """
    if not 0 <= failed <= count or not count or not 0 < confidence < 1:
        raise ValueError(f"There is no error rate of {failed} in {count} at {confidence}.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, square = failed / count, z * z / count
    middle = rate + square / 2
    spread = z * sqrt(rate * (1 - rate) / count + square / (4 * count))
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    return Interval(rate, 0.0 if not failed else max(low, 0.0), 1.0 if failed == count else min(high, 1.0))

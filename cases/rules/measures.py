"""Does a special measure hit this customer, by place or by person, through whom, and why (R91-R95, proposed rule).

What was observed is evidence for a person to judge and never decides alone. Which other evidence restricts by itself
once the measure is in effect is data of the regime; every hit can be judged by people before.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from accounts.rules.ownership import Stake, TooTangled, as_percent, owners_by_party, whole_shares
from cases.rules.wording import Worded
from kyc_portal.calendars import add_days
from kyc_portal.refusal import Refusal

WHOLE = Fraction(1)


class BadDates(Refusal):
    """The days of a measure do not fit what the proposed rule says of them."""


class EvidenceCode(Worded):
    """What may tie a customer to a measure; the words complete "because …"."""

    NAMED = "named", "it is the person named"
    PLACE = "place", "it is located there"
    OWNER = "owner", "who owns or controls it is hit"
    CITIZENSHIP = "citizenship", "it has that citizenship"
    PAYMENT = "payment", "it pays from there"
    SOLD_THROUGH = "sold_through", "the reseller who sells to it is hit"
    ROSTER = "roster", "a reseller's roster points there"
    OBSERVED = "observed", "it was seen there"


ALWAYS_DECIDES = frozenset({EvidenceCode.NAMED, EvidenceCode.PLACE})
NEVER_DECIDES = frozenset({EvidenceCode.OBSERVED})
BY_POLICY = tuple(code for code in EvidenceCode if code not in ALWAYS_DECIDES | NEVER_DECIDES)


def figure_of(code: EvidenceCode) -> str:
    """The name of the regime's figure that says whether such evidence decides (1) or waits for a person (0)."""
    return f"measure_decides_{code.value}"


@dataclass(frozen=True)
class Evidence:
    """One thing that ties an account to a measure: codes, references and counts, never personal data.

    `via` names the parties or resellers it goes through, nearest first; `percent` is what they hold together.
    """

    code: str
    detail: str = ""
    country: str = ""
    via: tuple[str, ...] = ()
    percent: str = ""
    control: bool = False
    count: int = 0
    last_on: str = ""

    def as_row(self) -> dict:
        """As it is stored; empty values are left out."""
        row = {name: value for name, value in vars(self).items() if value}
        return {**row, "via": list(self.via)} if self.via else row

    @classmethod
    def from_row(cls, row: Mapping) -> "Evidence":
        """The same, read back."""
        return cls(**{**row, "via": tuple(row.get("via", ()))})


def sentence(evidence: Evidence) -> str:
    """What ties the account to the measure, in one sentence for staff."""
    where, names = evidence.country, ", ".join(evidence.via)
    match evidence.code:
        case EvidenceCode.NAMED:
            return "The customer is the person named."
        case EvidenceCode.PLACE:
            return f"The customer's {evidence.detail} is in {where}."
        case EvidenceCode.OWNER:
            return _owner_sentence(evidence, names)
        case EvidenceCode.CITIZENSHIP:
            return f"The customer is a citizen of {where}."
        case EvidenceCode.PAYMENT:
            return f"A means of payment in force comes from {where}."
        case EvidenceCode.SOLD_THROUGH:
            return f"It is sold through {names}, whose own account is hit."
        case EvidenceCode.ROSTER:
            return f"{evidence.count} of the customers stated on the reseller's roster point to it ({evidence.detail})."
        case EvidenceCode.OBSERVED:
            return (
                f"{evidence.count} accesses came from public addresses in {where}, the last on {evidence.last_on}; "
                "an address alone never restricts."
            )
    raise ValueError(f"No sentence for evidence {evidence.code!r}.")


def _owner_sentence(evidence: Evidence, names: str) -> str:
    if not evidence.percent and not evidence.control:
        return f"{names} may own part of it, through circles nobody can reckon. Look at the owners."
    held = f"{evidence.percent} % of the customer is held by whom the measure hits" if evidence.percent else ""
    controlled = "the customer is controlled by whom the measure hits" if evidence.control else ""
    told = " and ".join(filter(None, (held, controlled)))
    return f"{told[0].upper()}{told[1:]}, through {names}."


def deciding(found: Iterable[Evidence], decides: Set[str]) -> list[Evidence]:
    """The evidence that restricts by itself once the measure is in effect; `decides` are the codes policy names.

    Owners whom nobody can reckon are for a person to look at.
    """
    counts = (ALWAYS_DECIDES | set(decides)) - NEVER_DECIDES
    return [each for each in found if each.code in counts and not _is_unknown(each)]


def _is_unknown(evidence: Evidence) -> bool:
    return evidence.code == EvidenceCode.OWNER and not evidence.percent and not evidence.control


def sentences(rows: Iterable[Mapping]) -> list[str]:
    """The sentences of evidence as stored, what decides first."""
    order = [code.value for code in EvidenceCode]
    return [sentence(each) for each in sorted(map(Evidence.from_row, rows), key=lambda each: order.index(each.code))]


# --- through owners ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """How a measure reaches a party through its owners.

    `share` is what the hit parties hold of it together, directly or through others, as a fraction of 1; None where
    circles are too tangled. `control` says that one of them controls it, through a chain of control. `via` are the
    direct owners by which it comes, sorted.
    """

    share: Fraction | None
    control: bool
    via: tuple[str, ...]

    @property
    def percent(self) -> Decimal | None:
        return None if self.share is None else as_percent(self.share)

    def counts(self, threshold: Decimal) -> bool:
        """Whether it makes the party theirs: by control, by a share of the threshold (percent), or nobody can tell."""
        return self.control or self.share is None or self.share * 100 >= Fraction(threshold)


def reach(hit: Set[str], stakes: Iterable[Stake]) -> dict[str, Reach]:
    """Every party below the hit ones, by key. Each stake is looked at a few times, whatever their number.

    A hit party counts whole wherever it stands, and nothing above it counts again. Each party is reckoned once, after
    its owners; of each circle one party is reckoned exactly, and the others follow from it.
    """
    graph = owners_by_party(stake for stake in stakes if stake.owned not in hit)
    below = defaultdict(list)
    for owned, owners in graph.items():
        for owner in owners:
            below[owner].append(owned)
    reached = _downwards(hit, below)
    controlled = _controlled(hit, graph, below)
    shares = _shares(hit, graph, below, reached)
    return {
        party: Reach(shares[party], party in controlled, _via(party, graph, hit | reached))
        for party in reached
        if shares[party] != 0 or party in controlled
    }


def _via(party: str, graph, bearers: Set[str]) -> tuple[str, ...]:
    return tuple(sorted(owner for owner in graph[party] if owner in bearers))


def _downwards(hit: Set[str], below: Mapping[str, list[str]]) -> set[str]:
    found, waiting = set(), deque(hit)
    while waiting:
        for owned in below.get(waiting.popleft(), ()):
            if owned not in found:
                found.add(owned)
                waiting.append(owned)
    return found


def _controlled(hit: Set[str], graph, below: Mapping[str, list[str]]) -> set[str]:
    found, waiting = set(), deque(hit)
    while waiting:
        owner = waiting.popleft()
        for owned in below.get(owner, ()):
            if owned not in found and graph[owned][owner].control:
                found.add(owned)
                waiting.append(owned)
    return found


def _shares(hit: Set[str], graph, below: Mapping[str, list[str]], reached: set[str]) -> dict[str, Fraction | None]:
    """Owners before what they own (Kahn); where only circles are left, one party of each is reckoned exactly."""
    waits = {party: sum(owner in reached for owner in graph[party]) for party in reached}
    ready, shares = deque(party for party, count in waits.items() if not count), {}
    left = dict.fromkeys(sorted(reached))
    while left:
        while ready:
            party = ready.popleft()
            if party in shares:
                continue
            shares[party] = _sum_of(party, graph, hit, shares)
            _settled(party, below, waits, ready, left)
        if left:
            party = _on_a_circle(next(iter(left)), graph, left)
            tangled = any(shares.get(owner, 0) is None for owner in graph[party])
            shares[party] = None if tangled else _through_circles(party, graph, hit)
            _settled(party, below, waits, ready, left)
    return shares


def _settled(party: str, below: Mapping[str, list[str]], waits: dict[str, int], ready: deque, left: dict) -> None:
    del left[party]
    for owned in below.get(party, ()):
        waits[owned] -= 1
        if not waits[owned]:
            ready.append(owned)


def _sum_of(party: str, graph, hit: Set[str], shares: Mapping[str, Fraction | None]) -> Fraction | None:
    total = Fraction(0)
    for owner, stake in graph[party].items():
        share = WHOLE if owner in hit else shares.get(owner, Fraction(0))
        if share is None:
            return None
        total += Fraction(stake.percent) / 100 * share
    return total


def _on_a_circle(party: str, graph, left: Mapping[str, None]) -> str:
    """Upwards among those that wait for each other until one comes again."""
    seen = set()
    while party not in seen:
        seen.add(party)
        party = next(owner for owner in sorted(graph[party]) if owner in left)
    return party


def _through_circles(party: str, graph, hit: Set[str]) -> Fraction | None:
    try:
        found = whole_shares(party, graph)
    except TooTangled:
        return None
    return sum((share for owner, share in found.of.items() if owner in hit), Fraction(0))


# --- days -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """The first and the last day on which a measure is in effect."""

    effective_on: date
    expires_on: date


def days_of(
    determined_on: date, effective_on: date | None, *, today: date, wait_days: int, length_days: int, source: str
) -> Days:
    """When a measure is in effect (R93, R94, T17): not before day `wait_days`, the determination being day 0.

    Without a day of its own it begins on that day. It lasts through day `length_days`, its first day being day 0 (that
    it counts from the effect is unconfirmed). Raises BadDates.
    """
    if determined_on > today:
        raise BadDates(f"Determined on {determined_on} lies in the future. Enter the day of the determination.")
    first = add_days(determined_on, wait_days)
    effective_on = effective_on or first
    if effective_on < first:
        raise BadDates(
            f"The measure cannot take effect on {effective_on}: the earliest day is {first}, {wait_days} days after "
            f"the determination ({source}). Correct the day."
        )
    expires_on = add_days(effective_on, length_days)
    if expires_on == date.max:
        raise BadDates(f"The measure cannot take effect on {effective_on}: no calendar holds its last day. Correct it.")
    return Days(effective_on, expires_on)


def extended_through(expires_on: date, through: date | None, *, today: date, length_days: int) -> date:
    """The new last day: as the extension says, or one whole period more. Raises BadDates once the measure expired."""
    if today > expires_on:
        raise BadDates(f"The measure expired on {expires_on} and cannot be extended. Record a new determination.")
    longest = add_days(expires_on, length_days)
    through = through or longest
    if not expires_on < through <= longest:
        raise BadDates(
            f"An extension through {through} does not fit: the measure lasts through {expires_on}, and one extension "
            f"adds at most {length_days} days, through {longest}. Correct the day."
        )
    return through


def require_free_days(
    from_on: date, to_on: date, others: Iterable[tuple[str, date, date]], *, today: date, through: date
) -> None:
    """Raise BadDates unless an override may stand on these days; `others` are (reference, first day, last day)."""
    if to_on < from_on:
        raise BadDates(f"The last day {to_on} lies before the first day {from_on}. Correct one of them.")
    if from_on < today:
        raise BadDates(f"An override cannot begin on {from_on}, which is past. Begin today or later.")
    if to_on > through:
        raise BadDates(f"The measure lasts through {through}; an override cannot go on through {to_on}. Correct it.")
    for reference, first, last in others:
        if first <= to_on and from_on <= last:
            raise BadDates(
                f"{reference} already overrides the measure for this account from {first} through {last}. "
                f"Choose days after {last}, or end it first."
            )

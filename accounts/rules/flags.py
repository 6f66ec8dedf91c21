"""What the detectors of the red-flag catalogue look at, and what they say (regulation 3.12; requirements R82, R83).

Facts come in as plain values; evidence goes out as codes, counts and references, never as values of personal data.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from accounts.rules.journeys import Visit
from accounts.rules.profile import AccessLimits, AccessRow


@dataclass(frozen=True)
class DetectorLimits:
    """Numbers of our own policy that the detectors compare with; a regime profile may hand in others."""

    least_accesses: int
    near_threshold_points: Decimal
    near_threshold_owners: int
    watched_least_accesses: int
    access: AccessLimits


@dataclass(frozen=True)
class DocumentState:
    """What the detectors need of one document: its reference, last day of validity and failed check digits."""

    reference: str
    kind: str
    expires_on: date | None = None
    failed_checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenEarlier:
    """A tie to a customer we shut out: its reference, the earlier one's, what became of that, and kinds of values."""

    tie: str
    earlier: str
    outcome: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class AccountFacts:
    """What is known of one account on the day `on`. Countries are ISO 3166 alpha-2 codes.

    `access_countries` counts public addresses by country, `access_total` counts accesses from public addresses
    only, and `access_anonymised` counts those of them in ranges of one kind (vpn, hosting, tor …);
    `access_anonymised_total` counts each such access once although it may be of several kinds.
    `is_watched` says that two people keep the account in use although an identity behind it could not be verified;
    `watch_overdue_days` counts the days since it had to be looked at again.
    `owner_percents` holds each owner's whole share, `owner_threshold` the regime's threshold.
    `access_rows` are the days of access of a window, `access_visits` the newest single accesses where those days do not
    rule out an impossible way. `measured_countries` names the special measures by jurisdiction, `stated_countries` are
    where the customer says the product is used. `rests_on_location` says that U.S. status was settled, on the day
    `us_settled_on`, on presence alone.
    """

    on: date
    limits: DetectorLimits
    document_countries: frozenset[str] = frozenset()
    payment_countries: frozenset[str] = frozenset()
    address_countries: frozenset[str] = frozenset()
    access_countries: Mapping[str, int] = field(default_factory=dict)
    access_total: int = 0
    access_anonymised: Mapping[str, int] = field(default_factory=dict)
    access_anonymised_total: int = 0
    confirmed_hits: tuple[str, ...] = ()
    possible_hits: tuple[str, ...] = ()
    documents: tuple[DocumentState, ...] = ()
    reverification_overdue_days: int = 0
    is_watched: bool = False
    watch_overdue_days: int = 0
    seen_before: tuple[SeenEarlier, ...] = ()
    owner_percents: tuple[Decimal, ...] = ()
    owner_threshold: Decimal | None = None
    access_rows: tuple[AccessRow, ...] = ()
    access_visits: tuple[Visit, ...] = ()
    measured_countries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stated_countries: frozenset[str] = frozenset()
    is_us_person: bool = False
    rests_on_location: bool = False
    us_settled_on: date | None = None


@dataclass(frozen=True)
class Flag:
    """A flag that is up: the detector's code, a sentence for staff, and evidence that holds no personal data."""

    code: str
    sentence: str
    evidence: dict[str, object]


@dataclass(frozen=True)
class Detector:
    """One row of the catalogue. `family` groups the page; `needs` names the facts it reads.

    What it weighs is a figure of the regime, `weight_` and the code; `figures` names the others it compares with.
    `borne_out_by` are the reasons of a decision (codes of the app above) which say that the flag was right. A flag that
    `asks_again` brings the customer the question for proof (R46).

    The function's docstring is what staff read: what it means, then paragraphs that begin with "Innocent:" and
    "Source:".
    """

    code: str
    title: str
    family: str
    needs: tuple[str, ...]
    function: Callable[[AccountFacts], Flag | None]
    borne_out_by: tuple[str, ...]
    figures: tuple[str, ...] = ()
    asks_again: bool = False

    @property
    def meaning(self) -> str:
        """What the flag means and what to do."""
        return self._told["Means"]

    @property
    def innocent(self) -> str:
        """What may be behind it without anything being wrong."""
        return self._told["Innocent"]

    @property
    def source(self) -> str:
        """Where it comes from; no full stop, for it stands in cells and in sentences."""
        return self._told["Source"].rstrip(".")

    @property
    def explanation(self) -> str:
        """All of it in one paragraph."""
        return " ".join((self.function.__doc__ or "").split())

    @property
    def all_figures(self) -> tuple[str, ...]:
        """The names of its figures in the regime, its weight first."""
        return (f"weight_{self.code}", *self.figures)

    @property
    def _told(self) -> dict[str, str]:
        found = re.split(r"\b(Innocent|Source): ", f"{self.explanation} ")
        return {"Means": found[0].strip()} | {
            name: (text[:1].upper() + text[1:]).strip() for name, text in zip(found[1::2], found[2::2], strict=True)
        }

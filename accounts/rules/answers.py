"""What a check is given and what it answers (requirement R33). Plain values in, a sentence without any value out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib.metadata import version

from accounts.formats.mrz import MrzReading
from accounts.rules.documents import DocumentFacts
from accounts.rules.parties import PartyKind


class Outcome(StrEnum):
    """What a check found. Passed says that form and statements fit, never that a value belongs to the party."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_RUN = "could_not_run"

    @property
    def label(self) -> str:
        """The words staff read."""
        return {"passed": "fits", "failed": "look again", "could_not_run": "could not run"}[self]


CHOICES = [(outcome.value, outcome.label) for outcome in Outcome]


@dataclass(frozen=True)
class About:
    """The row and the column looked at, and what staff call them; never the value."""

    title: str
    label: str = ""
    key: str = ""
    column: str = ""


@dataclass(frozen=True)
class Answer:
    """One answer: about what, what agreed, why, by which source.

    `looked_at` is what was looked at in clear, from which the flow makes the keyed evidence; it is stored nowhere.
    """

    about: About
    outcome: Outcome
    reason: str
    source: str
    matched: tuple[str, ...] = ()
    looked_at: str = field(default="", repr=False)
    file_sha256: str = ""


@dataclass(frozen=True)
class Value:
    """One stated value with the reference of its row; `country` as two letters, empty when unknown."""

    about: About
    kind: str
    text: str = field(repr=False)
    country: str = ""


@dataclass(frozen=True)
class DocumentOnFile:
    """One document as it was typed, its machine-readable zone as printed and as read, and the digest of its file.

    `unreadable` says why a zone that is there could not be read.
    """

    about: About
    facts: DocumentFacts = field(repr=False)
    zone: str = field(default="", repr=False)
    reading: MrzReading | None = field(default=None, repr=False)
    unreadable: str = ""
    file_sha256: str = ""


@dataclass(frozen=True)
class AddressOnFile:
    """One postal address; `country` as two letters."""

    about: About
    lines: str = field(repr=False)
    region: str
    country: str


@dataclass(frozen=True)
class Origin:
    """One thing stated that names a country: which kind of thing, and the country as two letters."""

    kind: str
    country: str


@dataclass(frozen=True)
class Seen:
    """Accesses from public addresses in one country: how many, and how many of them came through anonymisers."""

    country: str
    count: int
    anonymised: int = 0


@dataclass(frozen=True)
class PolicyFigure:
    """A figure of the regime with the place where it stands written."""

    value: Decimal
    citation: str


@dataclass(frozen=True)
class OnFile:
    """Everything the checks look at, as of the day `on`; `party` is the reference the file as a whole goes by."""

    party: About
    on: date
    party_kind: str = PartyKind.INDIVIDUAL
    values: tuple[Value, ...] = ()
    documents: tuple[DocumentOnFile, ...] = ()
    addresses: tuple[AddressOnFile, ...] = ()
    origins: tuple[Origin, ...] = ()
    seen: tuple[Seen, ...] = ()
    regime: str = ""
    figures: Mapping[str, PolicyFigure] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> Iterator[Value]:
        """The stated values of these kinds."""
        return (value for value in self.values if value.kind in kinds)


@dataclass(frozen=True)
class Check:
    """One row of the list: its code, what staff call it, and the function."""

    code: str
    title: str
    run: Callable[[OnFile], tuple[Answer, ...]]


def with_version(*packages: str) -> str:
    """The libraries that answered, each with its installed version."""
    return " and ".join(f"{package} {version(package)}" for package in packages)


def joined(*parts: object) -> str:
    """Several things looked at as one text that no other things give."""
    return "\x1f".join("" if part is None else str(part) for part in parts)

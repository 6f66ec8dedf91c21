"""Who held an address: no two accounts hold the same one at the same moment (regulation T24)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Span:
    """Addresses `first` to `last` (numbers, both part of it) of one account, from a moment until before another.

    `holder` names the account; `place` says where it stands: a line of the file, or 0 for one on file.
    """

    version: int
    first: int
    last: int
    from_at: datetime
    to_at: datetime | None
    holder: str
    place: int

    def meets(self, other: "Span") -> bool:
        """Whether both say something of one address at one moment."""
        return (
            self.version == other.version
            and self.first <= other.last
            and other.first <= self.last
            and (self.to_at is None or other.from_at < self.to_at)
            and (other.to_at is None or self.from_at < other.to_at)
        )


def conflicts(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs of spans of two accounts that meet, at least one of them of the file; swept in the order of addresses."""
    active: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.version, each.first, each.place)):
        active = [each for each in active if each.version == span.version and each.last >= span.first]
        for each in active:
            if each.holder != span.holder and (each.place or span.place) and each.meets(span):
                yield each, span
        active.append(span)

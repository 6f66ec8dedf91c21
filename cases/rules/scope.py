"""What an authority asks for: kinds of records, days and accounts (requirements R111, R114); nothing else goes in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cases.rules.disclosure import DataClass
from kyc_portal.refusal import Refusal

PROOF = frozenset({DataClass.CUSTODY, DataClass.AUDIT})


class BadScope(Refusal):
    """The scope cannot be as it was given."""


@dataclass(frozen=True)
class AskedFor:
    """Kinds of records (none named: all that the ground allows), first and last day (none: no end), accounts (none
    named: every account of the request)."""

    kinds: frozenset[DataClass] = frozenset()
    from_on: date | None = None
    through_on: date | None = None
    accounts: frozenset[str] = frozenset()

    def covers_kind(self, data_class: str) -> bool:
        """Whether records of this kind are asked for; chain of custody and trail prove the others and always go."""
        return not self.kinds or data_class in self.kinds or data_class in PROOF

    def covers_account(self, reference: str) -> bool:
        return not self.accounts or reference in self.accounts

    def covers_days(self, begins: date | None, ends: date | None) -> bool:
        """Whether something that was so from `begins` to `ends` (None: not known, or still so) meets the days."""
        late = self.through_on is not None and begins is not None and begins > self.through_on
        early = self.from_on is not None and ends is not None and ends < self.from_on
        return not late and not early

    def is_within(self, other: "AskedFor") -> bool:
        """Whether this asks for nothing that `other` does not ask for."""
        return (
            _narrower(self.kinds, other.kinds)
            and _narrower(self.accounts, other.accounts)
            and (other.from_on is None or (self.from_on is not None and self.from_on >= other.from_on))
            and (other.through_on is None or (self.through_on is not None and self.through_on <= other.through_on))
        )

    def in_words(self) -> str:
        """What is asked for in one line, as a cover and an index say it."""
        kinds = "; ".join(kind.label for kind in DataClass if kind in self.kinds) or "all that the ground allows"
        days = [f"from {self.from_on}" if self.from_on else "", f"through {self.through_on}" if self.through_on else ""]
        accounts = f"of {', '.join(sorted(self.accounts))}" if self.accounts else ""
        return ", ".join(filter(None, [kinds, " ".join(filter(None, days)), accounts]))


EVERYTHING = AskedFor()


def _narrower(these: frozenset, those: frozenset) -> bool:
    return not those or (bool(these) and these <= those)


def asked_for(
    kinds: Iterable[str], from_on: date | None, through_on: date | None, accounts: Iterable[str], *, of: Iterable[str]
) -> AskedFor:
    """The scope as it was given; `of` are the accounts of the request. Raises BadScope with what to correct."""
    kinds, accounts, known = set(kinds), set(accounts), set(of)
    if unknown := kinds - set(DataClass):
        raise BadScope(f"There is no such kind of record: {ascii(min(unknown))[:40]}. Choose from the list.")
    if from_on and through_on and from_on > through_on:
        raise BadScope(f"The first day {from_on} comes after the last day {through_on}. Correct one of them.")
    if strange := accounts - known:
        raise BadScope(
            f"{ascii(min(strange)[:20])[1:-1]} is no account of this request. Name accounts that its case is about."
        )
    return AskedFor(frozenset(map(DataClass, kinds)), from_on, through_on, frozenset(accounts))

"""May a reseller sell today, and if not, why: one answer, used everywhere (R55, R61; proposed 15 CFR 7.303)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class StandingFacts:
    """What the answer rests on, as plain values of one day."""

    on: date
    is_foreign: bool
    account_is_open: bool
    restriction: str = ""  # the level of the strictest one in force on its own account
    ended_on: date | None = None
    contract_until: date | None = None  # the last day of the contract in force
    has_contract: bool = False
    has_cip: bool = False
    has_officer: bool = False
    overdue: tuple[tuple[str, date, str], ...] = ()  # findings past their last day: reference, day and what sets it


@dataclass(frozen=True)
class Standing:
    """The answer: `reasons` are sentences for staff, each with the step that ends it; none means that it may sell."""

    reasons: tuple[str, ...]

    @property
    def may_sell(self) -> bool:
        return not self.reasons


def standing(facts: StandingFacts) -> Standing:
    """Everything that keeps a reseller from selling on a day, the gravest first.

    Of a U.S. reseller no CIP is asked here: the proposed rule holds it to its own as a provider.
    """
    if facts.ended_on is not None and facts.ended_on <= facts.on:
        return Standing((f"The relationship ended on {facts.ended_on}. It sells nothing any more.",))
    told = []
    if not facts.account_is_open:
        told.append("Its own account is not open. Open the account first.")
    if facts.restriction:
        told.append(f"Its own account is {facts.restriction}. Lift the restriction first.")
    if not facts.has_contract:
        told.append("No contract is in force. Record the contract.")
    if facts.is_foreign and not facts.has_cip:
        told.append("It has no approved CIP. Have one handed in and review it.")
    if facts.is_foreign and not facts.has_officer:
        told.append("Nobody is named who answers for its CIP. Add this contact.")
    told += [
        f"{name} was not cured by {day}, its last day ({citation}). End the relationship."
        for name, day, citation in facts.overdue
    ]
    return Standing(tuple(told))

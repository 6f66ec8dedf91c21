"""May a reseller sell today, and if not, why: one answer, used everywhere (R55, R61; proposed 15 CFR 7.303)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


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
    unsigned: tuple[tuple[str, date, str], ...] = ()  # attestations past their last day, told alike
    customers: int = 0  # on its roster
    uncertified: int = 0  # of these, who should be certified by now and are not
    most_percent: Decimal = Decimal(100)  # more than this share of them keeps it from selling
    share_set_by: str = ""


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
    told += [
        f"{name} was not signed by {day}, its last day ({citation}). Have its manager sign it."
        for name, day, citation in facts.unsigned
    ]
    if facts.uncertified * 100 > facts.most_percent * facts.customers:
        told.append(
            f"{facts.uncertified} of the {facts.customers} customers on its roster are not certified in time, more "
            f"than {facts.most_percent.normalize():f} % ({facts.share_set_by}). Have its manager certify them."
        )
    return Standing(tuple(told))

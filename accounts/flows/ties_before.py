"""Who among those we shut out shares something with a customer or its owners; read only (R106, trust.md 3 A).

A file is compared as a whole: the customer's values and those of everybody who owns a part of it, with the values of an
earlier customer and of everybody who ever owned a part of that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from accounts.flows import shut_out
from accounts.flows.holders import Held, held_by
from accounts.flows.ownership import keys_above
from accounts.flows.shut_out import ShutOut
from accounts.models import RestrictedCustomer
from accounts.rules.links import LinkFigures, LinkStrength, Shared, in_a_row, strength

LONGEST_SENTENCE = 500
OWNER = "owner"  # what a customer and whoever owns a part of it have in common, when that one was shut out itself


@dataclass(frozen=True)
class Earlier:
    """An earlier customer: its party while it is on file, else what is remembered of it; one of the two."""

    party: UUID | None
    remembered: UUID | None
    reference: str
    why: str
    then: str  # what became of it, after "with"

    @property
    def key(self) -> tuple[UUID | None, UUID | None]:
        return self.party, self.remembered


@dataclass(frozen=True)
class TieBefore:
    """A customer's tie to an earlier one, and how strong it is."""

    earlier: Earlier
    strength: LinkStrength

    @property
    def sentence(self) -> str:
        """Names both but the customer itself, on whose page it stands."""
        return f"Shares {in_a_row(self.strength.counted)} with {self.earlier.then}."[:LONGEST_SENTENCE]

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.strength.counted]

    @property
    def shared(self) -> list[dict]:
        """As it is stored: kinds with how many hold each, never a value."""
        return [{"kind": each.kind, "holders": each.holders} for each in self.strength.counted]


def find(customers: Collection[UUID], figures: LinkFigures, *, on: date) -> dict[UUID, list[TieBefore]]:
    """For each of these customers its ties to whom we shut out, the strongest first; weak ones are left out.

    A fixed number of queries for however many customers, plus one for each level of owners above and companies below.
    Of each value at most one holder more than the figure is looked at.
    """
    files = keys_above(customers, on)
    held: dict[UUID, list[Held]] = defaultdict(list)
    for each in held_by(set().union(*files.values()) if files else (), most=figures.most_holders):
        if each.others:
            held[each.party].append(each)
    telling = [each for values in held.values() for each in values]
    concerned = set().union(*files.values(), *(each.holders for each in telling)) if files else set()
    customers_of = shut_out.customers_of(concerned)
    against = shut_out.among(customers_of)
    gone = set().union(*(each.remembered for each in telling)) if telling else set()
    remembered = RestrictedCustomer.objects.in_bulk(gone) if gone else {}
    telling = [each for each in telling if each.remembered or not against.keys().isdisjoint(each.holders)]
    innocent = set().union(*(each.holders for each in telling)) - against.keys() if telling else set()
    common = shut_out.established({key: customers_of[key] for key in innocent}, flag_from=figures.flag_from)
    found = {}
    for customer, file in files.items():
        values = [each for member in file for each in held.get(member, ())]
        ties = _weighed(_shared(customer, file, values, against, remembered, common), figures)
        if ties:
            found[customer] = ties
    return found


def _shared(
    customer: UUID, file: set[UUID], values: Iterable[Held], against: dict[UUID, list[ShutOut]],
    remembered: dict[UUID, RestrictedCustomer], common: set[UUID],
) -> dict[Earlier, list[Shared]]:  # fmt: skip
    """What one customer's file shares with each earlier one.

    Everybody who was shut out counts as one holder, and of the others only those in `common`: who comes back again and
    again, refused or waiting, makes a value no less telling.
    """
    found: dict[Earlier, dict[tuple[str, str], Shared]] = defaultdict(dict)
    for each in values:
        outside = each.holders - file
        holders = 2 + len(outside & common)
        shared, value = Shared(each.kind, holders), (each.kind, each.tie)
        for other in outside:
            for one in against.get(other, ()):
                if one.party not in file:
                    found[_on_file(one)][value] = shared
        for key in each.remembered & remembered.keys():
            found[_purged(remembered[key])][value] = shared
    for member in file:
        for one in against.get(member, ()):
            if one.party != customer:
                found[_on_file(one)].setdefault((OWNER, ""), Shared(OWNER, 2))
    return {earlier: list(values.values()) for earlier, values in found.items()}


def _on_file(one: ShutOut) -> Earlier:
    return Earlier(one.party, None, one.account, one.why, f"{one.account}, which was shut out ({one.outcome})")


def _purged(customer: RestrictedCustomer) -> Earlier:
    then = f"{customer.reference}, which was shut out ({shut_out.outcome_of(customer.reason)}); "
    then += f"its file was purged on {customer.remembered_on}"
    return Earlier(None, customer.pk, customer.reference, customer.reason, then)


def _weighed(shared: dict[Earlier, list[Shared]], figures: LinkFigures) -> list[TieBefore]:
    ties = (TieBefore(earlier, strength(values, figures)) for earlier, values in shared.items())
    kept = [tie for tie in ties if tie.strength.score >= figures.keep_from]
    return sorted(kept, key=lambda tie: (-tie.strength.score, tie.earlier.reference))

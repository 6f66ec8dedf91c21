"""Who stands above and below a party on a day: what the rules of ownership are fed with (R21, R36)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from accounts.models import Account, OwnershipStake, Party
from accounts.models.party import PartyKind
from accounts.rules import ownership as rules
from accounts.rules.ownership import BeneficialOwner, OwnershipNode, Stake
from kyc_portal.policy.current import Regime, regime_on


@dataclass(frozen=True)
class OwnerPicture:
    """One box of the drawing of owners, ready to be drawn."""

    name: str
    detail: str
    percent: str
    tone: str
    children: tuple["OwnerPicture", ...]


def stakes_above(party: Party, on: date) -> list[Stake]:
    """Every stake in force on `on` that bears on the party, directly or through others; one query a level."""
    found, seen, frontier = [], {party.pk}, {party.pk}
    while frontier:
        rows = OwnershipStake.objects.held_on(on).filter(owned_id__in=frontier)
        level = list(rows.values_list("owner_id", "owned_id", "percent", "has_control"))
        found += [Stake(str(owner), str(owned), percent, control) for owner, owned, percent, control in level]
        frontier = {owner for owner, *_ in level} - seen
        seen |= frontier
    return found


def accounts_below(party: Party, on: date) -> list[Account]:
    """The accounts of the party and of everything it owns: whose owners change when its owners change."""
    return list(Account.objects.filter(party_id__in=parties_below(party, on)).order_by("pk"))


def parties_below(party: Party, on: date) -> set[UUID]:
    """The keys of the party and of everything it holds a stake in, directly or through others."""
    seen, frontier = {party.pk}, {party.pk}
    while frontier:
        rows = OwnershipStake.objects.held_on(on).filter(owner_id__in=frontier)
        frontier = set(rows.values_list("owned_id", flat=True)) - seen
        seen |= frontier
    return seen


def _individuals(stakes: Iterable[Stake], kinds: dict[str, str]) -> frozenset[str]:
    """People among the owners. One whose kind nobody knows counts as a person unless somebody owns part of it."""
    owners, owned = {stake.owner for stake in stakes}, {stake.owned for stake in stakes}
    people = {key for key in owners if kinds[key] == PartyKind.INDIVIDUAL}
    unknown = {key for key in owners if kinds[key] == PartyKind.UNDETERMINED}
    return frozenset(people | (unknown - owned))


@dataclass(frozen=True)
class OwnersAbove:
    """Who stands above a party on a day; each part is read once, when it is first asked for."""

    party: Party
    on: date

    @cached_property
    def stakes(self) -> list[Stake]:
        return stakes_above(self.party, self.on)

    @property
    def keys(self) -> set[UUID]:
        """The keys of the party and of everybody who holds something in it, directly or through others."""
        return {self.party.pk} | {UUID(stake.owner) for stake in self.stakes}

    @cached_property
    def everybody(self) -> list[Party]:
        """The party first, then all holders by name, U.S. persons and companies in between included."""
        found = Party.objects.filter(pk__in=self.keys).order_by("legal_name", "pk")
        return sorted(found, key=lambda each: each.pk != self.party.pk)

    @cached_property
    def regime(self) -> Regime:
        return regime_on(self.on)

    @cached_property
    def owners(self) -> tuple[BeneficialOwner, ...]:
        """The beneficial owners under the regime of the day; ids are the parties' keys as text. Raises TooTangled."""
        if not self.stakes:
            return ()
        people = _individuals(self.stakes, {str(each.pk): each.kind for each in self.everybody})
        threshold = self.regime.number("owner_share_percent")
        return rules.beneficial_owners(str(self.party.pk), self.stakes, people, threshold)

    @cached_property
    def beneficial_owners(self) -> list[Party]:
        """The same as parties, by name. Raises TooTangled."""
        keys = {owner.owner for owner in self.owners}
        return [each for each in self.everybody if str(each.pk) in keys] if keys else []

    def tree(self) -> OwnerPicture | None:
        """The owners as a tree to draw, or None when there are none. Raises TooTangled."""
        if not self.stakes:
            return None
        named = {str(each.pk): each for each in self.everybody}
        return _picture(rules.tree(str(self.party.pk), self.stakes), named, self.party.reference, is_root=True)

    def faults(self) -> tuple[str, ...]:
        """What cannot be right in the stakes above the party, as sentences that name parties by reference."""
        sentences = rules.faults(str(self.party.pk), self.stakes)
        references = {str(each.pk): each.reference for each in self.everybody} if sentences else {}
        return tuple(_with_references(sentence, references) for sentence in sentences)


def _picture(node: OwnershipNode, named: dict[str, Party], root: str, *, is_root: bool = False) -> OwnerPicture:
    party = named[node.party]
    notes = [party.reference, party.get_kind_display()]
    notes += ["U.S. person"] if party.is_us else []
    notes += ["controls"] if node.control else []
    notes += ["stands in this chain already"] if node.repeated else []
    if not is_root and node.reaching != node.percent:
        notes.append(f"{_percent(node.reaching)} of {root}")
    return OwnerPicture(
        name=party.legal_name,
        detail=", ".join(notes),
        percent="" if is_root else _percent(node.percent),
        tone="warning" if node.repeated else "",
        children=tuple(_picture(owner, named, root) for owner in node.owners),
    )


def _percent(value) -> str:
    return f"{value:.2f} %"


def _with_references(sentence: str, references: dict[str, str]) -> str:
    for key, reference in references.items():
        sentence = sentence.replace(key, reference)
    return sentence

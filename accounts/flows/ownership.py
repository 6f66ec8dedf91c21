"""Who stands above and below a party on a day: what the rules of ownership are fed with (R21, R36)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
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


def owners_of(party: Party, *, on: date, regime: Regime | None = None) -> tuple[BeneficialOwner, ...]:
    """The beneficial owners under the regime of the day; ids are the parties' keys as text. Raises TooTangled."""
    stakes = stakes_above(party, on)
    if not stakes:
        return ()
    threshold = (regime or regime_on(on)).number("owner_share_percent")
    return rules.beneficial_owners(str(party.pk), stakes, _individuals(stakes), threshold)


def _individuals(stakes: Iterable[Stake]) -> frozenset[str]:
    """People among the owners. One whose kind nobody knows counts as a person unless somebody owns part of it."""
    stakes = list(stakes)
    owned = {stake.owned for stake in stakes}
    kinds = dict(Party.objects.filter(pk__in={stake.owner for stake in stakes}).values_list("pk", "kind"))
    people = {str(pk) for pk, kind in kinds.items() if kind == PartyKind.INDIVIDUAL}
    unknown = {str(pk) for pk, kind in kinds.items() if kind == PartyKind.UNDETERMINED}
    return frozenset(people | (unknown - owned))


def tree_of(party: Party, on: date) -> OwnerPicture | None:
    """The owners as a tree to draw, or None when there are none. Raises TooTangled."""
    stakes = stakes_above(party, on)
    if not stakes:
        return None
    named = {str(each.pk): each for each in Party.objects.filter(pk__in={UUID(stake.owner) for stake in stakes})}
    return _picture(rules.tree(str(party.pk), stakes), {**named, str(party.pk): party}, is_root=True)


def _picture(node: OwnershipNode, named: dict[str, Party], *, is_root: bool = False) -> OwnerPicture:
    party = named[node.party]
    notes = [party.reference, party.get_kind_display()]
    notes += ["U.S. person"] if party.is_us else []
    notes += ["controls"] if node.control else []
    notes += ["stands in this chain already"] if node.repeated else []
    if not is_root and node.reaching != node.percent:
        notes.append(f"{_percent(node.reaching)} of {named_root(named)}")
    return OwnerPicture(
        name=party.legal_name,
        detail=", ".join(notes),
        percent="" if is_root else _percent(node.percent),
        tone="warning" if node.repeated else "",
        children=tuple(_picture(owner, named) for owner in node.owners),
    )


def named_root(named: dict[str, Party]) -> str:
    """The reference of the party whose owners are drawn: it was put in last."""
    return next(reversed(named.values())).reference


def _percent(value) -> str:
    return f"{value:.2f} %"


def faults_of(party: Party, on: date) -> tuple[str, ...]:
    """What cannot be right in the stakes above the party, as sentences that name parties by reference."""
    stakes = stakes_above(party, on)
    sentences = rules.faults(str(party.pk), stakes)
    if not sentences:
        return ()
    keys = {UUID(stake.owner) for stake in stakes} | {party.pk}
    references = {
        str(pk): reference for pk, reference in Party.objects.filter(pk__in=keys).values_list("pk", "reference")
    }
    return tuple(_with_references(sentence, references) for sentence in sentences)


def _with_references(sentence: str, references: dict[str, str]) -> str:
    for key, reference in references.items():
        sentence = sentence.replace(key, reference)
    return sentence

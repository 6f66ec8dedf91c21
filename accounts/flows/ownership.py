"""Who stands above and below a party on a day: what the rules of ownership are fed with (R21, R36)."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from uuid import UUID

from accounts.flows import texts
from accounts.models import Account, OwnershipStake, Party, ScreeningHit
from accounts.models.party import PartyKind
from accounts.rules import ownership as rules
from accounts.rules import ownership_reasons as reasons
from accounts.rules import ownership_tree as drawing
from accounts.rules.blocked_owners import BlockedHolding, blocked_holding, blocked_reasons
from accounts.rules.ownership import BeneficialOwner, Stake
from accounts.rules.ownership_tree import OwnershipNode, Repeat
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records.clock import legal_day

REPEATED = {Repeat.CIRCLE: "closes a circle", Repeat.AGAIN: "its owners stand elsewhere"}


@dataclass(frozen=True)
class OwnerPicture:
    """One box of the drawing of owners, ready to be drawn; `marks` are short remarks, one line each, and `repeats` is
    true of a box that stands elsewhere as well."""

    name: str
    detail: str
    percent: str
    tone: str
    children: tuple["OwnerPicture", ...]
    marks: tuple[str, ...] = ()
    repeats: bool = False


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


def most_beside(stake: OwnershipStake, others: Iterable[OwnershipStake], today: date) -> tuple[Decimal, date]:
    """The largest sum of shares in one party on any day on which `stake`, saved or not, is held; and that day."""
    return reasons.most_beside(_plain(stake), map(_plain, others), today)


def _plain(row: OwnershipStake) -> Stake:
    return Stake(str(row.owner_id), str(row.owned_id), row.percent, row.has_control, row.from_on, row.to_on)


def accounts_below(party: Party, on: date) -> list[Account]:
    """The accounts of the party and of everything it owns: whose owners change when its owners change."""
    return list(Account.objects.filter(party_id__in=parties_below(party, on)).order_by("pk"))


def keys_above(parties: Collection[UUID], on: date) -> dict[UUID, set[UUID]]:
    """For each of these parties its key and those of everybody above it; one query a level of owners, for all."""
    owners, frontier, seen = {}, set(parties), set(parties)
    while frontier:
        rows = OwnershipStake.objects.held_on(on).filter(owned_id__in=frontier).values_list("owner_id", "owned_id")
        level = list(rows)
        for owner, owned in level:
            owners.setdefault(owned, set()).add(owner)
        frontier = {owner for owner, _ in level} - seen
        seen |= frontier
    return {party: _upwards(party, owners) for party in parties}


def _upwards(party: UUID, owners: dict[UUID, set[UUID]]) -> set[UUID]:
    seen, frontier = {party}, {party}
    while frontier:
        frontier = set().union(*(owners.get(each, set()) for each in frontier)) - seen
        seen |= frontier
    return seen


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
    def shares(self) -> dict[str, Fraction]:
        """Everybody's whole share of the party as a fraction of 1, by the party's key. Raises TooTangled."""
        return rules.whole_shares(str(self.party.pk), rules.owners_by_party(self.stakes)).of

    @cached_property
    def beneficial_owners(self) -> list[Party]:
        """The same as parties, by name. Raises TooTangled."""
        keys = {owner.owner for owner in self.owners}
        return [each for each in self.everybody if str(each.pk) in keys] if keys else []

    @cached_property
    def drawing(self) -> drawing.OwnershipTree:
        """The owners level by level, cut where nobody could read on."""
        return drawing.tree(str(self.party.pk), self.stakes)

    def tree(self, *, names: bool = True) -> OwnerPicture | None:
        """The owners as a tree to draw, or None when there are none; without `names` the boxes bear references only."""
        if not self.stakes:
            return None
        parties = {str(each.pk): each for each in self.everybody}
        return _picture(self.drawing.root, parties, names=names, is_root=True)

    def remarks(self) -> tuple[str, ...]:
        """What a reader of the tree has to know, as sentences: circles, and that the drawing was cut."""
        told = self._by_reference(reasons.circles(str(self.party.pk), self.stakes))
        if self.stakes and self.drawing.cut_at:
            told += (
                f"The tree shows the {self.drawing.boxes} nearest of {len(self.stakes)} stakes; shares count all of "
                "them.",
            )
        return told

    def faults(self) -> tuple[str, ...]:
        """What cannot be right in the stakes above the party, as sentences that name parties by reference.

        Raises TooTangled.
        """
        return self._by_reference(reasons.faults(str(self.party.pk), self.stakes))

    def reasons(self, owner: BeneficialOwner) -> tuple[str, ...]:
        """Why somebody counts as beneficial owner under the regime of the day, in sentences that name parties."""
        threshold = self.regime.number("owner_share_percent")
        return reasons.owner_reasons(owner, str(self.party.pk), self.stakes, threshold, self.called)

    def blocked_holding(self, blocked: Iterable[UUID]) -> BlockedHolding:
        """What these blocked parties hold of the party in aggregate (R36, T16)."""
        bound = self.regime.number("blocked_share_percent")
        keys = frozenset(str(key) for key in blocked)
        return blocked_holding(str(self.party.pk), self.stakes, keys, blocking_percent=bound)

    def blocked_reasons(self, listed: Iterable[UUID] | None = None) -> tuple[str, ...]:
        """What parties with a confirmed hit on a list of now hold together, and what follows; empty for nothing.

        `listed` are those parties; None looks them up.
        """
        if listed is None:
            hits = ScreeningHit.objects.confirmed().standing().filter(party__in=self.keys)
            listed = hits.values_list("party_id", flat=True)
        listed = set(listed)
        return blocked_reasons(self.blocked_holding(listed), self.called) if listed else ()

    def called(self, key: str) -> str:
        """The name by which a sentence tells of a party; with the reference where several bear the name."""
        return self._names[key]

    @cached_property
    def _names(self) -> dict[str, str]:
        bearers = Counter(each.legal_name for each in self.everybody)
        return {
            str(each.pk): each.legal_name if bearers[each.legal_name] == 1 else f"{each.legal_name} ({each.reference})"
            for each in self.everybody
        }

    def _by_reference(self, sentences: tuple[str, ...]) -> tuple[str, ...]:
        references = {str(each.pk): each.reference for each in self.everybody} if sentences else {}
        return tuple(_with_references(sentence, references) for sentence in sentences)


def owners_on(party: Party, day: date | None, *, at: datetime) -> OwnersAbove:
    """Who stood above a party on a day, today when None. Raises BadField: nobody knows who will own what."""
    return OwnersAbove(party, texts.past_day("Day", day, legal_day(at)) or legal_day(at))


def _picture(node: OwnershipNode, parties: dict[str, Party], *, names: bool, is_root: bool = False) -> OwnerPicture:
    party = parties[node.party]
    notes = [party.reference] * names + [party.get_kind_display()] + ["U.S. person"] * party.is_us
    children = (_picture(owner, parties, names=names) for owner in node.owners)
    return OwnerPicture(
        name=party.legal_name if names else party.reference,
        detail=", ".join(notes),
        percent="" if is_root else _percent(node.percent),
        tone="warning" if node.repeat == Repeat.CIRCLE else "",
        children=tuple(children),
        marks=_marks(node, is_root=is_root),
        repeats=bool(node.repeat),
    )


def _marks(node: OwnershipNode, *, is_root: bool) -> tuple[str, ...]:
    marks = ["controls"] * node.control
    if not is_root and node.reaching != node.percent:
        marks.append(f"{_percent(node.reaching)} of the first box")
    marks += [REPEATED[node.repeat]] if node.repeat else []
    marks += [f"{node.left_out} more are in the table"] if node.left_out else []
    return tuple(marks)


def _percent(value) -> str:
    return f"{value:.2f} %"


def _with_references(sentence: str, references: dict[str, str]) -> str:
    for key, reference in references.items():
        sentence = sentence.replace(key, reference)
    return sentence

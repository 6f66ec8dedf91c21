"""Look for whomever a measure may mean, by sets: place, owners, payment, addresses, resellers (R95).

The whole is one pass: each kind of evidence is one query over its table, owners are one query a level and slice. Given
some accounts, only these and who stands above them are read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from uuid import UUID

from django.db.models import Count, Max, QuerySet

from accounts.flows.ownership import keys_above
from accounts.models import AccessRecord, Account, Address, OwnershipStake, Party, PaymentMethod
from accounts.models.account import ENDED_STATUSES
from accounts.models.party import AddressKind, UsStatus
from accounts.rules.ownership import Stake
from cases.models import SpecialMeasure
from cases.rules.measure_stages import MeasureKind
from cases.rules.measures import BY_POLICY, Evidence, EvidenceCode, Reach, deciding, figure_of, reach
from kyc_portal.policy.current import Regime, regime_on
from resellers.flows.roster_keys import name_key
from resellers.models import DownstreamCustomer, RosterEntry

Found = dict[UUID, list[Evidence]]
SLICE = 1000  # keys in one query
# Where somebody is; addresses of relatives and of contact persons say nothing of the customer.
LOCATING = (
    AddressKind.RESIDENCE, AddressKind.BUSINESS, AddressKind.PRINCIPAL, AddressKind.LOCAL_OFFICE,
    AddressKind.USE_LOCATION,
)  # fmt: skip


def policy_codes(regime: Regime) -> frozenset[str]:
    """The evidence that, by policy, restricts by itself once a measure is in effect."""
    return frozenset(code.value for code in BY_POLICY if regime.number(figure_of(code)))


def countries_with_measures(on: date) -> dict[str, tuple[str, ...]]:
    """The measures by jurisdiction that are recorded, confirmed or in effect on a day, by country; one query."""
    rows = SpecialMeasure.objects.live().filter(kind=MeasureKind.JURISDICTION.value, expires_on__gte=on)
    found: dict[str, tuple[str, ...]] = {}
    for country, reference in rows.order_by("reference").values_list("country", "reference"):
        found[str(country)] = (*found.get(str(country), ()), reference)
    return found


@dataclass(frozen=True)
class Scope:
    """Which customers are looked at: all (None), or some accounts with everybody above them."""

    accounts: frozenset[UUID] | None = None
    parties: frozenset[UUID] | None = None  # of these accounts, and above them

    @classmethod
    def of(cls, accounts: Collection[Account] | None, on: date) -> "Scope":
        if accounts is None:
            return cls()
        above = keys_above({account.party_id for account in accounts}, on)
        everybody = frozenset().union(*above.values()) if above else frozenset()
        return cls(frozenset(account.pk for account in accounts), everybody)

    def of_parties(self, rows: QuerySet, path: str) -> QuerySet:
        return rows if self.parties is None else rows.filter(**{f"{path}__in": self.parties})

    def of_accounts(self, rows: QuerySet, path: str) -> QuerySet:
        return rows if self.accounts is None else rows.filter(**{f"{path}__in": self.accounts})


def gather(measure: SpecialMeasure, *, on: date, accounts: Collection[Account] | None = None) -> Found:
    """What ties accounts that have not ended to the measure on a day, by the account's key.

    `accounts` limits it to some; None looks at all. Changes nothing.
    """
    scope, regime = Scope.of(accounts, on), regime_on(on)
    found = _own(measure, scope, on, regime)
    for account, evidence in _sold_through(measure, found, scope, on, regime):
        found[account].append(evidence)
    return dict(found)


def _own(measure: SpecialMeasure, scope: Scope, on: date, regime: Regime) -> Found:
    """What ties each account to the measure by itself, not by the reseller who sells to it."""
    direct = _named(measure, scope) if measure.kind == MeasureKind.PERSON else _placed(measure, scope)
    hit = {party for party, found in direct.items() if deciding(found, ())}
    through = _through_owners(hit, on, scope, regime)
    found: Found = defaultdict(list)
    for account, party in _accounts_of({*direct, *through}, scope):
        found[account] += [*direct.get(party, ()), *([through[party]] if party in through else ())]
    for account, evidence in (*_observed(measure, scope), *_on_rosters(measure, scope)):
        found[account].append(evidence)
    return found


def _slices(keys: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Keys in lists of a size that every database takes."""
    keys = iter(keys)
    while part := list(islice(keys, SLICE)):
        yield part


# --- the party itself -------------------------------------------------------------------------------------------------


def _named(measure: SpecialMeasure, scope: Scope) -> Found:
    if scope.parties is not None and measure.party_id not in scope.parties:
        return {}
    return {measure.party_id: [Evidence(EvidenceCode.NAMED.value)]}


def _placed(measure: SpecialMeasure, scope: Scope) -> Found:
    """Foreign persons with a stated place there; U.S. persons are not meant (proposed 15 CFR 7.307)."""
    found: Found = defaultdict(list)
    country = str(measure.country)
    addresses = scope.of_parties(Address.objects.filter(country=country, kind__in=LOCATING), "party")
    rows = addresses.exclude(party__us_status=UsStatus.US).order_by().values_list("party_id", "kind").distinct()
    for party, kind in rows.iterator(chunk_size=SLICE):
        found[party].append(Evidence(EvidenceCode.PLACE.value, AddressKind(kind).label, country))
    foreign = scope.of_parties(Party.objects.exclude(us_status=UsStatus.US), "pk")
    formed = foreign.filter(formation_country=country).values_list("pk", flat=True)
    for party in formed.iterator(chunk_size=SLICE):
        found[party].append(Evidence(EvidenceCode.PLACE.value, "country of formation", country))
    citizens = foreign.filter(citizenship=country).values_list("pk", flat=True)
    for party in citizens.iterator(chunk_size=SLICE):
        found[party].append(Evidence(EvidenceCode.CITIZENSHIP.value, "", country))
    paying = scope.of_parties(PaymentMethod.objects.filter(country=country, ended_at__isnull=True), "party")
    paying = paying.exclude(party__us_status=UsStatus.US).order_by().values_list("party_id", flat=True).distinct()
    for party in paying.iterator(chunk_size=SLICE):
        found[party].append(Evidence(EvidenceCode.PAYMENT.value, "", country))
    return {party: sorted(each, key=lambda row: (row.code, row.detail)) for party, each in found.items()}


def _observed(measure: SpecialMeasure, scope: Scope) -> Iterator[tuple[UUID, Evidence]]:
    """Accesses from public addresses there; behind an anonymiser the place is somebody else's."""
    if measure.kind != MeasureKind.JURISDICTION:
        return
    country = str(measure.country)
    seen = scope.of_accounts(AccessRecord.objects.public().filter(anonymiser="", country=country), "account")
    seen = seen.exclude(account__status__in=ENDED_STATUSES).exclude(account__party__us_status=UsStatus.US)
    counted = seen.order_by().values_list("account_id").annotate(count=Count("pk"), last=Max("at"))
    for account, count, last in counted.iterator(chunk_size=SLICE):
        yield (
            account,
            Evidence(EvidenceCode.OBSERVED.value, country=country, count=count, last_on=last.date().isoformat()),
        )


# --- owners -----------------------------------------------------------------------------------------------------------


def _through_owners(hit: set[UUID], on: date, scope: Scope, regime: Regime) -> dict[UUID, Evidence]:
    """The parties that are theirs by share or control, as the regime counts beneficial owners (R21)."""
    reached = reach({str(key) for key in hit}, _stakes_below(hit, on, scope))
    threshold = regime.number("owner_share_percent")
    theirs = {UUID(party): each for party, each in reached.items() if each.counts(threshold)}
    foreign = {
        key
        for keys in _slices(theirs)
        for key in Party.objects.filter(pk__in=keys).exclude(us_status=UsStatus.US).values_list("pk", flat=True)
    }
    names = _references({UUID(owner) for each in theirs.values() for owner in each.via})
    return {party: _as_evidence(each, names) for party, each in theirs.items() if party in foreign}


def _as_evidence(found: Reach, names: dict[str, str]) -> Evidence:
    percent = f"{found.percent.normalize():f}" if found.share else ""
    via = tuple(names[owner] for owner in found.via)
    return Evidence(EvidenceCode.OWNER.value, via=via, percent=percent, control=found.control)


def _stakes_below(hit: set[UUID], on: date, scope: Scope) -> Iterator[Stake]:
    """Every stake by which something is held of a party below the hit ones, level by level."""
    seen, frontier = set(hit), set(hit)
    while frontier:
        below = set()
        for keys in _slices(frontier):
            rows = scope.of_parties(OwnershipStake.objects.held_on(on).filter(owner_id__in=keys), "owned")
            for owner, owned, percent, control in rows.values_list("owner_id", "owned_id", "percent", "has_control"):
                yield Stake(str(owner), str(owned), percent, control)
                below.add(owned)
        frontier = below - seen
        seen |= frontier


def _references(parties: set[UUID]) -> dict[str, str]:
    return {
        str(key): reference
        for keys in _slices(parties)
        for key, reference in Party.objects.filter(pk__in=keys).values_list("pk", "reference")
    }


def _accounts_of(parties: set[UUID], scope: Scope) -> Iterator[tuple[UUID, UUID]]:
    for keys in _slices(parties):
        rows = scope.of_accounts(Account.objects.filter(party_id__in=keys), "pk")
        yield from rows.exclude(status__in=ENDED_STATUSES).values_list("pk", "party_id")


# --- resellers --------------------------------------------------------------------------------------------------------


def _on_rosters(measure: SpecialMeasure, scope: Scope) -> Iterator[tuple[UUID, Evidence]]:
    """Customers whom resellers state: told at the reseller's account, and at the customer's own where there is one."""
    if measure.kind == MeasureKind.JURISDICTION:
        entries, detail = RosterEntry.objects.in_force().filter(country=str(measure.country)), "by their country"
    else:
        key = name_key(measure.party.legal_name)
        entries, detail = RosterEntry.objects.in_force().filter(name_key=key), "by their name"
    entries = entries.order_by()
    for path in ("reseller__account", "account"):
        rows = scope.of_accounts(entries.filter(**{f"{path}__isnull": False}), path)
        rows = rows.exclude(**{f"{path}__status__in": ENDED_STATUSES})
        for account, count in rows.values_list(path).annotate(count=Count("pk")).iterator(chunk_size=SLICE):
            yield account, Evidence(EvidenceCode.ROSTER.value, detail, str(measure.country), count=count)


def _sold_through(
    measure: SpecialMeasure, found: Found, scope: Scope, on: date, regime: Regime
) -> list[tuple[UUID, Evidence]]:
    """The customers of resellers whose own account is hit by evidence that decides."""
    links = scope.of_accounts(DownstreamCustomer.objects.current(), "account")
    links, codes = links.exclude(account__status__in=ENDED_STATUSES), policy_codes(regime)
    if scope.accounts is None:
        sellers = {account for account, each in found.items() if deciding(each, codes)}
    else:
        accounts = list(Account.objects.filter(reseller__customers__in=links).distinct())
        own = _own(measure, Scope.of(accounts, on), on, regime) if accounts else {}
        sellers = {account for account, each in own.items() if deciding(each, codes)}
    told = []
    for keys in _slices(sellers):
        rows = links.filter(reseller__account__in=keys).values_list("account_id", "reseller__reference")
        told += [(account, Evidence(EvidenceCode.SOLD_THROUGH.value, via=(name,))) for account, name in rows]
    return told

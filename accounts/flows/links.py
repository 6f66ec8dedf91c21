"""Keyed fingerprints of what customers share, and who shares it (regulation R106's grouping; evasion)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.flows import shut_out
from accounts.flows.holders import Held, held_by
from accounts.formats.text import folded
from accounts.models import Account, Identifier, Party, RestrictedCustomer
from accounts.models.identity import PaymentKind, PaymentMethod
from accounts.models.party import ContactKind
from accounts.rules.links import WORDS, LinkFigures, LinkStrength, Shared, strength
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.numbers import BadNumber, normalised
from accounts.rules.onboarding import AccountStatus
from accounts.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.keys import fingerprint, fingerprint_key_id, former_fingerprint, parse_key
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal

Value = tuple[str, str]  # kind of identifier, clear value
MOST_LINKS = 20
SHORTEST_TOKEN = 8  # a shorter one, such as a card's last four digits, is shared by strangers


class NoKeyToGiveUp(Refusal):
    """The settings do not name two fingerprint keys, a new and a former one."""


def remember(party: Party, values: Iterable[Value], *, at: datetime, is_news: bool = True) -> int:
    """Keep the fingerprints of these values; returns how many there were. One that is there already stays.

    Nothing is ever taken away while the party is on file: an ended card still ties the next account to the last. News
    is compared soon with everybody we shut out (seen_before.py).
    """
    rows = identifiers(party, values, at=at)
    if settings.FINGERPRINT_KEY_OLD:
        _renew(party, rows)
    Identifier.objects.bulk_create(rows, ignore_conflicts=True)
    if is_news:
        Party.objects.filter(pk=party.pk, look_back_due=False).update(look_back_due=True)
    return len(rows)


def _renew(party: Party, rows: list[Identifier]) -> None:
    """Turn what is kept of these values under the former key into theirs under the present one.

    Both may be there when a process that was not restarted yet wrote the former once more; then that one stays.
    """
    there = set(Identifier.objects.filter(party=party).values_list("kind", "digest"))
    for row in rows:
        if (row.kind, row.former) in there and (row.kind, row.digest) not in there:
            former = Identifier.objects.filter(party=party, kind=row.kind, digest=row.former)
            former.update(digest=row.digest, former=row.former, key_id=row.key_id)


def identifiers(party: Party, values: Iterable[Value], *, at: datetime) -> list[Identifier]:
    """The fingerprints of these values as rows that are not written yet, each once."""
    plain = {(kind, found) for kind, value in values if (found := _plain(kind, value))}
    digests = sorted((kind, fingerprint(kind, found), former_fingerprint(kind, found)) for kind, found in plain)
    key_id = fingerprint_key_id()
    return [
        Identifier(party=party, kind=kind, digest=digest, former=former, key_id=key_id, made_at=at)
        for kind, digest, former in digests
    ]


def _plain(kind: str, value: str) -> str:
    try:
        return normalised(kind, value)
    except BadNumber:  # too odd to be compared; whoever stored it has judged it already
        return ""


def values_in(new: NewParty) -> Iterator[Value]:
    """What of a new party can be shared with another."""
    yield from values_of_contact(ContactKind.EMAIL, new.email)
    yield from values_of_contact(ContactKind.PHONE, new.phone)
    if new.national_id:
        yield "national_id", f"{new.citizenship} {new.national_id}"
    if new.registration_number:
        yield "national_id", f"{new.formation_country} {new.registration_number}"
    for address in new.addresses:
        yield from values_of_address(address)
    for payment in new.payments:
        yield from values_of_payment(payment.kind, payment.identifier)
    for document in new.documents:
        yield from values_of_document(document.number, document.country)


def values_of_contact(kind: str, value: str) -> Iterator[Value]:
    """An e-mail address counts as such and as its mailbox, without the tag after a plus sign."""
    if value:
        yield str(kind), value
        if kind == ContactKind.EMAIL:
            yield "email_root", value


def values_of_address(address) -> Iterator[Value]:
    """A street address with its country; a bare country ties nobody to anybody."""
    lines = address.lines if isinstance(address, NewAddress) else _clear(address.lines)
    if lines:
        yield "address", f"{lines} {address.country}"


def values_of_document(number: str, country: str) -> Iterator[Value]:
    """A document number within its country."""
    if number:
        yield "document", f"{country} {number}"


def values_of_payment(kind: str, identifier: str) -> Iterator[Value]:
    """A card token, a bank account or a wallet; other means say nothing about who holds them."""
    if len(identifier) < SHORTEST_TOKEN:
        return
    if kind in (PaymentKind.CARD, PaymentKind.PREPAID):
        yield "card", identifier
    elif kind == PaymentKind.BANK:
        yield ("iban" if _plain("iban", identifier) else "bank_account"), identifier
    elif kind == PaymentKind.WALLET:
        yield "wallet", identifier


def values_of_owner(owner: Party) -> Iterator[Value]:
    """An owner as name and birth date; without the date a name alone would tie strangers, so the row itself counts."""
    born = _clear(owner.birth_date)
    yield "owner", f"{folded(owner.legal_name)} {born}" if born else str(owner.pk)


def fingerprint_party(party: Party, *, at: datetime) -> int:
    """Compute all fingerprints of a party anew from its sealed values; returns how many values there were."""
    values = [*_own_values(party)]
    for payment in PaymentMethod.objects.filter(party=party):
        values += values_of_payment(payment.kind, _clear(payment.identifier))
    for stake in party.stakes_in_it.select_related("owner"):
        values += values_of_owner(stake.owner)
    return remember(party, values, at=at, is_news=False)


@flow
def renew_fingerprints(*, by: Actor, at: datetime, limit: int = 100) -> int:
    """Make the fingerprints of up to `limit` parties anew under the present key; returns how many parties, 0 when done.

    A value that is no longer on file cannot be made anew: its fingerprint stays under the former key, marked as seen.
    Raises KeyProblem when a value does not open, NoKeyToGiveUp when KYC_FINGERPRINT_KEY_OLD is not set or has the id of
    the present key.
    """
    old = settings.FINGERPRINT_KEY_OLD
    if not old or parse_key(old)[0] == fingerprint_key_id():
        raise NoKeyToGiveUp(
            "Set KYC_FINGERPRINT_KEY to the new key, with an id of its own, and KYC_FINGERPRINT_KEY_OLD to the former."
        )
    waiting = Identifier.objects.of_an_older_key().order_by("party").values_list("party", flat=True).distinct()[:limit]
    parties = list(Party.objects.select_for_update().filter(pk__in=list(waiting)).order_by("pk"))
    for party in parties:
        fingerprint_party(party, at=at)
        Identifier.objects.filter(party=party).of_an_older_key().update(former=F("digest"))
    if parties:
        about = RecordRef("accounts.identifier", fingerprint_key_id(), f"fingerprint key {fingerprint_key_id()}")
        audit.record(
            Verb.FINGERPRINTS_RENEWED, about, by=by, at=at, count=len(parties), key_id=fingerprint_key_id()
        )  # fmt: skip
    return len(parties)


def _own_values(party: Party) -> Iterator[Value]:
    for contact in party.contact_points.all():
        yield from values_of_contact(contact.kind, _clear(contact.value))
    for address in party.addresses.all():
        yield from values_of_address(address)
    for document in party.documents.all():
        yield from values_of_document(_clear(document.number), str(document.country))
    if number := _clear(party.national_id):
        yield "national_id", f"{party.citizenship} {number}"
    if number := _clear(party.registration_number):
        yield "national_id", f"{party.formation_country} {number}"


def _clear(sealed) -> str:
    return sealed.reveal() if sealed else ""


# --- who shares them --------------------------------------------------------------------------------------------------


def figures_on(day: date) -> LinkFigures:
    """How ties are weighed under the regime of the day; two queries."""
    return figures_of(regime_on(day))


def figures_of(regime: Regime) -> LinkFigures:
    """How ties are weighed under this regime."""
    percent = {name: float(regime.number(f"link_{name}_percent")) / 100 for name in ("keep", "flag", "stop")}
    weights = {kind: float(regime.number(f"link_weight_{kind}")) / 100 for kind in WORDS}
    return LinkFigures(
        weights, regime.whole("link_most_holders"),
        keep_from=percent["keep"], flag_from=percent["flag"], stop_from=percent["stop"],
    )  # fmt: skip


@dataclass(frozen=True)
class HeldIdentifier:
    """One fingerprint of a party: what kind of value it is of, since when it is kept, and how many others hold it.

    `others` counts at most one more than the figure from which on a value says nothing.
    """

    kind: str
    made_at: datetime
    others: int
    says_something: bool  # so few hold it that it ties them together


def identifiers_of(party: Party, figures: LinkFigures) -> list[HeldIdentifier]:
    """Every fingerprint of a party, by kind; two queries. The values themselves cannot be read from them."""
    rows = Identifier.objects.filter(party=party).with_tie().order_by("kind", "made_at", "pk")
    held = {(each.kind, each.tie): each for each in held_by([party.pk], most=figures.most_holders)}
    found = []
    for kind, tie, made_at in rows.values_list("kind", "tie", "made_at"):
        others = held[kind, tie].others if (kind, tie) in held else 0
        found.append(HeldIdentifier(kind, made_at, others, others < figures.most_holders))
    return found


@dataclass(frozen=True)
class PartyLink:
    """Another party, how strong the tie is (0 to 1), and why, in words."""

    party: Party
    score: float
    sentence: str


def find_links(party: Party, figures: LinkFigures | None = None) -> tuple[PartyLink, ...]:
    """Other parties on file that share a fingerprint, the strongest tie first, at most twenty.

    Two queries, and the two of the figures where they are not given.
    """
    figures = figures or figures_on(legal_day(timezone.now()))
    held = held_by([party.pk], most=figures.most_holders)
    found = _strengths(held, figures).get(party.pk, {})
    strongest = sorted(found, key=lambda key: (-found[key].score, str(key)))[:MOST_LINKS]
    parties = Party.objects.in_bulk([key for key in strongest if not isinstance(key, Gone)]) if strongest else {}
    links = [PartyLink(parties[key], found[key].score, found[key].sentence) for key in strongest if key in parties]
    return tuple(sorted(links, key=lambda link: (-link.score, link.party.reference)))


def tied_to_gone(party: Party, figures: LinkFigures) -> dict[UUID, LinkStrength]:
    """The same for customers of whom only fingerprints are left, by their key; one query."""
    found = _strengths(held_by([party.pk], most=figures.most_holders), figures).get(party.pk, {})
    return {other.key: tied for other, tied in found.items() if isinstance(other, Gone)}


@dataclass(frozen=True)
class Gone:
    """The key of a customer of whom only fingerprints are left, so that it is not taken for a party's."""

    key: UUID

    def __str__(self):
        return str(self.key)


def _strengths(held: Iterable[Held], figures: LinkFigures) -> dict[UUID, dict[UUID | Gone, LinkStrength]]:
    """For each party with whom it is tied, and how strongly; whoever shares only what many hold is left out."""
    shared: dict[UUID, dict[UUID | Gone, list[Shared]]] = defaultdict(lambda: defaultdict(list))
    for each in held:
        if 0 < each.others < figures.most_holders:
            for other in (*(each.holders - {each.party}), *map(Gone, each.remembered)):
                shared[each.party][other].append(Shared(each.kind, each.others + 1))
    return {
        party: {other: strength(values, figures) for other, values in others.items()}
        for party, others in shared.items()
    }


# --- the graph of ties ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """One customer in the graph of ties: `key` is the party's, or the one of what is remembered of a purged one.

    `party` is None for a purged one. `state` says in words where its newest account stands, or what became of it;
    `is_restricted` that something is held against it: closed for cause, restricted or refused. `label` is the name of a
    party on file, and of a purged one its old reference.
    """

    key: UUID
    reference: str
    label: str
    state: str
    is_restricted: bool
    party: Party | None = None


@dataclass(frozen=True)
class Tie:
    """What two nodes share: `shared` with how many hold each, the most telling first; `score` from 0 to 1."""

    a: UUID
    b: UUID
    shared: tuple[Shared, ...]
    score: float
    sentence: str


def neighbourhood(party: Party, depth: int, most: int) -> tuple[list[Node], list[Tie]]:
    """Who is tied to a party, and who to them, `depth` steps away: at most `most` nodes, the party first.

    The strongest ties lead on; of all nodes shown every tie among them is told once, the strongest first. Two queries
    for the figures, one a step, and five for the nodes (with one more for each level of companies somebody owns).
    """
    figures = figures_on(legal_day(timezone.now()))
    keys: list[UUID | Gone] = [party.pk]
    frontier, ties = [party.pk], {}
    for step in range(depth + 1):
        found = _strengths(held_by(frontier, most=figures.most_holders), figures)
        near = []
        for one in frontier:
            for other, tied in found.get(one, {}).items():
                ties[frozenset((one, other))] = (one, other, tied)
                near.append((-tied.score, str(other), other))
        new = [other for *_, other in sorted(near, key=lambda each: each[:2])]
        new = [other for other in dict.fromkeys(new) if other not in keys][: max(0, most - len(keys))]
        if step == depth or not new:  # one look further only finds the ties among those on the rim
            break
        keys += new
        frontier = [key for key in new if not isinstance(key, Gone)]
    seen = set(keys)
    told = [
        Tie(_plain_key(one), _plain_key(other), tied.counted, tied.score, tied.sentence)
        for one, other, tied in ties.values()
        if one in seen and other in seen
    ]
    return _nodes(keys), sorted(told, key=lambda tie: (-tie.score, str(tie.a), str(tie.b)))


def _plain_key(key: UUID | Gone) -> UUID:
    return key.key if isinstance(key, Gone) else key


def _nodes(keys: list[UUID | Gone]) -> list[Node]:
    on_file = [key for key in keys if not isinstance(key, Gone)]
    parties, held_against = Party.objects.in_bulk(on_file), shut_out.behind(on_file)
    states = dict(Account.objects.filter(party__in=on_file).order_by("created_at").values_list("party_id", "status"))
    gone = [key.key for key in keys if isinstance(key, Gone)]
    remembered = RestrictedCustomer.objects.in_bulk(gone) if gone else {}
    nodes = []
    for key in keys:
        if isinstance(key, Gone) and (row := remembered.get(key.key)):
            state = f"{shut_out.outcome_of(row.reason)}, purged on {row.remembered_on}"
            nodes.append(Node(row.pk, row.reference, row.reference, state, True))
        elif row := parties.get(key):
            against, status = held_against.get(key), states.get(key)
            state = AccountStatus(status).label if status else "no account of its own"
            state += f" ({', '.join(dict.fromkeys(each.outcome for each in against))})" if against else ""
            nodes.append(Node(row.pk, row.reference, row.legal_name, state, bool(against), row))
    return nodes

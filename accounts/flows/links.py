"""Keyed fingerprints of what customers share, and who shares it (regulation R106's grouping; evasion)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from accounts.formats.text import folded
from accounts.models import Identifier, Party
from accounts.models.identity import PaymentKind, PaymentMethod
from accounts.models.party import ContactKind
from accounts.rules.links import Shared, strength
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.numbers import BadNumber, normalised
from kyc_portal.records.keys import fingerprint

Value = tuple[str, str]  # kind of identifier, clear value
SHORTEST_TOKEN = 8  # a shorter one, such as a card's last four digits, is shared by strangers
MOST_HOLDERS = 100  # a value that more parties hold says nothing about any two of them
MOST_LINKS = 20


@dataclass(frozen=True)
class PartyLink:
    """Another party, how strong the tie is (0 to 1), and why, in words."""

    party: Party
    score: float
    sentence: str


def remember(party: Party, values: Iterable[Value], *, at: datetime) -> int:
    """Keep the fingerprints of these values; returns how many there were. One that is there already stays.

    Nothing is ever taken away while the party is on file: an ended card still ties the next account to the last.
    """
    rows = identifiers(party, values, at=at)
    Identifier.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def identifiers(party: Party, values: Iterable[Value], *, at: datetime) -> list[Identifier]:
    """The fingerprints of these values as rows that are not written yet, each once."""
    digests = {(kind, fingerprint(kind, plain)) for kind, value in values if (plain := _plain(kind, value))}
    return [Identifier(party=party, kind=kind, digest=digest, made_at=at) for kind, digest in sorted(digests)]


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
    return remember(party, values, at=at)


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


def find_links(party: Party) -> tuple[PartyLink, ...]:
    """Other parties that share a fingerprint, the strongest tie first, at most twenty; three queries."""
    own = list(Identifier.objects.filter(party=party).values_list("kind", "digest"))
    if not own:
        return ()
    same = Identifier.objects.filter(digest__in=[digest for _, digest in own])
    held = {
        (row["kind"], row["digest"]): row["holders"]
        for row in same.values("kind", "digest").annotate(holders=Count("party")).order_by()
    }
    telling = [pair for pair in own if 1 < held.get(pair, 0) <= MOST_HOLDERS]
    shared: dict[Party, list[Shared]] = defaultdict(list)
    for row in same.filter(_any_of(telling)).exclude(party=party).select_related("party"):
        shared[row.party].append(Shared(row.kind, held[(row.kind, row.digest)]))
    found = [PartyLink(other, *_strength(ties)) for other, ties in shared.items()]
    return tuple(sorted(found, key=lambda link: (-link.score, link.party.reference))[:MOST_LINKS])


def _any_of(pairs: list[Value]) -> Q:
    wanted = Q(pk__in=[])
    for kind, digest in pairs:
        wanted |= Q(kind=kind, digest=digest)
    return wanted


def _strength(ties: list[Shared]) -> tuple[float, str]:
    found = strength(ties)
    return found.score, found.sentence

"""Keyed fingerprints of what customers share, and who shares it (regulation R106's grouping; evasion)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, F, Q

from accounts.formats.text import folded
from accounts.models import Identifier, Party
from accounts.models.identity import PaymentKind, PaymentMethod
from accounts.models.party import ContactKind
from accounts.rules.links import Shared, strength
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.numbers import BadNumber, normalised
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.keys import fingerprint, fingerprint_key_id, former_fingerprint, parse_key
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal

Value = tuple[str, str]  # kind of identifier, clear value
SHORTEST_TOKEN = 8  # a shorter one, such as a card's last four digits, is shared by strangers
MOST_HOLDERS = 100  # a value that more parties hold says nothing about any two of them
MOST_LINKS = 20


class NoKeyToGiveUp(Refusal):
    """The settings do not name two fingerprint keys, a new and a former one."""


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
    if settings.FINGERPRINT_KEY_OLD:
        _renew(party, rows)
    Identifier.objects.bulk_create(rows, ignore_conflicts=True)
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
    return remember(party, values, at=at)


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


@dataclass(frozen=True)
class HeldIdentifier:
    """One fingerprint of a party: what kind of value it is of, since when it is kept, and how many others hold it."""

    kind: str
    made_at: datetime
    others: int

    @property
    def says_something(self) -> bool:
        """Whether so few hold it that it ties them together."""
        return self.others < MOST_HOLDERS


def identifiers_of(party: Party) -> list[HeldIdentifier]:
    """Every fingerprint of a party, by kind; two queries. The values themselves cannot be read from them."""
    rows = list(Identifier.objects.filter(party=party).with_tie().order_by("kind", "made_at", "pk"))
    held = _holders([row.tie for row in rows])
    return [HeldIdentifier(row.kind, row.made_at, held.get((row.kind, row.tie), 1) - 1) for row in rows]


def _holders(ties: list[str]) -> dict[Value, int]:
    """How many parties hold each of these, by kind and tie; one query."""
    same = Identifier.objects.tied_by(ties).values("kind", "tie")
    counted = same.annotate(holders=Count("party", distinct=True)).order_by()
    return {(row["kind"], row["tie"]): row["holders"] for row in counted}


def find_links(party: Party) -> tuple[PartyLink, ...]:
    """Other parties that share a fingerprint, the strongest tie first, at most twenty; three queries."""
    own = list(Identifier.objects.filter(party=party).with_tie().values_list("kind", "tie"))
    if not own:
        return ()
    ties = [tie for _, tie in own]
    same, held = Identifier.objects.tied_by(ties), _holders(ties)
    telling = [pair for pair in own if 1 < held.get(pair, 0) <= MOST_HOLDERS]
    shared: dict[Party, dict[Value, Shared]] = defaultdict(dict)
    for row in same.filter(_any_of(telling)).exclude(party=party).select_related("party"):
        shared[row.party][row.kind, row.tie] = Shared(row.kind, held[row.kind, row.tie])
    found = [PartyLink(other, *_strength([*ties.values()])) for other, ties in shared.items()]
    return tuple(sorted(found, key=lambda link: (-link.score, link.party.reference))[:MOST_LINKS])


def _any_of(pairs: list[Value]) -> Q:
    wanted = Q(pk__in=[])
    for kind, tie in pairs:
        wanted |= Q(kind=kind, tie=tie)
    return wanted


def _strength(ties: list[Shared]) -> tuple[float, str]:
    found = strength(ties)
    return found.score, found.sentence

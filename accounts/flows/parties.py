"""Put people and entities on file, and add what becomes known of them later (requirements R9-R13, R16, R17)."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from django.db.models import F

from accounts.events import location_changed
from accounts.flows import checking, links, stated, texts
from accounts.flows.stated import LONGEST_CODE
from accounts.flows.texts import BadField, Texts
from accounts.models import (
    Account,
    Address,
    ContactPoint,
    Identifier,
    IdentityDocument,
    Party,
    PartyName,
    PaymentMethod,
)
from accounts.models.party import AddressKind, ContactKind, NameKind, PartyKind
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.numbers import normalised
from accounts.rules.scripts import script_of
from accounts.verbs import Verb
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor

KIND_BY = "settle person or entity"
LONGEST_NAME, LONGEST_LINES, LONGEST_REGION = 300, 500, 60
MOST_NAMES = MOST_UNKEPT = 50
UNKEPT = {  # field of NewParty: how it is called, its kind of identifier, the fewest characters
    "ssh_keys": ("SSH keys", "ssh_key", 1),
    "devices": ("Registration devices", "device", links.SHORTEST_TOKEN),
}
OF_OTHERS = (AddressKind.CONTACT_PERSON, AddressKind.NEXT_OF_KIN)


def account_of(party: Party) -> Account | None:
    """The party's newest account: on its page, too, what happens to the party is told."""
    return Account.objects.filter(party=party).order_by("-created_at").first()


def locked(party: Party) -> Party:
    """The party's row, locked until the transaction ends; its accounts first, as every flow of an account takes them.

    Two people at one file wait for each other, and never in a ring.
    """
    list(Account.objects.select_for_update(of=("self",)).filter(party=party.pk).order_by("pk").only("pk"))
    return Party.objects.select_for_update(of=("self",)).get(pk=party.pk)


def touch(party: Party, *, at: datetime) -> None:
    """Note that data changed that is screened, so that the party is screened again (R35)."""
    Party.objects.filter(pk=party.pk).update(changed_at=at)
    party.changed_at = at


@dataclass(frozen=True)
class PartyDraft:
    """A new party, checked and put together but not written yet; `told` says what was masked in its texts."""

    party: Party
    names: list[PartyName]
    addresses: list[Address]
    contact_points: list[ContactPoint]
    payments: list[PaymentMethod]
    documents: list[IdentityDocument]
    identifiers: list[Identifier]
    email: str
    told: Texts


@flow
def add_party(new: NewParty, *, key: UUID | None = None, by: Actor, at: datetime) -> Party:
    """Put a party on file, under a given key if there is one. Raises BadField or BadNumber, naming the field."""
    drafted = draft(new, key=key, by_label=by.label, at=at)
    write([drafted])
    party = drafted.party
    audit.record(Verb.PARTY_ADDED, party, by=by, at=at, party=party.reference, kind=party.kind)
    drafted.told.record_masked(party, by=by, at=at)
    watch_kind(party, by=by, at=at)
    return party


def watch_kind(party: Party, *, by: Actor, at: datetime) -> None:
    """While nobody knows whether a party is a person or an entity a clock runs; it stops when that is settled."""
    if party.kind != PartyKind.UNDETERMINED:
        stop_clock(KIND_BY, party, by=by, at=at)
        return
    day = legal_day(at)
    start_clock(KIND_BY, party, figure="kind_settling_days", regime=regime_on(day), on=day, by=by, at=at)


def draft(new: NewParty, *, key: UUID | None = None, by_label: str, at: datetime) -> PartyDraft:
    """Check a new party and put its rows together; `by_label` says who puts its documents on file.

    Raises BadField or BadNumber, naming the field that is wrong.
    """
    told = Texts()
    new = checked(new, today=legal_day(at), told=told)
    party = Party(
        id=key or uuid4(), kind=new.kind, entity_type=new.entity_type, legal_name=new.legal_name,
        citizenship=new.citizenship, formation_country=new.formation_country, created_at=at, changed_at=at,
    )  # fmt: skip
    party.birth_date = new.birth_date.isoformat() if new.birth_date else ""
    party.registration_number, party.national_id = new.registration_number, new.national_id
    contacts = ((ContactKind.EMAIL, new.email), (ContactKind.PHONE, new.phone))
    return PartyDraft(
        party=party,
        names=[
            PartyName(party=party, kind=kind, name=name, script=script_of(name), added_at=at)
            for kind, name in new.names
        ],
        addresses=[_address(party, address, at) for address in new.addresses],
        contact_points=[
            ContactPoint(party=party, kind=kind, value=value, added_at=at) for kind, value in contacts if value
        ],
        payments=[stated.payment_row(party, payment, at=at) for payment in new.payments],
        documents=[stated.document_row(party, each, at=at, by_label=by_label) for each in new.documents],
        identifiers=links.identifiers(party, links.values_in(new), at=at),
        email=new.email,
        told=told,
    )


def write(drafts: Sequence[PartyDraft]) -> None:
    """Write new parties inside the caller's transaction, a table at a time; the caller records the events."""
    Party.objects.bulk_create([each.party for each in drafts])
    PartyName.objects.bulk_create([row for each in drafts for row in each.names])
    Address.objects.bulk_create([row for each in drafts for row in each.addresses])
    ContactPoint.objects.bulk_create([row for each in drafts for row in each.contact_points])
    PaymentMethod.objects.bulk_create([row for each in drafts for row in each.payments])
    IdentityDocument.objects.bulk_create([row for each in drafts for row in each.documents])
    Identifier.objects.bulk_create([row for each in drafts for row in each.identifiers])


def checked(new: NewParty, *, today: date, told: Texts | None = None) -> NewParty:
    """The party as it will be stored: texts checked, e-mail and telephone in one form, codes in capitals.

    Reads nothing from the database. Raises BadField or BadNumber, naming the field.
    """
    told = told or Texts()
    if len(new.names) > MOST_NAMES:
        raise BadField(f"There are more than {MOST_NAMES} further names. Enter those that matter for recognition.")
    _require_sense(new)
    return dataclasses.replace(
        new,
        **{name: _unkept(name, getattr(new, name)) for name in UNKEPT},
        kind=texts.chosen("Kind", new.kind, PartyKind),
        legal_name=texts.required("Legal name", told.line("Legal name", new.legal_name, LONGEST_NAME)),
        names=tuple(_checked_name(kind, name, told) for kind, name in new.names),
        citizenship=texts.country("Citizenship", new.citizenship),
        formation_country=texts.country("Country of formation", new.formation_country),
        entity_type=told.line("Entity type", new.entity_type, 60),
        birth_date=texts.past_day("Birth date", new.birth_date, today),
        registration_number=texts.code("Registration number", new.registration_number, LONGEST_CODE),
        national_id=texts.code("National identification number", new.national_id, LONGEST_CODE),
        email=_contact(ContactKind.EMAIL, new.email),
        phone=_contact(ContactKind.PHONE, new.phone),
        addresses=tuple(_checked_address(address, told) for address in new.addresses),
        payments=tuple(stated.checked_payment(payment, told) for payment in new.payments),
        documents=tuple(
            stated.checked_document(each, born=new.birth_date, today=today, told=told) for each in new.documents
        ),
    )


def _require_sense(new: NewParty) -> None:
    if new.kind == PartyKind.ENTITY and new.birth_date:
        raise BadField("Birth date is given, but the kind is entity. Leave the date out or correct the kind.")
    if new.kind == PartyKind.INDIVIDUAL and new.formation_country:
        raise BadField("Country of formation is given, but the kind is individual. Leave it out or correct the kind.")


def _checked_name(kind: str, name: str, told: Texts) -> tuple[str, str]:
    chosen = texts.chosen("Kind of name", kind, NameKind)
    return chosen, texts.required("Further name", told.line("Further name", name, LONGEST_NAME))


def _checked_address(address: NewAddress, told: Texts) -> NewAddress:
    kind = texts.chosen("Kind of address", address.kind, AddressKind)
    lines = told.lines("Address", address.lines, LONGEST_LINES)
    if kind != AddressKind.USE_LOCATION:  # of a place of use often no more than the country is known
        texts.required("Address", lines)
    contact_name = told.line("Name of the contact", address.contact_name, LONGEST_NAME)
    if kind in OF_OTHERS:  # R12: whose address it is belongs to the address
        texts.required("Name of the contact", contact_name)
    elif contact_name:
        raise BadField("Name of the contact is given, but the address is the party's own. Correct the kind of address.")
    return NewAddress(
        contact_name=contact_name,
        kind=kind,
        lines=lines,
        region=told.line("Region", address.region, LONGEST_REGION),
        country=texts.required("Country of the address", texts.country("Country of the address", address.country)),
    )


def _contact(kind: str, value: str) -> str:
    return normalised(kind, value) if texts.code(ContactKind(kind).label.capitalize(), value, 300) else ""


def _unkept(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Values of which only fingerprints are kept, in the form that is compared."""
    title, kind, shortest = UNKEPT[name]
    if len(values) > MOST_UNKEPT:
        raise BadField(f"{title}: there are more than {MOST_UNKEPT}. Give those in use.")
    if any(len(value.strip()) < shortest for value in values):
        raise BadField(f"{title}: one has fewer than {shortest} characters, as strangers' have too. Leave it out.")
    return tuple(dict.fromkeys(normalised(kind, value) for value in values))


def _address(party: Party, address: NewAddress, at: datetime) -> Address:
    return Address(
        party=party, kind=address.kind, lines=address.lines, region=address.region, country=address.country,
        contact_name=address.contact_name, added_at=at,
    )  # fmt: skip


@flow
def add_name(party: Party, *, kind: str, name: str, by: Actor, at: datetime) -> PartyName:
    """Add a further name of a party (R10); it is screened with the others."""
    party, told = locked(party), Texts()
    kind, name = _checked_name(kind, name, told)
    if party.names.filter(kind=kind, name=name).exists():
        raise BadField("Further name is on file already. Nothing needs to be added.")

    row = PartyName.objects.create(party=party, kind=kind, name=name, script=script_of(name), added_at=at)
    _changed(party, told, Verb.NAME_ADDED, (), by=by, at=at, kind=kind)
    return row


@flow
def add_address(party: Party, *, address: NewAddress, by: Actor, at: datetime) -> Address:
    """Add an address (R11, R12); the first one in another country is a change of location (R46)."""
    party, told = locked(party), Texts()
    address = _checked_address(address, told)
    known = set(party.addresses.values_list("country", flat=True))
    row = _address(party, address, at)
    row.save(force_insert=True)
    values = links.values_of_address(address)
    _changed(party, told, Verb.ADDRESS_ADDED, values, by=by, at=at, kind=address.kind, country=address.country)
    if known and address.country not in known:
        location_changed.send(sender=Address, party=party, by=by, at=at)
    return row


@flow
def add_contact(party: Party, *, kind: str, value: str, by: Actor, at: datetime) -> ContactPoint:
    """Add an e-mail address or telephone number (R16, R17); notices go to the newest e-mail address."""
    party = locked(party)
    kind = texts.chosen("Kind of contact", kind, ContactKind)
    value = texts.required(ContactKind(kind).label.capitalize(), _contact(kind, value))
    row = ContactPoint.objects.create(party=party, kind=kind, value=value, added_at=at)
    _changed(party, Texts(), Verb.CONTACT_ADDED, links.values_of_contact(kind, value), by=by, at=at, kind=kind)
    return row


def _changed(party, told: Texts, verb: Verb, values: Iterable, *, by: Actor, at: datetime, **facts) -> None:
    """What follows every addition: screening is due again, fingerprints are kept, the event is written."""
    touch(party, at=at)
    links.remember(party, values, at=at)
    audit.record(verb, party, by=by, at=at, within=account_of(party), party=party.reference, **facts)
    told.record_masked(party, by=by, at=at)
    checking.look_again(party, by=by, at=at)


def primary_email(party: Party) -> str:
    """The newest e-mail address in clear text, for a notice; "" when there is none."""
    emails = ContactPoint.objects.filter(party_id=party.pk, kind=ContactKind.EMAIL)
    row = emails.order_by(F("added_at").desc(nulls_last=True), "pk").first()
    return row.value.reveal() if row and row.value else ""

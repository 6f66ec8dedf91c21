"""What is still missing before an account can be opened (requirements R8-R17, R20-R22)."""

import dataclasses
from collections.abc import Iterable
from datetime import date

from accounts.flows.account_file import AccountFile
from accounts.flows.ownership import OwnersAbove
from accounts.models import Account, Address, IdentityDocument, Party
from accounts.models.identity import PaymentKind
from accounts.models.party import ContactKind, PartyKind
from accounts.rules.documents import expired_on
from accounts.rules.elements import IdentityFacts, Missing, missing_elements
from accounts.rules.us_status import needs_identity_checks

# Means that say nothing of who pays are taken with an explanation (R15); the rule knows them as "other".
EXPLAINED_KINDS = {PaymentKind.PREPAID: "other", PaymentKind.MARKETPLACE: "other"}
OWNERS_ONLY = frozenset({"owners", "owners_certification"})
# What is asked of an owner as of a customer (R9, R21); means of payment and contacts are the customer's.
OF_OWNERS = frozenset({"legal_name", "address", "birth_date", "national_id", "identity_document"})


def missing_for(account: Account, *, on: date) -> tuple[Missing, ...]:
    """The gaps between what is on file and what the regime of the day asks for; see `missing_in`."""
    return missing_in(AccountFile(account, on))


def missing_in(file: AccountFile) -> tuple[Missing, ...]:
    """The gaps of the customer and of the foreign owners.

    Of a U.S. customer whose owners are all U.S. persons nothing more is asked than who the owners are (R8).
    Raises TooTangled.
    """
    elements, party, owners = file.regime.elements, file.account.party, file.owners
    if owners and not needs_identity_checks(party.is_us, tuple(owner.is_us for owner in owners)):
        return ()

    gaps = list(missing_elements(_facts(file), elements if not party.is_us else elements & OWNERS_ONLY))
    for owner in owners:
        if not owner.is_us:
            gaps += [_of_owner(gap, owner) for gap in missing_elements(_in_file(file, owner), elements & OF_OWNERS)]
    return tuple(gaps)


def missing_of(party: Party, account: Account | None, *, above: OwnersAbove) -> tuple[Missing, ...]:
    """The gaps of one party by itself: of the customer of `account`, or without one of somebody who owns.

    Nothing is asked for an account that has ended, of a company in between or of a U.S. person who owns (R8, R21).
    `above` is who stands above the party on the day. Raises TooTangled.
    """
    if account is not None:
        file = AccountFile(account, above.on, above)
        return () if account.has_ended else tuple(gap for gap in missing_in(file) if not gap.owner)
    if party.is_us or party.kind != PartyKind.INDIVIDUAL:
        return ()
    facts = _stated(party, party.addresses.all(), party.documents.all(), above.on)
    return missing_elements(facts, above.regime.elements & OF_OWNERS)


def _of_owner(gap: Missing, owner: Party) -> Missing:
    sentence = f"Owner {owner.reference}: {gap.sentence}"
    return dataclasses.replace(gap, code=f"owner_{gap.code}", sentence=sentence, owner=owner.reference)


def _in_file(file: AccountFile, party: Party) -> IdentityFacts:
    addresses = [each for each in file.addresses if each.party_id == party.pk]
    documents = [each for each in file.documents if each.party_id == party.pk]
    return _stated(party, addresses, documents, file.on)


def _stated(
    party: Party, addresses: Iterable[Address], documents: Iterable[IdentityDocument], on: date
) -> IdentityFacts:
    """What is asked of an owner as of a customer."""
    return IdentityFacts(
        kind=party.kind,
        has_legal_name=bool(party.legal_name),
        address_kinds=frozenset(each.kind for each in addresses),
        formation_country=str(party.formation_country),
        has_registration_number=bool(party.registration_number),
        documents=tuple(
            each.kind for each in documents if each.shows_something and not expired_on(each.expires_on, on)
        ),
        has_birth_date=bool(party.birth_date) or party.kind == PartyKind.ENTITY,
        has_national_id=bool(party.national_id) or bool(party.registration_number),
    )


def _facts(file: AccountFile) -> IdentityFacts:
    """What is asked of the customer, means of payment, contacts and owners included."""
    contacts, payments = {each.kind for each in file.contact_points}, file.payments
    return dataclasses.replace(
        _in_file(file, file.account.party),
        has_email=ContactKind.EMAIL in contacts,
        has_phone=ContactKind.PHONE in contacts,
        payment_kinds=frozenset(
            EXPLAINED_KINDS.get(payment.kind, payment.kind) for payment in payments if payment.says_something
        ),
        payment_explained=any(
            payment.source for payment in payments if payment.kind in {*EXPLAINED_KINDS, PaymentKind.NONE}
        ),
        has_payment_source=any(payment.source or (payment.institution and payment.identifier) for payment in payments),
        has_payment_holder=any(payment.holder for payment in payments),
        owners_named=len(file.owners),
        owners_certified=any(day <= file.on for day in file.certified_on),
    )

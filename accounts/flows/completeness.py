"""What is still missing before an account can be opened (requirements R8-R17, R20-R22)."""

import dataclasses
from datetime import date
from uuid import UUID

from accounts.flows import ownership
from accounts.models import Account, Party
from accounts.models.identity import PaymentKind, PaymentMethod
from accounts.models.party import ContactKind, PartyKind
from accounts.rules.elements import IdentityFacts, Missing, missing_elements
from accounts.rules.us_status import needs_identity_checks
from kyc_portal.policy.current import regime_on

# Means that say nothing of who pays are taken with an explanation (R15); the rule knows them as "other".
EXPLAINED_KINDS = {PaymentKind.PREPAID: "other", PaymentKind.MARKETPLACE: "other"}
OWNERS_ONLY = frozenset({"owners", "owners_certification"})
# What is asked of an owner as of a customer (R9, R21); means of payment and contacts are the customer's.
OF_OWNERS = frozenset({"legal_name", "address", "birth_date", "national_id", "identity_document"})


def missing_for(account: Account, *, on: date) -> tuple[Missing, ...]:
    """The gaps between what is on file and what the regime of the day asks for, those of foreign owners included.

    Of a U.S. customer whose owners are all U.S. persons nothing more is asked than who the owners are (R8).
    Raises TooTangled.
    """
    regime, party = regime_on(on), account.party
    owners = _owners(party, on, regime)
    facts = _facts(party, on, owners_named=len(owners), owners_certified=_certified(account, on))
    if not needs_identity_checks(party.is_us, tuple(owner.is_us for owner in owners)):
        return missing_elements(facts, regime.elements & OWNERS_ONLY) if not owners else ()

    gaps = list(missing_elements(facts, regime.elements if not party.is_us else regime.elements & OWNERS_ONLY))
    for owner in owners:
        if not owner.is_us:
            gaps += [_of_owner(gap, owner) for gap in missing_elements(_facts(owner, on), regime.elements & OF_OWNERS)]
    return tuple(gaps)


def _owners(party: Party, on: date, regime) -> list[Party]:
    keys = [UUID(owner.owner) for owner in ownership.owners_of(party, on=on, regime=regime)]
    return list(Party.objects.filter(pk__in=keys).order_by("legal_name", "pk")) if keys else []


def _of_owner(gap: Missing, owner: Party) -> Missing:
    return dataclasses.replace(gap, code=f"owner_{gap.code}", sentence=f"Owner {owner.reference}: {gap.sentence}")


def _certified(account: Account, on: date) -> bool:
    return account.ownership_certifications.filter(signed_on__lte=on).exists()


def _facts(party: Party, on: date, *, owners_named: int = 0, owners_certified: bool = False) -> IdentityFacts:
    payments = list(PaymentMethod.objects.filter(party=party, ended_at__isnull=True))
    contacts = set(party.contact_points.values_list("kind", flat=True))
    in_force = party.documents.exclude(expires_on__lt=on)
    return IdentityFacts(
        kind=party.kind,
        has_legal_name=bool(party.legal_name),
        address_kinds=frozenset(party.addresses.values_list("kind", flat=True)),
        has_email=ContactKind.EMAIL in contacts,
        has_phone=ContactKind.PHONE in contacts,
        payment_kinds=frozenset(EXPLAINED_KINDS.get(payment.kind, payment.kind) for payment in payments),
        payment_explained=any(
            payment.source for payment in payments if payment.kind in {*EXPLAINED_KINDS, PaymentKind.NONE}
        ),
        has_payment_source=any(payment.source or (payment.institution and payment.identifier) for payment in payments),
        has_payment_holder=any(payment.source for payment in payments),
        formation_country=str(party.formation_country),
        has_registration_number=bool(party.registration_number),
        owners_named=owners_named,
        owners_certified=owners_certified,
        documents=tuple(in_force.values_list("kind", flat=True)),
        has_birth_date=bool(party.birth_date) or party.kind == PartyKind.ENTITY,
        has_national_id=bool(party.national_id) or bool(party.registration_number),
    )

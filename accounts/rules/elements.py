"""Which identifying data are still missing (requirements R10-R17, R19, R20, R22; proposed 7.302)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from accounts.rules.documents import suits
from accounts.rules.parties import BOTH, EVERYBODY, INDIVIDUALS, PartyKind

# Which address counts, the first that is there; a box or somebody else's address only for a person without their own
# (R11, R12; 31 CFR 1020.220(a)(2)(i)(A)(3) as the pattern).
PERSON_ADDRESSES = ("residence", "business", "apo_fpo", "next_of_kin", "contact_person")
ENTITY_ADDRESSES = ("principal", "local_office", "business")
FALL_BACKS = frozenset({"apo_fpo", "next_of_kin", "contact_person"})
PAYMENT_TO_EXPLAIN = frozenset({"other", "none"})


@dataclass(frozen=True)
class IdentityFacts:
    """What is on file about one party, as plain values; `documents` holds document kinds."""

    kind: str
    has_legal_name: bool = False
    address_kinds: frozenset[str] = frozenset()
    has_email: bool = False
    has_phone: bool = False
    payment_kinds: frozenset[str] = frozenset()
    payment_explained: bool = False
    has_payment_source: bool = False
    has_payment_holder: bool = False
    formation_country: str = ""
    has_registration_number: bool = False
    owners_named: int = 0
    owners_certified: bool = False
    documents: tuple[str, ...] = ()
    has_birth_date: bool = False
    has_national_id: bool = False
    self_certified: bool = False


@dataclass(frozen=True)
class Missing:
    """One gap: its element and a sentence that says what to add.

    `owner` is the reference of the owner it is about, "" for the customer.
    """

    code: str
    sentence: str
    owner: str = ""


@dataclass(frozen=True)
class Element:
    """One element a regime may ask for: for whom, how to tell it is there, what to say when it is not."""

    code: str
    kinds: frozenset[str]
    sentence: str
    present: Callable[[IdentityFacts], bool]


def fitting_addresses(kind: str) -> tuple[str, ...]:
    """The kinds of address that may count for a kind of party, the one that counts first in front (R11, R12)."""
    orders = {PartyKind.INDIVIDUAL: PERSON_ADDRESSES, PartyKind.ENTITY: ENTITY_ADDRESSES}
    return orders.get(kind, tuple(dict.fromkeys((*ENTITY_ADDRESSES, *PERSON_ADDRESSES))))


def address_relied_on(kind: str, there: Collection[str]) -> str:
    """The kind of address that counts among those on file, "" when none does (R11, R12)."""
    return next((each for each in fitting_addresses(kind) if each in there), "")


def _has_address(facts: IdentityFacts) -> bool:
    return bool(address_relied_on(facts.kind, facts.address_kinds))


def _has_payment(facts: IdentityFacts) -> bool:
    plain = facts.payment_kinds - PAYMENT_TO_EXPLAIN
    return bool(plain or (facts.payment_kinds and facts.payment_explained))


def _has_payment_source(facts: IdentityFacts) -> bool:
    return facts.has_payment_source or (facts.payment_kinds == {"none"} and facts.payment_explained)


def _has_identity_document(facts: IdentityFacts) -> bool:
    return any(suits(document, facts.kind) for document in facts.documents)


MAYBE_ENTITIES = EVERYBODY - INDIVIDUALS  # owners are asked of whoever may turn out to be an entity

ELEMENTS = (
    Element("legal_name", EVERYBODY, "The full legal name is missing. Add it.", lambda f: f.has_legal_name),
    Element(
        "address",
        EVERYBODY,
        "No street address is on file. Add the residence of a person or the place of business of an entity.",
        _has_address,
    ),
    Element(
        "use_location",
        EVERYBODY,
        "It is not said from where the product is used. Add at least one place of use.",
        lambda f: "use_location" in f.address_kinds,
    ),
    Element("email", EVERYBODY, "No e-mail address is on file. Add one.", lambda f: f.has_email),
    Element("phone", EVERYBODY, "No telephone number is on file. Add one.", lambda f: f.has_phone),
    Element(
        "payment",
        EVERYBODY,
        "No means of payment is on file, or an unusual one is not explained. Add it with its explanation.",
        _has_payment,
    ),
    Element(
        "payment_source",
        EVERYBODY,
        "The source of payment is missing. Add the institution and the identifier the payment comes from.",
        _has_payment_source,
    ),
    Element(
        "payment_holder",
        EVERYBODY,
        "It is not said who holds the payment account. Add the holder.",
        lambda f: f.has_payment_holder,
    ),
    Element(
        "formation_country",
        MAYBE_ENTITIES,
        "The jurisdiction under whose law the entity was formed is missing. Add it.",
        lambda f: bool(f.formation_country),
    ),
    Element(
        "registration_number",
        MAYBE_ENTITIES,
        "The number in the business register is missing. Add it.",
        lambda f: f.has_registration_number,
    ),
    Element(
        "owners",
        MAYBE_ENTITIES,
        "No beneficial owner is named. Add everybody who owns or controls enough of the entity.",
        lambda f: f.owners_named > 0,
    ),
    Element(
        "owners_certification",
        MAYBE_ENTITIES,
        "Nobody has certified the list of beneficial owners. Ask the person who opens the account to sign it.",
        lambda f: f.owners_certified,
    ),
    Element("birth_date", INDIVIDUALS, "The date of birth is missing. Add it.", lambda f: f.has_birth_date),
    Element(
        "national_id",
        EVERYBODY,
        "No national identification number is on file. Add the number and the country that gave it.",
        lambda f: f.has_national_id,
    ),
    Element(
        "identity_document",
        EVERYBODY,
        "No document that proves this identity is on file. Add one that fits a person or an entity.",
        _has_identity_document,
    ),
    Element(
        "self_certification",
        EVERYBODY,
        "The self-certification is not signed. Ask the customer for it.",
        lambda f: f.self_certified,
    ),
)

CODES = frozenset(element.code for element in ELEMENTS)


def missing_elements(facts: IdentityFacts, required: frozenset[str]) -> tuple[Missing, ...]:
    """Return the gaps between what is on file and what the regime requires, in the order of the page.

    `required` holds element codes; one that does not apply to this kind of party is passed over. A party
    whose kind is undetermined always has that gap first. Raises ValueError for an unknown code, since a
    misspelt requirement would otherwise never be asked for.
    """
    if unknown := required - CODES:
        raise ValueError(f"Unknown element codes: {sorted(unknown)}")

    gaps = []
    if facts.kind not in BOTH:
        gaps.append(Missing("kind", "It is not settled whether this is a person or an entity. Settle it."))
    for element in ELEMENTS:
        asked = element.code in required and facts.kind in element.kinds
        if asked and not element.present(facts):
            gaps.append(Missing(element.code, element.sentence))
    return tuple(gaps)

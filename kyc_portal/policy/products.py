"""The catalogue of products: which are IaaS, and what a limited account may do with each (EO 13984, section 5).

One person proposes a version, another puts it in force; earlier ones stay.
"""

import re
from datetime import datetime

from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.policy.lifecycle import Lifecycle
from kyc_portal.policy.models import Citation, Product, ProductState
from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
MOVES = Lifecycle(
    {
        ProductState.PROPOSED: [ProductState.IN_FORCE, ProductState.DECLINED, ProductState.WITHDRAWN],
        ProductState.IN_FORCE: [ProductState.REPLACED],
        ProductState.REPLACED: [],
        ProductState.DECLINED: [],
        ProductState.WITHDRAWN: [],
    },
    dict(ProductState.choices),
)


class BadProduct(Refusal):
    """The version cannot be proposed as it was stated."""


class AlreadyAnswered(Refusal):
    """The proposal was countersigned, declined or withdrawn before."""


class NotYours(Refusal):
    """A proposal is withdrawn by whoever made it."""


@flow
def propose(
    *, code: str, title: str, is_iaas: bool, why: str, citation: Citation, is_offered: bool = True,
    limited_may_start: bool, limited_may_use: bool, by: Actor, at: datetime,
) -> Product:  # fmt: skip
    """State the next version of a product, or a new product; it counts once somebody else countersigns.

    `code` is what other systems ask by: small letters, digits and hyphens. Raises BadProduct.
    """
    if not CODE.fullmatch(code):
        raise BadProduct("The code has small letters, digits and hyphens and begins with a letter, such as compute.")
    if not title.strip() or not why.strip():
        raise BadProduct("Say what the product is, and why it is or is not within the definition.")
    if limited_may_start and not limited_may_use:
        raise BadProduct("An account that may start the product must be able to use it. Tick both, or neither.")
    if waiting := Product.objects.filter(code=code, state=ProductState.PROPOSED).first():
        raise BadProduct(f"{waiting.reference} waits for its second signature. Withdraw or decline it first.")
    product = Product.objects.create(
        code=code, title=title.strip(), is_iaas=is_iaas, why=why.strip(), citation=citation, is_offered=is_offered,
        limited_may_start=limited_may_start, limited_may_use=limited_may_use, proposed_at=at, proposed_by=by.label,
        proposed_by_key=person_key(by),
    )  # fmt: skip
    audit.record(Verb.PRODUCT_PROPOSED, product, by=by, at=at, what=code, row=product.reference)
    return product


@flow
def countersign(product: Product, *, by: Actor, at: datetime) -> Product:
    """Put a proposed version in force in place of the former. Raises AlreadyAnswered, SecondPersonNeeded."""
    product = _waiting(product)
    require_second_person(product.proposed_by_key, by, deed=product.reference)
    former = Product.objects.select_for_update().in_force().filter(code=product.code).first()
    if former is not None:
        MOVES.require(former.state, ProductState.REPLACED)
        former.state = ProductState.REPLACED.value
        former.save(update_fields=["state"])
    _answer(product, ProductState.IN_FORCE, by, at)
    facts = {"what": product.code, "row": product.reference, "earlier": former.reference if former else "none"}
    audit.record(Verb.PRODUCT_IN_FORCE, product, by=by, at=at, **facts)
    return product


@flow
def decline(product: Product, *, by: Actor, at: datetime) -> Product:
    """Do not countersign. Raises AlreadyAnswered, SecondPersonNeeded."""
    product = _waiting(product)
    require_second_person(product.proposed_by_key, by, deed=product.reference)
    return _end(product, ProductState.DECLINED, by, at)


@flow
def withdraw(product: Product, *, by: Actor, at: datetime) -> Product:
    """Take back one's own proposal. Raises AlreadyAnswered, NotYours."""
    product = _waiting(product)
    if person_key(by) != product.proposed_by_key:
        raise NotYours(f"{product.proposed_by} proposed this. Decline it instead, or ask them to withdraw it.")
    return _end(product, ProductState.WITHDRAWN, by, at)


def _waiting(product: Product) -> Product:
    product = Product.objects.select_for_update(of=("self",)).get(pk=product.pk)
    if product.state != ProductState.PROPOSED:
        who = product.answered_by or product.proposed_by
        raise AlreadyAnswered(f"{product.reference} is {product.get_state_display()}; last signed by {who}.")
    return product


def _answer(product: Product, state: ProductState, by: Actor, at: datetime) -> None:
    MOVES.require(product.state, state)
    product.state, product.answered_at, product.answered_by = state.value, at, by.label
    product.save(update_fields=["state", "answered_at", "answered_by"])


def _end(product: Product, state: ProductState, by: Actor, at: datetime) -> Product:
    _answer(product, state, by, at)
    facts = {"what": product.code, "row": product.reference, "state": state.value}
    audit.record(Verb.PRODUCT_ENDED, product, by=by, at=at, **facts)
    return product

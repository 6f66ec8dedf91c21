"""What other systems are told of an account: asked in one query, and told on when it changes (R39-R41).

The rows decide, whoever changed them: receivers.py names each account of which a state or a restriction was written,
and at the end of the flow that wrote it the answer is compared with the one told last, in the same transaction.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Exists, FilteredRelation, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from accounts import events
from accounts.models import AccessAnswer, Account, CouldNotVerify, Restriction, Verification
from accounts.rules.access_answer import ANY_PRODUCT, NOT_OPEN, Decided, ProductTerms, Standing, decide
from accounts.verbs import Verb
from kyc_portal.policy.current import number_on
from kyc_portal.policy.models import Product
from kyc_portal.records import audit
from kyc_portal.records.acting import at_end_of_flow, flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work.failures import sweep

FIGURE, SWEEP = "access_answer_seconds", "accounts.access_answer"
UNTOLD = ("deny", [NOT_OPEN])  # of an account without a row: it never was in use
COLUMNS = ("reference", "level", "reason", "public_wording", "applied_at", "until")


@dataclass(frozen=True)
class Told:
    """What one question is answered: `decided` for this product, by which version of the catalogue, for how long."""

    account: str
    product: str
    decided: Decided
    number: int
    catalogue: dict
    seconds: int


@dataclass(frozen=True)
class AccessChange:
    """The answer of one account as it was and as it is; no personal data."""

    account: str
    old: str
    old_codes: tuple[str, ...]
    new: str
    new_codes: tuple[str, ...]
    number: int


# --- asked ------------------------------------------------------------------------------------------------------------


def answer_for(rows: models.QuerySet, *, reference: str, product: str, at: datetime) -> Told | None:
    """The answer for one of these accounts and a product's code, in one query; None for an account not among them.

    A product that the catalogue does not know gives a Told whose `catalogue` is empty; nothing may be concluded of it.
    """
    found = list(_question(rows, reference, product, at))
    if not found:
        return None
    first = found[0]
    catalogue = _decoded(first["catalogue"])
    terms = ProductTerms(**{name: bool(catalogue[name]) for name in vars(ANY_PRODUCT)}) if catalogue else ANY_PRODUCT
    standing = [
        Standing(**{name: row[f"standing__{name}"] for name in COLUMNS}, is_doubt=row["is_doubt"])
        for row in found
        if row["standing__reference"] is not None
    ]
    decided = decide(first["status"], standing, at=at, product=terms)
    return Told(reference, product, decided, first["access_answer__number"] or 0, catalogue, int(first["seconds"] or 0))


def _question(rows: models.QuerySet, reference: str, product: str, at: datetime) -> models.QuerySet:
    """The account with a row for each restriction that nobody lifted, the product and how long an answer keeps."""
    in_force = Product.objects.in_force().filter(code=product)
    told = JSONObject(
        reference="reference", is_iaas="is_iaas", citation="citation__text", standing="citation__standing",
        **{name: name for name in vars(ANY_PRODUCT)},
    )  # fmt: skip
    return (
        rows.filter(reference=reference)
        .annotate(standing=FilteredRelation("restrictions", condition=Q(restrictions__lifted_at__isnull=True)))
        .annotate(is_doubt=_in_doubt("standing__basis", "pk"))
        .annotate(catalogue=Subquery(in_force.annotate(told=told).values("told")))
        .annotate(seconds=Subquery(number_on(FIGURE, legal_day(at))))
        .order_by()
        .values(
            "status", "access_answer__number", "is_doubt", "catalogue", "seconds",
            *(f"standing__{name}" for name in COLUMNS),
        )
    )  # fmt: skip


def _decoded(found) -> dict:
    """The product as the database gave it; SQLite hands its text over."""
    return json.loads(found) if isinstance(found, str) else found or {}


def _in_doubt(basis: str, account: str) -> Q:
    """Whether the verification a restriction rests on is not concluded, or what was chosen after it stands."""
    rests = {"reference": OuterRef(basis), "account": OuterRef(account)}
    return Exists(Verification.objects.unfinished().filter(**rests)) | Exists(
        CouldNotVerify.objects.in_effect().filter(**rests)
    )


# --- told on ----------------------------------------------------------------------------------------------------------


def note_written(account: UUID, *, by: Actor) -> None:
    """A state or restriction of this account was written: compare its answer when the flow is at its end."""
    at_end_of_flow(compare, account, by=by)


@flow
def compare(accounts: Iterable[UUID], *, by: Actor, at: datetime, is_look: bool = False) -> list[AccessChange]:
    """Write down and announce each answer that is another than was told last; the announcement is in the transaction.

    `is_look`: time may have changed it and nothing else did, so that an event has to say why its row is written.
    """
    locked = Account.objects.select_for_update(of=("self",)).select_related("access_answer")
    rows = list(locked.filter(pk__in=sorted(accounts)).order_by("pk"))
    standing = _standing_of([account.pk for account in rows])
    changes, new, looks = [], [], []
    for account in rows:
        decided = decide(account.status, standing[account.pk], at=at)
        row = getattr(account, "access_answer", None)
        change = _change(account, row, decided)
        if change is None and row is not None and row.look_at == decided.valid_until:
            continue
        if row is None:
            if change is None:
                continue
            row = AccessAnswer(account=account, number=0, changed_at=at)
            new.append(row)
        else:
            looks.append(row)
        row.look_at = decided.valid_until
        if change is not None:
            row.answer, row.codes, row.number, row.changed_at = change.new, list(change.new_codes), change.number, at
            changes.append(change)
        if is_look:
            facts = {"account": account.reference, "answer": row.answer}
            audit.record(Verb.ACCESS_LOOKED_AT, account, by=by, at=at, **facts)
    AccessAnswer.objects.bulk_create(new, batch_size=500)
    AccessAnswer.objects.bulk_update(looks, ["answer", "codes", "number", "changed_at", "look_at"], batch_size=500)
    if changes:
        events.access_changed.send(sender=AccessAnswer, changes=changes, by=by, at=at)
    return changes


def _standing_of(accounts: list[UUID]) -> dict[UUID, list[Standing]]:
    rows = Restriction.objects.in_force().filter(account__in=accounts).annotate(doubt=_in_doubt("basis", "account"))
    found: dict[UUID, list[Standing]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(Standing(**{name: getattr(row, name) for name in COLUMNS}, is_doubt=row.doubt))
    return found


def _change(account: Account, row: AccessAnswer | None, decided: Decided) -> AccessChange | None:
    old, old_codes = (row.answer, row.codes) if row is not None else UNTOLD
    if (old, old_codes) == (decided.answer.value, list(decided.codes)):
        return None
    number = (row.number if row is not None else 0) + 1
    return AccessChange(account.reference, old, tuple(old_codes), decided.answer.value, decided.codes, number)


# --- each minute ------------------------------------------------------------------------------------------------------


def look_again(*, at: datetime, by: Actor = SCHEDULER, most: int = 500) -> dict[str, int]:
    """Each minute: compare the answers that time may have changed, each in its own transaction; may be repeated."""
    due = AccessAnswer.objects.due(at).order_by("look_at", "pk")[:most]
    return sweep(SWEEP, due, lambda row: compare({row.account_id}, by=by, at=at, is_look=True), at=at)

"""What tests of “could not be verified” share: attempts that failed, outcomes, requests for redress."""

from datetime import timedelta

from accounts.flows import (
    customer_links,
    objections,
    redress,
    unverified,
    verification,
)
from accounts.models import CouldNotVerify, CustomerLink, Objection, Verification
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.records.refs import Actor
from tests.conftest import NOON

DAY = NOON.date()
LATER = NOON + timedelta(hours=1)
THIRD = Actor(kind="person", key="third", label="theo")


def could_not(account, *, by, at=NOON, party=None) -> Verification:
    """A verification that ended as “could not be verified”."""
    attempt = verification.start(account, party or account.party, trigger="doubt", by=by, at=at)
    for _ in range(2):
        attempt = verification.conclude(attempt, verified=False, reason="No source knows them.", by=by, at=at)
    return attempt


def propose(attempt, outcome, *, by, at=LATER, reason="no_source", explanation="Three sources, no answer."):
    return unverified.propose(attempt, outcome=outcome, reason=reason, explanation=explanation, by=by, at=at)


def put(account, outcome, *, by, second=None, at=NOON) -> CouldNotVerify:
    """An outcome in effect."""
    row = propose(could_not(account, by=by, at=at), outcome, by=by, at=at)
    return unverified.countersign(row, by=second, at=at) if second else row


def prove(account, *, by, at) -> Verification:
    attempt = verification.start(account, account.party, trigger="doubt", by=by, at=at)
    verification.record_method(
        attempt, method="public_database", result="match", matched=["legal_name"], source="register", by=by, at=at
    )
    return verification.conclude(attempt, verified=True, reason="Agrees.", by=by, at=at)


def levels(account) -> set[tuple[str, str]]:
    return set(account.restrictions.in_force().values_list("level", "basis"))


def told(kind: str) -> list[str]:
    return [" ".join(wording_of(each)) for each in Notice.objects.filter(kind=kind).order_by("queued_at")]


def ask(row, *, at=LATER, text="It is me.") -> Objection:
    link = CustomerLink.objects.filter(account=row.account).latest("issued_at")
    return objections.raise_objection(link, text=text, by=customer_links.as_customer(link), at=at)


def reply(asked, answer, *, by=THIRD, at=LATER, why="Looked at the whole file."):
    return redress.answer(asked, answer=answer, why=why, by=by, at=at)

"""Parties that share something, for the tests of the link graph."""

from accounts.flows.links import remember
from accounts.models import Account, Identifier, Party, RestrictedCustomer, RetainedFingerprint
from tests.builders import make_account
from tests.conftest import NOON


def tie(kind: str, value: str, *parties: Party) -> None:
    """Let these parties share one value."""
    for party in parties:
        remember(party, [(kind, value)], at=NOON)


def remembered(like: Party, reference: str = "ACC-0LD0-0001", reason: str = "terms_broken") -> RestrictedCustomer:
    """A purged customer of whom fingerprints are left: those that a party has now."""
    customer = RestrictedCustomer.objects.create(reference=reference, reason=reason, remembered_on=NOON.date())
    for row in Identifier.objects.filter(party=like):
        RetainedFingerprint.objects.create(customer=customer, kind=row.kind, digest=row.digest)
    return customer


def a_campaign(others: int = 4) -> list[Account]:
    """A customer, others each sharing a card of their own with it, every second one a telephone with the next."""
    first = make_account(legal_name="Northwind Trading")
    made = [first]
    for n in range(others):
        made.append(make_account(legal_name=f"Contoso Holding {n}"))
        tie("card", f"tok_4000{n:08d}", first.party, made[-1].party)
    for n in range(1, others, 2):
        tie("phone", f"+4915112345{n:03d}", made[n].party, made[n + 1].party)
    return made

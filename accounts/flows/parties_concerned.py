"""Who stands behind an account, and whose identity must be verified (R7, R8, R21, R25)."""

from datetime import date
from uuid import UUID

from accounts.flows import ownership
from accounts.models import Account, Party, Verification
from accounts.rules.us_status import needs_identity_checks
from accounts.rules.verifying import VerificationStatus
from kyc_portal.records.clock import legal_day


def keys_concerned(account: Account, *, on: date) -> set[UUID]:
    """The keys of the customer and of everybody who holds something in it, directly or through others."""
    above = ownership.stakes_above(account.party, on)
    return {account.party_id} | {UUID(stake.owner) for stake in above}


def everybody(account: Account, *, on: date) -> list[Party]:
    """The customer first, then all holders by name, U.S. persons and companies in between included."""
    found = Party.objects.filter(pk__in=keys_concerned(account, on=on)).order_by("legal_name", "pk")
    return sorted(found, key=lambda party: party.pk != account.party_id)


def beneficial_owners(account: Account, *, on: date) -> list[Party]:
    """The individuals who own or control enough of the customer under the regime of the day."""
    keys = [UUID(owner.owner) for owner in ownership.owners_of(account.party, on=on)]
    return list(Party.objects.filter(pk__in=keys).order_by("legal_name", "pk"))


def parties_to_verify(account: Account, *, on: date) -> list[Party]:
    """The customer if foreign, and each foreign beneficial owner; nobody when all of them are U.S. persons (R8).

    A U.S. customer with a foreign owner: the owner is verified, the customer is not.
    """
    customer, owners = account.party, beneficial_owners(account, on=on)
    if not needs_identity_checks(customer.is_us, tuple(owner.is_us for owner in owners)):
        return []
    return [party for party in (customer, *owners) if not party.is_us]


def verified_parties(account: Account, *, since: date | None = None) -> set[UUID]:
    """Whose newest attempt for this account ended as verified; with `since`, only attempts begun on that day or later.

    An attempt still in progress leaves the earlier result standing; one that failed does not.
    """
    attempts = Verification.objects.filter(account=account).exclude(status=VerificationStatus.IN_PROGRESS.value)
    newest = {}
    for party, status, started_at in attempts.order_by("started_at").values_list("party_id", "status", "started_at"):
        newest[party] = (status, legal_day(started_at))
    return {
        party
        for party, (status, begun_on) in newest.items()
        if status == VerificationStatus.VERIFIED and (since is None or begun_on >= since)
    }


def unverified_parties(account: Account, *, on: date, since: date | None = None) -> list[Party]:
    """Who must be verified and is not; with `since`, who was not verified anew since that day."""
    verified = verified_parties(account, since=since)
    return [party for party in parties_to_verify(account, on=on) if party.pk not in verified]

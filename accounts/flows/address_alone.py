"""What one person does by hand never rests on an address alone either (R18, R37, R41)."""

from datetime import datetime

from accounts.flows import intake
from accounts.models import Account, RiskSignal, Verification
from accounts.rules.verdicts import DOUBTED, NEEDS_GROUNDS, only_addresses
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class AddressAlone(Refusal):
    """Nothing but where accesses came from speaks for what is to be done."""


def require_more(account: Account, reason: str) -> None:
    """Raises AddressAlone for a reason (a code) that rests on flags, while all open ones are about addresses."""
    if reason not in NEEDS_GROUNDS:
        return
    flags = RiskSignal.objects.open().filter(account=account).values_list("code", flat=True)
    doubted = Verification.objects.filter(account=account, status__in=DOUBTED)
    if only_addresses(flags, doubted.values_list("reference", flat=True)):
        raise AddressAlone(
            f"Only where accesses came from speaks against {account.reference}, and nothing is decided on an address "
            "alone. Find what else does not fit (a document, a payment, a statement), or work it in a case."
        )


@flow
def refuse_by_hand(account: Account, *, reason: str, by: Actor, at: datetime) -> Account:
    """Do not open an account, as one member of staff decides on its page. Raises AddressAlone, UnknownReason."""
    require_more(account, reason)
    return intake.refuse_prospect(account, reason=reason, by=by, at=at)

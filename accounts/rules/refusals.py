"""Why an account is not opened (requirement R38): a code, what staff read, what the customer reads.

The customer never reads that a list, an earlier account or suspected misuse was involved: several codes therefore share
one wording. What a decision holds against a customer (cases/rules/outcomes.py) has a code here, so that it stays held
against one whose account was never opened.
"""

from dataclasses import dataclass

from kyc_portal.refusal import Refusal


class UnknownReason(Refusal):
    """The reason code is not in the table."""


@dataclass(frozen=True)
class RefusalReason:
    """One row: `title` for staff, `wording` for the customer, who reads `told`."""

    code: str
    title: str
    wording: str

    @property
    def told(self) -> str:
        return f"We cannot open your account. {self.wording}"


NOT_VERIFIED = "We could not verify the identity you stated."
NOT_GIVEN = "We did not receive all the information we need."
NOT_POSSIBLE = "We are not able to provide our services to you."

REFUSAL_REASONS = (
    RefusalReason("identity_not_verified", "Identity could not be verified", NOT_VERIFIED),
    RefusalReason("details_compromised", "Identity details may be in wrong hands", NOT_VERIFIED),
    RefusalReason("data_not_given", "Required data was not given", NOT_GIVEN),
    RefusalReason("owners_undisclosed", "Beneficial owners not disclosed", NOT_GIVEN),
    RefusalReason(
        "document_not_genuine", "A document is not genuine", "We could not rely on the documents we received."
    ),
    RefusalReason("listed", "Confirmed list hit", NOT_POSSIBLE),
    RefusalReason("measure", "A measure forbids the business", NOT_POSSIBLE),
    RefusalReason("authority_order", "Order of a court or an authority", NOT_POSSIBLE),
    RefusalReason("evasion", "Replaces an account that was restricted", NOT_POSSIBLE),
    RefusalReason("malicious_use", "Malicious use of the service established", NOT_POSSIBLE),
    RefusalReason("abuse_reported", "Reported abuse", NOT_POSSIBLE),
    RefusalReason("unusual_use", "Use does not fit what was declared", NOT_POSSIBLE),
    RefusalReason("own_policy", "Outside the business we take on", NOT_POSSIBLE),
    RefusalReason(
        "reseller_ended",
        "The relationship with its reseller ended",
        "The reseller through which you asked for the account no longer offers our services.",
    ),
    RefusalReason("withdrawn", "The customer withdrew the request", "You told us that you no longer want the account."),
    RefusalReason("duplicate", "Opened twice by mistake", "You already have an account with us, which stays as it is."),
)

BY_CODE = {reason.code: reason for reason in REFUSAL_REASONS}
CHOICES = [(reason.code, reason.title) for reason in REFUSAL_REASONS]


def refusal_reason(code: str) -> RefusalReason:
    """Return the table's row for a code. Raises UnknownReason."""
    if code not in BY_CODE:
        raise UnknownReason(f"There is no reason {code[:40]!a}. Choose one of: {', '.join(sorted(BY_CODE))}.")
    return BY_CODE[code]

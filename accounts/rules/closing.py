"""Why an account is closed (requirements R40, R47)."""

from collections.abc import Iterable

UNVERIFIED = "not_verifiable"
REASONS = {
    "own_request": "The customer asked for it",
    "unused": "Not used for a long time",
    UNVERIFIED: "Identity could not be verified",
    "terms_broken": "Our terms were broken",
    "authority_order": "Order of a court or an authority",
    "product_ended": "We no longer offer the product",
    "reseller_ended": "The relationship with its reseller ended",
}
BY_HAND = [(code, title) for code, title in REASONS.items() if code != UNVERIFIED]  # the other takes two people

NO_FAULT = {
    "own_request", "unused", UNVERIFIED, "product_ended", "reseller_ended",
    "withdrawn", "duplicate", "data_not_given", "own_policy", "block_lifted",  # never opened, for no fault of theirs
}  # fmt: skip
# How a customer in good standing leaves: whoever could not be verified is held nothing against, and stands for nothing.
ORDINARY = ("own_request", "unused", "product_ended", "reseller_ended")
GRAVE_LEVELS = {"suspended", "blocked"}


def cause_of(closing_reason: str, levels_in_force: Iterable[str]) -> str:
    """The code of what was held against a customer whose account ended; "" when nothing was.

    A restriction that was lifted before the end counts for nothing: it was found wrong, or its time was over.
    """
    if standing := GRAVE_LEVELS.intersection(levels_in_force):
        return "blocked" if "blocked" in standing else "suspended"
    return "" if closing_reason in NO_FAULT else closing_reason

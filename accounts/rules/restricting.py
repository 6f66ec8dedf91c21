"""Why use is limited or stopped by hand, and what the customer reads then (requirements R39-R41).

A list hit is never told: its words are those of any other stop, and a block reads like a suspension.
"""

from dataclasses import dataclass

LEVELS = ("limited", "suspended", "blocked")  # mildest first
PUBLIC_LEVELS = {"limited": "limited", "suspended": "suspended", "blocked": "suspended"}


@dataclass(frozen=True)
class Reason:
    """One reason: `title` is for staff, `public_wording` for the customer."""

    code: str
    title: str
    public_wording: str


REASONS = {
    reason.code: reason
    for reason in (
        Reason("identity_in_doubt", "Identity in doubt", "We have to confirm the identity details of this account."),
        Reason("details_compromised", "Identity details may be in wrong hands", "Please confirm your details anew."),
        Reason("use_unexplained", "Use not explained", "We need an explanation of how this account is used."),
        Reason("authority_order", "Order of a court or an authority", "The account cannot be used for now."),
        Reason(
            "reseller_ended",
            "The relationship with its reseller ended",
            "The reseller through which you have this account no longer offers our services.",
        ),
        Reason("listed", "Listed person or property", "The account cannot be used for now."),
    )
}
CHOICES = [(reason.code, reason.title) for reason in REASONS.values()]


def strictness(level: str) -> int:
    """The place of a level among all, mildest 0. Raises ValueError for an unknown one."""
    return LEVELS.index(level)

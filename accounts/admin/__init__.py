"""How staff see and work customers; every button calls one flow."""

from accounts.admin import (
    access,
    account,
    identity,
    own_page,
    party,
    privacy,
    screening,
    seen_before,
    signals,
    unverified,
    verification,
)

__all__ = [
    "access", "account", "identity", "own_page", "party", "privacy", "screening", "seen_before", "signals",
    "unverified", "verification",
]  # fmt: skip

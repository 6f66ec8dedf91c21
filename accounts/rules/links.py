"""How strongly shared identifiers tie a new customer to an old one (requirement R106's grouping; own policy).

A wallet that two customers share says much; an address that a hundred share says that it is an office centre.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

WORDS = {
    "wallet": "wallet",
    "document": "document number",
    "national_id": "identification number",
    "card": "payment card",
    "iban": "bank account",
    "bank_account": "bank account",
    "phone": "telephone number",
    "email": "e-mail address",
    "email_root": "mailbox",
    "owner": "beneficial owner",
    "device": "device",
    "address": "street address",
}

# How likely two parties belong together when they alone share one such value: own policy.
WEIGHTS = {
    "document": 0.95,
    "national_id": 0.95,
    "wallet": 0.9,
    "card": 0.85,
    "iban": 0.85,
    "bank_account": 0.85,
    "owner": 0.8,
    "email": 0.8,
    "email_root": 0.7,
    "device": 0.7,
    "phone": 0.7,
    "address": 0.4,
}


@dataclass(frozen=True)
class Shared:
    """One value both parties carry: its kind, and how many parties carry it in all (two at least)."""

    kind: str
    holders: int


@dataclass(frozen=True)
class LinkStrength:
    """How strong the tie is (0 to 1), and why, in words."""

    score: float
    sentence: str


def strength(shared: Iterable[Shared]) -> LinkStrength:
    """Weigh everything two parties share.

    Each kind counts once, by its rarest value; the weight is halved when four parties hold the value, a third
    of it is left at eight, and so on. Different kinds add up like independent chances. Raises ValueError for an
    unknown kind.
    """
    best: dict[str, tuple[float, int]] = {}
    for each in shared:
        if each.kind not in WEIGHTS:
            raise ValueError(f"Unknown kind of identifier: {each.kind[:40]!r}")
        holders = max(2, each.holders)
        weight = WEIGHTS[each.kind] / log2(holders)
        best[each.kind] = max(best.get(each.kind, (0.0, 0)), (weight, -holders))

    apart = 1.0
    for weight, _ in best.values():
        apart *= 1 - weight
    ranked = sorted(best.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return LinkStrength(round(1 - apart, 4), _sentence([(kind, -holders) for kind, (_, holders) in ranked]))


def _sentence(kinds: list[tuple[str, int]]) -> str:
    if not kinds:
        return "They share nothing."
    parts = [
        WORDS[kind] if holders == 2 else f"{WORDS[kind]} (which {holders} customers have)" for kind, holders in kinds
    ]
    return f"They share the same {', '.join(parts)}."

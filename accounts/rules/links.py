"""How strongly shared identifiers tie a new customer to an old one (requirement R106's grouping; own policy).

A wallet that two customers share says much; an address that a hundred share says that it is an office centre. What each
kind weighs, and from how many holders on a value says nothing, are figures of the regime.
"""

from collections.abc import Iterable, Mapping
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
    "device": "registration device",
    "ssh_key": "SSH key",
    "address": "street address",
    "access_address": "address of access",
    "access_network": "network of access",
    "access_exit": "exit of an anonymiser",
}

# What follows from one another counts once: an e-mail address has its mailbox, an address of access its network.
DEPENDENT = {
    "email_root": "email",
    "bank_account": "iban",
    "access_network": "access_address",
    "access_exit": "access_address",
}


@dataclass(frozen=True)
class LinkFigures:
    """The figures of a regime: `weights` by kind (0 to 1, when two alone share such a value) and, from 0 to 1, from
    which strength on a tie is kept, flagged, and stands in the way of opening. What more than `most_holders` customers
    hold says nothing about any two of them."""

    weights: Mapping[str, float]
    most_holders: int
    keep_from: float
    flag_from: float
    stop_from: float


@dataclass(frozen=True)
class Shared:
    """One value both parties carry: its kind, and how many parties carry it in all (two at least)."""

    kind: str
    holders: int


@dataclass(frozen=True)
class LinkStrength:
    """How strong the tie is (0 to 1), why, in words, and what was counted, the most telling first."""

    score: float
    sentence: str
    counted: tuple[Shared, ...] = ()


def strength(shared: Iterable[Shared], figures: LinkFigures) -> LinkStrength:
    """Weigh everything two parties share.

    Each kind counts once, by its rarest value, and of what depends on one another the weightier; the weight is halved
    when four parties hold the value, a third of it is left at eight, and so on, and nothing beyond `most_holders`.
    Different kinds add up like independent chances. Raises ValueError for an unknown kind.
    """
    best: dict[str, tuple[float, Shared]] = {}
    for each in shared:
        if each.kind not in WORDS:
            raise ValueError(f"Unknown kind of identifier: {each.kind[:40]!r}")
        each = Shared(each.kind, max(2, each.holders))
        if each.holders > figures.most_holders:
            continue
        weight, root = weight_of(each, figures), DEPENDENT.get(each.kind, each.kind)
        if root not in best or (weight, each.kind) > (best[root][0], best[root][1].kind):
            best[root] = weight, each

    apart = 1.0
    for weight, _ in best.values():
        apart *= 1 - weight
    ranked = [each for _, each in sorted(best.values(), key=lambda pair: (-pair[0], pair[1].kind))]
    return LinkStrength(round(1 - apart, 4), _sentence(ranked), tuple(ranked))


def weight_of(shared: Shared, figures: LinkFigures) -> float:
    """What one shared value weighs (0 to 1): its kind's weight, the less the more customers hold it."""
    return figures.weights.get(shared.kind, 0.0) / log2(max(2, shared.holders))


def _sentence(shared: list[Shared]) -> str:
    if not shared:
        return "They share nothing that tells them from others."
    return f"They share {in_a_row(shared)}."


def in_a_row(shared: Iterable[Shared]) -> str:
    """ "the same payment card, mailbox and telephone number (which 4 customers have)"."""
    *first, last = [in_words(each.kind, each.holders) for each in shared]
    return f"the same {', '.join(first)} and {last}" if first else f"the same {last}"


def in_words(kind: str, holders: int) -> str:
    """One shared value as staff read it, with how many hold it when there are more than the two."""
    word = WORDS.get(kind, kind)
    return word if holders == 2 else f"{word} (which {holders} customers have)"

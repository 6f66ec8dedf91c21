"""What a hit keeps of a likeness, whoever was compared: a party of ours or a customer on a reseller's roster (R35)."""

import json
from dataclasses import asdict
from decimal import Decimal

from accounts.flows.list_index import Match
from accounts.rules.names import ScreenedParty
from kyc_portal.records.keys import fingerprint, former_fingerprint


def values_of(match: Match, screened: ScreenedParty) -> dict[str, object]:
    """The columns of a hit that say what resembles what, how much and why, and the fingerprint of the comparison."""
    likeness = match.similarity
    reasons = sorted(likeness.reasons, key=lambda reason: -reason.weight)
    return {
        "entry_uid": match.listed.party.key,
        "entry_name": match.listed.name,
        "programmes": list(match.listed.programmes),
        "score": Decimal(str(likeness.score)).quantize(Decimal("0.001")),
        "is_strong": likeness.band == "strong",
        "evidence": likeness.evidence,
        "reasons": [reason.sentence for reason in reasons],
        "compared": fingerprint("comparison", _both_sides(screened, match)),
    }


def former_comparison(match: Match, screened: ScreenedParty) -> str:
    """The fingerprint of the comparison under the key that is being given up; "" when none is."""
    return former_fingerprint("comparison", _both_sides(screened, match))


def _both_sides(screened: ScreenedParty, match: Match) -> str:
    """Both sides as text; its keyed fingerprint ties a judgement to what it was made on without keeping it."""
    ours = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(screened).items()}
    return json.dumps([ours, match.listed.digest], sort_keys=True, default=str)

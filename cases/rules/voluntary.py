"""On which lawful grounds we may hand over without being ordered to (requirement R113; 18 U.S.C. 2702)."""

from dataclasses import dataclass

from cases.rules.disclosure import Ground
from cases.rules.wording import Worded


class VoluntaryState(Worded):
    """Where a choice of ground stands."""

    PROPOSED = "proposed", "proposed"
    APPROVED = "approved", "approved"
    DECLINED = "declined", "declined"
    WITHDRAWN = "withdrawn", "withdrawn"


@dataclass(frozen=True)
class LawfulGround:
    """One ground of the law, by the code of its citation in kyc_portal/policy/regimes.py, and what its facts say."""

    citation: str
    facts: str


VOLUNTARY: dict[Ground, LawfulGround] = {
    Ground.CONSENT: LawfulGround("usc-2702-consent", "Who consented, when, to what, and where the signed paper lies."),
    Ground.PROTECTION: LawfulGround(
        "usc-2702-protection", "Which right or property of ours is at stake, and why these records are needed."
    ),
    Ground.EMERGENCY: LawfulGround(
        "usc-2702-emergency", "Who is in danger of death or serious injury, who says so, and how we know them."
    ),
}


def is_voluntary(ground: str) -> bool:
    """Whether nothing orders us to hand over on this ground, so that its facts are asked first."""
    return ground in VOLUNTARY

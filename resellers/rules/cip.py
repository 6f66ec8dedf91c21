"""A reseller's written CIP: its states, and what it must cover (R55, R56; proposed 15 CFR 7.303)."""

from dataclasses import dataclass
from enum import StrEnum

from kyc_portal.policy.lifecycle import Lifecycle


class CipStatus(StrEnum):
    """Where the review of one version stands."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    RETURNED = "returned"
    APPROVAL_PROPOSED = "approval_proposed"
    REJECTION_PROPOSED = "rejection_proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def label(self) -> str:
        return LABELS[self]


S = CipStatus
LABELS = {
    S.SUBMITTED: "handed in",
    S.UNDER_REVIEW: "under review",
    S.RETURNED: "returned with gaps",
    S.APPROVAL_PROPOSED: "approval proposed",
    S.REJECTION_PROPOSED: "rejection proposed",
    S.APPROVED: "approved",
    S.REJECTED: "rejected",
    S.REPLACED: "replaced by a later version",
}
CHOICES = [(status.value, status.label) for status in S]
WAITING = (S.SUBMITTED, S.UNDER_REVIEW, S.APPROVAL_PROPOSED, S.REJECTION_PROPOSED)

MOVES = Lifecycle(
    {
        S.SUBMITTED: [S.UNDER_REVIEW],
        S.UNDER_REVIEW: [S.RETURNED, S.APPROVAL_PROPOSED, S.REJECTION_PROPOSED],
        S.RETURNED: [],
        S.APPROVAL_PROPOSED: [S.APPROVED, S.UNDER_REVIEW],
        S.REJECTION_PROPOSED: [S.REJECTED, S.UNDER_REVIEW],
        S.APPROVED: [S.REPLACED],
        S.REJECTED: [],
        S.REPLACED: [],
    },
    LABELS,
)


class Source(StrEnum):
    """Whose text a reseller's CIP is (R56)."""

    OWN = "own"
    ADOPTED = "adopted"


SOURCES = [(Source.OWN.value, "its own text"), (Source.ADOPTED.value, "ours, adopted by agreement")]


@dataclass(frozen=True)
class Requirement:
    """One thing a CIP must say; `rests_on` are our requirement ids. Who adopts our text is not asked what it says."""

    code: str
    title: str
    rests_on: str
    of_adopters: bool = False


REQUIREMENTS = (
    Requirement("data", "Which data are collected from each customer before an account is opened", "R9-R17"),
    Requirement("owners", "Who the beneficial owners are, and the same data of each", "R13, R21"),
    Requirement("methods", "How identities are verified, with documents and without", "R25-R32"),
    Requirement("results", "That methods, results and discrepancies are recorded", "R33, R34"),
    Requirement("unverified", "What happens when an identity cannot be verified", "R38-R41"),
    Requirement("again", "That customers are verified again by risk and on a change", "R45, R46"),
    Requirement("screening", "That everybody is screened against sanctions lists", "R35, R36"),
    Requirement("records", "That records are kept, and for how long", "R47-R50"),
    Requirement("access", "That records are secure and who may see them", "R51-R53"),
    Requirement("misuse", "How misuse is noticed, and what is then done", "R58"),
    Requirement("sublessees", "That those it sells on to, and their customers, are held to the same", "R24", True),
    Requirement("officer", "Who is responsible for the programme, and how to reach them", "R69", True),
    Requirement("agreement", "An agreement by which it is bound to this programme", "R56", True),
)
BY_CODE = {requirement.code: requirement for requirement in REQUIREMENTS}


def requirements_of(source: str) -> tuple[Requirement, ...]:
    """What a version is judged by: one that adopts our text by what our text cannot say for it."""
    return tuple(each for each in REQUIREMENTS if source == Source.OWN or each.of_adopters)

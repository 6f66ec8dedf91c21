"""How an identity is verified, and the states of one verification (requirements R25-R34)."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.rules.parties import BOTH, ENTITIES, INDIVIDUALS
from kyc_portal.policy.lifecycle import Lifecycle


class VerificationStatus(StrEnum):
    """Where one verification stands. Results are never undone: a new look opens a new verification."""

    IN_PROGRESS = "in_progress"
    VERIFIED = "verified"
    FAILED = "failed"
    ESCALATED = "escalated"
    UNVERIFIABLE = "unverifiable"

    @property
    def label(self) -> str:
        """The words staff read."""
        return LABELS[self]


LABELS = {
    VerificationStatus.IN_PROGRESS: "in progress",
    VerificationStatus.VERIFIED: "verified",
    VerificationStatus.FAILED: "failed",
    VerificationStatus.ESCALATED: "escalated: signatories asked for",
    VerificationStatus.UNVERIFIABLE: "could not be verified",
}

CHOICES = [(status.value, status.label) for status in VerificationStatus]

MOVES = Lifecycle(
    {
        VerificationStatus.IN_PROGRESS: [VerificationStatus.VERIFIED, VerificationStatus.FAILED],
        VerificationStatus.FAILED: [VerificationStatus.ESCALATED, VerificationStatus.UNVERIFIABLE],
        VerificationStatus.ESCALATED: [VerificationStatus.VERIFIED, VerificationStatus.UNVERIFIABLE],
        VerificationStatus.VERIFIED: [],
        VerificationStatus.UNVERIFIABLE: [],
    },
    LABELS,
)


class Way(StrEnum):
    """Whether a method looks at a document or at anything else."""

    DOCUMENTARY = "documentary"
    NON_DOCUMENTARY = "non_documentary"


class Result(StrEnum):
    """What one method found (R33)."""

    MATCH = "match"
    PARTIAL = "partial"
    NO_MATCH = "no_match"
    ERROR = "error"

    @property
    def label(self) -> str:
        """The words staff read."""
        return {"match": "match", "partial": "partial match", "no_match": "no match", "error": "no answer"}[self]


class WhyWithoutDocuments(StrEnum):
    """The cases in which documents alone do not do (R29)."""

    NO_PHOTO_ID = "no_photo_id"
    UNFAMILIAR_DOCUMENT = "unfamiliar_document"
    OPENED_WITHOUT_DOCUMENTS = "opened_without_documents"
    NOT_IN_PERSON = "not_in_person"
    RAISED_RISK = "raised_risk"

    @property
    def label(self) -> str:
        """The words staff read."""
        return {
            "no_photo_id": "no unexpired photo document",
            "unfamiliar_document": "document of a kind we do not know",
            "opened_without_documents": "opened without documents",
            "not_in_person": "customer never seen in person",
            "raised_risk": "other raised risk",
        }[self]


@dataclass(frozen=True)
class Method:
    """One way to verify: its code, what staff call it, and whom it fits. Not every one is recorded by hand."""

    code: str
    title: str
    way: Way
    suits: frozenset[str]
    by_hand: bool = True


METHODS = (
    Method("photo_document", "Government photo document examined", Way.DOCUMENTARY, INDIVIDUALS),
    Method("machine_zone", "Machine-readable zone checked", Way.DOCUMENTARY, INDIVIDUALS),
    Method("existence_document", "Proof that the entity exists examined", Way.DOCUMENTARY, ENTITIES),
    Method("contact_customer", "Customer contacted", Way.NON_DOCUMENTARY, BOTH),
    Method("reporting_agency", "Compared with a consumer reporting agency", Way.NON_DOCUMENTARY, BOTH),
    Method("public_database", "Compared with a public database or register", Way.NON_DOCUMENTARY, BOTH),
    Method("references", "References checked with financial institutions", Way.NON_DOCUMENTARY, BOTH),
    Method("financial_statement", "Financial statement obtained", Way.NON_DOCUMENTARY, BOTH),
    Method("outside_verifier", "Asked of an outside verifier", Way.NON_DOCUMENTARY, BOTH, by_hand=False),
)
PHOTO = "photo_document"
OUTSIDE = "outside_verifier"  # recorded by the portal itself, from a signed answer


def method(code: str) -> Method:
    """Return the method with that code. Raises KeyError for a code outside the catalogue."""
    return {each.code: each for each in METHODS}[code]


def methods_for(party_kind: str) -> tuple[Method, ...]:
    """Return the methods that fit an individual or an entity; any, while the kind is still undetermined."""
    if party_kind not in BOTH:
        return METHODS
    return tuple(each for each in METHODS if party_kind in each.suits)

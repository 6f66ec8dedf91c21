"""The stages of cases, decisions, bundles and legal requests, and the moves between them (R41, R111-R114)."""

from cases.rules.wording import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class CaseStatus(Worded):
    """Where a case stands."""

    OPEN = "open", "open"
    IN_REVIEW = "in_review", "in review"
    PROPOSED = "proposed", "decision proposed"
    DECIDED = "decided", "decided"
    CLOSED = "closed", "closed"


class DecisionState(Worded):
    """Where a decision stands: between its signatures, in the minutes in which it can be undone, and afterwards."""

    PROPOSED = "proposed", "proposed"
    SIGNED = "signed", "signed, can still be undone"
    COUNTERSIGNED = "countersigned", "countersigned"
    WITHDRAWN = "withdrawn", "withdrawn"
    DECLINED = "declined", "declined"
    UNDONE = "undone", "undone"
    NOT_DONE = "not_done", "could not be done"
    CHANGED = "changed", "changed on appeal"
    REVERSED = "reversed", "reversed on appeal"


# Such a decision is not done with: the account has no other one in the case meanwhile.
UNFINISHED = (DecisionState.PROPOSED, DecisionState.SIGNED)
# It changed something: it is in effect, or it was until an appeal.
TOOK_EFFECT = (DecisionState.COUNTERSIGNED, DecisionState.CHANGED, DecisionState.REVERSED)


class BundleState(Worded):
    """Where an evidence bundle stands on its way to the recipient."""

    DRAFT = "draft", "draft"
    COLLECTED = "collected", "collected"
    APPROVED = "approved", "approved"
    FAILED = "failed", "build failed"
    BUILT = "built", "built"
    HANDED_OVER = "handed_over", "handed over"
    RECEIPTED = "receipted", "receipt confirmed"


class LegalRequestState(Worded):
    """Where a request from an authority stands."""

    RECEIVED = "received", "received"
    VALIDATED = "validated", "validated"
    PRESERVING = "preserving", "preserving"
    RENEWED = "renewed", "preservation renewed"
    PROCESS_SERVED = "process_served", "process served"
    CHALLENGED = "challenged", "challenged"
    LAPSED = "lapsed", "lapsed"
    REJECTED = "rejected", "rejected"


class RejectedWhy(Worded):
    """Why a request is not followed."""

    NOT_AUTHENTIC = "not_authentic", "it does not come from the authority it names"
    NO_POWER = "no_power", "the authority has no power over us or over this matter"
    DEFECTIVE = "defective", "a signature, a seal, a date or a page is missing"
    GROUND_TOO_WEAK = "ground_too_weak", "its ground does not carry what it asks for"
    NOT_OUR_CUSTOMER = "not_our_customer", "it is not about these accounts"
    TAKEN_BACK = "taken_back", "the authority took it back"
    QUASHED = "quashed", "it was quashed"


class ChallengedBy(Worded):
    """Who disputes a request."""

    US = "us", "us"
    CUSTOMER = "customer", "the customer"
    OTHER = "other", "somebody else it concerns"


class ChallengedWhy(Worded):
    """What is said against a request."""

    NO_POWER = "no_power", "the authority has no power over us or over this matter"
    TOO_BROAD = "too_broad", "it asks for more than its ground carries"
    BURDEN = "burden", "carrying it out is an undue burden"
    PRIVILEGE = "privilege", "it asks for what is privileged"
    FOREIGN_LAW = "foreign_law", "the law of another country forbids it"
    DEFECTIVE = "defective", "its form is wanting"


class ChallengeOutcome(Worded):
    """How a challenge ends."""

    UPHELD = "upheld", "the request was upheld"
    WITHDRAWN = "withdrawn", "the challenge was withdrawn"
    NARROWED = "narrowed", "the request was narrowed"
    QUASHED = "quashed", "the request was quashed"


CASE_MOVES = {
    CaseStatus.OPEN: (CaseStatus.IN_REVIEW, CaseStatus.CLOSED),  # closed at once: merged into another case
    CaseStatus.IN_REVIEW: (CaseStatus.OPEN, CaseStatus.PROPOSED, CaseStatus.CLOSED),
    CaseStatus.PROPOSED: (CaseStatus.IN_REVIEW, CaseStatus.DECIDED),  # back when withdrawn or declined
    CaseStatus.DECIDED: (CaseStatus.IN_REVIEW, CaseStatus.CLOSED),  # back when an appeal is won
    CaseStatus.CLOSED: (CaseStatus.OPEN,),
}

DECISION_MOVES = {
    DecisionState.PROPOSED: (
        DecisionState.SIGNED,
        DecisionState.COUNTERSIGNED,  # at once
        DecisionState.WITHDRAWN,
        DecisionState.DECLINED,
    ),
    DecisionState.SIGNED: (DecisionState.COUNTERSIGNED, DecisionState.UNDONE, DecisionState.NOT_DONE),
    DecisionState.COUNTERSIGNED: (DecisionState.CHANGED, DecisionState.REVERSED),
    DecisionState.WITHDRAWN: (),
    DecisionState.DECLINED: (),
    DecisionState.UNDONE: (),
    DecisionState.NOT_DONE: (),
    DecisionState.CHANGED: (),
    DecisionState.REVERSED: (),
}

BUNDLE_MOVES = {
    BundleState.DRAFT: (BundleState.COLLECTED,),
    BundleState.COLLECTED: (BundleState.DRAFT, BundleState.APPROVED),
    BundleState.APPROVED: (BundleState.COLLECTED, BundleState.BUILT, BundleState.FAILED, BundleState.DRAFT),
    # The approval stands and only the writing is tried again, unless what was approved has changed.
    BundleState.FAILED: (BundleState.APPROVED, BundleState.COLLECTED, BundleState.DRAFT),
    BundleState.BUILT: (BundleState.HANDED_OVER,),
    BundleState.HANDED_OVER: (BundleState.RECEIPTED,),
    BundleState.RECEIPTED: (),
}

# Found in order and not ended: a bundle rests on a request in one of these states.
IN_ORDER = (
    LegalRequestState.VALIDATED,
    LegalRequestState.PRESERVING,
    LegalRequestState.RENEWED,
    LegalRequestState.PROCESS_SERVED,
)

# In dispute or fallen: nothing that rests on such a request goes on.
STANDS_STILL = (LegalRequestState.CHALLENGED, LegalRequestState.REJECTED)

_AFTER_HOLD = (LegalRequestState.PROCESS_SERVED, LegalRequestState.CHALLENGED, LegalRequestState.LAPSED)

LEGAL_REQUEST_MOVES = {
    LegalRequestState.RECEIVED: (
        LegalRequestState.VALIDATED,
        LegalRequestState.CHALLENGED,
        LegalRequestState.REJECTED,
    ),
    LegalRequestState.VALIDATED: (
        LegalRequestState.PRESERVING,
        LegalRequestState.PROCESS_SERVED,
        LegalRequestState.CHALLENGED,
        LegalRequestState.REJECTED,
    ),
    LegalRequestState.PRESERVING: (LegalRequestState.RENEWED, *_AFTER_HOLD),
    LegalRequestState.RENEWED: _AFTER_HOLD,  # a preservation is renewed once
    LegalRequestState.PROCESS_SERVED: (LegalRequestState.CHALLENGED,),
    # Back to where it stood, or at an end; a challenge does not move it on.
    LegalRequestState.CHALLENGED: (
        LegalRequestState.RECEIVED,
        LegalRequestState.VALIDATED,
        LegalRequestState.PRESERVING,
        LegalRequestState.RENEWED,
        LegalRequestState.PROCESS_SERVED,
        LegalRequestState.REJECTED,
    ),
    LegalRequestState.LAPSED: (),
    LegalRequestState.REJECTED: (),  # what comes again is logged again
}

CASE_LIFECYCLE = Lifecycle(CASE_MOVES, dict(CaseStatus.choices()))
DECISION_LIFECYCLE = Lifecycle(DECISION_MOVES, dict(DecisionState.choices()))
BUNDLE_LIFECYCLE = Lifecycle(BUNDLE_MOVES, dict(BundleState.choices()))
LEGAL_REQUEST_LIFECYCLE = Lifecycle(LEGAL_REQUEST_MOVES, dict(LegalRequestState.choices()))

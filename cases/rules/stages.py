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
    """Where a decision stands between its two signatures."""

    PROPOSED = "proposed", "proposed"
    COUNTERSIGNED = "countersigned", "countersigned"
    WITHDRAWN = "withdrawn", "withdrawn"
    DECLINED = "declined", "declined"


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


CASE_MOVES = {
    CaseStatus.OPEN: (CaseStatus.IN_REVIEW, CaseStatus.CLOSED),  # closed at once: merged into another case
    CaseStatus.IN_REVIEW: (CaseStatus.OPEN, CaseStatus.PROPOSED, CaseStatus.CLOSED),
    CaseStatus.PROPOSED: (CaseStatus.IN_REVIEW, CaseStatus.DECIDED),  # back when withdrawn or declined
    CaseStatus.DECIDED: (CaseStatus.IN_REVIEW, CaseStatus.CLOSED),  # back when an appeal is won
    CaseStatus.CLOSED: (CaseStatus.OPEN,),
}

DECISION_MOVES = {
    DecisionState.PROPOSED: (DecisionState.COUNTERSIGNED, DecisionState.WITHDRAWN, DecisionState.DECLINED),
    DecisionState.COUNTERSIGNED: (),
    DecisionState.WITHDRAWN: (),
    DecisionState.DECLINED: (),
}

BUNDLE_MOVES = {
    BundleState.DRAFT: (BundleState.COLLECTED,),
    BundleState.COLLECTED: (BundleState.DRAFT, BundleState.APPROVED),
    BundleState.APPROVED: (BundleState.COLLECTED, BundleState.BUILT, BundleState.FAILED),
    BundleState.FAILED: (BundleState.APPROVED,),  # the approval stands; only the writing is tried again
    BundleState.BUILT: (BundleState.HANDED_OVER,),
    BundleState.HANDED_OVER: (BundleState.RECEIPTED,),
    BundleState.RECEIPTED: (),
}

_AFTER_HOLD = (LegalRequestState.PROCESS_SERVED, LegalRequestState.CHALLENGED, LegalRequestState.LAPSED)

LEGAL_REQUEST_MOVES = {
    LegalRequestState.RECEIVED: (LegalRequestState.VALIDATED, LegalRequestState.CHALLENGED),
    LegalRequestState.VALIDATED: (
        LegalRequestState.PRESERVING,
        LegalRequestState.PROCESS_SERVED,
        LegalRequestState.CHALLENGED,
    ),
    LegalRequestState.PRESERVING: (LegalRequestState.RENEWED, *_AFTER_HOLD),
    LegalRequestState.RENEWED: _AFTER_HOLD,  # a preservation is renewed once
    LegalRequestState.PROCESS_SERVED: (LegalRequestState.CHALLENGED,),
    LegalRequestState.CHALLENGED: (
        LegalRequestState.VALIDATED,
        LegalRequestState.PROCESS_SERVED,
        LegalRequestState.LAPSED,
    ),
    LegalRequestState.LAPSED: (),
}

CASE_LIFECYCLE = Lifecycle(CASE_MOVES, dict(CaseStatus.choices()))
DECISION_LIFECYCLE = Lifecycle(DECISION_MOVES, dict(DecisionState.choices()))
BUNDLE_LIFECYCLE = Lifecycle(BUNDLE_MOVES, dict(BundleState.choices()))
LEGAL_REQUEST_LIFECYCLE = Lifecycle(LEGAL_REQUEST_MOVES, dict(LegalRequestState.choices()))

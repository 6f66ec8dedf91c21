"""What Commerce looks at, and what it may ask us to keep (R78-R80; 15 CFR 7.305 proposed, 15 CFR 791.106)."""

from cases.rules.wording import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class ReviewKind(Worded):
    """What Commerce does with us."""

    FORM = "form", "review of a certification form"
    ASSESSMENT = "assessment", "compliance assessment"
    AUDIT = "audit", "audit"


class ReviewState(Worded):
    """Where a review stands."""

    OPEN = "open", "open"
    REMEDIATION = "remediation", "remediation"
    CLOSED = "closed", "closed"


class RemedyState(Worded):
    """Where a recommended measure stands on its way to proof."""

    OPEN = "open", "to be done"
    SHOWN = "shown", "shown, to be accepted"
    PROVEN = "proven", "proven"


REVIEW_MOVES = {
    ReviewState.OPEN: (ReviewState.REMEDIATION, ReviewState.CLOSED),
    ReviewState.REMEDIATION: (ReviewState.CLOSED,),
    ReviewState.CLOSED: (),
}
REVIEW_LIFECYCLE = Lifecycle(REVIEW_MOVES, dict(ReviewState.choices()))
REMEDY_MOVES = {
    RemedyState.OPEN: (RemedyState.SHOWN,),
    RemedyState.SHOWN: (RemedyState.PROVEN, RemedyState.OPEN),
    RemedyState.PROVEN: (),
}
REMEDY_LIFECYCLE = Lifecycle(REMEDY_MOVES, dict(RemedyState.choices()))

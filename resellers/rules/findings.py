"""What is held against a reseller: kinds of non-compliance, and how each ends (R58, R59; proposed 15 CFR 7.303)."""

from accounts.rules.privacy import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class FindingKind(Worded):
    """In what a reseller fails."""

    NO_CIP = "no_cip", "keeps no written CIP"
    NOT_CARRIED_OUT = "not_carried_out", "does not carry out its CIP"
    NO_GOOD_FAITH = "no_good_faith", "shows no good faith against misuse"
    REPORTS = "reports", "does not report what it must"


class FindingState(Worded):
    """Where a finding stands; from its day on an open one keeps the reseller from selling."""

    OPEN = "open", "open"
    PLANNED = "planned", "cure planned"
    CURE_PROPOSED = "cure_proposed", "cure waits for a second person"
    CURED = "cured", "cured"
    WITHDRAWN = "withdrawn", "withdrawn: it was wrong"
    ENDED = "ended", "the relationship ended"


S = FindingState
MOVES = Lifecycle(
    {
        S.OPEN: [S.PLANNED, S.CURE_PROPOSED, S.WITHDRAWN, S.ENDED],
        S.PLANNED: [S.CURE_PROPOSED, S.WITHDRAWN, S.ENDED],
        S.CURE_PROPOSED: [S.CURED, S.PLANNED, S.OPEN, S.ENDED],
        S.CURED: [],
        S.WITHDRAWN: [],
        S.ENDED: [],
    },
    {state: state.label for state in S},
)
STANDING = (S.OPEN, S.PLANNED, S.CURE_PROPOSED)  # the clock runs until it is cured

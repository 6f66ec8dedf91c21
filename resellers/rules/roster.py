"""The states of a roster file, and the words in which a reseller states its customers (R24, R64)."""

from accounts.rules.parties import PartyKind
from accounts.rules.privacy import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class UploadState(Worded):
    """How far a file is: read in full first, then accepted by a person, or not."""

    RECEIVED = "received", "received"
    READ = "read", "read, to be accepted"
    ACCEPTING = "accepting", "being accepted"
    STOPPED = "stopped", "stopped, to be accepted again"
    ACCEPTED = "accepted", "accepted"
    REFUSED = "refused", "refused"
    DISCARDED = "discarded", "discarded"


S = UploadState
MOVES = Lifecycle(
    {
        S.RECEIVED: [S.READ, S.REFUSED, S.DISCARDED],
        S.READ: [S.ACCEPTING, S.DISCARDED],
        S.ACCEPTING: [S.ACCEPTED, S.STOPPED],
        S.STOPPED: [S.ACCEPTING, S.DISCARDED],
        S.ACCEPTED: [],
        S.REFUSED: [],
        S.DISCARDED: [],
    },
    {state: state.label for state in S},
)
UNDER_WAY = (S.RECEIVED, S.READ, S.ACCEPTING, S.STOPPED)


class Extent(Worded):
    """What it means that a customer is not in the file."""

    COMPLETE = "complete", "complete roster: who is not in it is no longer a customer"
    PART = "part", "new and changed customers only"


KINDS = [(kind.value, kind.label) for kind in (PartyKind.INDIVIDUAL, PartyKind.ENTITY)]


class Method(Worded):
    """How the reseller says that it verified the customer (R31-R33 as the pattern)."""

    DOCUMENT = "document", "by documents"
    OTHER = "other", "without documents"
    BOTH = "both", "by documents and without"


class EndedWhy(Worded):
    """Why what was stated of a customer is no longer in force."""

    CHANGED = "changed", "stated anew"
    GONE = "gone", "no longer on the roster"
    ENDED = "ended", "ended with the reseller"

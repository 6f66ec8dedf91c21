"""What follows when an identity could not be verified, why, and what the customer reads (requirements R38-R41, R43).

No wording tells of lists, risk or how identities are checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.rules.onboarding import AccountStatus
from accounts.rules.privacy import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class Outcome(Worded):
    """What follows for the account, mildest first."""

    WATCHED = "watched", "kept under watch"
    LIMITED = "limited", "limited while verifying"
    CLOSED = "closed", "closed"
    NOT_OPENED = "not_opened", "not opened"


class OutcomeState(Worded):
    """Where an outcome stands between its signatures and its end."""

    PROPOSED = "proposed", "waits for a second person"
    IN_EFFECT = "in_effect", "in effect"
    DECLINED = "declined", "declined"
    WITHDRAWN = "withdrawn", "withdrawn"
    SUPERSEDED = "superseded", "replaced by another outcome"
    REVERSED = "reversed", "reversed after redress"
    ENDED = "ended", "ended: the identity is verified"
    OVER = "over", "over: the account was closed"


_S = OutcomeState
MOVES = Lifecycle(
    {
        _S.PROPOSED: [_S.IN_EFFECT, _S.DECLINED, _S.WITHDRAWN, _S.ENDED, _S.OVER],
        _S.IN_EFFECT: [_S.SUPERSEDED, _S.REVERSED, _S.ENDED, _S.OVER],
        _S.DECLINED: [],
        _S.WITHDRAWN: [],
        _S.SUPERSEDED: [],
        _S.REVERSED: [],
        _S.ENDED: [],
        _S.OVER: [],
    },
    {state: state.label for state in OutcomeState},
)

# What can follow, by where the account stands; a blocked one is for two people in a case to decide.
FITTING: Mapping[AccountStatus, tuple[Outcome, ...]] = {
    AccountStatus.PROSPECT: (Outcome.NOT_OPENED,),
    AccountStatus.DATA_REQUESTED: (Outcome.NOT_OPENED,),
    AccountStatus.VERIFYING: (Outcome.NOT_OPENED,),
    AccountStatus.ACTIVE: (Outcome.LIMITED, Outcome.WATCHED, Outcome.CLOSED),
    AccountStatus.BLOCKED: (),
    AccountStatus.REFUSED: (),
    AccountStatus.CLOSED: (),
}
TAKEN_UP_AGAIN = (Outcome.LIMITED, Outcome.WATCHED)  # what may take the place of a closing


def fitting(status: str, *, replaces_closing: bool = False) -> tuple[Outcome, ...]:
    """The outcomes an account in this state can have; of a closed one, only in place of the outcome that closed it."""
    if status == AccountStatus.CLOSED and replaces_closing:
        return TAKEN_UP_AGAIN
    return FITTING[AccountStatus(status)]


def must_be_countersigned(outcome: str, status: str) -> bool:
    """Two people close an account, keep one in use under watch, and take a closed one up again (R37, R40)."""
    return outcome in (Outcome.CLOSED, Outcome.WATCHED) or status == AccountStatus.CLOSED


@dataclass(frozen=True)
class Reason:
    """Why an identity could not be verified; for staff only."""

    code: str
    title: str


REASONS = {
    reason.code: reason
    for reason in (
        Reason("no_answer", "The customer did not answer"),
        Reason("no_source", "No source could confirm the identity"),
        Reason("documents_unfit", "The documents prove too little or are not genuine"),
        Reason("disagrees", "What disagrees was not explained"),
        Reason("controllers_unknown", "Those with authority or control could not be verified"),
        Reason("details_compromised", "The identity details may be in wrong hands"),
    )
}
REASON_CHOICES = [(reason.code, reason.title) for reason in REASONS.values()]

# What the customer reads of each outcome, after “we could not verify the identity details of your account …”.
WORDINGS = {
    Outcome.WATCHED: "You can go on using the account. We will ask you again for proof.",
    Outcome.LIMITED: "Until we can, the use of the account is limited.",
    Outcome.CLOSED: "The account is therefore closed.",
    Outcome.NOT_OPENED: "We therefore do not open the account.",
}


class RedressAnswer(Worded):
    """What came of a request for redress, as staff see it; the customer reads REDRESS_WORDINGS."""

    UPHELD = "upheld", "the outcome stands"
    CHANGED = "changed", "changed: something else holds now"
    REVERSED = "reversed", "reversed: the identity is looked at anew"


REDRESS_WORDINGS = {
    RedressAnswer.UPHELD: "We have looked at everything again and stay with what we told you.",
    RedressAnswer.CHANGED: "We have looked at everything again and changed what we told you; a message of its own says "
    "what holds now.",
    RedressAnswer.REVERSED: "You are right that we should look again. We verify the identity details anew; until then "
    "the use of an account that was open is limited.",
}

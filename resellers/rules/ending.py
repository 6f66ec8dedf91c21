"""The end of the relationship with a reseller: states, and what becomes of each customer (R59, R62; proposed 7.303)."""

from accounts.rules.onboarding import AccountStatus
from accounts.rules.privacy import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class EndReason(Worded):
    """Why the relationship ends."""

    NOT_CURED = "not_cured", "a finding was not cured in time"
    NOT_COMPLIANT = "not_compliant", "it does not comply and will not"
    MISUSE = "misuse", "misuse was found there"
    OWN_WISH = "own_wish", "the reseller asked for it"
    NOT_OFFERED = "not_offered", "we no longer sell through it"


# What its own account is closed for, by the codes of accounts/rules/closing.py.
CLOSING_REASONS = {
    EndReason.NOT_CURED: "terms_broken",
    EndReason.NOT_COMPLIANT: "terms_broken",
    EndReason.MISUSE: "terms_broken",
    EndReason.OWN_WISH: "own_request",
    EndReason.NOT_OFFERED: "product_ended",
}


OWN_WORDING = "Our agreement with you as a reseller has ended."  # what the reseller reads of its own account


class EndState(Worded):
    """Where it stands; from the second signature on the reseller sells nothing."""

    PROPOSED = "proposed", "waits for a second person"
    UNDER_WAY = "under_way", "under way"
    DONE = "done", "ended"
    WITHDRAWN = "withdrawn", "withdrawn"


E = EndState
MOVES = Lifecycle(
    {E.PROPOSED: [E.UNDER_WAY, E.WITHDRAWN], E.UNDER_WAY: [E.DONE], E.DONE: [], E.WITHDRAWN: []},
    {state: state.label for state in E},
)
RUNNING = (E.PROPOSED, E.UNDER_WAY)
DECIDED = (E.UNDER_WAY, E.DONE)


class Outcome(Worded):
    """What is to become of a customer."""

    MIGRATE = "migrate", "move to another reseller"
    DIRECT = "direct", "take over and verify ourselves"
    CLOSE = "close", "close"
    SUSPEND = "suspend", "suspend"


OWN_OUTCOMES = [(each.value, each.label) for each in (Outcome.CLOSE, Outcome.SUSPEND)]


class StepState(Worded):
    """Whether that was done."""

    WAITING = "waiting", "to be done"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Result(Worded):
    """What became of a customer in fact."""

    MIGRATED = "migrated", "moved to another reseller"
    DIRECT = "direct", "with us, asked for proof"
    CLOSED = "closed", "closed"
    REFUSED = "refused", "not opened"
    SUSPENDED = "suspended", "suspended"
    NOT_IN_USE = "not_in_use", "not in use: nothing to stop"
    STOPPED = "stopped", "stopped before"
    OVER = "over", "already closed"
    NOT_THEIRS = "not_theirs", "no longer theirs"


class Fault(Worded):
    """Why it could not be done, each with the way out; never anything about a person."""

    TARGET = "target", "The other reseller may not sell. Choose another one, or another outcome."
    BLOCKED = "blocked", "The account is blocked: two people decide in a case whether it is closed. Suspend it here."
    DESTROYED = "destroyed", "The destruction of this file has begun, so nothing can be done with it any more."
    REFUSED = "refused", "The account's state does not allow it. Choose another outcome, then try again."
    ERROR = "error", "It failed for a reason that is a fault of the portal. Try again; then tell the administrators."


def foregone(outcome: str, status: AccountStatus, *, is_theirs: bool) -> Result | Fault | None:
    """What is to be said of an account without doing anything, or None when the outcome is to be carried out.

    An account that ended by itself, or left, needs nothing; what never was in use has nothing to suspend.
    """
    if not is_theirs:
        return Result.NOT_THEIRS
    if status in (AccountStatus.CLOSED, AccountStatus.REFUSED):
        return Result.OVER
    if status == AccountStatus.BLOCKED and outcome == Outcome.CLOSE:
        return Fault.BLOCKED
    if outcome == Outcome.SUSPEND and status == AccountStatus.BLOCKED:
        return Result.STOPPED
    if outcome == Outcome.SUSPEND and not status.is_open:
        return Result.NOT_IN_USE
    return None


class Channel(Worded):
    """How something was handed to an authority."""

    FORM = "form", "its online form"
    MAIL = "mail", "e-mail"
    LETTER = "letter", "letter"
    PHONE = "phone", "telephone"
    PERSON = "person", "in person"


class ReportState(Worded):
    """Where a report to an authority stands."""

    OPEN = "open", "to be made"
    SENT = "sent", "made"
    DROPPED = "dropped", "not needed"


class RequestState(Worded):
    """Where a request for a reseller's CIP stands."""

    ASKED = "asked", "being produced"
    PRODUCED = "produced", "produced, to be handed over"
    SENT = "sent", "handed over"

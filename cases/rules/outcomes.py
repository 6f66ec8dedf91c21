"""What a decision does to an account, who must countersign it, and what the customer reads (R39-R41, R84).

A list hit is never told: what rests on a list has the same public words as reasons that do not, and being blocked reads
like being suspended, with the same way to object.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.rules.onboarding import AccountStatus
from accounts.rules.refusals import refusal_reason
from cases.rules.wording import Worded
from kyc_portal.refusal import Refusal

APPEAL_WINDOW = "appeal_window_days"  # the name of a number in the policy, not the number


class UnfitOutcome(Refusal):
    """The outcome or the reason is unknown, or the two do not go together."""


class OutcomeCode(Worded):
    """What may be decided about an account."""

    NO_ACTION = "no_action", "no action"
    WATCH = "watch", "watch more closely"
    LIMIT = "limit", "limit the account"
    SUSPEND = "suspend", "suspend the account"
    CLOSE = "close", "close the account"
    BLOCK = "block", "block the account and its property"


class AccountEffect(Worded):
    """What happens to the account when the decision takes effect."""

    NOTHING = "nothing", "nothing changes"
    MONITORED = "monitored", "its use is looked at more closely"
    LIMITED = "limited", "existing use goes on, new resources are refused"
    SUSPENDED = "suspended", "all use stops until somebody lifts it"
    CLOSED = "closed", "the account ends"
    BLOCKED = "blocked", "all use stops, and property is frozen and reported"


UNTOUCHED = (AccountEffect.NOTHING, AccountEffect.MONITORED)  # the account stays as it is, and nobody is told


@dataclass(frozen=True)
class Outcome:
    """One outcome: its effect, whether two persons decide, and what the customer is told (None: nothing)."""

    code: OutcomeCode
    effect: AccountEffect
    countersigned: bool
    grave: bool
    public_effect: str | None
    appeal_window: str | None


@dataclass(frozen=True)
class Reason:
    """Why something is decided; `title` is for staff, `public_wording` for the customer."""

    code: str
    title: str
    public_wording: str
    outcomes: frozenset[OutcomeCode]
    rests_on_list: bool = False

    @property
    def refusal(self) -> str:
        """The code of the reason not to open an account (accounts/rules/refusals.py): mostly its own."""
        return REFUSALS.get(self.code, self.code)

    @property
    def is_told(self) -> bool:
        """Does the customer read its words with any outcome it allows?"""
        return any(OUTCOMES[code].public_effect for code in self.outcomes)


@dataclass(frozen=True)
class Consequence:
    """What follows from one outcome for one reason; `public_wording` is None where the customer is told nothing."""

    outcome: Outcome
    reason: Reason
    must_be_countersigned: bool
    public_wording: str | None

    @property
    def effect(self) -> AccountEffect:
        """What happens to the account."""
        return self.outcome.effect

    def told(self, status: str) -> str | None:
        """What the customer reads whose account stands so (a code); None where they are told nothing."""
        if self.effect == AccountEffect.CLOSED and AccountStatus(status) in NEVER_OPENED:
            return refusal_reason(self.reason.refusal).told
        return self.public_wording

    @property
    def appeal_window(self) -> str | None:
        """Name of the policy number that says how many days the customer has to object; None without an appeal."""
        return self.outcome.appeal_window

    @property
    def is_grave(self) -> bool:
        """Does it take the account away from the customer?"""
        return self.outcome.grave

    @property
    def can_be_undone(self) -> bool:
        """Does it wait some minutes after its last signature? What leaves the account as it is does not."""
        return self.effect not in UNTOUCHED

    @property
    def rests_on_list(self) -> bool:
        """Does it rest on a sanctions list? Then what it rested on is kept for the longer period (R50)."""
        return self.reason.rests_on_list


_STOPPED = "Your account cannot be used for now."
_O, _E = OutcomeCode, AccountEffect

OUTCOMES = {
    outcome.code: outcome
    for outcome in (
        Outcome(_O.NO_ACTION, _E.NOTHING, False, False, None, None),
        Outcome(_O.WATCH, _E.MONITORED, False, False, None, None),
        Outcome(_O.LIMIT, _E.LIMITED, False, False, "You cannot add new resources for now.", APPEAL_WINDOW),
        Outcome(_O.SUSPEND, _E.SUSPENDED, True, True, _STOPPED, APPEAL_WINDOW),
        Outcome(_O.CLOSE, _E.CLOSED, True, True, "We are closing your account.", APPEAL_WINDOW),
        Outcome(_O.BLOCK, _E.BLOCKED, True, True, _STOPPED, APPEAL_WINDOW),
    )
}

_RULES = "We cannot offer this service under the rules that apply to us."
_IDENTITY = "We could not confirm the identity details of this account."
_USE = "The account was used in a way our terms do not allow."
_UNEXPLAINED = "We need an explanation of how this account is used."
_CLEARED = "We found no reason to change anything about this account."

_NO_ACTION = frozenset({_O.NO_ACTION})
_MILD = frozenset({_O.WATCH, _O.LIMIT, _O.SUSPEND})
_GRADED = frozenset({_O.WATCH, _O.LIMIT, _O.SUSPEND, _O.CLOSE})
_RESTRICTING = frozenset({_O.LIMIT, _O.SUSPEND, _O.CLOSE})
_ENDING = frozenset({_O.SUSPEND, _O.CLOSE})
_BLOCKING = frozenset({_O.SUSPEND, _O.CLOSE, _O.BLOCK})

REASONS = {
    reason.code: reason
    for reason in (
        Reason("list_match_confirmed", "Confirmed match on a sanctions list", _RULES, _BLOCKING, True),
        Reason("owned_by_listed", "Owned by persons on a sanctions list", _RULES, _BLOCKING, True),
        Reason("list_match_dismissed", "List match examined and dismissed", _CLEARED, _NO_ACTION, True),
        Reason("special_measure", "A special measure applies", _RULES, _RESTRICTING),
        Reason("authority_order", "Order of a court or an authority", _RULES, _RESTRICTING),
        Reason("outside_our_terms", "Customer or service outside what we offer", _RULES, _ENDING),
        Reason("identity_not_verified", "Identity could not be verified", _IDENTITY, _RESTRICTING),
        Reason("false_documents", "Documents false or altered", _IDENTITY, _ENDING),
        Reason("details_compromised", "Identity details may be in wrong hands", _IDENTITY, _RESTRICTING),
        Reason("owners_undisclosed", "Beneficial owners not disclosed", _IDENTITY, _RESTRICTING),
        Reason("reverification_overdue", "Repeated request for proof unanswered", _IDENTITY, _RESTRICTING),
        Reason("payment_mismatch", "Payment does not fit the customer", _UNEXPLAINED, _MILD),
        Reason("masked_access", "Access only through masking networks", _UNEXPLAINED, _MILD),
        Reason("unusual_use", "Use does not fit what was declared", _UNEXPLAINED, _GRADED),
        Reason("abuse_reported", "Reported abuse", _USE, _GRADED),
        Reason("malicious_use", "Malicious use of the service established", _USE, _ENDING),
        Reason("evasion", "Replaces an account that was restricted", _USE, _ENDING),
        Reason("reseller_ended", "The reseller's contract ends", "Your reseller no longer sells our service.", _ENDING),
        Reason("concern_cleared", "Concern examined and cleared", _CLEARED, _NO_ACTION),
    )
}


# Closing what was never open is refusing it.
NEVER_OPENED = (
    AccountStatus.PROSPECT, AccountStatus.DATA_REQUESTED, AccountStatus.VERIFYING, AccountStatus.REFUSED,
)  # fmt: skip
REFUSALS = {
    "list_match_confirmed": "listed",
    "owned_by_listed": "listed",
    "special_measure": "measure",
    "outside_our_terms": "own_policy",
    "false_documents": "document_not_genuine",
    "reverification_overdue": "identity_not_verified",
}


def can_be_done(outcome: str, status: str) -> bool:
    """Can an account in this state (codes) have this outcome? Use that never began cannot be limited or stopped."""
    stands, effect = AccountStatus(status), OUTCOMES[OutcomeCode(outcome)].effect
    if effect in (AccountEffect.LIMITED, AccountEffect.SUSPENDED):
        return stands.is_open
    if effect in (AccountEffect.CLOSED, AccountEffect.BLOCKED):
        return stands not in (AccountStatus.CLOSED, AccountStatus.REFUSED)
    return True


def outcomes_for(statuses: Iterable[str]) -> list[OutcomeCode]:
    """The outcomes that at least one of the accounts in these states can have, mildest first."""
    known = set(statuses)
    return [code for code in OutcomeCode if any(can_be_done(code, status) for status in known)]


def consequence_of(outcome: str, reason: str, status: str = "") -> Consequence:
    """What follows from deciding `outcome` for `reason` (codes). Raises UnfitOutcome and names what is allowed.

    With the `status` of the account (a code) it names only what an account in this state can have.
    Whatever rests on a list is countersigned, also when it is dismissed: the mistake in either direction is dear.
    """
    if reason not in REASONS:
        raise UnfitOutcome(f"There is no reason with this code. Choose one of: {', '.join(REASONS)}.")
    why = REASONS[reason]
    if outcome not in why.outcomes:
        fitting = [code for code in OutcomeCode if code in why.outcomes and (not status or can_be_done(code, status))]
        allowed = ", ".join(f"“{code.label}”" for code in fitting)
        what = (
            f"Choose one of: {allowed}." if fitting else "Nothing this account can have fits it: choose another reason."
        )
        raise UnfitOutcome(f"This outcome does not fit the reason “{why.title}”. {what}")

    what = OUTCOMES[OutcomeCode(outcome)]
    wording = f"{what.public_effect} {why.public_wording}" if what.public_effect else None
    return Consequence(what, why, what.countersigned or why.rests_on_list, wording)

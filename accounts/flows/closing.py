"""Close an account, and take it up again (requirements R40, R47, R48)."""

import re
from datetime import date, datetime

from accounts import events
from accounts.flows import activation, intake, rating, reverification, texts
from accounts.flows.address_alone import require_more
from accounts.models import Account
from accounts.rules.closing import REASONS, UNVERIFIED
from accounts.rules.onboarding import MOVES, AccountStatus
from accounts.verbs import Verb
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import AccountClosed
from kyc_portal.policy.clocks import clocks_of, stop_clock
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CODE = re.compile(r"[a-z][a-z_]{1,39}")


class UnknownReason(Refusal):
    """A reason to close is a code, because it stands in the audit trail."""


@flow
def close_account(
    account: Account, *, reason: str, told: str = "", object_by: date | None = None, by: Actor, at: datetime
) -> Account:
    """End the use of an account; from now the retention clock runs (R47).

    `reason` is a code: one of rules/closing.py, or the reason code of the decision that closes it (UnknownReason); then
    the customer reads its public words `told`, and until when they may object.

    Nothing is lifted: a restriction stands if the account is taken up again. A report on blocked property stays due,
    because closing discharges nobody from it. Raises MoveNotAllowed.
    """
    if not CODE.fullmatch(reason):
        raise UnknownReason(f"There is no such reason to close an account. Choose one of: {', '.join(REASONS)}.")
    account = _locked(account)
    MOVES.require(account.status, AccountStatus.CLOSED)
    account.status, account.closed_at, account.closing_reason = AccountStatus.CLOSED.value, at, reason
    account.save(update_fields=["status", "closed_at", "closing_reason"])
    audit.record(Verb.CLOSED, account, by=by, at=at, reason=reason)
    reverification.forget_question(account, by=by, at=at)
    for clock in clocks_of(account):
        stop_clock(clock.kind, account, by=by, at=at)

    notice = AccountClosed(name=account.party.legal_name, account=account.reference, told=told, object_by=object_by)
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)
    events.account_closed.send(sender=Account, account=account, by=by, at=at)
    return account


@flow
def close_by_hand(account: Account, *, reason: str, by: Actor, at: datetime) -> Account:
    """Close as one member of staff decides on the account's page; the blocked and the unverified take two (R37)."""
    if reason == UNVERIFIED:
        raise UnknownReason("Two people close an account for this. Decide on the verification's page what follows.")
    if reason not in REASONS:
        raise UnknownReason(f"There is no such reason to close an account. Choose one of: {', '.join(REASONS)}.")
    if _locked(account).status == AccountStatus.BLOCKED:
        raise UnknownReason(f"{account.reference} is blocked. Two people decide in a case whether it is closed.")
    require_more(account, reason)
    return close_account(account, reason=reason, by=by, at=at)


@flow
def reopen_account(account: Account, *, reason: str, by: Actor, at: datetime) -> Account:
    """Take an ended account up again; the retention clock is reset, because its closing day is gone (R48).

    A closed account goes into use only if nothing stands in the way of opening it (NotReady with all reasons); one
    that never was in use, or was blocked as a prospect, begins anew as a prospect. Raises MoveNotAllowed.
    """
    account = _locked(account)
    told = texts.Texts()
    reason = texts.required("Reason", told.line("Reason", reason, 80))
    never_used = account.status == AccountStatus.REFUSED
    new = AccountStatus.PROSPECT if never_used else AccountStatus.ACTIVE
    if account.status != AccountStatus.CLOSED:
        MOVES.require(account.status, AccountStatus.PROSPECT)
    elif reasons := activation.obstacles(account, at=at):
        raise activation.NotReady(" ".join(reasons))

    account.status, account.closed_at, account.closing_reason = new.value, None, ""
    account.save(update_fields=["status", "closed_at", "closing_reason"])
    said = {"reason": reason}  # in free words, so it is sealed apart from the event
    audit.record(Verb.REOPENED, account, by=by, at=at, personal=said, subject=account.party_id)
    told.record_masked(account, by=by, at=at)
    if not never_used:
        rating.rate_risk(account, by=by, at=at)
        account.refresh_from_db(fields=["risk_tier", "risk_score", "next_review_on"])
    return account


@flow
def take_up_unverified(account: Account, *, by: Actor, at: datetime) -> Account:
    """Take a closed account up again although somebody behind it is not verified; the caller limits or watches it.

    Everything else that an opening asks for must be there (NotReady with all reasons). Raises MoveNotAllowed.
    """
    account = _locked(account)
    MOVES.require(account.status, AccountStatus.ACTIVE)
    if reasons := activation.obstacles(account, at=at, identities_may_be_open=True):
        raise activation.NotReady(" ".join(reasons))
    account.status, account.closed_at, account.closing_reason = AccountStatus.ACTIVE.value, None, ""
    account.save(update_fields=["status", "closed_at", "closing_reason"])
    audit.record(Verb.REOPENED, account, by=by, at=at)
    rating.rate_risk(account, by=by, at=at)
    account.refresh_from_db(fields=["risk_tier", "risk_score", "next_review_on"])
    return account


def _locked(account: Account) -> Account:
    account = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
    holds.refuse_doomed(account)
    return account

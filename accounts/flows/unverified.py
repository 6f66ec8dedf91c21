"""An identity could not be verified: what follows for the account, and until when (requirements R38-R41, R43).

One person proposes. Closing, keeping an account in use under watch and taking a closed one up again take a second
person (R37); the rest is in effect at once. What the outcome does to the account happens in the same transaction.
"""

from datetime import datetime

from django.db.models import Q

from accounts.flows import closing, customer_links, intake, rating, restrictions, reverification
from accounts.flows.texts import Texts, chosen, required
from accounts.models import Account, CouldNotVerify, Restriction, Verification
from accounts.rules.asked import Purpose
from accounts.rules.onboarding import AccountStatus
from accounts.rules.restricting import REASONS as RESTRICTING
from accounts.rules.unverified import MOVES, REASONS, WORDINGS, Outcome, OutcomeState, fitting, must_be_countersigned
from accounts.rules.verifying import VerificationStatus
from accounts.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import IdentityNotVerified
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

IN_DOUBT = RESTRICTING["identity_in_doubt"]
LOOK, WATCH = "watch_look_days", "watch"


class NotUnverifiable(Refusal):
    """The verification did not end as “could not be verified”, or a later one took its place."""


class DoesNotFit(Refusal):
    """The account is in a state to which the outcome does not apply."""


class AlreadyDecided(Refusal):
    """The same outcome is in effect, or a proposal waits for its second signature."""


class AlreadyAnswered(Refusal):
    """The proposal was countersigned, declined or withdrawn before."""


class NotYours(Refusal):
    """A proposal is withdrawn by whoever made it."""


@flow
def propose(
    verification: Verification, *, outcome: str, reason: str, explanation: str, by: Actor, at: datetime
) -> CouldNotVerify:
    """Say what is to follow after “could not be verified”; in effect at once where one signature is enough.

    `outcome` and `reason` are codes of rules/unverified.py, `explanation` is up to 500 characters. Raises BadField,
    NotUnverifiable, DoesNotFit, AlreadyDecided.
    """
    account = lock_account(verification.account_id)
    verification = _locked_verification(verification)
    outcome, told = chosen("Outcome", outcome, Outcome), Texts()
    if reason not in REASONS:
        raise DoesNotFit(f"There is no such reason. Choose one of: {', '.join(REASONS)}.")
    explanation = required("Explanation", told.lines("Explanation", explanation.strip(), 500))
    rows = CouldNotVerify.objects.filter(account=account, party=verification.party_id)
    former = rows.in_effect().first()
    _require_may_follow(verification, account, outcome, former)
    if waiting := rows.proposed().first():
        raise AlreadyDecided(f"{waiting.reference} waits for its second signature. Withdraw or decline it first.")

    row = CouldNotVerify.objects.create(
        account=account, verification=verification, party=verification.party, outcome=outcome, reason=reason,
        explanation=explanation, proposed_at=at, proposed_by=by.label, proposed_by_key=person_key(by),
    )  # fmt: skip
    facts = {"verification": verification.reference, "outcome": outcome, "reason": reason, "row": row.reference}
    audit.record(Verb.UNVERIFIED_PROPOSED, row, by=by, at=at, within=account, **facts)
    told.record_masked(row, by=by, at=at)
    if must_be_countersigned(outcome, account.status):
        return row
    return _put_into_effect(row, account, former, by, at)


@flow
def countersign(row: CouldNotVerify, *, by: Actor, at: datetime) -> CouldNotVerify:
    """Give the second signature; it is in effect in the same transaction (R37).

    Of two people who sign at once one wins, the other reads who it was. Raises AlreadyAnswered, SecondPersonNeeded,
    NotUnverifiable, DoesNotFit.
    """
    row, account = _locked(row)
    _require_waits(row)
    require_second_person(row.proposed_by_key, by, deed=row.reference)
    rows = CouldNotVerify.objects.filter(account=account, party=row.party_id)
    former = rows.in_effect().first()
    _require_may_follow(row.verification, account, row.outcome, former)
    row.answered_at, row.answered_by, row.answered_by_key = at, by.label, person_key(by)
    return _put_into_effect(row, account, former, by, at)


@flow
def decline(row: CouldNotVerify, *, why: str, by: Actor, at: datetime) -> CouldNotVerify:
    """Do not countersign, and say why. Raises AlreadyAnswered, SecondPersonNeeded, BadField."""
    row, account = _locked(row)
    _require_waits(row)
    require_second_person(row.proposed_by_key, by, deed=row.reference)
    told = Texts()
    row.answered_why = required("Why", told.lines("Why", why.strip(), 300))
    told.record_masked(row, by=by, at=at)
    return _end_unsigned(row, account, OutcomeState.DECLINED, Verb.UNVERIFIED_DECLINED, by, at)


@flow
def withdraw(row: CouldNotVerify, *, by: Actor, at: datetime) -> CouldNotVerify:
    """Take back one's own proposal. Raises AlreadyAnswered, NotYours."""
    row, account = _locked(row)
    _require_waits(row)
    if person_key(by) != row.proposed_by_key:
        raise NotYours(f"{row.proposed_by} proposed this. Decline it instead, or ask them to withdraw it.")
    return _end_unsigned(row, account, OutcomeState.WITHDRAWN, Verb.UNVERIFIED_WITHDRAWN, by, at)


@flow
def end_by_proof(verification: Verification, *, by: Actor, at: datetime) -> None:
    """The identity is verified after all: what was chosen or proposed ends, with its limits and its watch.

    The caller holds the account's lock.
    """
    account = lock_account(verification.account_id)
    rows = CouldNotVerify.objects.filter(account=account, party=verification.party_id)
    waiting, standing = rows.proposed().first(), rows.in_effect().first()
    for row in filter(None, (waiting, standing)):
        end(row, account, OutcomeState.ENDED, by=by, at=at)
    if standing is not None and account.is_open:
        lift_limits(standing, account, why="the identity is verified", by=by, at=at)


@flow
def end_with_account(account: Account, *, by: Actor, at: datetime, **signal) -> None:
    """The account was closed: nothing is limited or watched any more, and no proposal waits; a closing stands."""
    rows = CouldNotVerify.objects.filter(account=account)
    for row in [*rows.proposed(), *rows.in_effect().exclude(outcome=Outcome.CLOSED.value)]:
        end(row, account, OutcomeState.OVER, by=by, at=at)


def end(
    row: CouldNotVerify, account: Account, state: OutcomeState, *, superseded_by: str = "", by: Actor, at: datetime
) -> None:
    """It no longer holds; its watch is over, and the risk is rated anew. The caller holds the account's lock."""
    MOVES.require(row.state, state)
    row.state, row.ended_at, row.superseded_by = state.value, at, superseded_by
    row.save(update_fields=["state", "ended_at", "superseded_by"])
    facts = {"row": row.reference, "outcome": row.outcome, "state": state.value}
    audit.record(Verb.UNVERIFIED_OVER, row, by=by, at=at, within=account, **facts)
    stop_clock(look_clock(row), account, by=by, at=at)
    if row.outcome == Outcome.WATCHED and account.is_open:
        rating.rate_risk(account, by=by, at=at)


def lift_limits(row: CouldNotVerify, account: Account, *, why: str, but: str = "", by: Actor, at: datetime) -> None:
    """Lift what was limited while this party was in doubt, but for the restriction that rests on `but`."""
    same = {"account": account, "party": row.party_id}
    bases = set()
    for name in Verification.objects.filter(**same).values_list("reference", flat=True):
        bases |= {name, f"{name} overdue", f"{name} concluded"}
    for name in CouldNotVerify.objects.filter(**same).values_list("reference", flat=True):
        bases |= {name, f"{name} overdue"}
    standing = Restriction.objects.in_force().filter(account=account, basis__in=bases - {but})
    for restriction in standing.order_by("applied_at", "pk"):
        restrictions.lift(restriction, why=why, by=by, at=at)


def look_clock(row: CouldNotVerify) -> str:
    """The clock on the account by which it is to be looked at again; each outcome has its own."""
    return f"look again ({row.reference})"


def lock_account(key) -> Account:
    """The account with its party, locked until the transaction ends; every flow here takes it first."""
    return Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=key)


def _locked(row: CouldNotVerify) -> tuple[CouldNotVerify, Account]:
    """The account's row first, then the outcome's."""
    account = lock_account(row.account_id)
    rows = CouldNotVerify.objects.select_for_update(of=("self",)).select_related("verification__party")
    return rows.get(pk=row.pk), account


def _locked_verification(verification: Verification) -> Verification:
    rows = Verification.objects.select_for_update(of=("self",)).select_related("party")
    return rows.get(pk=verification.pk)


def _require_may_follow(
    verification: Verification, account: Account, outcome: str, former: CouldNotVerify | None
) -> None:
    if verification.status != VerificationStatus.UNVERIFIABLE:
        label = VerificationStatus(verification.status).label
        raise NotUnverifiable(f"{verification.reference} is {label}. Conclude first that it could not be verified.")
    later = Verification.objects.filter(account=account, party=verification.party_id)
    later = later.filter(Q(started_at__gt=verification.started_at) | Q(concluded_at__isnull=True))
    if newest := later.order_by("-started_at", "pk").first():
        raise NotUnverifiable(f"{newest.reference} came after {verification.reference}. Bring that one to its end.")
    can_be = fitting(account.status, replaces_closing=former is not None and former.outcome == Outcome.CLOSED)
    if outcome not in can_be:
        words = ", ".join(f"“{each.label}”" for each in can_be)
        instead = f"Choose one of: {words}." if words else "Nothing is to be decided here; two people decide in a case."
        raise DoesNotFit(
            f"{account.reference} is {AccountStatus(account.status).label}: it cannot be “{Outcome(outcome).label}”. "
            f"{instead}"
        )


def _require_waits(row: CouldNotVerify) -> None:
    if row.state != OutcomeState.PROPOSED:
        who, when = row.answered_by or row.proposed_by, row.answered_at or row.in_effect_at or row.ended_at
        raise AlreadyAnswered(
            f"{row.reference} is {row.get_state_display()}; last signed by {who} on {when:%-d %b %Y at %H:%M} UTC."
        )


def _end_unsigned(row, account: Account, state: OutcomeState, verb: Verb, by: Actor, at: datetime) -> CouldNotVerify:
    MOVES.require(row.state, state)
    row.state, row.answered_at, row.answered_by, row.answered_by_key = state.value, at, by.label, person_key(by)
    row.save(update_fields=["state", "answered_at", "answered_by", "answered_by_key", "answered_why"])
    audit.record(verb, row, by=by, at=at, within=account, row=row.reference, outcome=row.outcome)
    return row


def _put_into_effect(
    row: CouldNotVerify, account: Account, former: CouldNotVerify | None, by: Actor, at: datetime
) -> CouldNotVerify:
    """Write it down as in effect in place of the former, do to the account what it says, tell the customer."""
    regime, day = regime_on(legal_day(at)), legal_day(at)
    MOVES.require(row.state, OutcomeState.IN_EFFECT)
    if former is not None:
        end(former, account, OutcomeState.SUPERSEDED, superseded_by=row.reference, by=by, at=at)
    row.state, row.in_effect_at = OutcomeState.IN_EFFECT.value, at
    row.redress_by = add_days(day, regime.whole("appeal_window_days"))
    if row.outcome == Outcome.LIMITED:
        row.limited_until = at + regime.days("verify_days")
    if row.outcome == Outcome.WATCHED:
        row.look_again_on = start_clock(
            look_clock(row), account, figure=LOOK, regime=regime, on=day, by=by, at=at
        ).due_on
    row.save()
    audit.record(
        Verb.UNVERIFIED_IN_EFFECT, row, by=by, at=at, within=account, verification=row.verification.reference,
        outcome=row.outcome, reason=row.reason, row=row.reference, until=row.limited_until, day=row.look_again_on,
    )  # fmt: skip
    _DO[Outcome(row.outcome)](row, account, by, at)
    account.refresh_from_db()
    _tell(row, account, by, at)
    return row


def _refuse(row: CouldNotVerify, account: Account, by: Actor, at: datetime) -> None:
    intake.refuse_prospect(account, reason="identity_not_verified", by=by, at=at)


def _close(row: CouldNotVerify, account: Account, by: Actor, at: datetime) -> None:
    closing.close_account(account, reason="not_verifiable", by=by, at=at)


def _limit(row: CouldNotVerify, account: Account, by: Actor, at: datetime) -> None:
    """When its time is over use stops, because time settles no doubt (restrictions.end_expired)."""
    if account.status == AccountStatus.CLOSED:
        closing.take_up_unverified(account, by=by, at=at)
    restrictions.limit(
        account, reason=IN_DOUBT.code, public_wording=IN_DOUBT.public_wording, basis=row.reference,
        until=row.limited_until, object_by=row.redress_by, by=by, at=at,
    )  # fmt: skip
    lift_limits(row, account, why=f"replaced by {row.reference}", but=row.reference, by=by, at=at)


def _watch(row: CouldNotVerify, account: Account, by: Actor, at: datetime) -> None:
    if account.status == AccountStatus.CLOSED:
        account = closing.take_up_unverified(account, by=by, at=at)
    lift_limits(row, account, why=f"kept under watch by {row.reference}", by=by, at=at)
    rating.rate_risk(account, by=by, at=at)


_DO = {Outcome.NOT_OPENED: _refuse, Outcome.CLOSED: _close, Outcome.LIMITED: _limit, Outcome.WATCHED: _watch}


def _tell(row: CouldNotVerify, account: Account, by: Actor, at: datetime) -> None:
    """Tell what follows, and how and until when to ask for redress; a page that is open already takes it as well."""
    link = {}
    if customer_links.standing(account) is None:
        link = customer_links.for_notice(account, purpose=Purpose.REDRESS, answer_by=row.redress_by, by=by, at=at)
    notice = IdentityNotVerified(
        name=account.party.legal_name, account=account.reference, wording=WORDINGS[Outcome(row.outcome)],
        redress_by=row.redress_by, **link,
    )  # fmt: skip
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)


# --- each night -------------------------------------------------------------------------------------------------------


def make_due(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """Each night: watched accounts whose day has come, and limited ones whose limit ran out, are to be looked at again.

    Proof is asked for (R45). Each in its own transaction; what was made due is not made due again.
    """
    due = CouldNotVerify.objects.look_due(legal_day(at)).filter(look_due_at__isnull=True).order_by("in_effect_at", "pk")
    return sweep("accounts.watch_due", due, lambda row: _make_due(row, by=by, at=at), at=at)


@flow
def _make_due(row: CouldNotVerify, *, by: Actor, at: datetime) -> None:
    row, account = _locked(row)
    is_due = CouldNotVerify.objects.look_due(legal_day(at)).filter(pk=row.pk, look_due_at__isnull=True).exists()
    if not is_due:  # another run was faster, or it ended meanwhile
        return
    row.look_due_at = at
    row.save(update_fields=["look_due_at"])
    day = row.look_again_on or legal_day(row.limited_until)
    audit.record(Verb.WATCH_DUE, row, by=by, at=at, within=account, row=row.reference, day=day)
    reverification.request_after(account, trigger=WATCH, by=by, at=at)

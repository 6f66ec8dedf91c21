"""Limit, suspend, block and release accounts (requirements R39-R41).

Several restrictions may stand side by side, each on its own basis; the strictest applies.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts import events
from accounts.flows import intake, texts
from accounts.flows.account_file import AccountFile
from accounts.flows.address_alone import require_more
from accounts.models import Account, CouldNotVerify, Restriction, Verification
from accounts.models.restriction import Level
from accounts.models.screening import HitStatus
from accounts.rules.onboarding import MOVES, AccountStatus
from accounts.rules.restricting import PUBLIC_LEVELS, REASONS, strictness
from accounts.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import require_second_person
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import AccountRestricted, RestrictionLifted
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

VERBS = {Level.LIMITED: Verb.LIMITED, Level.SUSPENDED: Verb.SUSPENDED}


class AlreadyRestricted(Refusal):
    """A restriction on the same basis is still in force."""


class TwoMustDecide(Refusal):
    """One person alone may not go that far."""


class NotInUse(Refusal):
    """The account is not open, so there is no use to limit or stop."""


class NotInForce(Refusal):
    """The restriction was lifted before."""


class BlockHasNoEnd(Refusal):
    """Somebody gave a block an end day."""


class EndIsPast(Refusal):
    """The last day of a restriction lies in the past."""


def strictest(account: Account) -> Restriction | None:
    """The restriction that decides what the customer may do; None when nothing is restricted."""
    return strictest_of(account.restrictions.in_force().order_by("applied_at"))


def strictest_of(standing: Iterable[Restriction]) -> Restriction | None:
    """The same for restrictions that were read already."""
    return max(standing, key=lambda restriction: strictness(restriction.level), default=None)


@flow
def limit(
    account: Account, *, reason: str, public_wording: str, basis: str, until: datetime | None = None,
    object_by: date | None = None, by: Actor, at: datetime,
) -> Restriction:  # fmt: skip
    """Refuse new resources on an open account, until `until` when it is given. Raises NotInUse, AlreadyRestricted."""
    return _restrict(account, Level.LIMITED, reason, public_wording, basis, until, object_by, by, at)


@flow
def suspend(
    account: Account, *, reason: str, public_wording: str, basis: str, until: datetime | None = None,
    object_by: date | None = None, by: Actor, at: datetime,
) -> Restriction:  # fmt: skip
    """Stop all use of an open account, until `until` when it is given. Raises NotInUse, AlreadyRestricted."""
    return _restrict(account, Level.SUSPENDED, reason, public_wording, basis, until, object_by, by, at)


def _restrict(account, level, reason, public_wording, basis, until, object_by, by, at) -> Restriction:
    account = _locked(account)
    if not AccountStatus(account.status).is_open:
        raise NotInUse(
            f"{account.reference} is {AccountStatus(account.status).label}, so there is no use to restrict. "
            "Refuse to open it, or leave it closed."
        )
    restriction = _create(account, level, reason, public_wording, basis, until, object_by, by, at)
    audit.record(
        VERBS[level], account, by=by, at=at, reason=reason, basis=basis, until=until, restriction=restriction.reference
    )
    _tell(account, restriction, by, at)
    return restriction


@flow
def block(
    account: Account, *, reason: str, public_wording: str, basis: str, until: datetime | None = None,
    object_by: date | None = None, by: Actor, at: datetime,
) -> Restriction:  # fmt: skip
    """Freeze an account and what is in it; who listens opens the report that is due (31 CFR 501.603).

    A prospect can be blocked too. A block has no end day: somebody lifts it. Raises BlockHasNoEnd, AlreadyRestricted,
    MoveNotAllowed.
    """
    if until is not None:
        raise BlockHasNoEnd("A block stands until somebody lifts it. Leave out the end day.")
    account = _locked(account)
    restriction = _create(account, Level.BLOCKED, reason, public_wording, basis, None, object_by, by, at)
    if account.status != AccountStatus.BLOCKED:
        MOVES.require(account.status, AccountStatus.BLOCKED)
        account.status = AccountStatus.BLOCKED.value
        account.save(update_fields=["status"])
    audit.record(Verb.BLOCKED, account, by=by, at=at, reason=reason, basis=basis, restriction=restriction.reference)
    events.account_blocked.send(sender=Account, account=account, restriction=restriction, by=by, at=at)
    _tell(account, restriction, by, at)
    return restriction


def restrict_by_hand(
    account: Account, *, level: str, reason: str, last_day: date | None = None, by: Actor, at: datetime
) -> Restriction:
    """Restrict as a member of staff decides on the account's page: `reason` is a code of rules/restricting.py.

    The customer reads that reason's public wording and may object within the policy's window (R41). Raises KeyError for
    an unknown reason, AddressAlone, and what limit, suspend and block raise.
    """
    act = {Level.LIMITED: limit, Level.SUSPENDED: suspend, Level.BLOCKED: block}[Level(level)]
    day = legal_day(at)
    _require_one_person_may(account, Level(level), last_day, day)
    require_more(account, reason)
    until = None
    if last_day is not None:
        until = datetime.combine(add_days(last_day, 1), time.min, ZoneInfo(settings.LEGAL_TIME_ZONE))
        if until <= at:
            raise EndIsPast(f"The last day {last_day} is over. Choose a later one, or none.")
    return act(
        account, reason=reason, public_wording=REASONS[reason].public_wording, basis=f"by hand: {reason}", until=until,
        object_by=add_days(day, regime_on(day).whole("appeal_window_days")), by=by, at=at,
    )  # fmt: skip


def _require_one_person_may(account: Account, level: Level, last_day: date | None, day: date) -> None:
    """One person alone may limit, stop for days what cannot wait, and block whom two people found listed (R37)."""
    if level == Level.SUSPENDED:
        longest = add_days(day, regime_on(day).whole("urgent_suspension_days"))
        if last_day is None or last_day > longest:
            raise TwoMustDecide(
                f"One person suspends through {longest} at most. Name a day up to then, or have a case decided by two."
            )
    if level == Level.BLOCKED:
        everybody = AccountFile(account, day).hits
        if not any(hit.status == HitStatus.CONFIRMED for hit in everybody):
            raise TwoMustDecide(
                "No list hit of this customer is confirmed. Judge the hit, or have a case decided by two."
            )


@flow
def lift(restriction: Restriction, *, why: str, by: Actor, at: datetime) -> Restriction:
    """End one restriction; the others stay. Lifting the last block gives an account back what it was before.

    A block is lifted by a person only. Raises NotInForce, SecondPersonNeeded.
    """
    account = _locked(restriction.account)
    restriction = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
    if restriction.lifted_at is not None:
        raise NotInForce(f"{restriction.reference} was already lifted by {restriction.lifted_by}.")
    if restriction.level == Level.BLOCKED:
        require_second_person(None, by, deed="lifting a block")

    told = texts.Texts()
    restriction.lifted_why = texts.required("Why", told.line("Why", why, 200))
    restriction.lifted_at, restriction.lifted_by = at, by.label
    restriction.save(update_fields=["lifted_at", "lifted_by", "lifted_why"])
    audit.record(Verb.LIFTED, account, by=by, at=at, restriction=restriction.reference)
    told.record_masked(account, by=by, at=at)
    if restriction.level == Level.BLOCKED:
        _unblock(account, by, at)
    if account.is_open and not account.restrictions.in_force().exists():
        notice = RestrictionLifted(name=account.party.legal_name, account=account.reference)
        _queue(notice, account, by, at)
    return restriction


def _unblock(account: Account, by: Actor, at: datetime) -> None:
    """After the last block: back into use; what never was in use is "not opened", from where it may begin anew."""
    if account.status != AccountStatus.BLOCKED or account.restrictions.in_force().filter(level=Level.BLOCKED).exists():
        return
    new = AccountStatus.ACTIVE if account.opened_at else AccountStatus.REFUSED
    MOVES.require(account.status, new)
    account.status = new.value
    if new == AccountStatus.REFUSED:
        account.closed_at, account.closing_reason = at, "block_lifted"
    account.save(update_fields=["status", "closed_at", "closing_reason"])


def end_expired(*, by: Actor = SCHEDULER, at: datetime) -> dict:
    """End each restriction whose time is over, each in its own transaction; may be repeated.

    A limit on an identity that is still in doubt gives way to a suspension, never to full use.
    """
    over = Restriction.objects.run_out(at).select_related("account").order_by("until", "pk")
    return sweep("accounts.end_restriction", over, lambda row: _end(row, by=by, at=at), at=at)


@flow
def _end(restriction: Restriction, *, by: Actor, at: datetime) -> None:
    """Time alone settles no doubt: while the verification a limit rests on is not concluded, or what was chosen when it
    could not be concluded stands, use stops (R39, R40)."""
    account = _locked(restriction.account)
    restriction = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
    if restriction.lifted_at is not None:  # by another run, or by the conclusion
        return
    rests = {"account": account, "reference": restriction.basis}
    doubted = (
        Verification.objects.unfinished().filter(**rests).exists()
        or CouldNotVerify.objects.in_effect().filter(**rests).exists()
    )
    narrower = f"{restriction.basis} overdue"
    standing = account.restrictions.in_force().filter(basis=narrower).exists()
    if doubted and restriction.level == Level.LIMITED and account.is_open and not standing:
        suspend(
            account, reason=restriction.reason, public_wording=restriction.public_wording, basis=narrower,
            object_by=add_days(legal_day(at), regime_on(legal_day(at)).whole("appeal_window_days")), by=by, at=at,
        )  # fmt: skip
    lift(restriction, why="its time is over", by=by, at=at)


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)


def _create(account, level, reason, public_wording, basis, until, object_by, by, at) -> Restriction:
    standing = account.restrictions.in_force().filter(basis=basis).first()
    if standing is not None:
        raise AlreadyRestricted(
            f"{account.reference} is already {standing.get_level_display()} on this basis ({standing.reference}). "
            "Lift that restriction first."
        )
    return Restriction.objects.create(
        account=account, level=level, reason=reason, public_wording=public_wording, basis=basis, applied_at=at,
        applied_by=by.label, until=until, object_by=object_by,
    )  # fmt: skip


def _tell(account: Account, restriction: Restriction, by: Actor, at: datetime) -> None:
    """The customer reads the public wording and never the reason."""
    notice = AccountRestricted(
        name=account.party.legal_name,
        account=account.reference,
        level=PUBLIC_LEVELS[restriction.level],
        wording=restriction.public_wording,
        until=legal_day(restriction.until) if restriction.until else None,
        object_by=restriction.object_by,
    )
    _queue(notice, account, by, at)


def _queue(notice, account: Account, by: Actor, at: datetime) -> None:
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)

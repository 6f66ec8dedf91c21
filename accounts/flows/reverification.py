"""Ask again for proof: when the time has come round, when something happened, when nobody answers (R45, R46)."""

from datetime import date, datetime

from django.db.models import Exists, F, OuterRef, QuerySet

from accounts.flows import customer_links, intake, rating, signals
from accounts.flows.parties_concerned import parties_to_verify, unverified_parties
from accounts.models import Account, RiskSignal, Verification
from accounts.rules.asked import EndedWhy, Purpose
from accounts.rules.detectors import BY_CODE
from accounts.rules.onboarding import AccountStatus
from accounts.rules.verifying import Result
from accounts.verbs import Verb
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import ReverificationAsked, ReverificationOverdue
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

ANSWER_BY = "answer to the review"
LAST_DAY = "last day to answer the review"
PERIODIC, EXPIRED, MOVED = "periodic", "document_expired", "location_changed"
OVERDUE = "reverification_overdue"


class NotInUse(Refusal):
    """The account is not open: nothing is asked of its customer."""


class NotAsked(Refusal):
    """Nothing is asked at present."""


class AlreadyAsked(Refusal):
    """Proof was asked for and the answer is still out."""


def request_due(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, dict]:
    """Ask whoever is due, remind who has not answered, flag who let the last day pass; each account by itself.

    May be killed and repeated: what was done is not done again. Returns what was done, by step.
    """
    day = legal_day(at)
    due = Account.objects.due_for_review(day).order_by("next_review_on", "pk")
    relied = _relying_on_expired(day).select_related("account__party", "party").order_by("pk")
    silent = Account.objects.review_unanswered(day).order_by("review_answer_by", "pk")
    flagged = RiskSignal.objects.open().filter(account=OuterRef("pk"), code=OVERDUE)
    return {
        "asked": sweep("accounts.review", due, lambda row: _ask_if_due(row, by=by, at=at), at=at),
        "expired": sweep("accounts.review_expired", relied, lambda row: _ask_if_needed(row, by, at), at=at),
        "reminded": sweep(
            "accounts.review_remind",
            silent.filter(review_reminded=False),
            lambda row: _remind(row, by=by, at=at),
            at=at,
        ),
        "flagged": sweep(
            "accounts.review_flag",
            silent.filter(~Exists(flagged), review_reminded=True),
            lambda row: signals.run_detectors(row, by=by, at=at),
            at=at,
        ),
    }


@flow
def ask(account: Account, *, trigger: str, by: Actor, at: datetime) -> Account:
    """Ask the customer of an open account for proof again, with a day to answer. Raises NotInUse, AlreadyAsked."""
    account = _locked(account)
    if not account.is_open:
        status = AccountStatus(account.status).label
        raise NotInUse(f"{account.reference} is {status}. Proof is asked again only of accounts in use.")
    if account.review_asked_on is not None:
        raise AlreadyAsked(
            f"Proof was asked for on {account.review_asked_on}; the answer is due on {account.review_answer_by}. "
            "Wait for it."
        )
    return _ask(account, trigger, by, at)


@flow
def request_after(account: Account, *, trigger: str, by: Actor, at: datetime) -> bool:
    """Something happened (R46): ask now, unless the account is not in use or was asked. Says whether it asked."""
    account = _locked(account)
    if not account.is_open or account.review_asked_on is not None:
        return False
    _ask(account, trigger, by, at)
    return True


def take_new_location(party, *, by: Actor, at: datetime, **signal) -> None:
    """A party has an address in another country now: whoever is open in its name is asked again (R46)."""
    for account in Account.objects.open().filter(party=party).order_by("pk"):
        request_after(account, trigger=MOVED, by=by, at=at)


def take_flag(sender, *, risk_signal: RiskSignal, by: Actor, at: datetime, **signal) -> None:
    """A detector found that somebody is elsewhere than stated: the customer is asked, as for a new address (R46).

    Where the question is out already it is not asked twice.
    """
    if (detector := BY_CODE.get(risk_signal.code)) is not None and detector.asks_again:
        request_after(risk_signal.account, trigger=MOVED, by=by, at=at)


def _ask(account: Account, trigger: str, by: Actor, at: datetime) -> Account:
    day = legal_day(at)
    clock = start_clock(
        ANSWER_BY, account, figure="reverification_answer_days", regime=regime_on(day), on=day, by=by, at=at
    )
    account.review_asked_on, account.review_answer_by = day, clock.due_on
    account.review_trigger, account.review_reminded = trigger, False
    _save_review(account)
    audit.record(Verb.REVIEW_ASKED, account, by=by, at=at, trigger=trigger, answer_by=clock.due_on)
    _tell(account, by, at)
    return account


def _tell(account: Account, by: Actor, at: datetime) -> None:
    due = account.review_answer_by
    link = customer_links.for_notice(account, purpose=Purpose.REVIEW, answer_by=due, by=by, at=at)
    kind, day = (ReverificationOverdue, "last_day") if account.review_reminded else (ReverificationAsked, "answer_by")
    _queue(kind(name=account.party.legal_name, account=account.reference, **{day: due}, **link), account, by, at)


@flow
def tell_again(account: Account, *, by: Actor, at: datetime) -> Account:
    """Send the question once more with a new link; the day to answer stays. Raises NotAsked."""
    account = _locked(account)
    if account.review_asked_on is None:
        raise NotAsked(f"Nothing is asked of the customer of {account.reference}. Ask for proof or for data first.")
    _tell(account, by, at)
    return account


@flow
def _ask_if_due(account: Account, *, by: Actor, at: datetime) -> None:
    """Two runs may have found the same account: the second finds it asked already."""
    account = _locked(account)
    if account.is_open and account.review_asked_on is None and account.next_review_on <= legal_day(at):
        _ask(account, PERIODIC, by, at)


def _relying_on_expired(day: date) -> QuerySet[Verification]:
    """The newest verifications of accounts in use that rest on a document which has expired since (R46)."""
    newer = Verification.objects.verified().filter(
        account=OuterRef("account"), party=OuterRef("party"), concluded_at__gt=OuterRef("concluded_at")
    )
    resting = Verification.objects.verified().filter(
        account__status=AccountStatus.ACTIVE.value,
        account__review_asked_on__isnull=True,
        results__result=Result.MATCH.value,
        results__document__expires_on__lt=day,
        results__document__expires_on__gte=F("concluded_at__date"),
    )
    return resting.filter(~Exists(newer)).distinct()


def _ask_if_needed(verification: Verification, by: Actor, at: datetime) -> None:
    """Ask only about people whose identity still matters: an owner who left does not bring a customer new questions."""
    needed = parties_to_verify(verification.account, on=legal_day(at))
    if verification.party in needed:
        request_after(verification.account, trigger=EXPIRED, by=by, at=at)


@flow
def _remind(account: Account, *, by: Actor, at: datetime) -> None:
    """Give a last day, once."""
    account, day = _locked(account), legal_day(at)
    is_late = account.review_answer_by is not None and account.review_answer_by < day
    if not account.is_open or account.review_reminded or not is_late:
        return
    stop_clock(ANSWER_BY, account, by=by, at=at)
    clock = start_clock(
        LAST_DAY, account, figure="reverification_grace_days", regime=regime_on(day), on=day, by=by, at=at
    )
    account.review_answer_by, account.review_reminded = clock.due_on, True
    _save_review(account)
    audit.record(Verb.REVIEW_REMINDED, account, by=by, at=at, last_day=clock.due_on)
    _tell(account, by, at)


@flow
def take_answer(account: Account, *, by: Actor, at: datetime) -> bool:
    """After a verification: if everybody who must be was verified since the question, the review is answered.

    The rating then counts the next one from this verification, by the customer's tier. Says whether the review ended.
    """
    account, day = _locked(account), legal_day(at)
    if account.review_asked_on is None or unverified_parties(account, on=day, since=account.review_asked_on):
        return False
    forget_question(account, why=EndedWhy.ANSWERED, by=by, at=at)
    audit.record(Verb.REVIEW_ANSWERED, account, by=by, at=at)
    rating.rate_risk(account, by=by, at=at)
    return True


def forget_question(account: Account, *, why: EndedWhy = EndedWhy.OVER, by: Actor, at: datetime) -> None:
    """Nothing is asked any more: the question was answered, or the account has ended. The caller holds the lock."""
    account.review_asked_on = account.review_answer_by = None
    account.review_trigger, account.review_reminded = "", False
    _save_review(account)
    customer_links.end(account, why=why, by=by, at=at)
    for kind in (ANSWER_BY, LAST_DAY):
        stop_clock(kind, account, by=by, at=at)


def _save_review(account: Account) -> None:
    account.save(update_fields=["review_asked_on", "review_answer_by", "review_trigger", "review_reminded"])


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)


def _queue(notice, account: Account, by: Actor, at: datetime) -> None:
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)

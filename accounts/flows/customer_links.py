"""Links by which a customer opens their own page: made, opened once, withdrawn (trust.md TH7; requirement R23).

A token is random and leaves us once, in the sealed notice; kept is its hash. Used, expired, withdrawn and unknown links
are refused with the same words, so that whoever finds one learns nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.flows import parties
from accounts.models import Account, CouldNotVerify, CustomerLink
from accounts.rules.asked import EndedWhy, Purpose
from accounts.rules.onboarding import AccountStatus
from accounts.verbs import Verb
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import PrivacyNoticeVersion
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

BYTES = 32  # of a token and of a session's secret


class LinkRefused(Refusal):
    """The link opens nothing: whether it was used, ended, expired or never was is not said."""


class NoLink(Refusal):
    """No link is out."""


@dataclass(frozen=True)
class Session:
    """What an opened link gives the browser: the link and the secret by which it is known again."""

    link: CustomerLink
    secret: str


def hashed(secret: str) -> str:
    """The SHA-256 in hex by which a token or a session is found again."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


@flow
def issue(account: Account, *, purpose: Purpose, answer_by: date, by: Actor, at: datetime) -> str:
    """Make a link for what is asked now and return its address; an earlier one of this account opens nothing more.

    The caller holds the account's lock. The address goes into a sealed notice and nowhere else.
    """
    end(account, why=EndedWhy.REPLACED, by=by, at=at)
    token, regime = secrets.token_urlsafe(BYTES), regime_on(legal_day(at))
    link = CustomerLink.objects.create(
        account=account, purpose=purpose.value, token_sha256=hashed(token), issued_at=at, issued_by=by.label,
        issued_by_key=person_key(by), expires_at=at + regime.days("customer_link_days"), answer_by=answer_by,
    )  # fmt: skip
    audit.record(Verb.LINK_ISSUED, account, by=by, at=at, link=link.reference, until=link.expires_at)
    return f"{settings.PORTAL_URL}{reverse('customer:link', kwargs={'token': token})}"


def for_notice(account: Account, *, purpose: Purpose, answer_by: date, by: Actor, at: datetime) -> dict[str, str]:
    """The fields `link` and `link_until` of a notice; empty where no e-mail address is known to send a link to.

    The account's party is loaded and the account is locked by the caller.
    """
    if not parties.primary_email(account.party):
        return {}
    address = issue(account, purpose=purpose, answer_by=answer_by, by=by, at=at)
    until = legal_day(standing(account).expires_at)
    return {"link": address, "link_until": until.isoformat()}


def standing(account: Account) -> CustomerLink | None:
    """The link that is out for this account, used or not."""
    return CustomerLink.objects.standing().filter(account=account).first()


@flow
def end(account: Account, *, why: EndedWhy, by: Actor, at: datetime) -> bool:
    """Nothing is asked by the standing link any more; says whether there was one. The caller holds the account."""
    link = CustomerLink.objects.standing().filter(account=account).select_for_update(of=("self",)).first()
    if link is None:
        return False
    link.ended_at, link.ended_why = at, why.value
    link.save(update_fields=["ended_at", "ended_why"])
    audit.record(Verb.LINK_ENDED, account, by=by, at=at, link=link.reference, why=why.value)
    return True


@flow
def withdraw(account: Account, *, by: Actor, at: datetime) -> None:
    """Take a link back, with the session it may have opened. Raises NoLink."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    if not end(account, why=EndedWhy.WITHDRAWN, by=by, at=at):
        raise NoLink(f"No link is out for {account.reference}. Nothing needs to be withdrawn.")


# --- what the customer's browser asks ---------------------------------------------------------------------------------


def as_customer(link: CustomerLink) -> Actor:
    """Whoever acts on the page; who they are is what the link was sent to, no more."""
    return Actor(kind="customer", key=link.reference, label="the customer")


def is_asked(link: CustomerLink) -> bool:
    """Whether the request behind the link still stands, whatever became of its row."""
    if link.ended_at is not None:
        return False
    if link.purpose == Purpose.REDRESS:
        return CouldNotVerify.objects.in_effect().filter(account=link.account_id).exists()
    if link.purpose == Purpose.DATA:
        return link.account.status == AccountStatus.DATA_REQUESTED
    return link.account.status == AccountStatus.ACTIVE and link.account.review_asked_on is not None


def open_once(token: str, *, notice: PrivacyNoticeVersion, at: datetime) -> Session:
    """Use a link: from now on this browser alone is let in, for a limited time. Raises LinkRefused.

    `notice` is the privacy notice the page showed; that it was shown, and when, is kept with the link.
    """
    found = CustomerLink.objects.filter(token_sha256=hashed(token)).first()
    if found is None:
        raise LinkRefused("This link opens nothing.")
    return _open(found, notice=notice, by=as_customer(found), at=at)


@flow
def _open(found: CustomerLink, *, notice: PrivacyNoticeVersion, by: Actor, at: datetime) -> Session:
    link = locked(found)
    if link.used_at is not None or link.expires_at <= at or not is_asked(link):
        raise LinkRefused("This link opens nothing.")
    secret = secrets.token_urlsafe(BYTES)
    minutes = regime_on(legal_day(at)).whole("customer_session_minutes")
    link.used_at, link.session_sha256, link.session_until = at, hashed(secret), at + timedelta(minutes=minutes)
    link.notice_number = notice.number
    link.save(update_fields=["used_at", "session_sha256", "session_until", "notice_number"])
    audit.record(Verb.LINK_OPENED, link.account, by=by, at=at, link=link.reference, version=notice.reference)
    return Session(link, secret)


def locked(link: CustomerLink) -> CustomerLink:
    """The link's row after its account's, both locked until the transaction ends; account and party are loaded."""
    Account.objects.select_for_update(of=("self",)).get(pk=link.account_id)
    rows = CustomerLink.objects.select_for_update(of=("self",)).select_related("account__party")
    return rows.get(pk=link.pk)


def session_of(key: str, secret: str, *, at: datetime) -> CustomerLink | None:
    """The link whose session this browser holds; None when it is over, was taken back or never was.

    After the answer was taken the page still opens until the session ends, to show where things stand.
    """
    try:
        link = CustomerLink.objects.select_related("account__party").filter(pk=UUID(key)).first()
    except ValueError:
        return None
    if link is None or not link.session_sha256 or not hmac.compare_digest(link.session_sha256, hashed(secret)):
        return None
    is_over = link.session_until <= at or link.ended_why in (EndedWhy.REPLACED, EndedWhy.WITHDRAWN, EndedWhy.OVER)
    return None if is_over else link


@flow
def leave(link: CustomerLink, *, by: Actor, at: datetime) -> None:
    """End the session before its time, as on a computer that others use; the link was used and stays so."""
    link = locked(link)
    link.session_until = at
    link.save(update_fields=["session_until"])
    audit.record(Verb.LINK_LEFT, link.account, by=by, at=at, link=link.reference)

"""Confirm that a way to reach somebody is theirs: a link to an e-mail address, a code for a telephone (R16, R17).

No gateway for text messages exists: staff call the number and read the code out. A confirmation belongs to the very
value that was asked about; another value, or the same one entered anew, has to be confirmed again.
"""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.flows import parties
from accounts.flows.customer_links import BYTES, LinkRefused
from accounts.models import ContactConfirmation, ContactPoint
from accounts.models.party import ConfirmedHow, ContactKind
from accounts.verbs import Verb
from kyc_portal.notices import kinds, outbox
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.keys import fingerprint
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

DIGITS = 6
DAY = timedelta(days=1)


class Confirmed(Refusal):
    """It is confirmed already."""


class AskedTooOften(Refusal):
    """The same way to reach somebody was asked about again and again."""


class WrongCode(Refusal):
    """The code is not the one that was read out, or none is out."""


@flow
def ask(contact: ContactPoint, *, by: Actor, at: datetime) -> str:
    """Ask whether a contact point is theirs; an earlier question ends.

    An e-mail address is sent a link, and "" is returned; for a telephone the code to be read out is returned, which is
    kept nowhere. Raises Confirmed, AskedTooOften.
    """
    contact, regime = _locked(contact), regime_on(legal_day(at))
    if contact.is_confirmed:
        raise Confirmed("This is confirmed already. Nothing needs to be done.")
    asked = ContactConfirmation.objects.filter(contact=contact)
    if asked.filter(asked_at__gt=at - DAY).count() >= regime.whole("contact_asks_a_day"):
        raise AskedTooOften("This was asked several times within a day. Try again tomorrow.")
    asked.filter(confirmed_at__isnull=True, ended_at__isnull=True).update(ended_at=at)
    is_email = contact.kind == ContactKind.EMAIL
    secret = secrets.token_urlsafe(BYTES) if is_email else f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    until = at + (regime.days("contact_link_days") if is_email else _minutes(regime))
    ContactConfirmation.objects.create(
        contact=contact, secret_print=_print_of(secret, contact if not is_email else None), seal=contact.seal(),
        asked_at=at, asked_by=by.label, expires_at=until,
    )  # fmt: skip
    party = contact.party
    audit.record(
        Verb.CONFIRMATION_ASKED, party, by=by, at=at, within=parties.account_of(party), party=party.reference,
        kind=contact.kind,
    )  # fmt: skip
    if not is_email:
        return secret
    link = f"{settings.PORTAL_URL}{reverse('customer:confirm', kwargs={'token': secret})}"
    notice = kinds.ContactConfirmation(link=link, link_until=legal_day(until).isoformat())
    outbox.queue_notice(notice, about=party, subject=party.pk, address=contact.value.reveal(), by=by, at=at)
    return ""


def _minutes(regime) -> timedelta:
    return timedelta(minutes=regime.whole("contact_code_minutes"))


def _print_of(secret: str, contact: ContactPoint | None) -> str:
    """A keyed fingerprint: six digits would be found again from a plain hash. A code counts for its contact only."""
    return fingerprint("contact.secret", f"{contact.pk if contact else ''}:{secret}")


def confirm(token: str, *, at: datetime) -> ContactPoint:
    """Use the link that was sent to an e-mail address. Raises LinkRefused, with the same words whatever is wrong."""
    found = ContactConfirmation.objects.waiting(at).filter(
        secret_print=_print_of(token.encode(errors="replace").decode(), None)
    )
    question = found.select_related("contact__party").first()
    if question is None:
        raise LinkRefused("This link confirms nothing.")
    by = Actor(kind="customer", key=question.contact.party.reference, label="the customer")
    return _confirm_by_link(question, by=by, at=at)


@flow
def _confirm_by_link(question: ContactConfirmation, *, by: Actor, at: datetime) -> ContactPoint:
    contact = _locked(question.contact)
    question = ContactConfirmation.objects.waiting(at).select_for_update().filter(pk=question.pk).first()
    if question is None or question.seal != contact.seal():
        raise LinkRefused("This link confirms nothing.")
    return _take(contact, question, ConfirmedHow.LINK, by, at)


def enter_code(contact: ContactPoint, code: str, *, how: ConfirmedHow, by: Actor, at: datetime) -> ContactPoint:
    """Enter the code that was read out. A wrong one counts, and after some the code is void. Raises WrongCode."""
    left = _try(contact, code, how=how, by=by, at=at)
    if left is None:
        return ContactPoint.objects.get(pk=contact.pk)
    if left:
        tries = "one try is" if left == 1 else f"{left} tries are"
        raise WrongCode(f"This is not the code that was read out. Type it again; {tries} left.")
    raise WrongCode("There is no code that counts, or its time or its tries are over. Ask for a new one.")


@flow
def _try(contact: ContactPoint, code: str, *, how: ConfirmedHow, by: Actor, at: datetime) -> int | None:
    """None when it fits, else how many tries are left; that one was used up stays written."""
    contact = _locked(contact)
    question = ContactConfirmation.objects.waiting(at).select_for_update().filter(contact=contact).first()
    if question is None or contact.kind != ContactKind.PHONE or question.seal != contact.seal():
        return 0
    if question.secret_print == _print_of(code, contact):
        _take(contact, question, how, by, at)
        return None
    question.tries += 1
    left = max(0, regime_on(legal_day(at)).whole("contact_code_tries") - question.tries)
    question.ended_at = None if left else at
    question.save(update_fields=["tries", "ended_at"])
    party = contact.party
    audit.record(Verb.CODE_REFUSED, party, by=by, at=at, party=party.reference, count=question.tries)
    return left


def _take(contact: ContactPoint, question: ContactConfirmation, how: ConfirmedHow, by: Actor, at: datetime):
    question.confirmed_at = at
    question.save(update_fields=["confirmed_at"])
    contact.confirmed_at, contact.confirmed_how, contact.confirmed_seal = at, how.value, contact.seal()
    contact.save(update_fields=["confirmed_at", "confirmed_how", "confirmed_seal"])
    party = contact.party
    audit.record(
        Verb.CONTACT_CONFIRMED, party, by=by, at=at, within=parties.account_of(party), party=party.reference,
        kind=contact.kind, how=how.value,
    )  # fmt: skip
    return contact


def _locked(contact: ContactPoint) -> ContactPoint:
    """The contact's row after its party's, both locked until the transaction ends."""
    parties.locked(contact.party)
    return ContactPoint.objects.select_for_update(of=("self",)).select_related("party").get(pk=contact.pk)

"""Write to a reseller's managers, and keep when it was read (R62). The mail that goes out says only that one waits."""

from datetime import datetime

from accounts.flows import texts
from accounts.flows.texts import Texts
from kyc_portal.notices import kinds, outbox
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows import file
from resellers.models import Reseller, ResellerMessage
from resellers.models.contract import ContactRole
from resellers.verbs import Verb

LONGEST = 4000
FIRST_TO_ASK = (ContactRole.OFFICER, ContactRole.ESCALATION, ContactRole.CONTRACT)


class ReadBefore(Refusal):
    """Somebody of the reseller has read it already."""


@flow
def send(reseller: Reseller, *, subject_line: str, text: str, by: Actor, at: datetime) -> ResellerMessage:
    """Put a message before the reseller's managers and tell its contact by mail that one waits. Raises BadField.

    The mail goes to who answers for the CIP, else to the next contact who is there for it.
    """
    reseller, told = file.locked(reseller), Texts()
    message = ResellerMessage(
        reseller=reseller, subject_line=texts.required("Subject", told.line("Subject", subject_line, 120)),
        sent_at=at, sent_by=by.label,
    )  # fmt: skip
    message.text = texts.required("Text", told.lines("Text", text, LONGEST))
    message.save(force_insert=True)
    audit.record(Verb.MESSAGE_SENT, message, by=by, at=at, within=reseller, reseller=reseller.reference)
    told.record_masked(message, by=by, at=at)
    notice = kinds.ResellerMessageWaits(reseller=reseller.reference, message=message.reference)
    outbox.queue_notice(
        notice, about=message, subject=reseller.account.party_id, address=_address(reseller), by=by, at=at
    )
    return message


def _address(reseller: Reseller) -> str:
    """The mail address of the first contact to tell; "" when nobody is on file."""
    there = {contact.role: contact for contact in reseller.contacts.filter(ended_at__isnull=True)}
    for contact in filter(None, map(there.get, FIRST_TO_ASK)):
        contact.reseller = reseller
        return contact.email.reveal()
    return ""


@flow
def mark_read(message: ResellerMessage, *, by: Actor, at: datetime) -> ResellerMessage:
    """One of its managers says that it is read. Raises ReadBefore."""
    rows = ResellerMessage.objects.select_for_update(of=("self",)).select_related("reseller__account")
    message = rows.get(pk=message.pk)
    if message.read_at is not None:
        raise ReadBefore(f"{message.reference} was marked as read before. Nothing needs to be done.")
    message.read_at, message.read_by = at, by.label
    message.save(update_fields=["read_at", "read_by"])
    audit.record(Verb.MESSAGE_READ, message, by=by, at=at, within=message.reseller, reseller=message.reseller.reference)
    return message

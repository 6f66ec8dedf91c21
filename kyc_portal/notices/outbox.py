"""Queue notices in the transaction that causes them, send them afterwards, keep the proof of sending."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models
from django.template.loader import render_to_string

from kyc_portal.notices.kinds import FOR_RECIPIENT, fields_of
from kyc_portal.notices.models import Notice, NoticeState
from kyc_portal.notices.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor, RecordRef
from kyc_portal.work.failures import held_back, sweep

NOT_SHOWN = "(a link that only the recipient sees)"
SWEEP = "notices.deliver"
Draft = tuple[Notice, AuditEvent]  # a notice and the event that it was queued, neither written yet


@flow
def queue_notice(notice, *, about: models.Model, subject: UUID, address: str, by: Actor, at: datetime) -> Notice:
    """Write a notice into the outbox; it is sent after the caller's transaction has committed.

    `about` is the record it speaks of, `subject` the person under whose key it is sealed, `address` their e-mail; with
    no address the row says so and stays, so that somebody can reach the person another way.
    """
    drafted = draft_notice(notice, about=about, subject=subject, address=address, by=by, at=at)
    write_notices([drafted])
    return drafted[0]


def draft_notice(notice, *, about: models.Model, subject: UUID, address: str, by: Actor, at: datetime) -> Draft:
    """A notice as `queue_notice` makes it, for a caller that writes many at once."""
    ref = RecordRef.of(about)
    row = Notice(
        kind=notice.code, label=ref.label, key=ref.key, name=ref.name, subject=subject, queued_at=at,
        state=NoticeState.QUEUED if address else NoticeState.NO_ADDRESS,
    )  # fmt: skip
    row.address = address
    row.context = json.dumps(fields_of(notice))
    return row, audit.draft(Verb.QUEUED, row, by=by, at=at, within=about, kind=notice.code)


def write_notices(drafts: Sequence[Draft]) -> None:
    """Put drafted notices into the outbox, inside the caller's transaction, many with as few queries as one."""
    Notice.objects.bulk_create([row for row, _ in drafts])
    audit.write([event for _, event in drafts])


def wording_of(notice: Notice) -> tuple[str, str]:
    """Subject line and body as the recipient reads them, but for a link, which is the recipient's alone."""
    return _worded(notice, _without_links(json.loads(notice.context.reveal())))


def _without_links(context: dict) -> dict:
    return {name: NOT_SHOWN if name in FOR_RECIPIENT and value else value for name, value in context.items()}


def _worded(notice: Notice, context: dict) -> tuple[str, str]:
    context = {**context, "provider": settings.PROVIDER_NAME}
    subject = render_to_string(f"notices/{notice.kind}.subject.txt", context).strip()
    return " ".join(subject.split()), render_to_string(f"notices/{notice.kind}.body.txt", context)


def deliver_queued(*, at: datetime, by: Actor = SCHEDULER, most: int = 500) -> dict:
    """Send what is queued, each in its own transaction; one that fails is counted and tried again later."""
    waiting = Notice.objects.queued().exclude(pk__in=held_back(SWEEP, at)).order_by("queued_at", "pk")[:most]
    return sweep(SWEEP, waiting, lambda notice: _deliver(notice, by=by, at=at), at=at)


@flow
def _deliver(notice: Notice, *, by: Actor, at: datetime) -> None:
    """Send one notice. The row is locked, so two workers cannot both send it; a crash after sending may repeat it,
    under the same message id, which the recipient's mail program folds into one."""
    notice = Notice.objects.select_for_update().get(pk=notice.pk)
    if notice.state != NoticeState.QUEUED:
        return
    context = json.loads(notice.context.reveal())
    subject, body = _worded(notice, context)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    notice.message_id = f"<{notice.pk}@{domain}>"
    message = EmailMessage(subject, body, to=[notice.address.reveal()], headers={"Message-ID": notice.message_id})
    message.send()
    notice.state, notice.sent_at = NoticeState.SENT, at
    notice.context = json.dumps(_without_links(context))  # whoever has the key later cannot open what was sent
    notice.save(update_fields=["state", "sent_at", "message_id", "context"])
    audit.record(
        Verb.SENT, notice, by=by, at=at, within=RecordRef(notice.label, notice.key, notice.name), kind=notice.kind
    )


def notices_about(record: models.Model) -> models.QuerySet[Notice]:
    """What was told about one record, newest first."""
    ref = RecordRef.of(record)
    return Notice.objects.filter(label=ref.label, key=ref.key).order_by("-queued_at")

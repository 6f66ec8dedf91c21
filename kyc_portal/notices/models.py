"""The outbox: one row a notice, sealed under its recipient's key until it is sent and after."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class NoticeState(models.TextChoices):
    QUEUED = "queued", "queued"
    SENT = "sent", "sent"
    NO_ADDRESS = "no_address", "no address known"


class NoticeQuerySet(RecordedQuerySet):
    def queued(self):
        return self.filter(state=NoticeState.QUEUED)

    def without_address(self):
        """Notices nobody could be sent: the person must be reached another way."""
        return self.filter(state=NoticeState.NO_ADDRESS)


class Notice(Recorded):
    """Something a customer or reseller was told, or will be; the wording is templates/notices/<kind>."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "NTC"), editable=False)
    kind = models.CharField(max_length=60)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    subject = models.UUIDField(db_index=True)
    address = SealedTextField(under="subject")
    context = SealedTextField(under="subject")
    state = models.CharField(max_length=12, choices=NoticeState.choices, default=NoticeState.QUEUED)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "queued_at"], name="notice_queue"),
            models.Index(fields=["label", "key"], name="notice_about"),
        ]

    def __str__(self):
        return f"{self.reference} {self.kind}"

"""What the provider's desk writes to a reseller's managers (R62)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.reseller import Reseller


class ResellerMessageQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def unread(self):
        return self.filter(read_at__isnull=True)


class ResellerMessage(Recorded):
    """One message to the managers of a reseller, until one of them says that it is read; its text is sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "MSG"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="messages")
    subject_line = models.CharField(max_length=120)
    text = SealedTextField(under="subject")
    sent_at = models.DateTimeField()
    sent_by = models.CharField(max_length=150)
    read_at = models.DateTimeField(null=True, blank=True)
    read_by = models.CharField(max_length=150, blank=True)

    objects = ResellerMessageQuerySet.as_manager()

    class Meta:
        verbose_name = "message to a reseller"
        verbose_name_plural = "messages to resellers"
        indexes = [models.Index(fields=["reseller", "sent_at"], name="reseller_message_sent")]
        permissions = [("write_to", "Can write messages to resellers")]

    def __str__(self):
        return self.reference

    @property
    def subject(self):
        """The reseller's own party, under whose key the text is sealed; reads reseller.account."""
        return self.reseller.account.party_id

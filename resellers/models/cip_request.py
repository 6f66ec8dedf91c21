"""A request for a copy of a reseller's CIP, and the signed bundle that answers it (R4, R57)."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from resellers.models.reseller import Reseller
from resellers.rules.ending import Channel, RequestState


class CipRequestQuerySet(RecordedQuerySet):
    def unanswered(self):
        return self.exclude(state=RequestState.SENT.value)

    def produced(self):
        """There is a bundle to hand over."""
        return self.exclude(state=RequestState.ASKED.value)

    def overdue(self, on):
        return self.unanswered().filter(due_on__lt=on)


class CipRequest(Recorded):
    """Who asks for the CIP of a reseller and by when it must go out; the folder lies in KYC_BUNDLE_DIR/<reference>.

    What the bundle says is as of the end of `requested_on`, or as of `asked_at` when that is the same day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CPR"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="cip_requests")
    requester = models.CharField(max_length=200, help_text="The authority.")
    requester_number = models.CharField(max_length=100, blank=True, help_text="The authority's own number.")
    state = models.CharField(max_length=8, choices=RequestState.choices(), default=RequestState.ASKED.value)
    requested_on = models.DateField()
    due_on = models.DateField()
    citation = models.ForeignKey("policy.Citation", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    produced_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the signed tag manifest.")
    payload_count = models.PositiveIntegerField(default=0)
    payload_bytes = models.PositiveBigIntegerField(default=0)
    channel = models.CharField(max_length=8, choices=Channel.choices(), blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.CharField(max_length=150, blank=True)

    objects = CipRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "CIP request"
        verbose_name_plural = "CIP requests"
        indexes = [models.Index(fields=["state", "due_on"], name="cip_request_due")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="asked", sha256="", sent_at__isnull=True)
                | (models.Q(state="produced", sent_at__isnull=True) & ~models.Q(sha256=""))
                | (models.Q(state="sent", sent_at__isnull=False) & ~models.Q(sha256="") & ~models.Q(channel="")),
                name="cip_request_says_what",
            ),
        ]
        permissions = [("produce_cip", "Can hand a reseller's CIP to an authority")]

    def __str__(self):
        return self.reference

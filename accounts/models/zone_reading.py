"""Machine-readable zones that a program read off a document's picture: proposals until a person confirms them."""

import uuid

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.sealed import SealedTextField


class ReadingState(models.TextChoices):
    ASKED = "asked", "being read"
    PROPOSED = "proposed", "waits for somebody to confirm it"
    NOTHING = "nothing", "no zone was found"
    CONFIRMED = "confirmed", "confirmed"
    SET_ASIDE = "set_aside", "set aside"


OPEN = (ReadingState.ASKED, ReadingState.PROPOSED)


class ZoneReadingQuerySet(RecordedQuerySet):
    def open(self):
        """Being read, or waiting to be confirmed."""
        return self.filter(state__in=OPEN)


class ZoneReading(Recorded):
    """One attempt to read a zone off a picture (R32); what it found is sealed and no fact until it is confirmed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey("accounts.IdentityDocument", on_delete=models.PROTECT, related_name="zone_readings")
    state = models.CharField(max_length=10, choices=ReadingState.choices, default=ReadingState.ASKED)
    proposal = SealedTextField(under="subject")
    doubts = models.JSONField(default=list, help_text="Places to compare with the picture, as sentences.")
    told = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200, blank=True)
    file_sha256 = models.CharField(max_length=64)
    pages = models.PositiveSmallIntegerField(default=0)
    pages_done = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    read_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True)

    objects = ZoneReadingQuerySet.as_manager()

    class Meta:
        verbose_name = "zone read off a picture"
        verbose_name_plural = "zones read off pictures"
        constraints = [
            models.UniqueConstraint(
                fields=["document"], condition=models.Q(state__in=["asked", "proposed"]), name="one_open_reading"
            ),
            models.CheckConstraint(condition=models.Q(state__in=ReadingState.values), name="zone_reading_state_known"),
        ]

    def __str__(self):
        return self.get_state_display()

    @property
    def party(self):
        """Whose document it is; reads self.document."""
        return self.document.party

    @property
    def subject(self):
        """The person under whose key the proposal is sealed; reads self.document."""
        return self.document.party_id

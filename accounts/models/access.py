"""Access records and what was known of the addresses in them."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class AddressRangeSnapshot(Recorded):
    """One list of networks (VPN, hosting, Tor …) or one mmdb file as it stood when it was loaded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RNG"), editable=False)
    kind = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    as_of = models.DateField(help_text="The day the data speaks of.")
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=150)
    range_count = models.PositiveIntegerField()
    is_mmdb = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)

    class Meta:
        verbose_name = "address range list"
        constraints = [
            models.UniqueConstraint(fields=["kind", "source", "sha256"], name="one_range_snapshot_per_file"),
            models.UniqueConstraint(
                fields=["kind", "source"], condition=models.Q(is_current=True), name="one_current_range_list"
            ),
        ]

    def __str__(self):
        return f"{self.kind} ranges of {self.as_of}"


class AddressRange(Recorded):
    """One network of a list; first and last address as 32 hex digits, so that text order is address order."""

    recorded_in_bulk = True

    snapshot = models.ForeignKey(AddressRangeSnapshot, on_delete=models.PROTECT, related_name="ranges")
    version = models.PositiveSmallIntegerField()
    first = models.CharField(max_length=32)
    last = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["snapshot", "version", "first"], name="range_lookup")]

    def __str__(self):
        return f"{self.first}-{self.last}"


class AccessBatch(Recorded):
    """One imported file of access records: its hash makes a repeat harmless, its counts account for every line."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "LOG"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="access_batches")
    format = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    read_count = models.PositiveIntegerField()
    new_count = models.PositiveIntegerField()
    known_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField()
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=150)

    is_repeat = False  # not a column: True on a batch handed back because its file had been taken in before

    class Meta:
        verbose_name = "access log file"
        constraints = [models.UniqueConstraint(fields=["account", "sha256"], name="one_batch_per_account_and_file")]

    def __str__(self):
        return self.reference


class RefusedLine(Recorded):
    """A line of an access log that could not be read, kept with its reason so that it can be sent again."""

    recorded_in_bulk = True

    batch = models.ForeignKey(AccessBatch, on_delete=models.PROTECT, related_name="refused_lines")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name = "refused line"

    def __str__(self):
        return f"line {self.line}"


class AccessKind(models.TextChoices):
    ACCESS = "access", "access"
    ADMIN = "admin", "administrative act"


class AccessRecordQuerySet(RecordedQuerySet):
    def public(self):
        """Records with an address on the public internet: only these say anything of a place."""
        return self.filter(address__isnull=False, special_use="")

    def anonymised(self):
        return self.public().exclude(anonymiser="")


class AccessRecord(Recorded):
    """One access or administrative act (R18). What the address meant is kept as it was judged on that day."""

    recorded_in_bulk = True

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="access_records")
    batch = models.ForeignKey(AccessBatch, on_delete=models.PROTECT, related_name="records")
    at = models.DateTimeField()
    kind = models.CharField(max_length=6, choices=AccessKind.choices)
    action = models.CharField(max_length=200)
    principal = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    raw_source = models.CharField(max_length=300, blank=True)
    user_agent_sha256 = models.CharField(max_length=64, blank=True)
    source_system = models.CharField(max_length=80)
    event_id = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True)
    anonymiser = models.CharField(max_length=60, blank=True, help_text="vpn, hosting, tor … by the lists of that day")
    special_use = models.CharField(max_length=30, blank=True)
    judged_by = models.JSONField(default=list, help_text="References of the range lists used.")

    objects = AccessRecordQuerySet.as_manager()

    class Meta:
        verbose_name = "access record"
        indexes = [
            models.Index(fields=["account", "-at"], name="access_of_account"),
            models.Index(fields=["address", "at"], name="access_from_address"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source_system", "event_id"], name="one_record_per_source_event"
            ),
        ]

    def __str__(self):
        return f"{self.action} at {self.at:%Y-%m-%d %H:%M} UTC"

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
    """One delivery of access records: its hash and what read it make a repeat harmless, its counts tell of every line.

    `account` is whose file it is; without one each line names its own account. Read = new + known + waiting + refused.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "LOG"), editable=False)
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, blank=True, related_name="access_batches"
    )
    format = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    mapping_sha256 = models.CharField(
        "SHA-256 of the mapping", max_length=64, blank=True, default="", db_default="",
        help_text="What the mapping said that read it.",
    )  # fmt: skip
    read_count = models.PositiveIntegerField()
    new_count = models.PositiveIntegerField()
    known_count = models.PositiveIntegerField()
    waiting_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField()
    looked_at_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="New records looked up, where one was found elsewhere."
    )
    elsewhere_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Of these, how many stand under another too."
    )
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=150)

    is_repeat = False  # not a column: True on a batch handed back because its file had been taken in before

    class Meta:
        verbose_name = "access log file"
        constraints = [
            models.UniqueConstraint(  # the bytes first, so that other deliveries of them are found by it
                fields=["sha256", "account", "format", "mapping_sha256"], name="one_batch_per_account_and_reading"
            ),
            models.UniqueConstraint(
                fields=["sha256", "format", "mapping_sha256"],
                condition=models.Q(account__isnull=True),
                name="one_batch_per_reading_of_many",
            ),
        ]

    def __str__(self):
        return self.reference


class RefusedLine(Recorded):
    """A line of an access log that could not be used, kept as it was sent, with the reason, to be sent again."""

    recorded_in_bulk = True

    batch = models.ForeignKey(AccessBatch, on_delete=models.PROTECT, related_name="refused_lines")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    content = models.TextField(blank=True)

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

    # No index of their own: each begins one below. Batch and edition are written or found in the transaction that
    # writes the record and go after it; to look them up again for every row would take a quarter of the time.
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, db_index=False, related_name="access_records"
    )
    batch = models.ForeignKey(
        AccessBatch, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="records"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=6, choices=AccessKind.choices)
    action = models.CharField(max_length=200)
    principal = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    raw_source = models.CharField(max_length=300, blank=True)
    port = models.PositiveIntegerField(null=True, blank=True)
    user_agent_sha256 = models.CharField(max_length=64, blank=True)
    source_system = models.CharField(max_length=80)
    event_id = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True)
    anonymiser = models.CharField(max_length=60, blank=True, help_text="vpn, hosting, tor … by the lists of that day")
    special_use = models.CharField(max_length=30, blank=True)
    edition = models.ForeignKey(
        "accounts.RangeEdition", on_delete=models.PROTECT, null=True, blank=True, db_index=False, db_constraint=False,
        related_name="+", help_text="The range lists asked; with the address it names the verdict.",
    )  # fmt: skip

    objects = AccessRecordQuerySet.as_manager()

    class Meta:
        verbose_name = "access record"
        indexes = [
            models.Index(fields=["account", "-at"], name="access_of_account"),
            models.Index(fields=["batch", "account"], name="access_of_batch"),
            models.Index(fields=["address", "at"], name="access_from_address"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source_system", "event_id"], name="one_record_per_source_event"
            ),
        ]

    def __str__(self):
        return f"{self.action} at {self.at:%Y-%m-%d %H:%M} UTC"


class NamingEndedWhy(models.TextChoices):
    WRONG = "wrong", "it was named wrongly"
    REUSED = "reused", "the source system uses the key for somebody else now"
    UNUSED = "unused", "the source system does not use the key any more"


class CloudAccountQuerySet(RecordedQuerySet):
    def standing(self):
        """Namings that still say where accesses of their key go."""
        return self.filter(ended_at__isnull=True)


class CloudAccount(Recorded):
    """How a source system names one of our accounts, where that is not its own number (`Account.external_key`).

    One that was ended stays, because accesses came by it; only a standing one says whose later accesses are.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="cloud_accounts")
    source_system = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    named_as = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="The unknown account that it was till then."
    )
    named_at = models.DateTimeField()
    named_by = models.CharField(max_length=150)
    moved_count = models.PositiveIntegerField(null=True, blank=True, help_text="Accesses that waited and were moved.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    ended_why = models.CharField(max_length=10, blank=True, default="", db_default="", choices=NamingEndedWhy.choices)

    objects = CloudAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "account of a source system"
        verbose_name_plural = "accounts of source systems"
        constraints = [
            models.UniqueConstraint(
                fields=["source_system", "key"], condition=models.Q(ended_at__isnull=True),
                name="one_standing_account_per_source_key",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.source_system} {self.key}"


class WaitingLine(Recorded):
    """An access whose account we do not know: it waits, with all it says, until somebody says whose it is."""

    recorded_in_bulk = True

    batch = models.ForeignKey(AccessBatch, on_delete=models.PROTECT, related_name="waiting_lines")
    line = models.PositiveIntegerField()
    account_key = models.CharField(max_length=200)
    waiting_since = models.DateTimeField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=6, choices=AccessKind.choices)
    action = models.CharField(max_length=200)
    principal = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    raw_source = models.CharField(max_length=300, blank=True)
    port = models.PositiveIntegerField(null=True, blank=True)
    user_agent_sha256 = models.CharField(max_length=64, blank=True)
    source_system = models.CharField(max_length=80)
    event_id = models.CharField(max_length=200)

    class Meta:
        verbose_name = "waiting access"
        verbose_name_plural = "waiting accesses"
        indexes = [models.Index(fields=["address"], name="waiting_from_address")]
        constraints = [
            models.UniqueConstraint(
                fields=["source_system", "account_key", "event_id"], name="one_waiting_line_per_source_event"
            ),
        ]

    def __str__(self):
        return f"line {self.line}"


class UnknownAccount(Recorded):
    """A key by which a source system names an account we do not know, and how much waits for somebody to say whose.

    The counts are kept in the transaction that changes the lines; the row goes with its last line.
    """

    recorded_in_bulk = is_roll_up = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "UNK"), editable=False)
    source_system = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    line_count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    waiting_since = models.DateTimeField()
    last_delivered_at = models.DateTimeField()

    gone = None  # not a column: what became of it, on a row made up to tell of one that is not there any more

    class Meta:
        verbose_name = "unknown account"
        constraints = [
            models.UniqueConstraint(fields=["source_system", "key"], name="one_unknown_account_per_source_key")
        ]
        indexes = [models.Index(fields=["key"], name="unknown_account_by_key")]
        permissions = [("name_account", "Can say whose account waiting accesses belong to")]

    def __str__(self):
        return self.reference


class AccessDay(Recorded):
    """What one account did on one day (UTC) from one kind of place, so that no page counts records.

    `hours` is a mask: bit h is set when something was done in the hour h of the day, UTC. `public` says that the
    source was an address on the public internet; only then country, network and anonymiser may say something.
    """

    recorded_in_bulk = is_roll_up = True

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, db_index=False, related_name="access_days"
    )
    day = models.DateField()
    kind = models.CharField(max_length=6, choices=AccessKind.choices)
    public = models.BooleanField()
    country = models.CharField(max_length=2, blank=True)
    network = models.CharField(max_length=120, blank=True)
    anonymiser = models.CharField(max_length=60, blank=True)
    count = models.PositiveIntegerField()
    hours = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = "access day"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "day", "kind", "public", "country", "network", "anonymiser"],
                name="one_day_of_access_per_place",
            ),
        ]

    def __str__(self):
        return f"{self.day} {self.country}"

"""Audit events with their payloads, holds, tombstones and the subjects' keys."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.canonical import new_event_id
from kyc_portal.records.purge_models import ClockWatch, Destruction, DoomedRecord, PurgeRun  # noqa: F401 found here
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import RecordRef, new_reference


class AuditEvent(models.Model):
    """One thing that happened. Append-only, without personal data and without foreign keys, so that it outlives all."""

    id = models.UUIDField(primary_key=True, default=new_event_id, editable=False)
    verb = models.CharField(max_length=80)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_key = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=150)
    actor_owner = models.CharField(max_length=80, blank=True)
    about_label = models.CharField(max_length=80)
    about_key = models.CharField(max_length=80)
    about_name = models.CharField(max_length=80)
    within_label = models.CharField(max_length=80, blank=True)
    within_key = models.CharField(max_length=80, blank=True)
    facts = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    pii_commit = models.BinaryField(null=True)
    canonical = models.BinaryField()

    class Meta:
        verbose_name = "audit event"
        indexes = [
            models.Index(fields=["about_label", "about_key", "id"], name="audit_about"),
            models.Index(fields=["within_label", "within_key", "id"], name="audit_within"),
            models.Index(fields=["actor_key", "id"], name="audit_actor"),
            models.Index(fields=["at", "id"], name="audit_at"),
            models.Index(fields=["request_id"], name="audit_request"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(actor_label=""), name="audit_event_names_its_actor"),
        ]

    def __str__(self):
        return f"{self.verb} {self.about_name}"


class AuditPayload(models.Model):
    """What an event says of a person, sealed under that person's key; the only part of the trail a purge destroys."""

    event_id = models.UUIDField(primary_key=True)
    subject = models.UUIDField(db_index=True)
    salt = models.BinaryField()
    ciphertext = models.BinaryField()

    class Meta:
        verbose_name = "audit payload"

    def __str__(self):
        return f"payload of {self.event_id}"


class AuditPending(models.Model):
    """Events that wait for their seal; written in the same transaction as the event."""

    event_id = models.UUIDField(primary_key=True)

    class Meta:
        verbose_name = "audit event waiting for its seal"
        verbose_name_plural = "audit events waiting for their seal"

    def __str__(self):
        return str(self.event_id)


class AuditLeaf(models.Model):
    """The place of one event in the tree of sealed events, counted from 0; people say “entry” and count from 1."""

    index = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    leaf_hash = models.BinaryField()

    class Meta:
        verbose_name = "sealed entry"
        verbose_name_plural = "sealed entries"

    def __str__(self):
        return f"entry {self.index + 1}"


class AuditCheckpoint(models.Model):
    """The signed root over the first `size` entries, with the right edge from which the tree grows on."""

    number = models.BigIntegerField(primary_key=True)
    size = models.BigIntegerField(unique=True)
    edge = models.BinaryField()
    note = models.TextField()

    class Meta:
        verbose_name = "checkpoint"

    def __str__(self):
        return f"checkpoint of {self.size} entries"


class WitnessedCheckpoint(models.Model):
    """Whether one checkpoint was handed to one witness; tried again until `handed_at` is set."""

    size = models.BigIntegerField()
    witness = models.CharField(max_length=500)
    tried_at = models.DateTimeField(null=True, blank=True)
    handed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "checkpoint handed to a witness"
        verbose_name_plural = "checkpoints handed to witnesses"
        constraints = [models.UniqueConstraint(fields=["size", "witness"], name="one_row_per_checkpoint_and_witness")]
        indexes = [
            models.Index(fields=["witness", "size"], name="waits_for_a_witness", condition=models.Q(handed_at=None)),
        ]

    def __str__(self):
        return f"checkpoint of {self.size} entries for a witness"


class CheckpointStamp(models.Model):
    """A time stamp by a third party over the note of one checkpoint (RFC 3161). Append-only, no personal data."""

    size = models.BigIntegerField(db_index=True)  # not unique: several authorities, and a fork after a restored backup
    authority = models.CharField(max_length=253)
    token = models.BinaryField()  # the whole answer, as `openssl ts -verify -in` reads it
    stamped_at = models.DateTimeField()  # as the token says

    class Meta:
        verbose_name = "time stamp of a checkpoint"
        verbose_name_plural = "time stamps of checkpoints"

    def __str__(self):
        return f"stamp over the checkpoint of {self.size} entries"


class DestroyedPayload(models.Model):
    """Says of one event which purge destroyed its payload; the event of the purge carries a digest over its rows."""

    event_id = models.UUIDField(primary_key=True)
    purge_event_id = models.UUIDField(db_index=True)

    class Meta:
        verbose_name = "destroyed payload"

    def __str__(self):
        return f"destroyed payload of {self.event_id}"


class IdentityView(models.Model):
    """How often one person looked at one record's identity data on one day (R53)."""

    actor_key = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=150)
    about_label = models.CharField(max_length=80)
    about_key = models.CharField(max_length=80)
    about_name = models.CharField(max_length=80)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor_key", "about_label", "about_key", "day"], name="one_view_row_a_day"),
        ]

    def __str__(self):
        return f"{self.actor_label} looked at {self.about_name}"


class Standing(models.TextChoices):
    """Whether an event says why a row changed."""

    WAITING = "", "not looked at yet"
    EXPLAINED = "explained", "explained by an event"
    UNEXPLAINED = "unexplained", "no event says why"
    SETTLED = "settled", "looked into"


class RowChangeQuerySet(models.QuerySet):
    def waiting(self):
        """Changes that the nightly reconciliation has not looked at."""
        return self.filter(standing=Standing.WAITING)

    def unexplained(self):
        return self.filter(standing=Standing.UNEXPLAINED)


class RowChange(models.Model):
    """A change of one row as the database itself wrote it down: which columns, by whom; no values. Only the last three
    columns change once, when it is looked at. The key is empty for mass data, whose batch has an event with its count.
    """

    id = models.BigAutoField(primary_key=True)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    act = models.CharField(max_length=10)
    fields = models.TextField()
    actor = models.CharField(max_length=120)
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    standing = models.CharField(max_length=12, choices=Standing.choices, blank=True)
    event_id = models.UUIDField(null=True)  # of the reconciliation that looked at it, whose digest covers it

    objects = RowChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "change of a row"
        verbose_name_plural = "changes of rows"
        permissions = [("settle_rowchange", "Can settle changes that no event explains")]
        indexes = [
            models.Index(fields=["label", "key"], name="change_of_row"),
            models.Index(fields=["request_id", "label"], name="change_in_request"),
            models.Index(fields=["id"], name="change_waits", condition=models.Q(standing="")),
            models.Index(fields=["id"], name="change_unexplained", condition=models.Q(standing="unexplained")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standing__in=["", "explained", "unexplained", "settled"]),
                name="change_standing_known",
            ),
        ]

    def __str__(self):
        return f"{self.act} of {self.label} {self.key[:8]}".strip()


class LegalHoldQuerySet(RecordedQuerySet):
    def in_force(self):
        return self.filter(released_at__isnull=True)

    def past_their_end(self, on):
        """Holds whose end day is over; they stay in force until somebody, or the nightly task, releases them."""
        return self.in_force().filter(until__lt=on)


class LegalHold(Recorded):
    """Keeps records from being destroyed until it is released; it wins over every retention rule (R54, R111)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "HLD"), editable=False)
    reason = models.CharField(max_length=40)
    ground = models.CharField(max_length=200, help_text="The request, order or matter this hold rests on.")
    until = models.DateField(null=True, blank=True)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=150)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    release_reason = models.CharField(max_length=200, blank=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        verbose_name = "legal hold"
        permissions = [("place_hold", "Can place holds"), ("release_hold", "Can release holds")]

    def __str__(self):
        return self.reference

    @property
    def is_in_force(self) -> bool:
        return self.released_at is None


class HeldRecord(Recorded):
    """One record under one hold, named so that the hold does not block what it protects."""

    hold = models.ForeignKey(LegalHold, on_delete=models.PROTECT, related_name="records")
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)

    class Meta:
        verbose_name = "held record"
        constraints = [models.UniqueConstraint(fields=["hold", "label", "key"], name="one_row_per_held_record")]
        indexes = [models.Index(fields=["label", "key"], name="held_record")]

    def __str__(self):
        return self.name

    @property
    def ref(self) -> RecordRef:
        return RecordRef(self.label, self.key, self.name)


class Tombstone(models.Model):
    """Signed proof that a file was destroyed: what, how much, under which rule, which holds looked at. Append-only.

    `subjects` are the ids of the persons whose keys went with it; `signature` is over tombstones.statement().
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    rule = models.CharField(max_length=60)
    basis = models.CharField(max_length=60)
    kept_through = models.DateField()
    counts = models.JSONField()
    holds_looked_at = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    subjects = models.JSONField(default=list)
    event_id = models.UUIDField()
    purged_at = models.DateTimeField()
    purged_by = models.CharField(max_length=150)
    key_id = models.CharField(max_length=40, blank=True)
    signature = models.BinaryField(default=bytes)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label", "key"], name="one_tombstone_per_record")]
        permissions = [("purge", "Can execute a purge")]

    def __str__(self):
        return f"{self.name}, purged {self.purged_at:%-d %b %Y}"


class SubjectKey(Recorded):
    """The key under which one person's values are sealed, itself wrapped by a master key (trust.md 5.2, 10)."""

    subject = models.UUIDField(primary_key=True)
    master_key_id = models.CharField(max_length=40, db_index=True)
    wrapped = models.BinaryField()

    class Meta:
        verbose_name = "subject key"

    def __str__(self):
        return f"key of {self.subject}"

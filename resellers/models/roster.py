"""What a reseller states of its customers: the files it sends, and a row for each customer, from when to when (R64).

A row is never changed: what is stated anew is a row of its own, in force from the moment its file is accepted.
"""

import uuid
from functools import partial

from django.db import models
from django_countries.fields import CountryField

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField
from resellers.models.reseller import Reseller, ResellerManager
from resellers.rules.roster import KINDS, UNDER_WAY, EndedWhy, Extent, Method, UploadState


class RosterUploadQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def under_way(self):
        """Files that wait for the portal or for the manager."""
        return self.filter(state__in=[state.value for state in UNDER_WAY])


class RosterUpload(Recorded):
    """One file of customers that a reseller sent, how far it is read and accepted, and what came of its rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RUP"), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="uploads")
    file_name = models.CharField(max_length=200)
    format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "XLSX")])
    sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64, blank=True, help_text="The same while the file is kept.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    extent = models.CharField(max_length=10, choices=Extent.choices())
    keeps_good_rows = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=UploadState.choices(), default=UploadState.RECEIVED.value)
    problem = models.CharField(max_length=500, blank=True, help_text="Why the file as a whole was refused.")
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=150)
    sent_under = models.ForeignKey(
        ResellerManager, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads",
        help_text="The binding of who accepted it last; none for the provider's own people.",
    )  # fmt: skip
    read_count = models.PositiveIntegerField("rows", default=0)
    bad_count = models.PositiveIntegerField("bad rows", default=0)
    new_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    same_count = models.PositiveIntegerField(default=0)
    gone_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0, help_text="Rows gone through in the present state.")
    read_at = models.DateTimeField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    is_repeat = False  # set on one that came back because the same file was sent again

    objects = RosterUploadQuerySet.as_manager()

    class Meta:
        verbose_name = "roster upload"
        indexes = [models.Index(fields=["state", "received_at"], name="roster_upload_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["reseller", "sha256", "extent"],
                condition=models.Q(state__in=[state.value for state in UNDER_WAY]),
                name="one_roster_upload_per_file",
            ),
            models.UniqueConstraint(
                fields=["reseller"], condition=models.Q(state="accepting"), name="one_roster_accepted_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in UploadState]), name="roster_upload_state_known"
            ),
        ]

    def __str__(self):
        return self.reference


class RosterFault(Recorded):
    """One row of a file that cannot be used; the reason names the column and never what stood in it."""

    recorded_in_bulk = True
    upload = models.ForeignKey(RosterUpload, on_delete=models.PROTECT, related_name="faults")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name = "bad row of a roster"
        verbose_name_plural = "bad rows of rosters"
        constraints = [
            models.UniqueConstraint(fields=["upload", "line"], name="one_fault_per_line"),
        ]

    def __str__(self):
        return f"line {self.line} of {self.upload}"


class RosterEntryQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        return self.filter(reseller__in=Reseller.objects.visible_to(user))

    def in_force(self):
        """What the resellers state now."""
        return self.filter(from_at__isnull=False, ended_at__isnull=True)

    def as_of(self, moment):
        """What they stated at a moment."""
        return self.filter(from_at__lte=moment).exclude(ended_at__lte=moment)


class RosterEntry(Recorded):
    """What a reseller states of one customer, from the acceptance of its file until it states something else.

    `number` is the reseller's own for the customer, the same through all that is stated of it; `parent_number` is the
    customer's from whom this one sublets, `depth` how many stand between it and the reseller. The three keys are keyed
    fingerprints, by which the same customer is found elsewhere; `digest` is one of the whole row.
    """

    recorded_in_bulk = True
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "DSC", 12), editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="entries")
    upload = models.ForeignKey(RosterUpload, on_delete=models.PROTECT, related_name="entries")
    line = models.PositiveIntegerField()
    number = models.CharField(max_length=80)
    parent_number = models.CharField(max_length=80, blank=True)
    depth = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=KINDS)
    name = models.CharField(max_length=300)
    country = CountryField()
    email = SealedTextField(under="subject")
    birth_date = SealedTextField(under="subject")
    registration_number = SealedTextField(under="subject")
    product = models.CharField(max_length=80, blank=True)
    customer_since = models.DateField()
    verified_on = models.DateField(null=True, blank=True)
    method = models.CharField(max_length=12, choices=Method.choices(), blank=True)
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="roster_entries"
    )
    name_key = models.CharField(max_length=64)
    email_key = models.CharField(max_length=64, blank=True)
    registration_key = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    from_at = models.DateTimeField("on the roster since", null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=EndedWhy.choices(), blank=True)

    objects = RosterEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "customer on a roster"
        verbose_name_plural = "customers on rosters"
        indexes = [
            models.Index(fields=["reseller", "name"], name="roster_name"),
            models.Index(fields=["reseller", "number", "from_at"], name="roster_number"),
            models.Index(fields=["name_key"], name="roster_name_key"),
            models.Index(fields=["email_key"], condition=~models.Q(email_key=""), name="roster_email_key"),
            models.Index(
                fields=["registration_key"], condition=~models.Q(registration_key=""), name="roster_registration_key"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["reseller", "number"],
                condition=models.Q(from_at__isnull=False, ended_at__isnull=True),
                name="one_entry_in_force_per_number",
            ),
            models.UniqueConstraint(fields=["upload", "number"], name="one_entry_per_upload_and_number"),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | ~models.Q(ended_why=""), name="roster_entry_end_says_why"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def subject(self):
        """The reseller's own party, under whose key the sealed columns are; reads reseller.account."""
        return self.reseller.account.party_id

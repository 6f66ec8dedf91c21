"""Regime profiles and citations as data, the provider's own CIP, running clocks."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class Standing(models.TextChoices):
    PROPOSED = "proposed", "proposed"
    IN_FORCE = "in_force", "in force"
    OWN_POLICY = "own_policy", "own policy"


class Mark(models.TextChoices):
    """How far a fact can be trusted."""

    PRIMARY = "P", "read in the primary text"
    SECONDARY = "S", "read in a secondary text"
    ANALOGOUS = "A", "read in an analogous law in force"
    DESIGN = "D", "our own design inference"
    UNCONFIRMED = "U", "unconfirmed"


class Citation(Recorded):
    """Where a figure or a duty stands written, with how sure we are and whether it binds."""

    code = models.CharField(max_length=40, unique=True)
    text = models.CharField(max_length=200)
    standing = models.CharField(max_length=12, choices=Standing.choices)
    mark = models.CharField(max_length=1, choices=Mark.choices)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    def __str__(self):
        """The text with its standing, so that nobody reads a proposal as law."""
        return (
            self.text.lower()
            if self.standing == Standing.OWN_POLICY
            else f"{self.text} ({self.get_standing_display()})"
        )


class RegimeProfile(Recorded):
    """One set of thresholds, day counts and required elements."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    standing = models.CharField(max_length=12, choices=Standing.choices)
    elements = models.JSONField(default=list, help_text="The identifying data this regime asks for.")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "regime profile"

    def __str__(self):
        return f"{self.title} ({self.get_standing_display()})"

    @property
    def label(self) -> str:
        """The regime's name as every screen writes it: with "(proposed)" while it is a proposal."""
        return f"{self.title} (proposed)" if self.standing == Standing.PROPOSED else self.title


class RegimeNumber(Recorded):
    """One figure of a regime: so many days, years or percent, with its citation."""

    profile = models.ForeignKey(RegimeProfile, on_delete=models.CASCADE, related_name="numbers")
    name = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=9, decimal_places=4)
    unit = models.CharField(max_length=20)
    citation = models.ForeignKey(Citation, on_delete=models.PROTECT, related_name="numbers")
    reason = models.CharField(max_length=200, blank=True, help_text="Why this value, where no text gives one.")

    class Meta:
        verbose_name = "figure of a regime"
        verbose_name_plural = "figures of a regime"
        constraints = [models.UniqueConstraint(fields=["profile", "name"], name="one_figure_per_regime_and_name")]

    def __str__(self):
        return f"{self.name}: {self.value.normalize():f} {self.unit}"


class CipVersion(Recorded):
    """One approved version of the provider's written customer identification programme (R1, proposed 15 CFR 7.302)."""

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=200)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    effective_from = models.DateField()
    approved_by = models.CharField(max_length=150)
    approved_at = models.DateTimeField()

    class Meta:
        verbose_name = "CIP version"
        permissions = [("approve_cip", "Can approve CIP versions")]

    def __str__(self):
        return f"CIP version {self.number}"

    @property
    def reference(self) -> str:
        return f"CIP-{self.number}"


class PrivacyNoticeVersion(Recorded):
    """One approved version of the notice that tells customers why data is asked for (R23)."""

    number = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    effective_from = models.DateField()
    approved_by = models.CharField(max_length=150)
    approved_at = models.DateTimeField()

    class Meta:
        verbose_name = "privacy notice version"

    def __str__(self):
        return f"privacy notice version {self.number}"

    @property
    def reference(self) -> str:
        return f"PNV-{self.number}"


class StatementKind(models.TextChoices):
    OWNERS = "owners", "certification of owners"
    DOWNSTREAM = "downstream", "certification of downstream customers"
    ATTESTATION = "attestation", "yearly attestation of a reseller"


class StatementVersion(Recorded):
    """One approved wording of what somebody signs, so that it can be told later what they signed (R22)."""

    kind = models.CharField(max_length=20, choices=StatementKind.choices)
    number = models.PositiveIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    effective_from = models.DateField()
    approved_by = models.CharField(max_length=150)
    approved_at = models.DateTimeField()

    class Meta:
        verbose_name = "statement version"
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="one_statement_per_kind_and_number"),
            models.CheckConstraint(condition=models.Q(kind__in=StatementKind.values), name="statement_kind_known"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}, version {self.number}"

    @property
    def reference(self) -> str:
        return f"STM-{self.kind}-{self.number}"


class ProductState(models.TextChoices):
    PROPOSED = "proposed", "waits for a second signature"
    IN_FORCE = "in_force", "in force"
    REPLACED = "replaced", "replaced by a later version"
    DECLINED = "declined", "declined"
    WITHDRAWN = "withdrawn", "withdrawn"


class ProductQuerySet(RecordedQuerySet):
    def in_force(self):
        return self.filter(state=ProductState.IN_FORCE)

    def awaiting_second(self, user):
        """Proposals of others, which this person may countersign."""
        return self.filter(state=ProductState.PROPOSED).exclude(proposed_by_key=str(user.pk))


class Product(Recorded):
    """One version of a product in the catalogue: whether it is IaaS, and what a limited account may do with it.

    Two people put a version in force; the former one stays, because answers were given by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "PRD"), editable=False)
    code = models.CharField(max_length=40)
    title = models.CharField(max_length=100)
    is_iaas = models.BooleanField()
    why = models.CharField(max_length=300, help_text="Why it is, or is not, within the definition.")
    citation = models.ForeignKey(Citation, on_delete=models.PROTECT, related_name="products")
    is_offered = models.BooleanField(default=True)
    limited_may_start = models.BooleanField()
    limited_may_use = models.BooleanField()
    state = models.CharField(max_length=10, choices=ProductState.choices, default=ProductState.PROPOSED)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        permissions = [("keep_products", "Can propose and countersign products of the catalogue")]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=models.Q(state="in_force"), name="one_product_in_force"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(state="proposed"), name="one_product_proposed"),
            models.CheckConstraint(condition=models.Q(state__in=ProductState.values), name="product_state_known"),
            models.CheckConstraint(
                condition=models.Q(limited_may_start=False) | models.Q(limited_may_use=True),
                name="whoever_may_start_a_product_may_use_it",
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.code}"


class DeadlineQuerySet(RecordedQuerySet):
    def running(self):
        return self.filter(stopped_at__isnull=True)

    def overdue(self, on):
        return self.running().filter(due_on__lt=on)

    def due_within(self, on, days_ahead):
        return self.running().filter(due_on__gte=on, due_on__lte=days_ahead)


class Deadline(Recorded):
    """A running or stopped clock on one record; it names the record without a foreign key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "DUE"), editable=False)
    kind = models.CharField(max_length=60)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    starts_on = models.DateField()
    due_on = models.DateField()
    citation = models.ForeignKey(Citation, on_delete=models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["stopped_at", "due_on"], name="deadline_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "label", "key"],
                condition=models.Q(stopped_at__isnull=True),
                name="one_running_clock_per_kind",
            ),
        ]

    def __str__(self):
        return f"{self.kind} for {self.name}"

    @property
    def standing(self) -> str:
        """Whether law in force, a proposal or our own policy sets the day; reads citation."""
        return self.citation.standing


class Holiday(Recorded):
    """A day that is no business day."""

    day = models.DateField(unique=True)
    title = models.CharField(max_length=100)

    def __str__(self):
        return f"{self.day}: {self.title}"

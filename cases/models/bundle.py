"""Evidence bundles: what was collected, who approved, what was built."""

import uuid
from functools import partial

from django.db import models

from cases.rules.redaction import Exemption
from cases.rules.stages import STANDS_STILL, BundleState
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class BundleQuerySet(RecordedQuerySet):
    def to_build(self):
        """Approved, and resting on nothing that is in dispute or has fallen."""
        approved = self.filter(state__in=[BundleState.APPROVED.value, BundleState.FAILED.value])
        return approved.exclude(request__state__in=[state.value for state in STANDS_STILL])

    def to_approve(self):
        return self.filter(state=BundleState.COLLECTED.value)

    def ready(self):
        """Built: there is a file to hand over."""
        return self.filter(state__in=[BundleState.BUILT, BundleState.HANDED_OVER, BundleState.RECEIPTED])


class Bundle(Recorded):
    """A signed BagIt bundle of one case for one recipient (R114); the folder lies in KYC_BUNDLE_DIR/<reference>."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "BDL"), editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="bundles")
    ground = models.CharField(max_length=40)
    recipient = models.CharField(max_length=40)
    request = models.ForeignKey(
        "cases.LegalRequest", on_delete=models.PROTECT, null=True, blank=True, related_name="bundles"
    )
    voluntary = models.ForeignKey(
        "cases.VoluntaryDisclosure", on_delete=models.PROTECT, null=True, blank=True, related_name="bundles"
    )
    scope = models.JSONField(default=dict, blank=True, help_text="The request's scope when it was collected.")
    state = models.CharField(max_length=14, choices=BundleState.choices(), default=BundleState.DRAFT.value)
    collected_at = models.DateTimeField(null=True, blank=True)
    collected_by = models.CharField(max_length=150, blank=True)
    collected_by_key = models.CharField(max_length=80, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=150, blank=True)
    approved_sha256 = models.CharField(max_length=64, blank=True, help_text="Of what was approved, as it would be seen")
    built_at = models.DateTimeField(null=True, blank=True)
    payload_count = models.PositiveIntegerField(default=0)
    payload_bytes = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the signed tag manifest.")

    objects = BundleQuerySet.as_manager()

    class Meta:
        permissions = [
            ("collect_bundle", "Can collect evidence for a bundle"),
            ("approve_bundle", "Can approve a bundle another collected"),
            ("download_bundle", "Can download built bundles"),
        ]

    def __str__(self):
        return self.reference


class BundleItem(Recorded):
    """One thing collected into a bundle, named by reference, with its origin and hash for the custody record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="items")
    data_class = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    collected_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "item of a bundle"
        verbose_name_plural = "items of bundles"

    def __str__(self):
        return self.name


class RedactionQuerySet(RecordedQuerySet):
    def standing(self):
        return self.filter(undone_at__isnull=True)


class BundleRedaction(Recorded):
    """Something a person takes out of a bundle: at which place, under which code and why. The original stays sealed.

    A document may be replaced by a redacted copy, stored beside the original under the same person's key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RED"), editable=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="redactions")
    place = models.CharField(max_length=200)
    code = models.CharField(max_length=4, choices=Exemption.choices())
    reason = models.CharField(max_length=200)
    subject = models.UUIDField(null=True, blank=True, editable=False)
    original_sha256 = models.CharField(max_length=64, blank=True)
    copy_sha256 = models.CharField(max_length=64, blank=True)
    copy_type = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    made_by_key = models.CharField(max_length=80)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    objects = RedactionQuerySet.as_manager()

    class Meta:
        verbose_name = "redaction by hand"
        verbose_name_plural = "redactions by hand"
        constraints = [
            models.UniqueConstraint(
                fields=["bundle", "place"], condition=models.Q(undone_at__isnull=True), name="one_redaction_per_place"
            ),
        ]

    def __str__(self):
        return self.reference


class BundleReceipt(Recorded):
    """That the recipient has the bundle: who said so, when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bundle = models.OneToOneField(Bundle, on_delete=models.PROTECT, related_name="receipt")
    received_by = models.CharField(max_length=200)
    received_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "receipt of a bundle"
        verbose_name_plural = "receipts of bundles"

    def __str__(self):
        return f"receipt for {self.bundle}"

"""Evidence bundles: what was collected, who approved, what was built, who has it."""

from django.apps import apps
from django.contrib import admin
from django.db.models import Count
from django.urls import reverse

from cases.admin.forms import ApproveForm, ReceiptForm
from cases.admin.legal_forms import RedactForm, UndoForm
from cases.flows import bundle_redactions, bundle_shown, bundles
from cases.models import Bundle
from cases.rules.disclosure import DataClass, Ground, Recipient
from cases.rules.stages import BundleState
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_ITEMS = 500
TONES = {
    BundleState.DRAFT: "",
    BundleState.COLLECTED: "warning",
    BundleState.APPROVED: "info",
    BundleState.FAILED: "danger",
    BundleState.BUILT: "good",
    BundleState.HANDED_OVER: "good",
    BundleState.RECEIPTED: "good",
}


class BundleFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_approve": (
            "to approve", lambda rows, user, today: rows.to_approve().exclude(collected_by_key=str(user.pk))
        ),
        "to_build": ("being built", lambda rows, user, today: rows.to_build()),
        "ready": ("built", lambda rows, user, today: rows.ready()),
    }  # fmt: skip


@admin.register(Bundle)
class BundleAdmin(RecordAdmin):
    list_display = [
        "reference",
        "case",
        "ground_in_words",
        "recipient_in_words",
        "state",
        "collected_by",
        "collected_at",
    ]
    list_filter = [BundleFilter, "state"]
    list_select_related = ["case"]
    search_fields = ["reference", "case__reference"]
    ordering = ["-collected_at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("case", "request", "voluntary")

    @admin.display(description="ground", ordering="ground")
    def ground_in_words(self, bundle):
        return Ground(bundle.ground).label

    @admin.display(description="recipient", ordering="recipient")
    def recipient_in_words(self, bundle):
        return Recipient(bundle.recipient).label

    def page_title(self, bundle):
        return f"For {Recipient(bundle.recipient).label}: {Ground(bundle.ground).label}"

    def badges(self, bundle):
        return [Badge(bundle.get_state_display(), TONES[BundleState(bundle.state)])]

    def sections(self, bundle, *, user, at):
        return [
            _facts(bundle), _what_is_in_it(bundle), _redactions(bundle), _items(bundle), timeline_section(bundle)
        ]  # fmt: skip

    def aside(self, bundle, *, user, at):
        if bundle.state == BundleState.COLLECTED and page_named("cases:preview_bundle").opens_to(user, "GET"):
            url = reverse("cases:preview_bundle", args=[bundle.reference])
            note = "Whoever approves approves these very words. Each look is recorded."
            return [Facts("preview", "Preview", [("As the recipient will see it", Link("Preview", url))], note=note)]
        if bundle.state not in bundles.READY or not page_named("cases:download_bundle").opens_to(user, "GET"):
            return []
        url = reverse("cases:download_bundle", args=[bundle.reference])
        note = "Give the digest and the key to the recipient by another way: they show a bundle that was exchanged."
        rows = [("Download", Link(f"{bundle.reference}.zip", url)), ("Digest", bundle.digest)]
        if signed := bundles.signed_with(bundle):
            rows += [("Signed with key", signed[0]), ("Its public key (Ed25519)", signed[1])]
        return [Facts("download", "Download", rows, note=note)]

    def before_acting(self, bundle, name, *, user, at):
        """Whoever approves reads first what leaves, and to whom."""
        return [_leaves(bundle)] if name == "approve" else []

    @flow_action(
        "Approve", form=ApproveForm, primary=True, grave=True, signs=bundle_shown.digest_of,
        warning="What is told here leaves the house. Read the preview first: you approve these very words.",
    )  # fmt: skip
    def approve(self, bundle, *, by, at, shown, paper_seen):
        bundles.approve(bundle, shown=shown, by=by, at=at)
        return f"{bundle.reference} is approved. It is built within a minute."

    @flow_action(
        "Redact", form=RedactForm,
        warning="What is taken out stays on file, sealed. The bundle's log names place, code and reason.",
    )  # fmt: skip
    def redact(self, bundle, *, by, at, place, code, reason, copy):
        made = bundle_redactions.redact(bundle, place=place, code=code, reason=reason, copy=copy, by=by, at=at)
        return f"Taken out: {made.place} ({made.code})."

    @flow_action("Undo redaction", form=UndoForm, when=lambda bundle: bundle.redactions.standing().exists())
    def undo_redaction(self, bundle, *, by, at, redaction):
        bundle_redactions.undo(redaction, by=by, at=at)
        return f"{redaction.place} stands in {bundle.reference} again."

    @flow_action("Take approval back", warning="Another person approves it anew before it is built.")
    def take_back(self, bundle, *, by, at):
        bundles.take_back(bundle, by=by, at=at)
        return f"{bundle.reference} waits for approval again."

    @flow_action("Set aside")
    def set_aside(self, bundle, *, by, at):
        bundles.set_aside(bundle, by=by, at=at)
        return f"{bundle.reference} is set aside. Collect anew on the case's page."

    @flow_action("Hand over", primary=True, grave=True)
    def hand_over(self, bundle, *, by, at):
        bundles.hand_over(bundle, by=by, at=at)
        return f"{bundle.reference} is handed over. Record the receipt when it comes."

    @flow_action(
        "Record receipt", form=ReceiptForm, primary=True,
    )  # fmt: skip
    def acknowledge(self, bundle, *, by, at, received_by, received_on):
        bundles.acknowledge(bundle, received_by=received_by, received_on=received_on, by=by, at=at)
        return f"The receipt for {bundle.reference} is on file."


def _facts(bundle: Bundle) -> Facts:
    rows = [
        ("Case", Link(bundle.case, bundle.case)), ("Ground", Ground(bundle.ground).label),
        ("Rests on", Link(bundle.request, bundle.request) if bundle.request_id else ""),
        ("Lawful ground chosen", Link(bundle.voluntary, bundle.voluntary) if bundle.voluntary_id else ""),
        ("SHA-256 of what was approved", bundle.approved_sha256),
        ("Paper that must be on file", bundles.paper_for(bundle)),
        ("Recipient", Recipient(bundle.recipient).label), ("Collected by", bundle.collected_by),
        ("Collected", bundle.collected_at), ("Approved by", bundle.approved_by), ("Approved", bundle.approved_at),
        ("Built", bundle.built_at), ("Files", bundle.payload_count), ("Bytes", bundle.payload_bytes),
    ]  # fmt: skip
    return Facts("bundle", "Bundle", rows)


def _leaves(bundle: Bundle) -> Facts:
    request = bundle.request
    rows = [
        ("Recipient", Recipient(bundle.recipient).label), ("Ground", Ground(bundle.ground).label),
        ("Request", Link(request, request) if request else "none"),
        ("Authority", request.authority if request else ""),
        ("Items", bundle.items.count()), ("Taken out by hand", bundle.redactions.standing().count()),
        ("Word for word", Link("Preview", reverse("cases:preview_bundle", args=[bundle.reference]))),
    ]  # fmt: skip
    return Facts("leaves", "What leaves", rows, note="Open the preview before you approve. Each look is recorded.")


def _what_is_in_it(bundle: Bundle) -> Table:
    counted = dict(bundle.items.values_list("data_class").annotate(count=Count("pk")).order_by())
    rows = [[each.label, counted[each.value]] for each in DataClass if each.value in counted]
    return Table("classes", "What is in it", ["Class of data", "Things"], rows, empty="Nothing was collected.")


def _redactions(bundle: Bundle) -> Table:
    rows = [
        [row.place, f"{row.code} {row.get_code_display()}", row.reason, row.made_by, row.original_sha256[:16],
         "redacted copy" if row.copy_sha256 else ""]
        for row in bundle.redactions.standing().order_by("place")
    ]  # fmt: skip
    head = ["Place", "Code", "Reason", "By", "SHA-256 of the original begins", "Instead"]
    note = "What the recipient and the ground take out by rule stands in the preview."
    return Table("redactions", "Taken out by hand", head, rows, empty="Nothing was taken out by hand.", note=note)


def _items(bundle: Bundle) -> Table:
    rows = [
        [DataClass(item.data_class).label, item.name, apps.get_model(item.label)._meta.verbose_name, item.sha256[:16]]
        for item in bundle.items.order_by("data_class", "name", "pk")[:MOST_ITEMS]
    ]
    head = ["Class of data", "Thing", "Kind", "SHA-256 begins"]
    note = f"The first {MOST_ITEMS} are shown." if len(rows) == MOST_ITEMS else ""
    return Table("items", "Each thing", head, rows, note=note)

"""Evidence bundles: what was collected, who approved, what was built, who has it."""

from django.apps import apps
from django.contrib import admin
from django.db.models import Count
from django.urls import reverse

from cases.admin.forms import ApproveForm, ReceiptForm
from cases.flows import bundles
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
        return super().get_queryset(request).select_related("case")

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
        return [_facts(bundle), _what_is_in_it(bundle), _items(bundle), timeline_section(bundle)]

    def aside(self, bundle, *, user, at):
        if bundle.state not in bundles.READY or not page_named("cases:download_bundle").opens_to(user, "GET"):
            return []
        url = reverse("cases:download_bundle", args=[bundle.reference])
        note = "Give the digest to the recipient by another way: it shows a bundle that was exchanged."
        rows = [("Download", Link(f"{bundle.reference}.zip", url)), ("Digest", bundle.digest)]
        return [Facts("download", "Download", rows, note=note)]

    @flow_action(
        "Approve", form=ApproveForm, primary=True, grave=True,
        warning="What is listed here leaves the house. Read the list first.",
    )  # fmt: skip
    def approve(self, bundle, *, by, at, paper_seen):
        bundles.approve(bundle, by=by, at=at)
        return f"{bundle.reference} is approved. It is built within a minute."

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
        ("Paper that must be on file", bundles.paper_for(bundle)),
        ("Recipient", Recipient(bundle.recipient).label), ("Collected by", bundle.collected_by),
        ("Collected", bundle.collected_at), ("Approved by", bundle.approved_by), ("Approved", bundle.approved_at),
        ("Built", bundle.built_at), ("Files", bundle.payload_count), ("Bytes", bundle.payload_bytes),
    ]  # fmt: skip
    return Facts("bundle", "Bundle", rows)


def _what_is_in_it(bundle: Bundle) -> Table:
    counted = dict(bundle.items.values_list("data_class").annotate(count=Count("pk")).order_by())
    rows = [[each.label, counted[each.value]] for each in DataClass if each.value in counted]
    return Table("classes", "What is in it", ["Class of data", "Things"], rows, empty="Nothing was collected.")


def _items(bundle: Bundle) -> Table:
    rows = [
        [DataClass(item.data_class).label, item.name, apps.get_model(item.label)._meta.verbose_name, item.sha256[:16]]
        for item in bundle.items.order_by("data_class", "name", "pk")[:MOST_ITEMS]
    ]
    head = ["Class of data", "Thing", "Kind", "SHA-256 begins"]
    note = f"The first {MOST_ITEMS} are shown." if len(rows) == MOST_ITEMS else ""
    return Table("items", "Each thing", head, rows, note=note)

"""Identity documents with their viewing copies, and means of payment."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.admin import zone_sections
from accounts.admin.forms import TransactionsForm
from accounts.flows import document_copies, identification, zone_reading
from accounts.models import IdentityDocument, PaymentMethod
from accounts.rules.documents import BY_CODE, expired_on
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import IdentityView
from kyc_portal.records.refs import RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Html, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import masked

LOOKS_SHOWN = 20


def sealed(record, field: str, label: str, user):
    """A masked value; who may unmask it gets the link that asks why."""
    if not getattr(record, field):
        return None
    if not policy_table.may_see(user, record._meta.label_lower, field):
        return masked(label)
    return masked(label, reverse("accounts:reveal", args=[record._meta.model_name, record.pk, field]))


def title_of(document: IdentityDocument) -> str:
    """What the kind of document is called."""
    return BY_CODE[document.kind].title if document.kind in BY_CODE else document.kind


def document_marks(document: IdentityDocument, today) -> list[Badge]:
    """What a reader should notice about a document at once."""
    marks = []
    if expired_on(document.expires_on, today):
        marks.append(Badge("expired", "danger"))
    if document.mrz_failed:
        marks.append(Badge(f"check digit wrong: {', '.join(document.mrz_failed)}", "danger"))
    if document.file_warnings:
        marks.append(Badge("look at the file's warnings", "warning"))
    return marks


def marks_in_a_row(document: IdentityDocument, today) -> SafeString:
    """The same marks for a cell of a table."""
    return format_html_join(" ", "{}", ((mark,) for mark in document_marks(document, today)))


class ExpiryFilter(QuerysetFilter):
    title = "validity"
    parameter_name = "validity"
    options = {
        "expired": ("expired", lambda rows, user, today: rows.filter(expires_on__lt=today)),
        "valid": ("not expired", lambda rows, user, today: rows.exclude(expires_on__lt=today)),
    }


@admin.register(IdentityDocument)
class IdentityDocumentAdmin(RecordAdmin):
    list_display = ["reference", "kind_title", "party", "country", "expires_on", "added_at"]
    list_filter = [ExpiryFilter, "kind"]
    search_fields = ["reference", "party__reference", "party__legal_name"]
    list_select_related = ["party"]
    ordering = ["-added_at"]
    logs_views = True

    @admin.display(description="kind", ordering="kind")
    def kind_title(self, document):
        return title_of(document)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("party")

    def page_title(self, record):
        return f"{title_of(record)} of {record.party.legal_name}"

    def badges(self, record):
        return document_marks(record, legal_day(timezone.now()))

    def sections(self, record, *, user, at):
        return [
            self._facts(record, user), *zone_sections.zone(record), self._copies(record), self._looks(record),
            timeline_section(record),
        ]  # fmt: skip

    def before_acting(self, record, name, *, user, at):
        """Whoever confirms what was read sees it beside the picture, and where to compare."""
        return [*zone_sections.shown_to(record, user), self._copies(record)] if name == "confirm_zone" else []

    @flow_action(
        "Read zone off the picture", when=zone_sections.may_be_read,
        warning="It takes up to half a minute a page. What is read is a proposal; you confirm it.",
    )  # fmt: skip
    def read_zone(self, document, *, by, at):
        zone_reading.ask(document, by=by, at=at)
        return f"The zone of {document.reference} is being read. Load the page again in a moment."

    @flow_action(
        "Confirm zone", form=zone_sections.ZoneForm, primary=True, grave=True, when=zone_sections.is_proposed,
        initial=zone_sections.as_read, warning="It was read by a program. Compare it with the picture first.",
    )  # fmt: skip
    def confirm_zone(self, document, *, by, at, mrz):
        zone_reading.confirm(document, mrz=mrz, by=by, at=at)
        return f"The zone of {document.reference} is on file, and the checks have run."

    @flow_action("Set zone aside", when=zone_sections.is_proposed, warning="What was read is forgotten.")
    def set_zone_aside(self, document, *, by, at):
        zone_reading.set_aside(document, by=by, at=at)
        return f"What was read off {document.reference} is set aside."

    def _facts(self, document, user):
        rows = [
            ("Party", Link(document.party.legal_name, document.party)),
            ("Number", sealed(document, "number", "document number", user)),
            ("Issuing country", document.country.name),
            ("Place of issue", document.place_of_issue),
            ("Issued", document.issued_on),
            ("Expires", document.expires_on),
            ("Machine-readable zone", sealed(document, "mrz", "machine-readable zone", user)),
            ("Wrong check digits", ", ".join(document.mrz_failed)),
            ("Added", f"by {document.added_by}"),
            ("On", document.added_at),
        ]
        return Facts("facts", "Document", rows)

    def _copies(self, document):
        pages, note = 0, ""
        try:
            pages = document_copies.page_count(document)
        except Refusal as refusal:
            note = str(refusal)
        urls = [reverse("accounts:copy", args=[document.pk, number]) for number in range(1, pages + 1)]
        context = {
            "document": document,
            "pages": urls,
            "original_url": reverse("accounts:original", args=[document.pk]) if document.file_sha256 else "",
            "warnings": document.file_warnings,
        }
        return Html("file", "File", "admin/accounts/document_file.html", context, note=note)

    def _looks(self, document):
        ref = RecordRef.of(document)
        looks = IdentityView.objects.filter(about_label=ref.label, about_key=ref.key).order_by("-last_at")[:LOOKS_SHOWN]
        rows = [[look.actor_label, look.day, look.count] for look in looks]
        return Table("looks", "Who looked", ["Person", "Day", "Times"], rows, empty="Nobody has looked yet.")


@admin.register(PaymentMethod)
class PaymentMethodAdmin(RecordAdmin):
    list_display = ["__str__", "party", "institution", "country", "added_at", "ended_at"]
    list_filter = ["kind"]
    search_fields = ["party__reference", "party__legal_name", "institution"]
    list_select_related = ["party"]
    ordering = ["-added_at"]
    logs_views = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("party")

    def page_title(self, record):
        return f"{record} of {record.party.legal_name}"

    def badges(self, record):
        return [Badge("ended", "")] if record.ended_at else [Badge("in use", "good")]

    @flow_action("Add transactions", form=TransactionsForm)
    def add_transactions(self, payment, *, by, at, transactions):
        identification.add_transactions(payment, transactions=transactions, by=by, at=at)
        return "The transactions are on file."

    def sections(self, record, *, user, at):
        rows = [
            ("Party", Link(record.party.legal_name, record.party)),
            ("Kind", record.get_kind_display()),
            ("Identifier", sealed(record, "identifier", "payment identifier", user)),
            ("Last four", record.last_four),
            ("Holder", sealed(record, "holder", "holder of the payment account", user)),
            ("Institution", record.institution),
            ("Customer number there", sealed(record, "customer_number", "customer number at the institution", user)),
            ("Transactions there", sealed(record, "transactions", "transactions", user)),
            ("Country", record.country.name),
            ("Source", record.source),
            ("Added", record.added_at),
            ("Ended", record.ended_at),
        ]
        return [Facts("facts", "Means of payment", rows), timeline_section(record)]

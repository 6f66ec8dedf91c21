"""Reports on blocked property and rejected transactions: what is due, the page of one, its files."""

from django import forms
from django.contrib import admin
from django.urls import reverse

from cases.admin.forms import account_named, blank, day_field
from cases.flows import property_reports
from cases.models import PropertyReport
from cases.rules.property_reports import DroppedWhy, PropertyReportState, SentBy
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, clocks_section, holds_section, timeline_section

TONES = {
    PropertyReportState.OPEN: "warning",
    PropertyReportState.DRAFTED: "warning",
    PropertyReportState.APPROVED: "warning",
    PropertyReportState.SENT: "info",
    PropertyReportState.CONFIRMED: "good",
    PropertyReportState.DROPPED: "",
}
RUNNING = (PropertyReportState.OPEN, PropertyReportState.DRAFTED, PropertyReportState.APPROVED)


class RejectedForm(forms.Form):
    """A transaction that was rejected; a block opens its report by itself."""

    account = forms.CharField(label="Account", max_length=20, help_text="Its reference, for example ACC-7K3M-9QXD.")
    happened_on = day_field(label="Day of the rejection", help_text="The days of the report count from it.")

    def clean_account(self):
        return account_named(self.cleaned_data["account"])


class DraftForm(forms.Form):
    """Every field the rule names, each with what it wants."""

    legal_authority = forms.CharField(
        label="Legal authority", max_length=200,
        help_text="The programme by its number, for example “31 CFR part 578”. “SDN” alone will not do.",
    )  # fmt: skip
    property = forms.CharField(label="Property", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    transaction = forms.CharField(label="Transaction", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    value_usd = forms.CharField(label="Value in U.S. dollars", max_length=25, help_text="For example 1250.00.")
    parties = forms.CharField(
        label="Parties",
        max_length=1000,
        help_text="References, separated by spaces: the customer and who stands behind.",
    )
    places = forms.CharField(label="Places", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    documents = forms.CharField(
        label="Documents", max_length=1000, required=False, help_text="References of copies that go along."
    )
    contact_name = forms.CharField(label="Contact", max_length=150)
    contact_phone = forms.CharField(label="Phone", max_length=50)
    contact_email = forms.EmailField(label="E-mail", max_length=254)

    def clean_parties(self):
        return self.cleaned_data["parties"].upper().replace(",", " ").split()

    def clean_documents(self):
        return self.cleaned_data["documents"].upper().replace(",", " ").split()


class SendForm(forms.Form):
    how = forms.ChoiceField(label="Sent by", choices=blank("Choose how", SentBy.choices()))


class ReceiptNumberForm(forms.Form):
    receipt = forms.CharField(label="Number of the receipt", max_length=100)


class DropForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", DroppedWhy.choices()))


def already_said(report: PropertyReport) -> dict:
    """The party whose account it is, to begin with."""
    return {
        "parties": " ".join(report.parties) or report.account.party.reference,
        "legal_authority": report.legal_authority, "documents": " ".join(report.documents),
    }  # fmt: skip


class ReportFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {"to_do": ("to be made", lambda rows, user, today: rows.to_do())}


@admin.register(PropertyReport)
class PropertyReportAdmin(RecordAdmin):
    list_display = ["reference", "kind", "account", "state", "happened_on", "due_on"]
    list_filter = [ReportFilter, "kind", "state"]
    list_select_related = ["account"]
    search_fields = ["reference", "account__reference"]
    ordering = ["due_on", "pk"]
    logs_views = True
    adding = RejectedForm
    add_label = "Log rejected transaction"

    def add(self, *, by, at, account, happened_on):
        return property_reports.open_rejected(account, happened_on=happened_on, by=by, at=at)

    def page_title(self, report):
        return f"{report.get_kind_display().capitalize()}: {report.account.reference}"

    def badges(self, report):
        return [Badge(report.get_state_display(), TONES[PropertyReportState(report.state)])]

    def clock(self, report):
        if report.state not in RUNNING:
            return None
        return Clock(report.due_on, report.citation.standing, "report")

    def sections(self, report, *, user, at):
        return [
            self._words(report, user), clocks_section(report, today=legal_day(at)),
            holds_section(report.account, report.account.party), timeline_section(report),
        ]  # fmt: skip

    def before_acting(self, report, name, *, user, at):
        """Whoever approves reads the words on the page that asks."""
        return [self._words(report, user)] if name == "approve" else []

    def _words(self, report, user) -> Facts:
        def read(column):
            value = getattr(report, column)
            return value.reveal() if value and policy_table.may_see(user, "cases.propertyreport", column) else value

        rows = [
            ("Account", Link(report.account, report.account)), ("Opened because of", report.basis),
            ("Day of the event", report.happened_on), ("Due", report.due_on), ("Source", str(report.citation)),
            ("Legal authority", report.legal_authority), ("Property", read("property")),
            ("Transaction", read("transaction")), ("Value in U.S. dollars", report.value_usd),
            ("Parties", ", ".join(report.parties)), ("Places", read("places")),
            ("Documents", ", ".join(report.documents)), ("Contact", read("contact_name")),
            ("Phone", read("contact_phone")), ("E-mail", read("contact_email")),
            ("Drafted by", report.drafted_by), ("Drafted", report.drafted_at), ("Approved by", report.approved_by),
            ("Approved", report.approved_at), ("SHA-256 of what was approved", report.approved_sha256),
            ("Sent", report.sent_at), ("Sent by", report.sent_by), ("How", report.get_sent_how_display()),
            ("Receipt", report.receipt), ("Dropped because", report.get_dropped_why_display()),
        ]  # fmt: skip
        return Facts("report", "Report", rows)

    def aside(self, report, *, user, at):
        if report.drafted_at is None or not policy_table.page_named("cases:property_report_file").opens_to(user, "GET"):
            return []
        rows = [
            (title, Link(text, reverse("cases:property_report_file", args=[report.pk, kind])))
            for kind, title, text in (
                ("page", "To print", "Page"), ("json", "For machines", "JSON"), ("csv", "As a table", "CSV"),
            )
        ]  # fmt: skip
        return [Facts("files", "Files", rows, note="Each is recorded when it is taken.")]

    @flow_action("Draft", form=DraftForm, primary=True, initial=already_said)
    def draft(self, report, *, by, at, legal_authority, value_usd, parties, documents, **texts):
        drafted = property_reports.draft(
            report, legal_authority=legal_authority, value_usd=value_usd, parties=parties, documents=documents,
            texts=texts, by=by, at=at,
        )  # fmt: skip
        return f"{drafted.reference} is drafted. Another person approves it."

    @flow_action(
        "Approve", primary=True, signs=property_reports.digest_of,
        warning="You approve what is shown here, word for word.",
    )  # fmt: skip
    def approve(self, report, *, by, at, shown):
        approved = property_reports.approve(report, shown=shown, by=by, at=at)
        return f"{approved.reference} is approved. Send it, then say so here."

    @flow_action("Record as sent", form=SendForm, primary=True, grave=True)
    def send(self, report, *, by, at, how):
        return f"{property_reports.send(report, how=how, by=by, at=at).reference} is sent. Record the receipt."

    @flow_action("Record receipt", form=ReceiptNumberForm, primary=True)
    def confirm(self, report, *, by, at, receipt):
        return f"The receipt of {property_reports.confirm(report, receipt=receipt, by=by, at=at).reference} is on file."

    @flow_action("Drop", form=DropForm, tone="danger", warning="No report is made. Its clock stops.")
    def drop(self, report, *, by, at, why):
        return f"{property_reports.drop(report, why=why, by=by, at=at).reference} is dropped."

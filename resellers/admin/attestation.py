"""Yearly attestations of resellers as staff read them: what was signed, with the figures as of the signature (R63)."""

from django.contrib import admin
from django.utils import timezone
from django_countries import countries

from kyc_portal.records.clock import legal_day
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, clocks_section, timeline_section
from resellers.flows import attestation
from resellers.models import Attestation
from resellers.rules.attestation import GAPS


class SignedFilter(QuerysetFilter):
    title = "signature"
    parameter_name = "signature"
    options = {
        "waiting": ("to be signed", lambda rows, user, today: rows.unsigned()),
        "overdue": ("past its last day", lambda rows, user, today: rows.overdue(today)),
        "signed": ("signed", lambda rows, user, today: rows.filter(signed_at__isnull=False)),
    }


@admin.register(Attestation)
class AttestationAdmin(RecordAdmin):
    list_display = ["reference", "company", "number", "from_on", "to_on", "due_on", "signed_at", "signed_by"]
    list_filter = [SignedFilter]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    search_help_text = "Reference of the attestation or the reseller, or the reseller's name."
    list_select_related = ["reseller__account__party"]
    ordering = ["due_on", "pk"]

    @admin.display(description="reseller")
    def company(self, row):
        return row.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "citation", "statement")

    def page_title(self, row):
        return f"{row.reseller.account.party.legal_name}, {row.from_on:%-d %b %Y} to {row.to_on:%-d %b %Y}"

    def badges(self, row):
        if row.signed_at is not None:
            return [Badge("signed", "good")]
        return [Badge("to be signed", "danger" if row.due_on < legal_day(timezone.now()) else "warning")]

    def clock(self, row):
        return None if row.signed_at else Clock(row.due_on, row.citation.standing, "signature")

    def sections(self, row, *, user, at):
        counts, gaps = (row.counts, row.gaps) if row.signed_at else attestation.counted(row.reseller, at)
        words = [
            Html("words", "What was signed", "admin/record/long_text.html", {"text": row.statement.text})
        ] if row.signed_at else []  # fmt: skip
        return [_counts(row, counts), _gaps(gaps), *words, timeline_section(row)]

    def aside(self, row, *, user, at):
        rows = [
            ("Reseller", Link(row.reseller.reference, row.reseller)),
            ("Opened", row.opened_on),
            ("Last good day", row.due_on),
            ("By", row.citation),
            ("Signed", row.signed_at),
            ("By whom", row.signed_by),
            ("Bound since", row.signed_under.bound_at if row.signed_under else None),
            ("Wording", Link(row.statement, row.statement) if row.statement else None),
        ]
        return [Facts("attestation", "The attestation", rows), clocks_section(row, today=legal_day(at))]


def _counts(row: Attestation, counts: dict) -> Table:
    rows = [
        [str(countries.name(code) or code), told["total"], told["verified"], told["certified"]]
        for code, told in sorted(counts["countries"].items())
    ]
    rows += [["together", counts["total"], counts["verified"], counts["certified"]]] if rows else []
    title = "Figures as signed" if row.signed_at else "Figures as they are now"
    head = ["Country", "Customers", "Verified", "Certified"]
    return Table("counts", title, head, rows, empty="No customer is on its roster.")


def _gaps(gaps: dict) -> Table:
    rows = [[GAPS.get(code, code), count] for code, count in gaps.items()]
    return Table("gaps", "Not in order", ["What", "Customers"], rows, empty="Everything is in order.")

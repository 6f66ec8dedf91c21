"""Abuse reports: what others say of an address or name, whose it was, and what became of it (regulation T24)."""

from django.contrib import admin
from django.urls import reverse

from cases.admin.forms import AttachForm, SettleForm
from cases.flows import abuse_reports
from cases.formats.xarf import Verdict
from cases.models import AbuseReport, Case
from cases.rules.reports import How, ReportState
from kyc_portal.records.sealed import MASK
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

TONES = {ReportState.RESOLVED: "good", ReportState.WAITING: "warning", ReportState.SETTLED: ""}
VERDICTS = {
    Verdict.AGREES: ("the hash agrees", "good"),
    Verdict.DISAGREES: ("the hash disagrees", "danger"),
    Verdict.NOT_DECLARED: ("no hash was declared", ""),
    Verdict.UNREADABLE: ("the payload is no base64", "danger"),
}
MOST_LISTED = 50


def reports_section(case: Case) -> Table:
    """For the page of a case: the reports in it, the newest first; nothing of who can be written to."""
    found = case.abuse_reports.select_related("account").order_by("-received_at", "pk")[:MOST_LISTED]
    rows = [
        [
            Link(report.reference, report), report.kind, report.source_identifier, report.occurred_at,
            report.reporter_org, Badge(report.get_state_display(), TONES[ReportState(report.state)]),
        ]
        for report in found
    ]  # fmt: skip
    head = ["Report", "Kind", "Source", "Happened", "Reporter", "State"]
    return Table("abuse-reports", "Abuse reports", head, rows, empty="No abuse report is part of this case.")


class WaitingFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {"waiting": ("waiting for an account", lambda rows, user, today: rows.waiting())}


@admin.register(AbuseReport)
class AbuseReportAdmin(RecordAdmin):
    list_display = ["reference", "kind", "source_identifier", "state", "account", "case", "reporter_org", "received_at"]
    list_filter = [WaitingFilter, "state", "category"]
    list_select_related = ["account", "case"]
    search_fields = ["reference", "source_identifier", "account__reference", "case__reference", "outside_id"]
    search_help_text = "Reference of the report, case or account, its source, or the reporter's own number."
    ordering = ["-received_at", "pk"]
    logs_views = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account__party", "case")

    @admin.display(description="kind", ordering="type")
    def kind(self, report):
        return report.type.replace("_", " ")

    def page_title(self, report):
        return f"{report.kind.capitalize()}, {report.source_identifier}"

    def badges(self, report):
        return [Badge(report.get_state_display(), TONES[ReportState(report.state)])]

    def sections(self, report, *, user, at):
        parts = [_said(report), _evidence(report), _candidates(report), _origin(report, user)]
        return [part for part in parts if part is not None] + [timeline_section(report)]

    def aside(self, report, *, user, at):
        rows = [
            ("Case", Link(report.case, report.case)),
            ("Account", Link(report.account, report.account) if report.account_id else "not known"),
            ("Because", How(report.how).label if report.how else ""),
            ("Attached because", report.get_attached_why_display()),
            ("Settled because", report.get_settled_why_display()),
            ("By", report.answered_by),
            ("On", report.answered_at),
        ]
        notes = {
            ReportState.WAITING: "Attach it to the account it is about, or settle it without one.",
            ReportState.RESOLVED: "Decide about the account in the case. A report alone decides nothing.",
            ReportState.SETTLED: "Nothing more happens with it.",
        }
        return [Facts("whose", "Whose it is", [row for row in rows if row[1]], note=notes[ReportState(report.state)])]

    def before_acting(self, report, action, *, user, at):
        """Whoever attaches a report sees beside the form who may have held the address."""
        found = _candidates(report) if action == "attach" else None
        return [found] if found else []

    @flow_action("Attach to an account", form=AttachForm, primary=True)
    def attach(self, report, *, by, at, account, why):
        done = abuse_reports.attach(report, account=account, why=why, by=by, at=at)
        return f"{done.reference} is about {account.reference} and stands in {done.case.reference}."

    @flow_action(
        "Settle without account", form=SettleForm,
        warning="Nobody looks at the report any more. A case that was about nothing else is closed.",
    )  # fmt: skip
    def settle(self, report, *, by, at, why):
        return f"{abuse_reports.settle(report, why=why, by=by, at=at).reference} is settled."


def _said(report: AbuseReport) -> Facts:
    risk = "" if report.risk is None else f"{report.risk.normalize():f} of 1, as the reporter says"
    rows = [
        ("Category", report.category), ("Type", report.type.replace("_", " ")), ("Happened", report.occurred_at),
        ("Source", report.source_identifier), ("Source port", report.source_port), ("Risk", risk),
        ("Indicators", ", ".join(each.replace("_", " ") for each in report.indicators)),
        ("Noticed while reading", " ".join(report.warnings)),
    ]  # fmt: skip
    return Facts("report", "What it says", [row for row in rows if row[1] not in ("", None)])


def _evidence(report: AbuseReport) -> Table:
    rows = []
    for piece in report.evidence.order_by("number")[:MOST_LISTED]:
        words, tone = VERDICTS[Verdict(piece.verdict)]
        rows.append(
            [piece.number, piece.content_type, piece.size, Badge(words, tone), piece.computed or piece.declared]
        )
    head = ["Piece", "Media type", "Bytes", "Hash", "As computed here"]
    note = "The payloads may be hostile. They lie in the report as it was sent, and are never shown here."
    return Table(
        "evidence", "Evidence", head, rows, empty="The report came without evidence.", note=note if rows else ""
    )


def _candidates(report: AbuseReport) -> Table | None:
    """Who may have held the address, for a report that waits."""
    if report.state != ReportState.WAITING:
        return None
    rows = [
        [
            Link(each.account.reference, each.account),
            each.account.get_status_display(),
            How(each.how).label,
            each.moment,
        ]
        for each in abuse_reports.candidates(report)[:MOST_LISTED]
    ]
    empty = "No allocation and no access near that moment tells who held it."
    if report.source_address is None:
        empty = "It names no address, so our records of addresses tell nothing."
    head = ["Account", "State", "What says so", "From or at"]
    return Table("candidates", "Who may have held it", head, rows, empty=empty)


def _origin(report: AbuseReport, user) -> Facts:
    """Who reported, and where the original is; the contact only for the desk."""
    may_read = policy_table.may_see(user, "cases.abusereport", "contact")
    contact = report.contact.reveal() if may_read and report.contact else MASK
    rows = [
        ("Reporter", report.reporter_org), ("Domain", report.reporter_domain), ("Contact", contact),
        ("Their number", report.outside_id), ("XARF version", report.version), ("Came by", report.get_door_display()),
        ("Taken in", report.received_at), ("By", report.received_by), ("SHA-256", report.sha256),
        ("Bytes", report.size),
    ]  # fmt: skip
    url = reverse("cases:download_report", args=[report.pk])
    opens = page_named("cases:download_report").opens_to(user, "GET")
    shown = {"url": url, "url_label": "Download it as it was sent"} if opens else {}
    return Facts("origin", "Where it comes from", rows, **shown)

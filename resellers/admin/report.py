"""Reports on resellers to authorities: what is to be told to whom by when, and that it was (R60)."""

from django.contrib import admin

from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import DOTS
from resellers.admin.ending_forms import ReportSentForm
from resellers.admin.forms import WhyForm
from resellers.flows import reports
from resellers.models import AuthorityReport
from resellers.rules.ending import ReportState

MOST_SHOWN = 20
TONES = {ReportState.OPEN: "warning", ReportState.SENT: "good", ReportState.DROPPED: ""}


def report_badge(report: AuthorityReport) -> Badge:
    return Badge(report.get_state_display(), TONES[ReportState(report.state)])


def reports_section(rows) -> Table:
    """The reports of a reseller, a finding or an end; only for who may see reports at all."""
    shown = [
        [Link(report.reference, report), report.authority, report_badge(report), report.due_on, report.sent_at]
        for report in rows.order_by("-opened_at", "pk")[:MOST_SHOWN]
    ]
    head = ["Report", "Authority", "State", "Due on", "Made"]
    return Table("reports", "Reports to authorities", head, shown, empty="Nothing is to be reported.")


class ToMakeFilter(QuerysetFilter):
    title = "to be made"
    parameter_name = "make"
    options = {"yes": ("to be made", lambda rows, user, today: rows.to_make())}


@admin.register(AuthorityReport)
class AuthorityReportAdmin(RecordAdmin):
    list_display = ["reference", "company", "authority", "state", "due_on", "sent_at"]
    list_filter = [ToMakeFilter, "state", "channel"]
    search_fields = ["reference", "authority", "report_id", "reseller__reference"]
    list_select_related = ["reseller__account__party"]
    ordering = ["due_on", "pk"]
    logs_views = True  # its words may name people

    @admin.display(description="reseller")
    def company(self, report):
        return report.reseller.account.party.legal_name

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("reseller__account__party", "finding", "termination", "citation")

    def page_title(self, report):
        return f"Report on {report.reseller.account.party.legal_name} to {report.authority}"

    def badges(self, report):
        return [report_badge(report)]

    def clock(self, report):
        is_open = report.state == ReportState.OPEN
        return Clock(report.due_on, report.citation.standing, "report") if is_open else None

    def sections(self, report, *, user, at):
        words = report.about.reveal() if may_see(user, "resellers.authorityreport", "about") else DOTS
        return [
            Html("about", "What is reported", "admin/record/long_text.html", {"text": words}), timeline_section(report)
        ]  # fmt: skip

    def aside(self, report, *, user, at):
        rows = [
            ("Reseller", Link(report.reseller.reference, report.reseller)),
            ("Finding", Link(report.finding.reference, report.finding) if report.finding else None),
            ("End", Link(report.termination.reference, report.termination) if report.termination else None),
            ("Due on", report.due_on),
            ("By", report.citation),
            ("Opened", report.opened_at),
            ("Opened by", report.opened_by),
            ("Channel", report.get_channel_display()),
            ("Number of the report", report.report_id),
            ("Made", report.sent_at),
            ("Made by", report.sent_by),
            ("Why not needed", report.why_dropped),
        ]
        return [Facts("report", "The report", rows)]

    @flow_action("Note that it was made", form=ReportSentForm, primary=True, warning="Its clock stops.")
    def note_sent(self, report, *, by, at, channel, report_id):
        reports.note_sent(report, channel=channel, report_id=report_id, by=by, at=at)
        return f"{report.reference} was made."

    @flow_action("Note that none is needed", form=WhyForm)
    def drop(self, report, *, by, at, why):
        reports.drop(report, why=why, by=by, at=at)
        return f"{report.reference} is not needed."

"""The page of a finding against a reseller: since when it is known, until when it must be cured, what is done."""

from django.contrib import admin

from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, clocks_section, timeline_section
from kyc_portal.staff.templatetags.marks import DOTS
from resellers.admin.ending_forms import ProposeEndForm, ReportForm
from resellers.admin.forms import PlanForm, WhyForm
from resellers.admin.report import reports_section
from resellers.flows import findings, reports, termination
from resellers.models import Finding
from resellers.rules.findings import STANDING, FindingState

TONES = {
    FindingState.OPEN: "danger",
    FindingState.PLANNED: "warning",
    FindingState.CURE_PROPOSED: "warning",
    FindingState.CURED: "good",
    FindingState.WITHDRAWN: "",
    FindingState.ENDED: "",
}


def state_badge(finding: Finding) -> Badge:
    """Where a finding stands."""
    return Badge(finding.get_state_display(), TONES[FindingState(finding.state)])


class StandingFilter(QuerysetFilter):
    title = "not cured"
    parameter_name = "cure"
    options = {
        "standing": ("not cured", lambda rows, user, today: rows.standing()),
        "overdue": ("past their last day", lambda rows, user, today: rows.overdue(today)),
        "second": ("cure to be signed by a second person", lambda rows, user, today: rows.awaiting_second(user)),
    }


@admin.register(Finding)
class FindingAdmin(RecordAdmin):
    list_display = ["reference", "company", "kind", "state", "knowledge_at", "due_on"]
    list_filter = [StandingFilter, "state", "kind"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    list_select_related = ["reseller__account__party"]
    ordering = ["due_on", "pk"]
    logs_views = True  # its words may name people

    @admin.display(description="reseller")
    def company(self, finding):
        return finding.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "citation")

    def page_title(self, finding):
        return f"{finding.reseller.account.party.legal_name} {finding.get_kind_display()}"

    def badges(self, finding):
        return [state_badge(finding)]

    def clock(self, finding):
        return Clock(finding.due_on, finding.citation.standing, "cure") if finding.state in STANDING else None

    def sections(self, finding, *, user, at):
        return [
            *(_words(finding, column, title, user) for column, title in (("evidence", "Evidence"), ("plan", "Plan"))),
            reports_section(finding.reports),
            timeline_section(finding),
        ]

    def aside(self, finding, *, user, at):
        rows = [
            ("Reseller", Link(finding.reseller.reference, finding.reseller)),
            ("What it must do", finding.demand),
            ("Known from", finding.source),
            ("Known since", finding.knowledge_at),
            ("Last good day", finding.due_on),
            ("By", finding.citation),
            ("Recorded", finding.recorded_at),
            ("Recorded by", finding.recorded_by),
            ("Plan handed in", finding.planned_at),
            ("By whom", finding.planned_by),
            ("Cure proposed by", finding.proposed_by),
            ("Why it ended", finding.why),
            ("Ended", finding.ended_at),
        ]
        return [Facts("finding", "The finding", rows), clocks_section(finding, today=legal_day(at))]

    def what_is_signed(self, finding, name):
        return f"{finding.get_state_display()}, by {finding.proposed_by}: {finding.why}"

    def before_acting(self, finding, name, *, user, at):
        """Whoever signs the cure reads first what was to be done."""
        return [_words(finding, "plan", "Plan", user)] if name == "accept_cure" else []

    @flow_action("Enter its plan", form=PlanForm, warning="For a reseller that sends its plan by another way.")
    def plan(self, finding, *, by, at, plan):
        findings.plan_cure(finding, plan=plan, by=by, at=at)
        return f"The plan for {finding.reference} is on file. Its last day stays."

    @flow_action("Propose that it is cured", form=WhyForm, primary=True)
    def propose_cure(self, finding, *, by, at, why):
        findings.propose_cure(finding, why=why, by=by, at=at)
        return f"The cure of {finding.reference} waits for a second person."

    @flow_action(
        "Accept the cure", primary=True, signs=findings.digest_of,
        warning="Your signature is the second one; the clock stops.",
    )  # fmt: skip
    def accept_cure(self, finding, *, by, at, shown):
        findings.accept_cure(finding, shown=shown, by=by, at=at)
        return f"{finding.reference} is cured."

    @flow_action("Send back", warning="It is not cured: it stands as before, and its clock goes on.")
    def send_back(self, finding, *, by, at):
        findings.send_back(finding, by=by, at=at)
        return f"{finding.reference} stands as before."

    @flow_action(
        "Propose to end the relationship", form=ProposeEndForm, tone="danger",
        initial=lambda finding: {"reason": "not_cured"},
        warning="Nothing changes until a second person agrees; what becomes of single customers can be chosen first.",
    )  # fmt: skip
    def propose_termination(self, finding, *, by, at, **given):
        row = termination.propose(finding.reseller, finding=finding, by=by, at=at, **given)
        return f"{row.reference} waits for a second person.", row

    @flow_action("Report to an authority", form=ReportForm)
    def open_report(self, finding, *, by, at, authority, about):
        report = reports.open_report(finding.reseller, finding=finding, authority=authority, about=about, by=by, at=at)
        return f"{report.reference} is to be made by {report.due_on}.", report

    @flow_action("Withdraw", form=WhyForm, tone="danger", warning="For a finding that was wrong from the beginning.")
    def withdraw(self, finding, *, by, at, why):
        findings.withdraw(finding, why=why, by=by, at=at)
        return f"{finding.reference} is withdrawn."


def _words(finding: Finding, column: str, title: str, user) -> Html:
    """Sealed words in clear for those who work on findings, dots for others."""
    value = getattr(finding, column)
    if value and not may_see(user, "resellers.finding", column):
        return Html(column, title, "admin/record/long_text.html", {"text": DOTS})
    return Html(column, title, "admin/record/long_text.html", {"text": value.reveal() if value else "Nothing yet."})

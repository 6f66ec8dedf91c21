"""The page of a reseller's CIP: its words, what was judged, and what can be done."""

from django.contrib import admin

from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Html, Link, Table, clocks_section, timeline_section
from resellers.admin.forms import JudgeForm, ProposeForm
from resellers.flows import cip_review
from resellers.models import ResellerCip
from resellers.rules.cip import CipStatus, requirements_of

TONES = {
    CipStatus.SUBMITTED: "info",
    CipStatus.UNDER_REVIEW: "info",
    CipStatus.RETURNED: "warning",
    CipStatus.APPROVAL_PROPOSED: "info",
    CipStatus.REJECTION_PROPOSED: "info",
    CipStatus.APPROVED: "good",
    CipStatus.REJECTED: "danger",
    CipStatus.REPLACED: "",
}
VERDICT_TONES = {"met": "good", "gap": "danger"}


def status_badge(cip: ResellerCip) -> Badge:
    """Where a version stands."""
    return Badge(cip.get_status_display(), TONES[CipStatus(cip.status)])


class WaitingFilter(QuerysetFilter):
    title = "waiting"
    parameter_name = "waiting"
    options = {"yes": ("to be reviewed or decided", lambda rows, user, today: rows.waiting())}


@admin.register(ResellerCip)
class ResellerCipAdmin(RecordAdmin):
    list_display = ["reference", "company", "number", "source", "status", "submitted_at"]
    list_filter = [WaitingFilter, "status", "source"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    list_select_related = ["reseller__account__party"]
    ordering = ["-submitted_at"]

    @admin.display(description="reseller")
    def company(self, cip):
        return cip.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "provider_cip")

    def page_title(self, cip):
        return f"{cip.title} of {cip.reseller.account.party.legal_name}"

    def badges(self, cip):
        return [status_badge(cip), Badge(cip.get_source_display())]

    def sections(self, cip, *, user, at):
        return [
            _judgements(cip),
            Html("text", "Text", "admin/record/long_text.html", {"text": cip.words}),
            timeline_section(cip),
        ]

    def aside(self, cip, *, user, at):
        rows = [
            ("Reseller", Link(cip.reseller.reference, cip.reseller)),
            ("Version", cip.number),
            ("Adopts", Link(cip.provider_cip, cip.provider_cip) if cip.provider_cip else None),
            ("Agreement", cip.agreement),
            ("Agreed on", cip.agreed_on),
            ("Handed in", cip.submitted_at),
            ("By", cip.submitted_by),
            ("Proposed by", cip.proposed_by),
            ("Reason", cip.reason),
            ("Decided", cip.decided_at),
            ("By whom", cip.decided_by),
            ("SHA-256 of the text", cip.sha256),
        ]
        return [Facts("cip", "The version", rows), clocks_section(cip, today=legal_day(at))]

    def what_is_signed(self, cip, name):
        return f"{cip.get_status_display()}, by {cip.proposed_by}: {cip.reason}"

    def before_acting(self, cip, name, *, user, at):
        """Whoever signs reads first how it was judged."""
        return [_judgements(cip)] if name == "agree" else []

    @flow_action("Begin the review", primary=True)
    def begin(self, cip, *, by, at):
        cip_review.begin(cip, by=by, at=at)
        return f"{cip.reference} is under review. Judge it requirement by requirement."

    @flow_action("Judge a requirement", form=JudgeForm, primary=True)
    def judge(self, cip, *, by, at, requirement, verdict, words):
        row = cip_review.judge(cip, requirement=requirement, verdict=verdict, words=words, by=by, at=at)
        return f"{row}."

    @flow_action(
        "Return with gaps", warning="The reseller reads what is missing, and hands in the next version.",
    )  # fmt: skip
    def return_cip(self, cip, *, by, at):
        cip_review.return_with_gaps(cip, by=by, at=at)
        return f"{cip.reference} is returned with its gaps."

    @flow_action("Propose a decision", form=ProposeForm)
    def propose(self, cip, *, by, at, decision, reason):
        proposed = cip_review.propose(cip, decision=decision, reason=reason, by=by, at=at)
        return f"{proposed.reference}: {proposed.get_status_display()}. Another person decides."

    @flow_action(
        "Agree", primary=True, signs=cip_review.digest_of,
        warning="Your signature is the second one; an approval replaces the earlier version.",
    )  # fmt: skip
    def agree(self, cip, *, by, at, shown):
        decided = cip_review.agree(cip, shown=shown, by=by, at=at)
        return f"{decided.reference} is {decided.get_status_display()}."

    @flow_action("Send back", warning="You do not agree: the version is under review again.")
    def send_back(self, cip, *, by, at):
        cip_review.send_back(cip, by=by, at=at)
        return f"{cip.reference} is under review again."


def _judgements(cip: ResellerCip) -> Table:
    """Every requirement the version is judged by, with what counts on it."""
    judged = cip_review.latest(cip)
    rows = []
    for each in requirements_of(cip.source):
        row = judged.get(each.code)
        state = Badge(row.verdict, VERDICT_TONES[row.verdict]) if row else Badge("not looked at")
        rows.append([each.title, state, row.words if row else "", row.judged_by if row else ""])
    head = ["What it must say", "Found", "What is missing", "Judged by"]
    return Table("judgements", "By requirement", head, rows)

"""Certifications as the reseller desk sees them, and how far a reseller's customers are certified (R63)."""

from django.contrib import admin
from django.db.models import Count
from django.utils import timezone

from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, timeline_section
from resellers.admin.forms import WhyForm
from resellers.flows import certification, coverage
from resellers.models import Certification, CertifiedEntry
from resellers.rules.certification import ActState, LineEnd, Outcome

MOST_SHOWN = 50


def act_badge(act: Certification) -> Badge:
    """Where an act stands."""
    if act.withdrawn_at is not None:
        return Badge("withdrawn")
    if act.state != ActState.DONE:
        return Badge(act.get_state_display(), "info")
    is_over = act.lapses_on < legal_day(timezone.now())
    return Badge("lapsed", "warning") if is_over else Badge("signed", "good")


class StandingFilter(QuerysetFilter):
    title = "standing"
    parameter_name = "standing"
    options = {
        "under_way": ("being gone through", lambda rows, user, today: rows.under_way()),
        "in_force": ("in force", lambda rows, user, today: rows.in_force(today)),
        "lapsed": ("lapsed", lambda rows, user, today: rows.lapsed(today)),
        "withdrawn": ("withdrawn", lambda rows, user, today: rows.withdrawn()),
    }


@admin.register(Certification)
class CertificationAdmin(RecordAdmin):
    list_display = ["reference", "company", "certified_count", "scope", "extent", "signed_at", "lapses_on"]
    list_filter = [StandingFilter, "scope", "extent"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    search_help_text = "Reference of the certification or the reseller, or the reseller's name."
    list_select_related = ["reseller__account__party"]
    ordering = ["-signed_at", "pk"]
    logs_views = True  # it names customers

    @admin.display(description="reseller")
    def company(self, act):
        return act.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "statement", "citation")

    def page_title(self, act):
        return f"{act.certified_count:,} customers of {act.reseller.account.party.legal_name}"

    def badges(self, act):
        return [act_badge(act)]

    def sections(self, act, *, user, at):
        first = []
        if act.state != ActState.DONE:
            told = {"label": "Customers gone through", "done": act.done_count, "total": act.total_count}
            note = "Load this page again to see how far it is."
            first = [Html("progress", "Progress", "admin/parts/progress.html", told, note=note)]
        words = Html("words", "What was signed", "admin/record/long_text.html", {"text": act.statement.text})
        return [*first, _outcomes(act), _lines(act), words, timeline_section(act)]

    def aside(self, act, *, user, at):
        rows = [
            ("Reseller", Link(act.reseller.reference, act.reseller)),
            ("Signed", act.signed_at),
            ("By", act.signed_by),
            ("Bound since", act.signed_under.bound_at),
            ("Wording", Link(act.statement, act.statement)),
            ("Whom", act.get_extent_display()),
            ("Vouched for", act.get_scope_display()),
            ("On what", ", ".join(act.evidence_words)),
            ("From", act.valid_from),
            ("Last good day", act.lapses_on),
            ("By which rule", act.citation),
            ("Withdrawn", act.withdrawn_at),
            ("By whom", act.withdrawn_by),
            ("Why", act.why),
        ]
        return [Facts("certification", "The certification", rows)]

    @flow_action(
        "Withdraw", form=WhyForm, tone="danger",
        warning="It no longer holds for any of its customers. The reseller's managers read the reason.",
    )  # fmt: skip
    def withdraw(self, act, *, by, at, why):
        certification.withdraw(act, why=why, is_ours=True, by=by, at=at)
        return f"{act.reference} is withdrawn."


def _outcomes(act: Certification) -> Table:
    """How many customers came to what, and how many of those certified ended since."""
    outcomes = act.lines.values_list("outcome").annotate(Count("pk")).order_by("outcome")
    ends = act.lines.exclude(ended_why="").values_list("ended_why").annotate(Count("pk")).order_by("ended_why")
    rows = [[Outcome(code).label, count] for code, count in outcomes]
    rows += [[f"certified, then ended: {LineEnd(code).label}", count] for code, count in ends]
    return Table("outcomes", "What came of them", ["Outcome", "Customers"], rows, empty="Nobody was gone through yet.")


def _lines(act: Certification) -> Table:
    """Some of the customers, by number."""
    lines = act.lines.select_related("entry").only(
        "certification", "number", "outcome", "lapses_on", "ended_at", "ended_why", "why", "entry__name",
        "entry__reference",
    )  # fmt: skip
    rows = [
        [line.entry.reference, line.number, line.entry.name, line_badge(line), line.ended_at, line.why]
        for line in lines.order_by("number", "pk")[:MOST_SHOWN]
    ]
    head = ["Customer", "Number", "Name", "Outcome", "Ended", "Why"]
    note = f"The first {MOST_SHOWN} are shown." if len(rows) == MOST_SHOWN else ""
    return Table("lines", "Customers", head, rows, empty="Nobody was gone through yet.", note=note)


def line_badge(line: CertifiedEntry) -> Badge:
    """What came of one customer, and what became of it."""
    if line.outcome != Outcome.CERTIFIED:
        return Badge(line.get_outcome_display(), "warning")
    if line.ended_at is not None:
        return Badge(line.get_ended_why_display(), "" if line.ended_why == LineEnd.RENEWED else "warning")
    return Badge("certified", "good")


def certification_of_reseller(reseller, *, user, at) -> list:
    """On a reseller's page: how many of its customers are certified, what lapses soon, what is to be attested."""
    today = legal_day(at)
    regime = regime_on(today)
    found, near = coverage.coverage_of(reseller, on=today, regime=regime), coverage.soon_on(today, regime)
    soon = reseller.certified.in_force(today).filter(lapses_on__lte=near).count()
    most = f"{regime.number('reseller_lapsed_percent').normalize():f} %"
    rows = [
        ("Customers on its roster", found.total),
        ("Certified", f"{found.certified:,} ({found.percent_certified} %)" if found.total else found.certified),
        ("Not certified in time", found.late),
        ("Lapse soon", soon),
        ("Share that keeps it from selling", f"more than {most} not certified in time"),
    ]
    return [Facts("certified", "Certified customers", rows), _acts(reseller), _attestations(reseller, today)]


def _acts(reseller) -> Table:
    rows = [
        [Link(act.reference, act), act_badge(act), act.certified_count, act.signed_by, act.signed_at, act.lapses_on]
        for act in reseller.certifications.order_by("-signed_at", "pk")[:MOST_SHOWN]
    ]
    head = ["Certification", "State", "Certified", "Signed by", "Signed", "Last good day"]
    return Table("certifications", "Certifications", head, rows, empty="Its managers certified nobody yet.")


def _attestations(reseller, today) -> Table:
    rows = [
        [
            Link(row.reference, row), row.from_on, row.to_on, row.signed_by, row.signed_at,
            None if row.signed_at else Clock(row.due_on, row.citation.standing).seen_on(today),
        ]
        for row in reseller.attestations.select_related("citation").order_by("-number")[:MOST_SHOWN]
    ]  # fmt: skip
    head = ["Attestation", "From", "To", "Signed by", "Signed", "Due"]
    empty = "None yet. The first is opened a year after its first CIP was approved."
    return Table("attestations", "Yearly attestations", head, rows, empty=empty)

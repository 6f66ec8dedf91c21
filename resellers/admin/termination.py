"""The page of an end of a relationship: who decided, how far it is, what becomes of each customer (R59, R62)."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Reason, Table, timeline_section
from kyc_portal.staff.templatetags.marks import DOTS
from resellers.admin.ending_forms import ChoiceForm, ReportForm
from resellers.admin.forms import WhyForm
from resellers.admin.report import reports_section
from resellers.flows import reports, termination
from resellers.models import Termination, TerminationStep
from resellers.rules.ending import RUNNING, EndState, StepState

MOST_SHOWN = 50
TONES = {EndState.PROPOSED: "warning", EndState.UNDER_WAY: "info", EndState.DONE: "good", EndState.WITHDRAWN: ""}
STEP_TONES = {StepState.WAITING: "info", StepState.DONE: "good", StepState.FAILED: "danger"}


def end_badge(row: Termination) -> Badge:
    """Where an end of a relationship stands."""
    return Badge(row.get_state_display(), TONES[EndState(row.state)])


class EndFilter(QuerysetFilter):
    title = "to be looked at"
    parameter_name = "look"
    options = {
        "second": ("to be signed by a second person", lambda rows, user, today: rows.awaiting_second(user)),
        "failed": ("customers that could not be handled", lambda rows, user, today: rows.with_failures()),
        "overdue": ("past their last day", lambda rows, user, today: rows.overdue(today)),
        "running": ("not ended yet", lambda rows, user, today: rows.running()),
    }


@admin.register(Termination)
class TerminationAdmin(RecordAdmin):
    list_display = ["reference", "company", "reason", "state", "due_on", "proposed_at", "finished_at"]
    list_filter = [EndFilter, "state", "reason", "outcome"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    search_help_text = "Reference, or reference or name of the reseller."
    list_select_related = ["reseller__account__party"]
    ordering = ["-proposed_at", "pk"]
    logs_views = True  # its words may name people

    @admin.display(description="reseller")
    def company(self, row):
        return row.reseller.account.party.legal_name

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("reseller__account__party", "finding", "citation", "target")

    def page_title(self, row):
        return f"End of the relationship with {row.reseller.account.party.legal_name}"

    def badges(self, row):
        late = Badge("ended after its last good day", "danger") if termination.was_late(row) else None
        return [end_badge(row), *([late] if late else [])]

    def clock(self, row):
        if row.due_on is None or row.state not in RUNNING:
            return None
        return Clock(row.due_on, row.citation.standing, "end of the relationship")

    def reasons(self, row, *, at):
        told = []
        if over := termination.days_over(row, on=legal_day(at)):
            days = f"{over} day" if over == 1 else f"{over} days"
            told.append(Reason(f"Its last good day {row.due_on} is past by {days} ({row.citation})."))
        if row.state == EndState.UNDER_WAY and (failed := termination.progress(row)["failed"]):
            who = "1 customer" if failed == 1 else f"{failed} customers"
            told.append(Reason(f"{who} could not be handled. Choose another outcome, or try again."))
        return told

    def sections(self, row, *, user, at):
        return [
            *_progress(row),
            _steps(row),
            _words(row, user),
            reports_section(row.reports),
            timeline_section(row),
        ]

    def aside(self, row, *, user, at):
        rows = [
            ("Reseller", Link(row.reseller.reference, row.reseller)),
            ("Finding", Link(row.finding.reference, row.finding) if row.finding else None),
            ("Reason", row.get_reason_display()),
            ("Customers", row.get_outcome_display()),
            ("Other reseller", Link(row.target.reference, row.target) if row.target else None),
            ("Its own account", row.get_own_outcome_display()),
            ("Last good day", row.due_on),
            ("By", row.citation),
            ("Proposed", row.proposed_at),
            ("Proposed by", row.proposed_by),
            ("Decided", row.decided_at),
            ("Decided by", row.decided_by),
            ("Why withdrawn", row.why_withdrawn),
            ("Begun", row.begun_at),
            ("Ended", row.finished_at),
        ]
        return [Facts("termination", "The end", rows)]

    def before_acting(self, row, name, *, user, at):
        """Whoever signs reads first why, and what becomes of whom."""
        return [*self.aside(row, user=user, at=at), _words(row, user), _steps(row)] if name == "agree" else []

    @flow_action(
        "Agree", primary=True, grave=True, tone="danger", signs=termination.digest_of,
        warning="Your signature is the second one. From now on the reseller sells nothing, and its customers are "
        "handled one by one as listed on the page: choose there first what becomes of whom. It cannot be taken back.",
    )  # fmt: skip
    def agree(self, row, *, by, at, shown):
        termination.agree(row, shown=shown, by=by, at=at)
        return f"{row.reference} is under way. Its page tells how far it is."

    @flow_action("Withdraw", form=WhyForm, warning="Nothing was done yet, and nothing will be.")
    def withdraw(self, row, *, by, at, why):
        termination.withdraw(row, why=why, by=by, at=at)
        return f"{row.reference} is withdrawn."

    @flow_action(
        "Choose for all that are left", form=ChoiceForm,
        warning="For every customer that is not done yet, whatever was chosen for it before.",
    )  # fmt: skip
    def choose_for_all(self, row, *, by, at, outcome, target):
        count = termination.choose(row, outcome=outcome, target=target, by=by, at=at)
        return f"Chosen for {count}."

    @flow_action(
        "Try again what failed", primary=True, when=lambda row: termination.progress(row)["failed"] > 0,
    )  # fmt: skip
    def try_again(self, row, *, by, at):
        count = termination.try_again(row, by=by, at=at)
        return f"{count} are tried again within a minute."

    @flow_action("Report to an authority", form=ReportForm, warning="A task beside this one; nothing waits for it.")
    def open_report(self, row, *, by, at, authority, about):
        report = reports.open_report(row.reseller, termination=row, authority=authority, about=about, by=by, at=at)
        return f"{report.reference} is to be made by {report.due_on}.", report


def _words(row: Termination, user) -> Html:
    words = row.words.reveal() if may_see(user, "resellers.termination", "words") else DOTS
    return Html("words", "Why", "admin/record/long_text.html", {"text": words})


def _progress(row: Termination) -> list[Html]:
    """How far it is, as a bar that needs no script; look again by the link."""
    if row.state not in (EndState.UNDER_WAY, EndState.DONE):
        return []
    counted = termination.progress(row)
    context = {
        "label": "Customers handled", "done": counted["done"], "total": sum(counted.values()),
        "failed": counted["failed"], "is_running": row.state == EndState.UNDER_WAY, "at": timezone.now(),
    }  # fmt: skip
    return [Html("progress", "How far it is", "admin/record/ending_progress.html", context)]


def _steps(row: Termination) -> Table:
    """What becomes of each customer, failures first; the list has all of them."""
    shown = row.steps.select_related("link__account__party", "target").order_by("-state", "pk")
    failed = [*shown.failed()[:MOST_SHOWN]]
    steps = [*failed, *shown.exclude(state=StepState.FAILED.value)[: MOST_SHOWN - len(failed)]]
    rows = [
        [
            Link(step.link.account.reference, step), step.link.account.party.legal_name, step.get_outcome_display(),
            step.target.reference if step.target else None, step_badge(step), what_became(step),
        ]
        for step in steps
    ]  # fmt: skip
    url = f"{reverse('admin:resellers_terminationstep_changelist')}?termination__id__exact={row.pk}"
    head = ["Account", "Name", "Outcome", "To", "State", "What became of it"]
    empty = "It had no customers."
    return Table("steps", "Its customers", head, rows, empty=empty, more_url=url if rows else "", more_label="All")


def step_badge(step: TerminationStep) -> Badge:
    return Badge(step.get_state_display(), STEP_TONES[StepState(step.state)])


def what_became(step: TerminationStep) -> str:
    """The result, or why it failed and what to do."""
    return step.get_result_display() or step.get_why_failed_display()


class StepFilter(QuerysetFilter):
    title = "left"
    parameter_name = "left"
    options = {"yes": ("not done yet", lambda rows, user, today: rows.left())}


@admin.register(TerminationStep)
class TerminationStepAdmin(RecordAdmin):
    list_display = ["account", "name", "end", "outcome", "state", "became", "attempts", "done_at"]
    list_filter = [StepFilter, "state", "outcome", "result"]
    list_select_related = ["termination__reseller", "link__account__party", "target"]
    search_fields = ["link__account__reference", "link__account__party__legal_name", "termination__reference"]
    search_help_text = "Reference of the account or the end, or the customer's name."
    ordering = ["termination", "pk"]

    @admin.display(description="account")
    def account(self, step):
        return step.link.account.reference

    @admin.display(description="name")
    def name(self, step):
        return step.link.account.party.legal_name

    @admin.display(description="end")
    def end(self, step):
        return step.termination.reference

    @admin.display(description="what became of it")
    def became(self, step):
        return what_became(step)

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("termination__reseller__account__party", "link__account__party", "target")

    def page_title(self, step):
        return f"{step.link.account.party.legal_name} at the end of {step.termination.reseller.reference}"

    def badges(self, step):
        return [step_badge(step)]

    def sections(self, step, *, user, at):
        account = step.link.account
        facts = [
            ("Account", Link(account.reference, account)),
            ("Status of the account", account.get_status_display()),
            ("End", Link(step.termination.reference, step.termination)),
            ("Reseller", Link(step.termination.reseller.reference, step.termination.reseller)),
            ("Outcome", step.get_outcome_display()),
            ("Other reseller", Link(step.target.reference, step.target) if step.target else None),
            ("Chosen by", step.chosen_by or step.termination.proposed_by),
            ("What became of it", what_became(step)),
            ("Attempts", step.attempts),
            ("Done", step.done_at),
            ("By", step.done_by),
        ]
        return [Facts("step", "What becomes of it", facts), timeline_section(account)]

    @flow_action("Choose an outcome", form=ChoiceForm, primary=True)
    def choose(self, step, *, by, at, outcome, target):
        termination.choose(step.termination, outcome=outcome, target=target, steps=[step.pk], by=by, at=at)
        return f"{step.link.account.reference}: chosen."

    @flow_action("Try again")
    def try_again(self, step, *, by, at):
        termination.try_again(step.termination, steps=[step.pk], by=by, at=at)
        return f"{step.link.account.reference} is tried again within a minute."

"""Requests of authorities: the list of what waits, and the page of one."""

from dataclasses import replace

from django.contrib import admin

from cases.admin.case_page import subject_section
from cases.admin.forms import RejectForm, RequestForm, ServeForm
from cases.admin.legal_forms import ChallengeForm, EndChallengeForm, ValidateForm
from cases.flows import backup_copies, challenges, legal_requests
from cases.flows.evidence import accounts_of
from cases.models import LegalRequest
from cases.rules.disclosure import DataClass, Ground
from cases.rules.stages import LegalRequestState
from kyc_portal.policy.models import Standing
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Table, clocks_section, holds_section, timeline_section

TONES = {
    LegalRequestState.RECEIVED: "warning",
    LegalRequestState.VALIDATED: "warning",
    LegalRequestState.PRESERVING: "info",
    LegalRequestState.RENEWED: "info",
    LegalRequestState.PROCESS_SERVED: "good",
    LegalRequestState.CHALLENGED: "danger",
    LegalRequestState.LAPSED: "",
    LegalRequestState.REJECTED: "",
}
NEXT = {
    LegalRequestState.RECEIVED: "Check the paper, then validate or reject the request.",
    LegalRequestState.VALIDATED: "Preserve the records, or collect what may be handed over on the page of the case.",
    LegalRequestState.PRESERVING: "Collect what may be handed over on the page of the case, or wait for process.",
    LegalRequestState.RENEWED: "Collect what may be handed over on the page of the case, or wait for process.",
    LegalRequestState.PROCESS_SERVED: "Collect what may be handed over on the page of the case.",
    LegalRequestState.CHALLENGED: "The request is in dispute: nothing that rests on it goes on, and all is kept. "
    "End the challenge when it is decided.",
    LegalRequestState.LAPSED: "Nothing is held any more and nothing may be collected on this request.",
    LegalRequestState.REJECTED: "Nothing may be collected on this request. Close the case if nothing else waits in it.",
}
VALIDATING = (
    "You confirm that you have read the paper itself; that it comes from the authority it names, asked over a channel "
    "that does not stand on the paper; that it is signed, dated and complete; and that it is about the accounts listed "
    "on the request's page. From then on records may be preserved and evidence collected on its ground."
)


class RequestFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_act_on": ("to act on", lambda rows, user, today: rows.to_act_on()),
        "preserving": ("preserving", lambda rows, user, today: rows.preserving()),
        "ending": ("preservation ending", lambda rows, user, today: rows.preservation_ending(today)),
        "challenged": ("challenged", lambda rows, user, today: rows.challenged()),
    }


@admin.register(LegalRequest)
class LegalRequestAdmin(RecordAdmin):
    list_display = ["reference", "case", "authority", "ground_in_words", "state", "received_on", "preserve_through"]
    list_filter = [RequestFilter, "state"]
    list_select_related = ["case"]
    search_fields = ["reference", "authority", "authority_reference", "case__reference"]
    ordering = ["-received_on", "-logged_at", "pk"]
    adding = RequestForm
    add_label = "Log legal request"

    def add(self, *, by, at, **asked):
        return legal_requests.log_request(**asked, by=by, at=at)

    @admin.display(description="ground", ordering="ground")
    def ground_in_words(self, request):
        return Ground(request.ground).label

    def page_title(self, request):
        return f"{Ground(request.ground).label.capitalize()}: {request.authority}"

    def badges(self, request):
        return [Badge(request.get_state_display(), TONES[LegalRequestState(request.state)])]

    def clock(self, request):
        running = request.state in (LegalRequestState.PRESERVING, LegalRequestState.RENEWED)
        return Clock(request.preserve_through, Standing.IN_FORCE, "preservation") if running else None

    def sections(self, request, *, user, at):
        rows = [
            ("Case", Link(request.case, request.case)), ("Authority", request.authority),
            ("Their reference", request.authority_reference), ("Ground", Ground(request.ground).label),
            ("Received", request.received_on), ("Logged", request.logged_at), ("Logged by", request.logged_by),
            ("Rejected because", request.get_rejected_why_display()),
            ("Kinds of records asked for", _kinds(request)), ("From", request.scope_from),
            ("Through", request.scope_through), ("Only these accounts", ", ".join(request.scope_accounts)),
            ("Preserved through", request.preserve_through),
            ("Hold", Link(request.hold, request.hold) if request.hold_id else ""),
        ]  # fmt: skip
        return [
            Facts("request", "Request", rows),
            replace(subject_section(request.case), title="Accounts and customers it is about"),
            clocks_section(request, today=legal_day(at)),
            _checks(request),
            _challenges(request),
            holds_section(request.case, *accounts_of(request.case)),
            timeline_section(request),
        ]

    def aside(self, request, *, user, at):
        rows = [("Case", Link(request.case, request.case))]
        return [Facts("next", "Next step", rows, note=NEXT[LegalRequestState(request.state)])]

    @flow_action(
        "Validate", form=ValidateForm, primary=True, warning=VALIDATING,
    )  # fmt: skip
    def validate(self, request, *, by, at, checked):
        legal_requests.validate(request, checked=checked, by=by, at=at)
        return f"{request.reference} is validated."

    @flow_action(
        "Reject", form=RejectForm, tone="danger",
        warning="Nothing is preserved or collected on a rejected request. If it comes again, log it anew.",
    )  # fmt: skip
    def reject(self, request, *, by, at, why):
        legal_requests.reject(request, why=why, by=by, at=at)
        return f"{request.reference} is rejected."

    @flow_action(
        "Preserve records", primary=True,
        warning="Nothing about these accounts can be destroyed meanwhile. Nothing is handed over.",
    )  # fmt: skip
    def preserve(self, request, *, by, at):
        held = legal_requests.preserve(request, by=by, at=at)
        return f"The records are preserved through {held.preserve_through:%-d %b %Y}."

    @flow_action(
        "Renew preservation",
        warning="A preservation is renewed once.",
    )  # fmt: skip
    def renew(self, request, *, by, at):
        held = legal_requests.renew_preservation(request, by=by, at=at)
        return f"The records are preserved through {held.preserve_through:%-d %b %Y}."

    @flow_action(
        "Record served process", form=ServeForm,
    )  # fmt: skip
    def serve(self, request, *, by, at, ground):
        legal_requests.serve_process(request, ground=ground, by=by, at=at)
        return f"Process is served on {request.reference}. Collect the bundle on the case's page."

    @flow_action(
        "Take in order of backup copy", primary=True, when=lambda request: request.ground == Ground.BACKUP_ORDER,
        warning="Nothing about these accounts can be destroyed until the copy is let go.",
    )  # fmt: skip
    def take_in_backup(self, request, *, by, at):
        copy = backup_copies.take_in(request, by=by, at=at)
        return f"{copy.reference} is due on {copy.due_on:%-d %b %Y}.", copy

    @flow_action(
        "Record challenge", form=ChallengeForm,
        warning="Nothing that rests on this request is collected, approved, built or handed over until it has ended. "
        "What is on file is kept.",
    )  # fmt: skip
    def challenge(self, request, *, by, at, by_whom, why, docket):
        made = challenges.challenge(request, by_whom=by_whom, why=why, docket=docket, by=by, at=at)
        return f"{request.reference} is challenged ({made.reference}). What rests on it stands still."

    @flow_action("End challenge", form=EndChallengeForm, primary=True)
    def end_challenge(self, request, *, by, at, outcome, **scope):
        running = request.challenges.open().first()
        if running is None:
            raise challenges.ChallengeOver(f"No challenge of {request.reference} runs any more.")
        ended = challenges.end(running, outcome=outcome, **scope, by=by, at=at)
        return f"{ended.reference} ended: {ended.get_outcome_display()}."


def _kinds(request: LegalRequest) -> str:
    return ", ".join(DataClass(kind).label for kind in request.scope_kinds) or "all that its ground allows"


def _checks(request: LegalRequest) -> Table:
    rows = [[row.get_point_display(), row.checked_by, row.checked_at] for row in request.checks.order_by("pk")]
    head = ["Point", "Checked by", "Checked"]
    return Table("checks", "What was checked", head, rows, empty="Nobody has validated it yet.")


def _challenges(request: LegalRequest) -> Table:
    rows = [
        [
            row.reference, row.get_by_whom_display(), row.get_why_display(), row.docket, row.opened_at, row.opened_by,
            row.get_outcome_display() or "runs", row.ended_at,
        ]
        for row in request.challenges.order_by("-opened_at")
    ]  # fmt: skip
    head = ["Challenge", "By", "Why", "At the court", "Opened", "Entered by", "Outcome", "Ended"]
    return Table("challenges", "Challenges", head, rows, empty="Nobody has challenged it.")

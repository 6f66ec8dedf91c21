"""Verifications: what was tried, what disagrees, what came out."""

from django.contrib import admin
from django.urls import path, reverse

from accounts.admin import unverified as outcome_parts
from accounts.admin import workspace
from accounts.admin.account_forms import ConcludeForm, DiscrepancyForm, MethodForm, SettleForm
from accounts.admin.account_sections import VERIFICATION_TONES
from accounts.admin.check_sections import checks
from accounts.admin.external import RESULT_TONES, outside_sections
from accounts.admin.identity import sealed
from accounts.flows import checking, external_checks, unverified, verification
from accounts.models import Verification
from accounts.rules.unverified import OutcomeState
from accounts.rules.verifying import METHODS, Result, VerificationStatus
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

TITLES = {each.code: each.title for each in METHODS}


class StateFilter(QuerysetFilter):
    title = "waiting"
    parameter_name = "waiting"
    options = {
        "unfinished": ("not concluded", lambda rows, user, today: rows.unfinished()),
        "undecided": ("could not be verified: to decide", lambda rows, user, today: rows.undecided()),
        "second": (
            "escalated: another person is needed",
            lambda rows, user, today: rows.filter(status=VerificationStatus.ESCALATED.value).exclude(
                started_by_key=str(user.pk)
            ),
        ),
    }


@admin.register(Verification)
class VerificationAdmin(RecordAdmin):
    list_display = ["reference", "party", "account", "status", "trigger", "started_by", "started_at", "concluded_at"]
    list_filter = [StateFilter, "status"]
    search_fields = ["reference", "account__reference", "party__reference", "party__legal_name"]
    list_select_related = ["party", "account"]
    ordering = ["-started_at", "pk"]
    logs_views = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("party", "account", "cip_version")

    def extra_urls(self):
        view = self.admin_site.admin_view(self.workspace_view)
        return [path("<uuid:object_id>/workspace/", view, name="accounts_verification_workspace")]

    def workspace_view(self, request, object_id):
        """The document beside the data, what disagrees, and the buttons to decide; a POST shows the masked values."""
        return workspace.page(self, request, self._record_or_404(request, str(object_id)))

    def page_title(self, record):
        return f"{record.party.legal_name}: {record.trigger.replace('_', ' ')}"

    def badges(self, record):
        status = VerificationStatus(record.status)
        return [Badge(status.label, VERIFICATION_TONES[status])]

    def sections(self, record, *, user, at):
        followed = [outcome_parts.after(record)] if record.status == VerificationStatus.UNVERIFIABLE else []
        return [
            _facts(record), *followed, checks(record), results(record), *outside_sections(record, user),
            discrepancies(record, user), timeline_section(record),
        ]  # fmt: skip

    @flow_action("Record method", form=MethodForm, primary=True)
    def record_method(self, record, *, by, at, method, result, source, matched, document):
        verification.record_method(
            record, method=method, result=result, source=source, matched=matched, document=document, by=by, at=at
        )
        return f"The result stands in {record.reference}."

    @flow_action("Run the checks again", warning="Answers that are the same as before are not written again.")
    def run_checks(self, record, *, by, at):
        new = checking.run_again(record, by=by, at=at)
        return f"{new} of the answers are new." if new else "The checks answer as before."

    @flow_action(
        "Ask the outside verifier", when=lambda record: external_checks.may_ask(record),
        warning="What is on file of the party goes to the verifier: name, birth date, citizenship or country of "
        "formation, address, identification and register numbers, and the newest document’s number.",
    )  # fmt: skip
    def ask_verifier(self, record, *, by, at):
        check = external_checks.ask(record, by=by, at=at)
        return f"{check.verifier_title} is asked under {check.reference}. The answer comes by itself."

    @flow_action("Note discrepancy", form=DiscrepancyForm)
    def find_discrepancy(self, record, *, by, at, field, stated, found):
        verification.find_discrepancy(record, field=field, stated=stated, found=found, by=by, at=at)
        return "The discrepancy is noted. Settle it before you conclude."

    @flow_action("Settle discrepancy", form=SettleForm)
    def settle_discrepancy(self, record, *, by, at, discrepancy, how):
        verification.settle_discrepancy(discrepancy, how=how, by=by, at=at)
        return f"The discrepancy on “{discrepancy.field}” is settled."

    @flow_action(
        "Conclude", form=ConcludeForm,
        warning="A conclusion is never changed. After an escalation it takes a second person.",
    )  # fmt: skip
    def conclude(self, record, *, by, at, verified, reason):
        ended = verification.conclude(record, verified=verified, reason=reason, by=by, at=at)
        return f"{record.reference} is {VerificationStatus(ended.status).label}."

    @flow_action(
        "Escalate",
        warning="Ask for those with authority or control over the customer, signatories included.",
    )  # fmt: skip
    def escalate(self, record, *, by, at):
        verification.escalate(record, by=by, at=at)
        return f"{record.reference} is escalated. A colleague has to accept the identity."

    @flow_action(
        "Decide what follows", form=outcome_parts.OutcomeForm, primary=True, when=outcome_parts.can_follow,
        warning="The identity could not be verified. To close the account, or to keep it in use under watch, takes a "
        "second person; the rest is in effect at once, in place of what was decided before. The customer is told what "
        "follows and how to ask for redress.",
    )  # fmt: skip
    def decide_outcome(self, record, *, by, at, outcome, reason, explanation):
        row = unverified.propose(record, outcome=outcome, reason=reason, explanation=explanation, by=by, at=at)
        waits = "waits for a second person" if row.state == OutcomeState.PROPOSED else "is in effect"
        return f"{row.reference} ({row.get_outcome_display()}) {waits}.", row


def _facts(record: Verification) -> Facts:
    rows = [
        ("Who", Link(record.party.legal_name, record.party)),
        ("Account", Link(record.account, record.account)),
        ("Done under", Link(record.cip_version, record.cip_version)),
        ("Occasion", record.trigger.replace("_", " ")),
        ("Started by", record.started_by),
        ("Started", record.started_at),
        ("Concluded by", record.concluded_by),
        ("Concluded", record.concluded_at),
        ("Rests on", record.conclusion),
    ]
    url = reverse(workspace.PAGE, args=[record.pk])
    return Facts("verification", "Verification", rows, url=url, url_label="Open the workspace")


def results(record: Verification) -> Table:
    rows = [
        [
            TITLES.get(each.method, each.method),
            Badge(Result(each.result).label, RESULT_TONES[Result(each.result)]),
            each.source,
            ", ".join(name.replace("_", " ") for name in each.matched),
            Link(each.document, each.document) if each.document else None,
            each.by,
            each.at,
        ]
        for each in record.results.select_related("document").order_by("at", "pk")
    ]
    head = ["Method", "Result", "Source", "What agreed", "Document", "By", "On"]
    return Table("results", "Methods and results", head, rows, empty="Nothing was tried yet. Record a method.")


def discrepancies(record: Verification, user) -> Table:
    rows = [
        [
            each.field,
            sealed(each, "stated", "stated value", user),
            sealed(each, "found", "found value", user),
            Badge("settled", "good") if each.settled_at else Badge("not settled", "warning"),
            each.settled_how,
            each.settled_by,
        ]
        for each in record.discrepancies.order_by("found_at", "pk")
    ]
    head = ["Field", "Stated", "Found", "State", "How it was settled", "By"]
    return Table("discrepancies", "Discrepancies", head, rows, empty="Nothing disagrees.")

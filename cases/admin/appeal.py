"""Appeals: to take, to answer, to countersign; and what stands of them on the pages of cases and decisions."""

from django import forms
from django.contrib import admin

from cases.admin.forms import AssignForm, ExplainedSelect, WhyForm, blank, day_field
from cases.flows import appeal_answers, appeals
from cases.models import Appeal, Case, Decision
from cases.rules.appeals import APPEAL_REASONS, WORDINGS, AppealOutcome, AppealState, LateWhy, milder_than
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.records.sealed import MASK
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, timeline_section

TONES = {AppealState.OPEN: "warning", AppealState.PROPOSED: "warning", AppealState.ANSWERED: "good"}
MOST_LISTED = 50


class LogAppealForm(forms.Form):
    """An appeal that came by mail or otherwise."""

    received_on = day_field(label="Received on", help_text="The day of the answer counts from here.")
    text = forms.CharField(
        label="What the customer says", max_length=4000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="As it is written; sealed.",
    )  # fmt: skip
    late_why = forms.ChoiceField(
        label="Why it is accepted late", required=False, choices=blank("It is not late", LateWhy.choices()),
        help_text="Wanted only when the last day of the appeal was past.",
    )  # fmt: skip


class AnswerForm(forms.Form):
    """What comes of the appeal; what holds instead only when it is changed."""

    wants_record = True
    outcome = forms.ChoiceField(label="Answer", widget=ExplainedSelect)
    reason = forms.ChoiceField(label="Reason", widget=ExplainedSelect)
    why = forms.CharField(
        label="Why", max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For colleagues. No names or numbers of people: everybody who sees the case reads this.",
    )  # fmt: skip
    new_outcome = forms.ChoiceField(label="What holds instead", required=False)
    new_reason = forms.ChoiceField(
        label="For this reason", required=False,
        choices=blank("Nothing: it is not changed", [(each.code, each.title) for each in REASONS.values()]),
    )  # fmt: skip

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        milder = milder_than(record.decision.outcome) if record is not None else list(OutcomeCode)[1:]
        outcomes = [each for each in AppealOutcome if milder or each != AppealOutcome.CHANGED]
        outcome, reason = self.fields["outcome"], self.fields["reason"]
        outcome.choices = blank("Choose an answer", [(each.value, each.label) for each in outcomes])
        outcome.widget.title, outcome.widget.head = "What the customer reads", ("Answer", "The customer reads")
        outcome.widget.rows = [(each.label, WORDINGS[each]) for each in outcomes]
        reason.choices = blank("Choose a reason", [(each.code, each.title) for each in APPEAL_REASONS.values()])
        reason.widget.title, reason.widget.head = "Which reason goes with which answer", ("Reason", "Answers")
        reason.widget.rows = [
            (
                each.title,
                ", ".join(each_outcome.value for each_outcome in AppealOutcome if each_outcome in each.outcomes),
            )
            for each in APPEAL_REASONS.values()
        ]
        self.fields["new_outcome"].choices = blank(
            "Nothing: it is not changed", [(code.value, code.label) for code in milder]
        )


class AppealFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_answer": ("to answer", lambda rows, user, today: rows.to_answer()),
        "mine": ("mine", lambda rows, user, today: rows.open().filter(assigned_to=user)),
        "to_countersign": ("to countersign", lambda rows, user, today: rows.to_countersign()),
        "overdue": ("overdue", lambda rows, user, today: rows.overdue(today)),
    }


@admin.register(Appeal)
class AppealAdmin(RecordAdmin):
    list_display = ["reference", "decision", "account", "state", "assigned_to", "received_on", "due_on", "outcome"]
    list_filter = [AppealFilter, "outcome"]
    list_select_related = ["decision__account", "assigned_to"]
    search_fields = ["reference", "decision__reference", "decision__account__reference", "decision__case__reference"]
    search_help_text = "Reference of the appeal, the decision, the account or the case."
    ordering = ["due_on", "pk"]
    logs_views = True

    def get_queryset(self, request):
        related = ("decision__account", "decision__case", "objection", "assigned_to", "new_decision")
        return super().get_queryset(request).select_related(*related)

    @admin.display(description="account")
    def account(self, appeal):
        return appeal.decision.account

    def page_title(self, appeal):
        return f"Appeal against: {appeal.decision.get_outcome_display()}"

    def badges(self, appeal):
        return [_badge(appeal)]

    def clock(self, appeal):
        return Clock(appeal.due_on, what="answer") if appeal.state != AppealState.ANSWERED else None

    def sections(self, appeal, *, user, at):
        return [_words(appeal, user), _answer(appeal), timeline_section(appeal)]

    def aside(self, appeal, *, user, at):
        decision = appeal.decision
        rows = [
            ("Decision", Link(f"{decision}: {decision.get_outcome_display()}", decision)),
            ("Reason", REASONS[decision.reason].title), ("Signed by", ", ".join(
                name for name in (decision.proposed_by, decision.answered_by) if name)),
            ("Case", Link(decision.case, decision.case)), ("Account", Link(decision.account, decision.account)),
            ("Objection", Link(appeal.objection, appeal.objection)), ("Received on", appeal.received_on),
            ("Late, accepted because", appeal.get_late_why_display()), ("Logged by", appeal.logged_by),
            ("Answer by", appeal.due_on), ("Lies with", appeal.assigned_to or "nobody"),
        ]  # fmt: skip
        return [Facts("appeal", "The appeal", [row for row in rows if row[1]])]

    def before_acting(self, appeal, name, *, user, at):
        """Whoever answers or signs reads first what the customer says, and what is proposed."""
        if name not in ("answer", "countersign"):
            return []
        return [_words(appeal, user), *([_answer(appeal)] if name == "countersign" else [])]

    @flow_action("Take appeal", primary=True, when=lambda appeal: appeal.assigned_to_id is None)
    def take(self, appeal, *, by, at):
        appeals.assign(appeal, to=StaffMember.objects.get(pk=by.key), by=by, at=at)
        return f"{appeal.reference} is yours."

    @flow_action("Give to a colleague", form=AssignForm)
    def assign(self, appeal, *, by, at, to):
        appeals.assign(appeal, to=to, by=by, at=at)
        return f"{to} answers {appeal.reference}."

    @flow_action(
        "Answer appeal", form=AnswerForm, primary=True, when=lambda appeal: appeal.assigned_to_id is not None,
        warning="Reversed and changed take effect at once, and the customer is told. What rests on a sanctions list, "
        "and what two people decide, waits for a second person.",
    )  # fmt: skip
    def answer(self, appeal, *, by, at, **chosen):
        answered = appeal_answers.answer(appeal, **chosen, by=by, at=at)
        if answered.state == AppealState.PROPOSED:
            return f"The answer to {answered.reference} waits for a second person."
        return f"{answered.reference} is answered: {answered.get_outcome_display()}. The customer is told."

    @flow_action(
        "Countersign answer", primary=True, signs=appeal_answers.digest_of,
        warning="It takes effect at once, and the customer is told.",
    )  # fmt: skip
    def countersign(self, appeal, *, by, at, shown):
        answered = appeal_answers.countersign(appeal, shown=shown, by=by, at=at)
        return f"{answered.reference} is answered: {answered.get_outcome_display()}. The customer is told."

    @flow_action("Send back", form=WhyForm)
    def send_back(self, appeal, *, by, at, why):
        return f"{appeal_answers.send_back(appeal, why=why, by=by, at=at).reference} is to be answered again."


def _badge(appeal: Appeal) -> Badge:
    return Badge(appeal.get_state_display(), TONES[AppealState(appeal.state)])


def _answer(appeal: Appeal) -> Facts:
    """What is proposed or was answered, by whom."""
    rows = [
        ("Answer", appeal.get_outcome_display()), ("Reason", appeal.get_reason_display()), ("Why", appeal.why),
        ("Holds instead", appeal.new_decision and Link(appeal.new_decision, appeal.new_decision)),
        ("Is to hold instead", "" if appeal.new_decision else appeal.get_new_outcome_display()),
        ("Proposed by", appeal.proposed_by), ("Proposed", appeal.proposed_at),
        ("Sent back", appeal.sent_back_why), ("Answered by", appeal.answered_by), ("Answered", appeal.answered_at),
    ]  # fmt: skip
    note = "" if appeal.outcome else "Nobody answered yet."
    return Facts("answer", "Answer", [row for row in rows if row[1]], note=note)


def _words(appeal: Appeal, user) -> Html:
    """What the customer says; dots for who does not answer."""
    may_read = policy_table.may_see(user, "accounts.objection", "text")
    text = appeal.objection.text.reveal() if may_read else MASK
    return Html("text", "What the customer says", "admin/record/long_text.html", {"text": text})


def appeals_of_case(case: Case) -> Table:
    """On a case's page: the appeals against its decisions."""
    return _table(Appeal.objects.filter(decision__case=case), "Nobody appealed against a decision of this case.")


def appeals_of_decision(decision: Decision) -> Table:
    """On a decision's page: the appeal against it."""
    return _table(Appeal.objects.filter(decision=decision), "Nobody appealed against this decision.")


def _table(rows, empty: str) -> Table:
    lines = [
        [
            Link(row.reference, row), Link(row.decision, row.decision), _badge(row), row.assigned_to or "nobody",
            row.due_on, row.get_outcome_display(),
        ]
        for row in rows.select_related("decision", "assigned_to").order_by("-received_on", "pk")[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Appeal", "Against", "State", "Lies with", "Answer by", "Answer"]
    return Table("appeals", "Appeals", head, lines, empty=empty)

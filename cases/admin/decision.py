"""The page of one decision: what it says, what it rests on, who signed."""

from django.contrib import admin

from cases.admin.case_page import TONES
from cases.admin.forms import SignForm, WhyForm
from cases.flows import decisions, effects
from cases.models import Decision
from cases.rules.outcomes import REASONS, consequence_of
from cases.rules.stages import DecisionState
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section


def signed_in_words(decision: Decision) -> str:
    """What is true once the last signature is given."""
    what = decision.get_outcome_display()
    if decision.state == DecisionState.SIGNED:
        when = f"{decision.takes_effect_at:%-d %b %Y at %H:%M} UTC"
        return f"{decision.reference} is signed: {what}. It takes effect on {when} unless it is undone before."
    return f"{decision.reference} is {decision.state_in_words if decision.took_one_signature else 'in effect'}: {what}."


class DecisionFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "proposed": ("to countersign", lambda rows, user, today: rows.proposed()),
        "mine": ("proposed by me", lambda rows, user, today: rows.proposed().filter(proposed_by_key=str(user.pk))),
        "to_undo": ("signed, can be undone", lambda rows, user, today: rows.filter(state=DecisionState.SIGNED.value)),
        "in_effect": ("in effect", lambda rows, user, today: rows.in_effect()),
    }


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    list_display = [
        "reference",
        "case",
        "account",
        "outcome",
        "reason",
        "state_in_words",
        "proposed_by",
        "proposed_at",
    ]
    list_filter = [DecisionFilter, "outcome"]
    list_select_related = ["case", "account"]
    search_fields = ["reference", "case__reference", "account__reference"]
    ordering = ["-proposed_at", "-pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("case", "account")

    @admin.display(description="state", ordering="state")
    def state_in_words(self, decision):
        return decision.state_in_words

    def page_title(self, decision):
        return f"{decision.get_outcome_display().capitalize()}: {decision.account.reference}"

    def badges(self, decision):
        return [Badge(decision.state_in_words, TONES[DecisionState(decision.state)])]

    def sections(self, decision, *, user, at):
        told = consequence_of(decision.outcome, decision.reason).public_wording
        rows = [
            ("Case", Link(decision.case, decision.case)), ("Account", Link(decision.account, decision.account)),
            ("Outcome", decision.get_outcome_display()), ("Reason", REASONS[decision.reason].title),
            ("State", decision.state_in_words),
            ("The customer reads", told or "nothing"), ("Proposed by", decision.proposed_by),
            ("Proposed", decision.proposed_at), ("Answered by", decision.answered_by),
            ("Answered", decision.answered_at), ("Why", decision.answered_why),
            ("Takes effect" if decision.state == DecisionState.SIGNED else "In effect since", decision.takes_effect_at
             if decision.state == DecisionState.SIGNED else decision.took_effect_at),
            ("Appeal through", decision.appeal_by), ("Ended by", decision.ended_by), ("Ended", decision.ended_at),
            ("Why it ended", decision.ended_why),
            ("Rests on a sanctions list", decision.rests_on_list),
        ]  # fmt: skip
        return [Facts("decision", "Decision", rows), *_rests_on(decision), timeline_section(decision)]

    @flow_action("Countersign", form=SignForm, primary=True)
    def countersign(self, decision, *, by, at, at_once):
        return signed_in_words(decisions.countersign(decision, at_once=at_once, by=by, at=at))

    @flow_action("Undo decision", primary=True)
    def undo(self, decision, *, by, at):
        return f"{effects.undo(decision, by=by, at=at).reference} is undone."

    @flow_action("Decline", form=WhyForm)
    def decline(self, decision, *, by, at, why):
        return f"{decisions.decline(decision, why=why, by=by, at=at).reference} is declined."

    @flow_action("Withdraw proposal")
    def withdraw(self, decision, *, by, at):
        return f"{decisions.withdraw(decision, by=by, at=at).reference} is withdrawn."


def _rests_on(decision: Decision) -> list[Table]:
    """What the reviewer had before them, as it was then: references, codes, scores, hashes."""
    titles = {
        "signals": "Red flags seen", "hits": "Hits seen", "lists": "Lists seen", "documents": "Documents seen",
        "verifications": "Verifications seen",
    }  # fmt: skip
    found = []
    for kind, title in titles.items():
        rows = decision.rests_on.get(kind) or []
        head = [name.replace("_", " ").capitalize() for name in rows[0]] if rows else []
        if rows:
            found.append(Table(f"rests-{kind}", title, head, [list(row.values()) for row in rows]))
    return found or [Table("rests", "What it rests on", [], [], empty="Nothing was on file when it was proposed.")]

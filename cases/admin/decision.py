"""The page of one decision: what it says, what it rests on, who signed."""

from django.contrib import admin
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from cases.admin import case_page
from cases.admin.appeal import LogAppealForm, appeals_of_decision
from cases.admin.case_page import TONES
from cases.admin.decision_rules import catalogue, replay_sections
from cases.admin.forms import SignForm, WhyForm
from cases.flows import appeals, decisions, effects
from cases.flows.evidence import TITLES
from cases.flows.replay import replay
from cases.models import Decision
from cases.rules.outcomes import REASONS, consequence_of
from cases.rules.stages import DecisionState
from kyc_portal.records.clock import legal_day
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

    def extra_urls(self):
        view = self.admin_site.admin_view
        return [
            path("catalogue/", view(self.catalogue_view), name="cases_decision_catalogue"),
            path("<uuid:object_id>/replay/", view(self.replay_view), name="cases_decision_replay"),
        ]

    def catalogue_view(self, request):
        """Every outcome and every reason there is, with what each brings about."""
        head = {"reference": "Decisions", "title": "What decisions bring about"}
        return self._own_page(request, head, catalogue())

    def replay_view(self, request, object_id):
        """What was seen beside what is on file now, and what the rules of today say."""
        decision = self._record_or_404(request, str(object_id))
        found = replay(decision, on=legal_day(timezone.now()))
        head = {"reference": decision.reference, "title": f"Replay of {decision.reference}"}
        return self._own_page(request, head, replay_sections(found))

    def _own_page(self, request, head: dict, sections: list):
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": head["title"],
            "has_view_permission": True, "page_head": head, "sections": self.for_viewer(request, sections),
        }  # fmt: skip
        return TemplateResponse(request, "admin/change_form.html", context)

    def page_title(self, decision):
        return f"{decision.get_outcome_display().capitalize()}: {decision.account.reference}"

    def badges(self, decision):
        return [Badge(decision.state_in_words, TONES[DecisionState(decision.state)])]

    def sections(self, decision, *, user, at):
        told = consequence_of(decision.outcome, decision.reason).told(decision.account.status)
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
        own = Facts(
            "decision", "Decision", rows, url=reverse("admin:cases_decision_replay", args=[decision.pk]),
            url_label="Replay: then and now",
        )  # fmt: skip
        return [own, appeals_of_decision(decision), *_rests_on(decision), timeline_section(decision)]

    def before_acting(self, decision, name, *, user, at):
        """Whoever answers a decision reads what it says; so does whoever logs an appeal against it."""
        return [case_page.facts_of(decision)]

    @flow_action("Countersign", form=SignForm, primary=True)
    def countersign(self, decision, *, by, at, at_once):
        return signed_in_words(decisions.countersign(decision, at_once=at_once, by=by, at=at))

    @flow_action("Undo decision", primary=True)
    def undo(self, decision, *, by, at):
        return f"{effects.undo(decision, by=by, at=at).reference} is undone."

    @flow_action("Decline", form=WhyForm)
    def decline(self, decision, *, by, at, why):
        return f"{decisions.decline(decision, why=why, by=by, at=at).reference} is declined."

    @flow_action(
        "Log appeal", form=LogAppealForm,
        when=lambda decision: consequence_of(decision.outcome, decision.reason).appeal_window is not None,
    )  # fmt: skip
    def log_appeal(self, decision, *, by, at, **given):
        made = appeals.log(decision, **given, by=by, at=at)
        return f"{made.reference} is logged; the answer is due by {made.due_on}.", made

    @flow_action("Withdraw proposal")
    def withdraw(self, decision, *, by, at):
        return f"{decisions.withdraw(decision, by=by, at=at).reference} is withdrawn."


def _rests_on(decision: Decision) -> list[Table]:
    """What the reviewer had before them, as it was then: references, codes, scores, hashes."""
    found = []
    for kind, title in TITLES.items():
        rows = decision.rests_on.get(kind) or []
        head = [name.replace("_", " ").capitalize() for name in rows[0]] if rows else []
        if rows:
            found.append(Table(f"rests-{kind}", title, head, [list(row.values()) for row in rows]))
    return found or [Table("rests", "What it rests on", [], [], empty="Nothing was on file when it was proposed.")]

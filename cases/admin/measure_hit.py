"""Hits of special measures: the list of what waits for a judgement, and the page of one."""

from django.contrib import admin

from cases.admin import measure_parts as parts
from cases.admin.measure_forms import JudgeForm, OverrideForm
from cases.flows import measure_judging
from cases.models import MeasureHit
from cases.rules.measure_stages import LIVE, Judgement, OverrideState, Strength
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section


class HitFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_judge": ("to judge", lambda rows, user, today: rows.to_judge()),
        "to_agree": ("waits for a second person", lambda rows, user, today: rows.to_agree()),
        "restricted": ("restricted now", lambda rows, user, today: rows.restricted()),
    }


def _is_live(hit) -> bool:
    return hit.measure.state in LIVE


def _has_override(state: OverrideState):
    def found(hit) -> bool:
        return _is_live(hit) and hit.overrides.filter(state=state.value).exists()

    return found


def _waiting_override(hit) -> str:
    row = measure_judging.next_override(hit)
    return row.reference if row else ""


@admin.register(MeasureHit)
class MeasureHitAdmin(RecordAdmin):
    list_display = ["reference", "measure", "account", "decides", "judgement", "found_at"]
    list_filter = [HitFilter, "judgement", "decides"]
    list_select_related = ["measure", "account"]
    search_fields = ["reference", "account__reference", "measure__reference"]
    ordering = ["-found_at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("measure__party", "account__party")

    def page_title(self, hit):
        return f"{hit.account.reference} and {hit.measure.title}"

    def badges(self, hit):
        return [parts.judgement_badge(hit), *([Badge("nothing ties it any more", "info")] if hit.gone_at else [])]

    def sections(self, hit, *, user, at):
        told = [[each] for each in hit.sentences]
        kept = "It stays restricted until somebody judges it." if hit.account.restrictions.in_force().exists() else ""
        note = (
            "Some of it restricts by itself once the measure is in effect, unless two people judge otherwise."
            if hit.decides
            else "None of it restricts by itself: only a judgement does."
        )
        empty = f"Nothing ties the account to the measure any more. {kept}".strip()
        return [
            Table("evidence", "Why", ["Evidence"], told, empty=empty, note=note if told else ""),
            parts.words_section(hit.measure),
            parts.text_section(hit.measure),
            parts.overrides_section([hit]),
            timeline_section(hit),
        ]

    def aside(self, hit, *, user, at):
        rows = [
            ("Measure", Link(hit.measure.reference, hit.measure)),
            ("Account", Link(hit.account.reference, hit.account)),
            ("Customer", Link(hit.account.party.legal_name, hit.account.party)),
            ("State of the account", hit.account.get_status_display()),
            ("In effect", f"{hit.measure.effective_on} to {hit.measure.expires_on}"), ("Found", hit.found_at),
            ("Gone since", hit.gone_at), ("Judged", hit.judged_at), ("Judged by", hit.judged_by),
            ("Because", hit.get_why_display()), ("Proposed by", hit.proposed_by if hit.proposal else ""),
        ]  # fmt: skip
        return [Facts("hit", "The hit", [row for row in rows if row[1]])]

    def what_is_signed(self, hit, name):
        if name == "agree":
            return f"{hit.get_proposal_display()} ({hit.get_why_display()}), by {hit.proposed_by}"
        row = measure_judging.next_override(hit)
        if row is None:
            return "nothing waits any more"
        return f"{row.reference}, {row.get_ground_display()}, {row.from_on} to {row.to_on}, by {row.proposed_by}"

    def before_acting(self, hit, name, *, user, at):
        """Whoever signs a judgement reads first what it was found by."""
        return self.sections(hit, user=user, at=at)[:3] if name == "agree" else []

    @flow_action(
        "Judge", form=JudgeForm, primary=True, when=lambda hit: _is_live(hit) and not hit.proposal,
        warning="What takes an account out of a measure that restricts it by itself waits for a second person.",
    )  # fmt: skip
    def judge(self, hit, *, by, at, judgement, why):
        hit = measure_judging.judge(hit, judgement=judgement, why=why, by=by, at=at)
        if hit.proposal:
            return f"{hit.reference} waits for a second person: {hit.get_proposal_display()}."
        return f"{hit.reference}: {hit.get_judgement_display()}."

    @flow_action(
        "Agree", primary=True, signs=measure_judging.digest_of, when=lambda hit: _is_live(hit) and bool(hit.proposal)
    )
    def agree(self, hit, *, by, at, shown):
        hit = measure_judging.agree(hit, shown=shown, by=by, at=at)
        return f"{hit.reference}: {Judgement(hit.judgement).label}."

    @flow_action("Send back", when=lambda hit: _is_live(hit) and bool(hit.proposal))
    def send_back(self, hit, *, by, at):
        measure_judging.send_back(hit, by=by, at=at)
        return f"{hit.reference} is not judged otherwise; what was judged before stands."

    @flow_action(
        "Propose override", form=OverrideForm,
        when=lambda hit: _is_live(hit) and hit.measure.strength == Strength.OVERRIDABLE,
        warning="A second person agrees. On its days the measure does not restrict this account.",
    )  # fmt: skip
    def propose_override(self, hit, *, by, at, ground, from_on, to_on):
        row = measure_judging.propose_override(hit, ground=ground, from_on=from_on, to_on=to_on, by=by, at=at)
        return f"{row.reference} waits for a second person."

    @flow_action("Agree to override", signs=_waiting_override, when=_has_override(OverrideState.PROPOSED))
    def agree_override(self, hit, *, by, at, shown):
        row = measure_judging.agree_override(hit, shown=shown, by=by, at=at)
        return f"{row.reference} is in force from {row.from_on:%-d %b %Y} through {row.to_on:%-d %b %Y}."

    @flow_action("Decline override", signs=_waiting_override, when=_has_override(OverrideState.PROPOSED))
    def decline_override(self, hit, *, by, at, shown):
        row = measure_judging.decline_override(hit, shown=shown, by=by, at=at)
        return f"{row.reference} is declined."

    @flow_action("End override", tone="danger", when=_has_override(OverrideState.AGREED))
    def end_override(self, hit, *, by, at):
        row = measure_judging.end_override(hit, by=by, at=at)
        return f"{row.reference} is ended."

"""Special measures: the list of what waits, the page of one, and the dry run as a page and a file."""

from dataclasses import replace

from django.contrib import admin
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from cases.admin import measure_parts as parts
from cases.admin.measure_forms import EndForm, ExtendForm, FactorForm, MeasureForm
from cases.flows import measure_effects, measure_hits, special_measures
from cases.models import SpecialMeasure
from cases.rules.measure_stages import LIVE, MeasureState
from kyc_portal.policy.models import Standing
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import downloads
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, clocks_section, for_viewer, timeline_section

MOST_ON_PAGE = 500
NEXT = {
    MeasureState.RECORDED: "A colleague reads the determination and confirms what was recorded.",
    MeasureState.CONFIRMED: "Its hits are judged before its first day. Then it comes into effect.",
    MeasureState.IN_EFFECT: "It restricts. Hits that come are judged; it may be extended until its last day.",
    MeasureState.OVER: "A lead looks at what it restricted and reviews it; until then nothing is lifted.",
    MeasureState.REVIEWED: "What rests on it is lifted, account by account, within minutes.",
    MeasureState.CLOSED: "It restricts nobody.",
    MeasureState.WITHDRAWN: "It never restricts anybody.",
}


class MeasureFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_confirm": ("to confirm", lambda rows, user, today: rows.to_confirm()),
        "due": ("due", lambda rows, user, today: rows.due(today)),
        "in_effect": ("in effect", lambda rows, user, today: rows.in_effect()),
        "to_review": ("to review", lambda rows, user, today: rows.to_review()),
    }


@admin.register(SpecialMeasure)
class SpecialMeasureAdmin(RecordAdmin):
    list_display = ["reference", "title", "kind", "meant", "action", "state", "effective_on", "expires_on"]
    list_filter = [MeasureFilter, "state", "kind"]
    list_select_related = ["party"]
    search_fields = ["reference", "title", "source"]
    ordering = ["-determined_on", "-recorded_at", "pk"]
    adding = MeasureForm
    add_label = "Record determination"

    def add(self, *, by, at, **asked):
        return special_measures.record_determination(**asked, by=by, at=at)

    @admin.display(description="means")
    def meant(self, measure):
        return str(measure.party) if measure.party_id else measure.country.name

    def extra_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/dry-run/", view(self.dry_run), name="cases_specialmeasure_dry_run"),
            path("<path:object_id>/dry-run/file/", view(self.dry_run_file), name="cases_specialmeasure_dry_run_file"),
        ]

    def dry_run(self, request, object_id):
        """Whom the measure would restrict, as a page; changes nothing."""
        measure, today = self._record_or_404(request, object_id), legal_day(timezone.now())
        counts = replace(parts.dry_run_section(measure, today=today), url="")
        sections = [counts, parts.dry_run_table(measure, today=today, most=MOST_ON_PAGE)]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Dry run of {measure.reference}",
            "opts": self.opts,
            "original": measure,
            "file_url": reverse(parts.DRY_RUN_FILE, args=[measure.pk]),
            "sections": [shown for each in sections if (shown := for_viewer(each, request.user))],
        }
        return TemplateResponse(request, "admin/cases/dry_run.html", context)

    def dry_run_file(self, request, object_id):
        """The same list as CSV, whole and streamed."""
        downloads.refuse_other_sites(request)
        measure, today = self._record_or_404(request, object_id), legal_day(timezone.now())
        lines = measure_effects.dry_run_lines(measure, today=today)
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        return downloads.guarded(answer, name=f"dry-run-{measure.reference}-{today}.csv")

    def page_title(self, measure):
        return measure.title

    def badges(self, measure):
        return [
            Badge(measure.get_state_display(), parts.TONES[MeasureState(measure.state)]),
            Badge(measure.get_action_display(), ""),
        ]

    def clock(self, measure):
        if measure.state in (MeasureState.RECORDED, MeasureState.CONFIRMED):
            return Clock(measure.effective_on, Standing.PROPOSED, "takes effect")
        if measure.state == MeasureState.IN_EFFECT:
            return Clock(measure.expires_on, Standing.PROPOSED, "last day")
        return None

    def sections(self, measure, *, user, at):
        today = legal_day(at)
        live = [parts.dry_run_section(measure, today=today)] if measure.state in LIVE else []
        return [
            parts.words_section(measure), parts.text_section(measure), *live, parts.hits_section(measure),
            parts.overrides_section(measure.hits.all()), parts.factors_section(measure, user),
            *parts.extensions_sections(measure), clocks_section(measure, today=today), timeline_section(measure),
        ]  # fmt: skip

    def aside(self, measure, *, user, at):
        rows = [
            ("Determined on", measure.determined_on), ("First day", measure.effective_on),
            ("Last day", measure.expires_on), ("Recorded", measure.recorded_at), ("Recorded by", measure.recorded_by),
            ("Confirmed by", measure.confirmed_by), ("In effect since", measure.in_effect_at),
            ("Ended", measure.ended_at), ("Ended because", measure.get_ended_why_display()),
            ("Reviewed", measure.reviewed_at), ("Reviewed by", measure.reviewed_by),
        ]  # fmt: skip
        return [Facts("next", "Next step", [row for row in rows if row[1]], note=NEXT[MeasureState(measure.state)])]

    @flow_action(
        "Confirm", primary=True,
        warning="You confirm that you have read the determination itself and that all of it is recorded as it stands.",
    )  # fmt: skip
    def confirm(self, measure, *, by, at):
        measure = special_measures.confirm(measure, by=by, at=at)
        return f"{measure.reference} is confirmed and takes effect on {measure.effective_on:%-d %b %Y}."

    @flow_action("Compute hits", warning="Every customer is looked at. Nothing is restricted by it.")
    def compute(self, measure, *, by, at):
        measure_hits.ask_for_computing(measure, at=at)
        return "A worker looks at every customer, beginning within a minute."

    @flow_action(
        "Bring into effect", primary=True, tone="danger",
        warning="The accounts it hits are restricted within minutes. See the dry run first.",
    )  # fmt: skip
    def begin(self, measure, *, by, at):
        measure = special_measures.bring_into_effect(measure, by=by, at=at)
        return f"{measure.reference} is in effect through {measure.expires_on:%-d %b %Y}."

    @flow_action("Extend", form=ExtendForm, warning="The order must have been extended before its last day.")
    def extend(self, measure, *, by, at, through):
        measure = special_measures.extend(measure, through=through, by=by, at=at)
        return f"{measure.reference} lasts through {measure.expires_on:%-d %b %Y}."

    @flow_action("End early", form=EndForm, tone="danger")
    def end_early(self, measure, *, by, at, why):
        measure = special_measures.end_early(measure, why=why, by=by, at=at)
        return f"{measure.reference} is {measure.get_state_display()}."

    @flow_action("Note what was weighed", form=FactorForm)
    def note_factor(self, measure, *, by, at, factor, note):
        row = special_measures.note_factor(measure, factor=factor, note=note, by=by, at=at)
        return f"It is noted what was weighed of {row.get_factor_display()}."

    @flow_action(
        "Review and lift", primary=True,
        warning="You have looked at the accounts it restricts. What rests on this measure is lifted within minutes; "
        "whatever else stands against an account stays.",
    )  # fmt: skip
    def review(self, measure, *, by, at):
        measure = special_measures.review(measure, by=by, at=at)
        return f"{measure.reference} is reviewed; what rests on it is lifted within minutes."

"""Retention as staff see it: the rules with their sources, what a purge would destroy and what it did, the clock."""

from django.apps import apps
from django.contrib import admin
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import clock_watch, retention
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import ClockWatch, PurgeRun
from kyc_portal.records.purge_models import RunState
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.admin.forms import PurgeForm
from kyc_portal.staff.admin.policy import standing_badge
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import Badge, Facts, Html, Link, Table, timeline_section
from kyc_portal.work import purging

RULES = "admin:records_purgerun_rules"
TONES = {RunState.STOPPED: "danger", RunState.FINISHED: "good"}
KEPT_BY = {"period": "a period", "hold": "a hold", "reference": "what refers to it"}


@admin.register(PurgeRun)
class PurgeRunAdmin(RecordAdmin):
    list_display = ["reference", "kind", "as_of", "state", "gone", "asked_at", "asked_by"]
    list_filter = ["state"]
    search_fields = ["reference"]
    search_help_text = "Reference of the run."
    ordering = ["-asked_at"]
    adding = PurgeForm
    add_label = "Simulate a purge"

    @admin.display(description="kind")
    def kind(self, run):
        return "purge" if run.executes else "simulation"

    @admin.display(description="files")
    def gone(self, run):
        return sum(told.get("gone" if run.executes else "count", 0) for told in run.told.values())

    def extra_urls(self):
        return [path("rules/", self.admin_site.admin_view(self.rules_view), name="records_purgerun_rules")]

    def add(self, *, by, at, as_of):
        return purging.ask(as_of=as_of, today=legal_day(at), executes=False, by=by, at=at)

    def page_title(self, run):
        return f"{self.kind(run).capitalize()} as of {run.as_of:%-d %b %Y}"

    def badges(self, run):
        return [Badge(run.get_state_display(), TONES.get(run.state, "info"))]

    def sections(self, run, *, user, at):
        label = "Files looked at"
        facts = [
            ("State", run.get_state_display()), ("Why it stopped", run.why_stopped), ("Asked for", run.asked_at),
            ("By", run.asked_by), ("Ended", run.ended_at),
            ("Rules", Link("The rules, with sources", reverse(RULES))),
        ]  # fmt: skip
        first = [Facts("run", "The run", facts)]
        if run.state in (RunState.WAITING, RunState.RUNNING):
            told = {"label": label, "done": run.looked_at, "total": run.total or 1}
            note = "Load this page again to see how far it is."
            first.insert(0, Html("progress", "Progress", "admin/parts/progress.html", told, note=note))
        went = "Destroyed" if run.executes else "Would be destroyed"
        tables = [_by_rule(run, went), _rows(run, went), _due(run), _kept(run)]
        return [*first, *(table for table in tables if table.rows), timeline_section(run)]

    @flow_action(
        "Destroy what is due", tone="danger", primary=True, grave=True,
        when=lambda run: not run.executes and run.state == RunState.FINISHED and run.as_of <= legal_day(timezone.now())
        and any(told.get("count") for told in run.told.values()),
        warning="This cannot be undone. Every file is judged again before it goes: a hold placed meanwhile wins.",
    )  # fmt: skip
    def destroy(self, run, *, by, at):
        asked = purging.ask(as_of=run.as_of, today=legal_day(at), executes=True, by=by, at=at)
        return f"{asked.reference} begins within a minute.", asked

    def rules_view(self, request):
        """Every rule of retention with the figures it counts by and where those stand written."""
        regime = regime_on(legal_day(timezone.now()))
        rules = retention.all_rules()
        context = {
            **self.admin_site.each_context(request),
            "title": "Retention rules",
            "original": "Rules",
            "opts": self.opts,
            "has_view_permission": True,
            "page_head": {"reference": "", "title": "Retention rules", "badges": [], "clock": None},
            "sections": self.for_viewer(request, [_periods(rules, regime), _kept_for_good(rules)]),
        }
        return TemplateResponse(request, "admin/change_form.html", context)


def _named(label: str) -> str:
    """A model's label as people read it; the label itself for a kind that is no longer kept."""
    try:
        return str(apps.get_model(label)._meta.verbose_name_plural)
    except LookupError:
        return label


def _title(code: str) -> str:
    found = {rule.code: rule.title for rule in retention.all_rules()}
    return found.get(code, code)


def _by_rule(run: PurgeRun, went: str) -> Table:
    rows = [
        [
            _title(code), told.get("gone" if run.executes else "count", 0),
            *(told.get(why, 0) for why in KEPT_BY), told.get("failed", 0),
        ]
        for code, told in run.told.items()
    ]  # fmt: skip
    head = ["Rule", went, *(f"Kept by {why}" for why in KEPT_BY.values()), "Failed"]
    note = "A file that failed is tried again by a later run; after five times it is a dead letter."
    return Table("rules", "Files by rule", head, rows, note=note)


def _rows(run: PurgeRun, went: str) -> Table:
    counts: dict[str, int] = {}
    for told in run.told.values():
        for label, count in told.get("rows", {}).items():
            counts[label] = counts.get(label, 0) + count
    rows = [[_named(label), count] for label, count in sorted(counts.items())]
    return Table("rows", "Rows by kind", ["Kind", went], rows)


def _listed(run: PurgeRun, which: str) -> list[list]:
    return [
        [Link(name, page_of(label, key)), _title(code), sentence]
        for code, told in run.told.items()
        for label, key, name, sentence in told.get(which, [])
    ]


def _due(run: PurgeRun) -> Table:
    head, note = ["File", "Rule", "Was kept for"], "The first of each rule are named, all are counted above."
    return Table("due", "What would go", head, _listed(run, "due"), note=note)


def _kept(run: PurgeRun) -> Table:
    head, note = ["File", "Rule", "Why"], "The first of each rule are named, all are counted above."
    return Table("kept", "What is kept", head, _listed(run, "kept"), note=note)


def _periods(rules: list, regime: Regime) -> Table:
    rows = []
    for rule in rules:
        for name in rule.figures:
            figure = regime.figures.get(name)
            if figure is not None:
                value = f"{figure.value.normalize():f} {figure.unit}"
                source = [Link(figure.citation.text, figure.citation), standing_badge(figure.citation)]
                rows.append(
                    [rule.title, name.replace("_", " "), value, *source,
                     figure.citation.get_mark_display()]
                )  # fmt: skip
    head = ["Files", "Period", "Length", "Source", "Standing", "How sure"]
    note = f"{regime.label}. The longest of a file's periods decides; holds and references keep it beyond."
    return Table("periods", "What is destroyed after its periods", head, rows, note=note)


def _kept_for_good(rules: list) -> Table:
    rows = [
        [rule.title, ", ".join(sorted(str(model._meta.verbose_name_plural) for model in rule.covers)), rule.why]
        for rule in rules
    ]
    return Table(
        "every", "Every kind of record, and what becomes of it", ["Rule", "Records", "What becomes of them"], rows
    )


@admin.register(ClockWatch)
class ClockWatchAdmin(RecordAdmin):
    list_display = ["seen_at", "jumped_from", "jumped_to"]
    sortable_by = []
    ordering = ["pk"]

    def page_title(self, watch):
        return "The clock"

    def badges(self, watch):
        return [Badge("jumped", "danger") if watch.jumped_from else Badge("steady", "good")]

    def sections(self, watch, *, user, at):
        rows = [("Seen", watch.seen_at), ("Jumped from", watch.jumped_from), ("To", watch.jumped_to), ("Now", at)]
        note = "While a jump stands, no purge destroys anything."
        return [Facts("clock", "The clock of the portal's machines", rows, note=note), timeline_section(watch)]

    @flow_action(
        "The clock is right", tone="danger", primary=True, grave=True,
        when=lambda watch: watch.jumped_from is not None,
        warning="Compare it with another clock first: one that runs ahead lets files be destroyed before their day.",
    )  # fmt: skip
    def confirm(self, watch, *, by, at):
        clock_watch.confirm(by=by, at=at)
        return "The clock is confirmed. Purges go on."

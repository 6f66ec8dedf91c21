"""Regimes with their figures and sources, the provider's own CIP, clocks, holidays. A proposal says so everywhere."""

from django.contrib import admin
from django.template.defaultfilters import date as in_words
from django.utils.html import format_html

from kyc_portal.policy import cip, holidays, privacy_notice, statements
from kyc_portal.policy.models import (
    CipVersion,
    Citation,
    Deadline,
    Holiday,
    PrivacyNoticeVersion,
    RegimeProfile,
    Standing,
    StatementVersion,
)
from kyc_portal.staff.admin.forms import CipForm, HolidayForm, PrivacyNoticeForm, StatementForm
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import badge
from kyc_portal.staff.tiles import NEAR, clocks_for, near

TONES = {Standing.PROPOSED: "warning", Standing.IN_FORCE: "good", Standing.OWN_POLICY: "info"}


def standing_badge(record: Citation | RegimeProfile) -> Badge:
    return Badge(record.get_standing_display(), TONES.get(record.standing, ""))


@admin.register(RegimeProfile)
class RegimeProfileAdmin(RecordAdmin):
    list_display = ["title", "code", "shown_standing", "valid_from", "valid_to"]
    list_filter = ["standing"]
    ordering = ["code"]

    @admin.display(description="standing")
    def shown_standing(self, profile):
        return badge(profile.get_standing_display(), TONES.get(profile.standing))

    def page_title(self, profile):
        return profile.title

    def badges(self, profile):
        return [standing_badge(profile)]

    def sections(self, profile, *, user, at):
        rows = [
            [
                figure.name.replace("_", " "), f"{figure.value.normalize():f} {figure.unit}",
                Link(figure.citation.text, figure.citation), standing_badge(figure.citation),
                figure.citation.get_mark_display(), figure.reason,
            ]
            for figure in profile.numbers.select_related("citation").order_by("name")
        ]  # fmt: skip
        elements = [[element.replace("_", " ")] for element in profile.elements]
        return [
            Table("figures", "Figures", ["Figure", "Value", "Source", "Standing", "How sure", "Why"], rows),
            Table("elements", "What this regime asks of a customer", ["Element"], elements),
        ]

    def aside(self, profile, *, user, at):
        rows = [("Code", profile.code), ("From", profile.valid_from), ("Until", profile.valid_to)]
        return [Facts("profile", "The profile", rows)]


@admin.register(Citation)
class CitationAdmin(RecordAdmin):
    list_display = ["text", "code", "shown_standing", "mark"]
    list_filter = ["standing", "mark"]
    search_fields = ["text", "code"]
    ordering = ["code"]

    @admin.display(description="standing")
    def shown_standing(self, citation):
        return badge(citation.get_standing_display(), TONES.get(citation.standing))

    def page_title(self, citation):
        return citation.text

    def badges(self, citation):
        return [standing_badge(citation)]

    def sections(self, citation, *, user, at):
        facts = [("Text", str(citation)), ("How sure", citation.get_mark_display()), ("Code", citation.code)]
        rows = [
            [
                figure.name.replace("_", " "),
                f"{figure.value.normalize():f} {figure.unit}",
                Link(figure.profile, figure.profile),
            ]
            for figure in citation.numbers.select_related("profile").order_by("name")
        ]
        used = Table(
            "figures", "Figures that rest on it", ["Figure", "Value", "Regime"], rows, empty="No figure rests on it."
        )
        return [Facts("citation", "The source", facts), used]


class TextVersionAdmin(RecordAdmin):
    """A text of ours in dated versions: read whole, never changed, only followed by the next one."""

    ordering = ["-number"]

    def sections(self, version, *, user, at):
        return [
            Html("text", "Text", "admin/record/long_text.html", {"text": version.text}),
            timeline_section(version),
        ]

    def aside(self, version, *, user, at):
        rows = [
            ("In force from", version.effective_from), ("Approved", version.approved_at),
            ("Approved by", version.approved_by), ("SHA-256 of the text", version.sha256),
        ]  # fmt: skip
        return [Facts("version", "The version", rows)]


@admin.register(CipVersion)
class CipVersionAdmin(TextVersionAdmin):
    list_display = ["number", "title", "effective_from", "approved_by", "approved_at"]
    adding = CipForm
    add_label = "Approve a new CIP version"

    def add(self, *, by, at, **cleaned):
        return cip.approve_cip(by=by, at=at, **cleaned)

    def page_title(self, version):
        return version.title


@admin.register(PrivacyNoticeVersion)
class PrivacyNoticeVersionAdmin(TextVersionAdmin):
    list_display = ["number", "effective_from", "approved_by", "approved_at"]
    adding = PrivacyNoticeForm
    add_label = "Approve a new privacy notice"

    def add(self, *, by, at, **cleaned):
        return privacy_notice.approve_notice(by=by, at=at, **cleaned)

    def page_title(self, version):
        return str(version).capitalize()


@admin.register(StatementVersion)
class StatementVersionAdmin(TextVersionAdmin):
    list_display = ["__str__", "effective_from", "approved_by", "approved_at"]
    ordering = ["kind", "-number"]
    list_filter = ["kind"]
    adding = StatementForm
    add_label = "Approve a new wording"

    def add(self, *, by, at, **cleaned):
        return statements.approve_statement(by=by, at=at, **cleaned)

    def page_title(self, version):
        return str(version).capitalize()


class DueFilter(QuerysetFilter):
    title = "due"
    parameter_name = "due"
    options = {
        "overdue": ("overdue", lambda rows, user, today: rows.overdue(today)),
        "near": (f"due within {NEAR} days", lambda rows, user, today: near(rows, today)),
        "running": ("running", lambda rows, user, today: rows.running()),
        "stopped": ("stopped", lambda rows, user, today: rows.filter(stopped_at__isnull=False)),
    }


@admin.register(Deadline)
class DeadlineAdmin(RecordAdmin):
    list_display = ["due_on", "kind", "record", "source", "starts_on", "stopped_at"]
    list_filter = [DueFilter]
    list_select_related = ["citation"]
    search_fields = ["reference", "name"]
    search_help_text = "Reference of the clock, or of the record it counts for."
    ordering = ["due_on"]

    @admin.display(description="for", ordering="name")
    def record(self, clock):
        url = page_of(clock.label, clock.key)
        return format_html('<a href="{}">{}</a>', url, clock.name) if url else clock.name

    @admin.display(description="source")
    def source(self, clock):
        return str(clock.citation)

    def get_queryset(self, request):
        return clocks_for(request.user).select_related("citation").order_by(*self.ordering)

    def clock(self, clock):
        return None if clock.stopped_at else Clock(clock.due_on, clock.standing, clock.kind)

    def badges(self, clock):
        return [
            Badge("stopped", "good") if clock.stopped_at else Badge("running", "info"),
            standing_badge(clock.citation),
        ]

    def sections(self, clock, *, user, at):
        rows = [
            ("Counts for", Link(clock.name, page_of(clock.label, clock.key))), ("Began", clock.starts_on),
            ("Due", clock.due_on), ("Source", str(clock.citation)), ("How sure", clock.citation.get_mark_display()),
            ("Stopped", clock.stopped_at), ("Owners reminded", clock.reminded_on),
        ]  # fmt: skip
        return [Facts("clock", "The clock", rows)]


@admin.register(Holiday)
class HolidayAdmin(RecordAdmin):
    adding = HolidayForm
    list_display = ["day", "title"]
    ordering = ["-day"]

    def add(self, *, by, at, day, title):
        return holidays.add_holiday(day=day, title=title, by=by, at=at)

    def page_title(self, holiday):
        return holiday.title

    def sections(self, holiday, *, user, at):
        return [Facts("holiday", "The day", [("Day", in_words(holiday.day, "l, j F Y")), ("Name", holiday.title)])]

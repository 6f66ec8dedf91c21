"""Break-glass accesses: people take and give back their own; auditors see all, with what was done, and sign them."""

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.staff import breakglass
from kyc_portal.staff.actions import flow_action, where_sealed
from kyc_portal.staff.admin.forms import BreakGlassForm
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import BreakGlass
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section, url_of

MOST_SHOWN = 200


class StateFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "in_force": ("in force", lambda rows, user, today: rows.in_force(timezone.now())),
        "to_review": ("to look at", lambda rows, user, today: rows.to_review(timezone.now())),
    }


@admin.register(BreakGlass)
class BreakGlassAdmin(RecordAdmin):
    list_display = ["reference", "member", "what", "reason", "started_at", "ended_at", "reviewed_by"]
    list_filter = [StateFilter]
    list_select_related = ["member"]
    search_fields = ["reference", "member__username", "about_name"]
    ordering = ["-started_at"]
    adding = BreakGlassForm
    adding_is_grave = True
    add_label = "Break the glass"

    @admin.display(description="ends")
    def ended_at(self, glass):
        return glass.ended_at

    def add(self, *, by, at, **cleaned):
        return breakglass.take(by=by, at=at, **cleaned)

    def added(self, request, glass):
        told = f"You may now {glass.get_what_display()}. The auditors will be told. {where_sealed(request)}"
        messages.warning(request, told.strip())
        return HttpResponseRedirect(url_of(glass))

    def page_title(self, glass):
        return f"{glass.member.username}: {glass.get_what_display()}"

    def badges(self, glass):
        if glass.is_in_force(timezone.now()):
            return [Badge("in force", "danger")]
        return [Badge("looked at", "good") if glass.reviewed_at else Badge("to look at", "warning")]

    def sections(self, glass, *, user, at):
        rows = [
            ("Who", Link(glass.member.username, glass.member)), ("May", glass.get_what_display()),
            ("Why", glass.get_reason_display()),
            ("For the sake of", Link(glass.about_name, page_of(glass.about_label, glass.about_key))),
            ("From", glass.started_at), ("Until", glass.ends_at), ("Given back", glass.given_back_at),
            ("Auditors told", glass.told_at), ("Looked at", glass.reviewed_at), ("Looked at by", glass.reviewed_by),
        ]  # fmt: skip
        done = [
            [event.at, Link(event.about_name, page_of(event.about_label, event.about_key)), audit.as_sentence(event)]
            for event in breakglass.acts_of(glass)[:MOST_SHOWN]
        ]
        note = f"The first {MOST_SHOWN}; the trail has all." if len(done) == MOST_SHOWN else ""
        return [
            Facts("access", "The access", rows),
            Table("done", "Done under it", ["When", "Record", "What"], done, empty="Nothing was done.", note=note),
            timeline_section(glass),
        ]

    @flow_action(
        "Give back", primary=True,
        when=lambda glass: glass.is_in_force(timezone.now()),
    )  # fmt: skip
    def give_back(self, glass, *, by, at):
        breakglass.give_back(glass, by=by, at=at)
        return f"{glass.reference} is given back."

    @flow_action(
        "Note that you looked at it", primary=True,
        when=lambda glass: glass.reviewed_at is None and not glass.is_in_force(timezone.now()),
        warning="Your name will stand under this access for good.",
    )  # fmt: skip
    def note_review(self, glass, *, by, at):
        breakglass.note_review(glass, by=by, at=at)
        return f"You have looked at {glass.reference}."

"""What the database wrote down of each change: beside the trail, and what no event of it explains."""

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from kyc_portal.records import audit, changes
from kyc_portal.records.models import AuditEvent, RowChange, Standing
from kyc_portal.records.refs import SCHEDULER, VISITOR
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_SHOWN = 50
TONES = {Standing.EXPLAINED: "good", Standing.UNEXPLAINED: "danger", Standing.SETTLED: "info"}


def kind_of(label: str) -> str:
    """A record type as staff call it; the label itself once no such type exists any more."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except LookupError:
        return label


def who_of(change: RowChange) -> str:
    """The actor as people know them; `change.person` is the user name that `named` adds."""
    kind, _, key = change.actor.partition(":")
    known = {each.kind: each.label for each in (SCHEDULER, VISITOR)}
    if kind == "operator":
        return f"operator {key.removeprefix('os:')}"
    return getattr(change, "person", None) or known.get(kind) or kind.replace("_", " ") or "nobody"


def named(rows):
    """The changes with `person`, the user name of a member of staff who made them; no query of its own."""
    member = StaffMember.objects.annotate(actor=Concat(Value("person:"), Cast("pk", CharField())))
    return rows.annotate(person=Subquery(member.filter(actor=OuterRef("actor")).values("username")[:1]))


def changes_table(request_id: str) -> Table | None:
    """What the database recorded in one request or flow, for the page of an event; None when it recorded nothing."""
    rows = list(RowChange.objects.filter(request_id=request_id).order_by("pk")[: MOST_SHOWN + 1]) if request_id else []
    if not rows:
        return None
    note = f"The first {MOST_SHOWN} of them." if len(rows) > MOST_SHOWN else ""
    shown = [
        [kind_of(row.label), row.act, row.fields.replace(" ", ", ") or None, row.key[:8] or "several"]
        for row in rows[:MOST_SHOWN]
    ]
    return Table("changes", "What the database recorded", ["Kind", "Change", "Columns", "Key begins"], shown, note=note)


class SettleForm(forms.Form):
    reason = forms.ChoiceField(label="What was found", choices=[("", "Choose …"), *changes.REASONS.items()])


class StandingFilter(QuerysetFilter):
    title = "explained"
    parameter_name = "standing"
    options = {
        "unexplained": ("no event says why", lambda rows, user, today: rows.unexplained()),
        "settled": ("looked into", lambda rows, user, today: rows.filter(standing=Standing.SETTLED)),
        "waiting": ("not looked at yet", lambda rows, user, today: rows.waiting()),
    }


@admin.register(RowChange)
class RowChangeAdmin(RecordAdmin):
    list_display = ["at", "act", "kind", "key_begins", "who", "standing"]
    list_display_links = ["at"]
    list_filter = [StandingFilter]
    search_fields = ["request_id"]
    search_help_text = "The id of a request."
    sortable_by = []  # the indexes serve one order: newest first
    ordering = ["-id"]

    @admin.display(description="kind")
    def kind(self, change):
        return kind_of(change.label)

    @admin.display(description="key begins")
    def key_begins(self, change):
        return change.key[:8] or "several"

    @admin.display(description="who")
    def who(self, change):
        return who_of(change)

    def get_queryset(self, request):
        return named(super().get_queryset(request))

    def get_search_results(self, request, queryset, search_term):
        """By request id only, through its index."""
        term = search_term.strip()[:64]
        return (queryset.filter(request_id=term) if term else queryset), False

    def page_title(self, change):
        return f"{change.act.capitalize()} of a {kind_of(change.label)}"

    def badges(self, change):
        return [Badge(change.get_standing_display(), TONES.get(change.standing, ""))]

    def sections(self, change, *, user, at):
        events = AuditEvent.objects.filter(request_id=change.request_id).order_by("id")[:MOST_SHOWN]
        told = (
            [[event.at, event.actor_label, Link(audit.as_sentence(event), event)] for event in events]
            if change.request_id
            else []
        )
        url = f"{reverse('admin:records_rowchange_changelist')}?q={change.request_id}"
        rows = [
            ("Record", Link(change.key or "several rows", page_of(change.label, change.key) if change.key else "")),
            ("Columns", change.fields.replace(" ", ", ") or None), ("By", who_of(change)),
            ("When", change.at),
            ("Request", Link(f"{change.request_id}: all its changes", url) if change.request_id else None),
        ]  # fmt: skip
        empty = "No event tells of this change."
        if change.standing == Standing.UNEXPLAINED:
            empty += " Find out who wrote to the database, then note it with the button above."
        return [
            Facts("change", "What changed", rows, note="Names of columns only; no value is copied."),
            Table("events", "Events of the same request", ["When", "Who", "Event"], told, empty=empty),
            *([timeline_section(change)] if change.standing == Standing.SETTLED else []),
        ]

    @flow_action(
        "Note what was found", form=SettleForm, primary=True,
        when=lambda change: change.standing == Standing.UNEXPLAINED,
    )  # fmt: skip
    def settle(self, change, *, by, at, reason):
        count = changes.settle(change, reason=reason, by=by, at=at)
        return f"{count} changes of this kind are noted as looked into."

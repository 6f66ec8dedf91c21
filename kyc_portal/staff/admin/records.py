"""The trail, holds, tombstones and looks at identity data: read here, changed nowhere but through a hold's buttons."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from kyc_portal.records import audit, holds
from kyc_portal.records.models import AuditEvent, AuditPayload, HeldRecord, IdentityView, LegalHold, Tombstone
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verbs import grave_codes
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.admin.changes import changes_table
from kyc_portal.staff.admin.forms import HoldForm, ReleaseForm
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import UnknownReference, find, page_of
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Table, timeline_section


def start_of(day: date) -> datetime:
    """The first moment of a day of the law."""
    return datetime.combine(day, time.min, ZoneInfo(settings.LEGAL_TIME_ZONE))


def _ref_named(name: str) -> RecordRef | None:
    """The record of this reference, also one that was purged and only left a tombstone, or is only held."""
    try:
        return RecordRef.of(find(name))
    except UnknownReference:
        left = (
            Tombstone.objects.filter(name__iexact=name).first() or HeldRecord.objects.filter(name__iexact=name).first()
        )
    return RecordRef(left.label, left.key, left.name) if left else None


class WhenFilter(QuerysetFilter):
    title = "when"
    parameter_name = "when"
    options = {
        "today": ("today", lambda rows, user, today: rows.filter(at__gte=start_of(today))),
        "week": ("last 7 days", lambda rows, user, today: rows.filter(at__gte=start_of(today - timedelta(days=6)))),
        "month": ("last 30 days", lambda rows, user, today: rows.filter(at__gte=start_of(today - timedelta(days=29)))),
    }


class WhoFilter(QuerysetFilter):
    title = "by"
    parameter_name = "by"
    options = {
        "people": ("people", lambda rows, user, today: rows.filter(actor_kind="person")),
        "scheduler": ("the scheduler", lambda rows, user, today: rows.filter(actor_kind="scheduler")),
        "others": (
            "programs and operators",
            lambda rows, user, today: rows.exclude(actor_kind__in=["person", "scheduler"]),
        ),
        "me": ("me", lambda rows, user, today: rows.filter(actor_key=str(user.pk))),
    }


class GraveFilter(admin.SimpleListFilter):
    """The events of one grave kind; its choices are the verbs whose place in the trail is told to whoever acts."""

    title = "grave act"
    parameter_name = "verb"

    def lookups(self, request, model_admin):
        return [(code, code.replace("_", " ")) for code in sorted(grave_codes())]

    def queryset(self, request, queryset):
        return queryset.filter(verb=self.value()) if self.value() in grave_codes() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(RecordAdmin):
    list_display = ["at", "actor_label", "sentence", "about_name"]
    list_display_links = ["at"]
    list_filter = [WhenFilter, WhoFilter, GraveFilter]
    search_fields = ["about_name"]  # see get_search_results: a reference, or the id of a request
    search_help_text = "A record's reference, or the id of a request."
    sortable_by = []  # the indexes serve one order: newest first
    ordering = ["-at", "-id"]

    @admin.display(description="what happened")
    def sentence(self, event):
        return audit.as_sentence(event)

    def get_search_results(self, request, queryset, search_term):
        """By reference through the indexed label and key; by request id; never by a part of either."""
        term = search_term.strip()[:100]
        if not term:
            return queryset, False
        ref = _ref_named(term)
        if ref is None:
            return queryset.filter(request_id=term), False
        own = Q(about_label=ref.label, about_key=ref.key)
        return queryset.filter(own | Q(within_label=ref.label, within_key=ref.key)), False

    def page_title(self, event):
        return f"{event.actor_label} {audit.as_sentence(event)}"

    def sections(self, event, *, user, at):
        facts = [(name.replace("_", " "), _told(value)) for name, value in sorted(event.facts.items())]
        return [
            Facts("happened", "What happened", _happened(event)),
            Facts("facts", "Facts", facts or [("None", None)]),
            *filter(None, [changes_table(event.request_id)]),
        ]

    def aside(self, event, *, user, at):
        rows = [
            ("Said of the person", _payload_state(event)),
            ("Commitment to it", bytes(event.pii_commit).hex() if event.pii_commit else None),
            ("Event id", str(event.pk)),
        ]
        return [Facts("sealed", "Sealed part", rows, note="Only its salted hash stands in the trail.")]


def _told(value) -> object:
    return ", ".join(value) if isinstance(value, list) else value


def _happened(event: AuditEvent) -> list[tuple[str, object]]:
    actor = f"{event.actor_label} ({event.actor_kind.replace('_', ' ')})"
    rows = [
        ("Sentence", audit.as_sentence(event)), ("Kind", event.verb), ("When", event.at), ("Who", actor),
        ("About", Link(event.about_name, page_of(event.about_label, event.about_key))),
    ]  # fmt: skip
    if event.actor_owner:
        rows.append(
            ("Answers for it", Link("the owner of the client", page_of("staff.staffmember", event.actor_owner)))
        )
    if event.within_key:
        rows.append(("Told also on", Link(event.within_label, page_of(event.within_label, event.within_key))))
    if event.request_id:
        url = f"{reverse('admin:records_auditevent_changelist')}?q={event.request_id}"
        rows.append(("Request", Link(f"{event.request_id}: all its events", url)))
    return rows


def _payload_state(event: AuditEvent) -> Badge:
    if event.pii_commit is None:
        return Badge("none")
    if AuditPayload.objects.filter(event_id=event.pk).exists():
        return Badge("present, sealed", "info")
    return Badge("destroyed", "warning")


@admin.register(Tombstone)
class TombstoneAdmin(RecordAdmin):
    list_display = ["name", "rule", "basis", "kept_through", "purged_at", "purged_by"]
    list_filter = ["rule"]
    search_fields = ["name"]
    search_help_text = "Reference of the destroyed file."
    ordering = ["-purged_at"]

    def page_title(self, stone):
        return f"{stone.name} was destroyed"

    def sections(self, stone, *, user, at):
        rows = [[label, count] for label, count in sorted(stone.counts.items())]
        return [
            Facts("why", "What was destroyed, and why", _destroyed(stone)),
            Table("counts", "Rows destroyed", ["Kind", "Rows"], rows, empty="The file had no rows left."),
        ]


def _destroyed(stone: Tombstone) -> list[tuple[str, object]]:
    return [
        ("File", stone.name), ("Kind", stone.label), ("Rule", stone.rule), ("Basis", stone.basis),
        ("Kept through", stone.kept_through), ("Rows on which holds were looked for", stone.holds_looked_at),
        ("Digest over all keys", stone.digest), ("Destroyed", stone.purged_at), ("By", stone.purged_by),
        ("Event", Link(str(stone.event_id), page_of("records.auditevent", str(stone.event_id)))),
    ]  # fmt: skip


class HoldFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "in_force": ("in force", lambda rows, user, today: rows.in_force()),
        "past": ("past their end day", lambda rows, user, today: rows.past_their_end(today)),
        "released": ("released", lambda rows, user, today: rows.filter(released_at__isnull=False)),
    }


@admin.register(LegalHold)
class LegalHoldAdmin(RecordAdmin):
    list_display = ["reference", "in_words", "ground", "until", "placed_at", "placed_by", "released_at"]
    list_filter = [HoldFilter]
    search_fields = ["reference", "ground"]
    search_help_text = "Reference of the hold, or its ground."
    ordering = ["-placed_at"]
    adding = HoldForm
    add_label = "Place a hold"

    @admin.display(description="reason")
    def in_words(self, hold):
        return hold.reason.replace("_", " ")

    def add(self, *, by, at, references, **cleaned):
        return holds.place_hold(references, by=by, at=at, **cleaned)

    def badges(self, hold):
        return [Badge("in force", "warning") if hold.is_in_force else Badge("released", "good")]

    def clock(self, hold):
        return Clock(hold.until, what="look again") if hold.until and hold.is_in_force else None

    def sections(self, hold, *, user, at):
        rows = [
            [Link(held.name, page_of(held.label, held.key)), held.label.partition(".")[2]]
            for held in hold.records.order_by("label", "name")
        ]
        facts = [
            ("Reason", self.in_words(hold)), ("Ground", hold.ground), ("Look again on", hold.until),
            ("Placed", hold.placed_at), ("Placed by", hold.placed_by), ("Released", hold.released_at),
            ("Released by", hold.released_by), ("Why released", hold.release_reason),
        ]  # fmt: skip
        return [
            Facts("hold", "The hold", facts),
            Table("held", "What is held", ["Record", "Kind"], rows, empty="Nothing is held."),
            timeline_section(hold),
        ]

    @flow_action(
        "Release the hold", form=ReleaseForm, tone="danger", grave=True,
        when=lambda hold: hold.is_in_force,
        warning="What no other hold keeps is destroyed by the next purge after its period is over.",
    )  # fmt: skip
    def release(self, hold, *, by, at, reason):
        holds.release_hold(hold, reason=reason, by=by, at=at)
        return f"{hold.reference} is released."


class ViewedFilter(QuerysetFilter):
    title = "day"
    parameter_name = "seen"
    options = {
        "today": ("today", lambda rows, user, today: rows.filter(day=today)),
        "week": ("last 7 days", lambda rows, user, today: rows.filter(day__gt=today - timedelta(days=7))),
        "month": ("last 30 days", lambda rows, user, today: rows.filter(day__gt=today - timedelta(days=30))),
    }


@admin.register(IdentityView)
class IdentityViewAdmin(RecordAdmin):
    list_display = ["day", "actor_label", "about_name", "count", "last_at"]
    list_filter = [ViewedFilter]
    search_fields = ["actor_label", "about_name"]
    search_help_text = "A user name, or a record's reference."
    ordering = ["-day", "-last_at"]

    def sections(self, view, *, user, at):
        rows = [
            ("Who", view.actor_label), ("Looked at", Link(view.about_name, page_of(view.about_label, view.about_key))),
            ("On", view.day), ("How often", view.count), ("Last", view.last_at),
        ]  # fmt: skip
        return [Facts("view", "Look at identity data", rows)]

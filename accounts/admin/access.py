"""Access logs as taken in, access records, and the lists of networks they were judged by (requirement R18)."""

from datetime import datetime

from django.contrib import admin
from django.urls import reverse

from accounts.flows.verdicts import verdict_on
from accounts.models import AccessBatch, AccessRecord, AddressRangeSnapshot
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_LINES = 100


class RefusedFilter(QuerysetFilter):
    title = "lines"
    parameter_name = "lines"
    options = {"refused": ("with refused lines", lambda rows, user, today: rows.filter(refused_count__gt=0))}


@admin.register(AccessBatch)
class AccessBatchAdmin(RecordAdmin):
    list_display = ["reference", "account", "file_name", "imported_at", "read_count", "new_count", "refused_count"]
    list_filter = [RefusedFilter]
    list_select_related = ["account"]
    search_fields = ["reference", "account__reference", "file_name"]
    ordering = ["-imported_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account")

    def badges(self, record):
        return [Badge(f"{record.refused_count:,} lines refused", "warning")] if record.refused_count else []

    def sections(self, record, *, user, at):
        refused = record.refused_lines.order_by("line")[:MOST_LINES]
        facts = [
            ("Account", Link(record.account, record.account)),
            ("File", record.file_name),
            ("Format", record.format),
            ("SHA-256", record.sha256),
            ("Taken in", record.imported_at),
            ("By", record.imported_by),
        ]
        counts = [
            ("Lines read", record.read_count),
            ("New", record.new_count),
            ("Known from before", record.known_count),
            ("Refused", record.refused_count),
        ]
        records = f"{reverse('admin:accounts_accessrecord_changelist')}?batch__id__exact={record.pk}"
        return [
            Facts("file", "File", facts),
            Facts("counts", "What became of its lines", counts, url=records, url_label="Show the records"),
            Table(
                "refused", "Refused lines", ["Line", "Why"], [[line.line, line.reason] for line in refused],
                empty="Every line could be used.", note=f"The first {MOST_LINES} are shown." if refused else "",
            ),
            timeline_section(record),
        ]  # fmt: skip


class AddressFilter(QuerysetFilter):
    title = "address"
    parameter_name = "address"
    options = {
        "public": ("public", lambda rows, user, today: rows.public()),
        "anonymised": ("anonymised", lambda rows, user, today: rows.anonymised()),
        "special": ("not public", lambda rows, user, today: rows.exclude(special_use="")),
        "none": ("no address", lambda rows, user, today: rows.filter(address__isnull=True)),
    }


@admin.register(AccessRecord)
class AccessRecordAdmin(RecordAdmin):
    list_display = ["at", "account", "kind", "action", "source", "country", "meaning"]
    list_filter = [AddressFilter]
    list_select_related = ["account"]

    @admin.display(description="source")
    def source(self, record):
        return record.address or record.raw_source

    @admin.display(description="what the lists said")
    def meaning(self, record):
        return record.anonymiser or record.special_use

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account", "batch", "edition")

    def get_ordering(self, request):
        """By time within one account, where there is an index for it; else by order of import."""
        return ["-at"] if "account__id__exact" in request.GET else ["-pk"]

    def badges(self, record):
        kinds = [Badge(kind, "warning") for kind in record.anonymiser.split(", ") if kind]
        return kinds + ([Badge(record.special_use, "info")] if record.special_use else [])

    def sections(self, record, *, user, at):
        act = [
            ("Account", Link(record.account, record.account)),
            ("When", record.at),
            ("Kind", record.get_kind_display()),
            ("Action", record.action),
            ("By", record.principal),
            ("Source system", record.source_system),
            ("Event", record.event_id),
            ("File", Link(record.batch, record.batch)),
        ]
        then = [
            ("Address", record.address),
            ("As the log wrote it", record.raw_source),
            ("Country", record.country),
            ("Anonymiser", record.anonymiser),
            ("Not public because", record.special_use),
            ("Judged by", ", ".join(record.edition.lists) if record.edition else ""),
        ]
        return [
            Facts("act", "What was done", act),
            Facts("address", "What the address meant on the day of import", then, note="An address shows no identity."),
            *([_as_of_now(record.address, at)] if record.address else []),
        ]


def _as_of_now(address: str, at: datetime) -> Facts:
    verdict = verdict_on(address, at=at)
    rows = [
        ("Country", verdict.country),
        ("Anonymiser", verdict.anonymiser),
        ("Not public because", verdict.special_use),
        ("Network", verdict.network),
        ("Judged by", ", ".join(verdict.judged_by)),
    ]
    return Facts("now", "What the lists of today say", rows)


class RangeFilter(QuerysetFilter):
    title = "version"
    parameter_name = "version"
    options = {
        "current": ("current", lambda rows, user, today: rows.filter(is_current=True)),
        "older": ("older", lambda rows, user, today: rows.filter(is_current=False)),
    }


@admin.register(AddressRangeSnapshot)
class AddressRangeSnapshotAdmin(RecordAdmin):
    list_display = ["reference", "kind", "source", "as_of", "loaded_at", "range_count", "is_current"]
    list_filter = [RangeFilter]
    search_fields = ["reference", "source"]
    ordering = ["-loaded_at"]

    def badges(self, record):
        return [Badge("current", "good") if record.is_current else Badge("replaced by a later version")]

    def sections(self, record, *, user, at):
        facts = [
            ("Kind", record.kind),
            ("Source", record.source),
            ("Data as of", record.as_of),
            ("Loaded", record.loaded_at),
            ("By", record.loaded_by),
            ("Ranges", "an address database" if record.is_mmdb else record.range_count),
            ("SHA-256", record.sha256),
        ]
        note = "Lists are loaded at the command line: manage.py load_address_ranges KIND FILE."
        return [Facts("list", "List", facts, note=note), timeline_section(record)]

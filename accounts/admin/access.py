"""Access logs as taken in, access records, and the lists of networks they were judged by (requirement R18)."""

from django.contrib import admin
from django.http import StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.admin.address_sections import address_sections
from accounts.flows import access_elsewhere, access_refused
from accounts.flows.editions import current_snapshots, old_lists
from accounts.models import AccessBatch, AccessRecord, AddressRangeSnapshot
from accounts.rules.verdicts import DATABASE_KINDS, LIST_KINDS, days_old
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import downloads
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_LINES = 100
MOST_COUNTED = 10_000
MANY = "many, named in each line"


class RefusedFilter(QuerysetFilter):
    title = "lines"
    parameter_name = "lines"
    options = {
        "refused": ("with refused lines", lambda rows, user, today: rows.filter(refused_count__gt=0)),
        "elsewhere": (
            "with events of another account too",
            lambda rows, user, today: rows.filter(elsewhere_count__gt=0),
        ),
    }


def _lines(name: str):
    """A column of a list, headed by one word, so that all of them find room."""

    @admin.display(description=name, ordering=f"{name}_count")
    def shown(batch):
        return getattr(batch, f"{name}_count")

    shown.__name__ = name
    return shown


@admin.register(AccessBatch)
class AccessBatchAdmin(RecordAdmin):
    list_display = [
        "reference", "account", "file_name", "imported_at",
        *map(_lines, ("read", "new", "known", "waiting", "refused")),
    ]  # fmt: skip
    list_filter = [RefusedFilter]
    list_select_related = ["account"]
    search_fields = ["reference", "account__reference", "file_name"]
    ordering = ["-imported_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account")

    def extra_urls(self):
        view = self.admin_site.admin_view(self.refused_view)
        return [path("<path:object_id>/refused/", view, name="accounts_accessbatch_refused")]

    def refused_view(self, request, object_id):
        """The refused lines as they were sent, to be mended and sent again."""
        downloads.refuse_other_sites(request)
        record = self._record_or_404(request, object_id)
        lines = access_refused.as_text(record, by=request.user.as_actor, at=timezone.now())
        answer = StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")
        return downloads.guarded(answer, name=f"{record.reference}-refused.txt")

    def badges(self, record):
        badges = []
        if count := record.refused_count:
            badges.append(Badge(f"{count:,} line{'s' * (count != 1)} refused", "warning"))
        if count := _waiting_now(record):
            badges.append(Badge(f"{_many(count)} line{'s wait' if count != 1 else ' waits'}", "info"))
        return [*badges, *([Badge("events of another account too", "danger")] if record.elsewhere_count else [])]

    def sections(self, record, *, user, at):
        facts = [
            ("Account", Link(record.account, record.account) if record.account else MANY),
            ("File", record.file_name),
            ("Format", record.format),
            *([("SHA-256 of the mapping", record.mapping_sha256)] if record.mapping_sha256 else []),
            ("SHA-256", record.sha256),
            ("Taken in", record.imported_at),
            ("By", record.imported_by),
        ]
        counts = [
            ("Lines read", record.read_count),
            ("New", record.new_count),
            ("Known from before", record.known_count),
            ("Of accounts nobody knew", record.waiting_count),
            *([("Of these waiting now", _still_waiting(record))] if record.waiting_count else []),
            ("Refused", record.refused_count),
        ]
        records = f"{reverse('admin:accounts_accessrecord_changelist')}?batch__id__exact={record.pk}"
        return [
            Facts("file", "File", facts),
            Facts("counts", "What became of its lines", counts, url=records, url_label="Show the records"),
            _elsewhere(record),
            _refused(record, user),
            timeline_section(record),
        ]  # fmt: skip


def _waiting_now(record: AccessBatch) -> int:
    """How many of its lines still wait; counted once for all parts of a page, and no further than MOST_COUNTED."""
    if "waiting_now" not in record.__dict__:
        lines = record.waiting_lines.all()[: MOST_COUNTED + 1]
        record.waiting_now = lines.count() if record.waiting_count else 0
    return record.waiting_now


def _many(count: int) -> str:
    return f"more than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"


def _still_waiting(record: AccessBatch) -> str:
    count = _waiting_now(record)
    gone = "moved to their accounts, unless nobody claimed them in their days"
    if count == 0:
        return f"none: they were {gone}"
    return f"{_many(count)}; the others were {gone}" if count < record.waiting_count else _many(count)


def _elsewhere(record: AccessBatch) -> Table:
    """The other deliveries of the same bytes, and what was found of its events under other accounts."""
    rows = [
        [Link(each, each), Link(each.account, each.account) if each.account else MANY, _reading(each), each.imported_at]
        for each in access_elsewhere.same_bytes(record)[:MOST_LINES]
    ]
    return Table(
        "elsewhere", "The same elsewhere", ["Same bytes in", "Account", "Read as", "Taken in"], rows,
        empty="No other delivery held the same bytes.", note=access_elsewhere.in_words(record),
    )  # fmt: skip


def _reading(record: AccessBatch) -> str:
    return f"{record.format}, mapping {record.mapping_sha256[:12]}" if record.mapping_sha256 else record.format


def _refused(record: AccessBatch, user) -> Table:
    """Why lines were refused; how they were sent is for whoever may see access records."""
    rows = [[line.line, line.reason] for line in record.refused_lines.order_by("line")[: MOST_LINES + 1]]
    address = reverse("admin:accounts_accessbatch_refused", args=[record.pk])
    url = address if rows and user.has_perm("accounts.view_accessrecord") else ""
    note = "Mend the lines and send them again; what is there adds nothing." if rows else ""
    if len(rows) > MOST_LINES:
        note = f"The first {MOST_LINES} are shown. {note}"
    empty = "Every line could be used."
    if record.refused_count:
        empty = "The refused lines are gone; their days are over."
    return Table(
        "refused", "Refused lines", ["Line", "Why"], rows[:MOST_LINES], empty=empty, url=url, note=note,
        url_label="Download them as they were sent" if url else "",
    )  # fmt: skip


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
            *([("Port", record.port)] if record.address else [("Source", record.raw_source)]),
        ]
        return [Facts("act", "What was done", act), *address_sections(record, user=user, at=at)]


class RangeFilter(QuerysetFilter):
    title = "version"
    parameter_name = "version"
    options = {
        "current": ("current", lambda rows, user, today: rows.filter(is_current=True)),
        "old": ("current, and its data is old", lambda rows, user, today: rows.filter(pk__in=old_lists(today))),
        "older": ("replaced", lambda rows, user, today: rows.filter(is_current=False)),
    }


@admin.register(AddressRangeSnapshot)
class AddressRangeSnapshotAdmin(RecordAdmin):
    list_display = ["reference", "kind", "source", "as_of", "loaded_at", "range_count", "is_current"]
    list_filter = [RangeFilter]
    search_fields = ["reference", "source"]
    ordering = ["-loaded_at"]

    def badges(self, record):
        if not record.is_current:
            return [Badge("replaced by a later version")]
        is_old = old_lists(legal_day(timezone.now())).filter(pk=record.pk).exists()
        return [Badge("current", "good"), *([Badge("its data is old", "warning")] if is_old else [])]

    def sections(self, record, *, user, at):
        facts = [
            ("Kind", record.kind),
            ("Source", record.source),
            ("Data as of", record.as_of),
            ("Age of the data", days_old(max(0, (legal_day(at) - record.as_of).days))),
            ("Loaded", record.loaded_at),
            ("By", record.loaded_by),
            ("Ranges", "an address database" if record.is_mmdb else record.range_count),
            ("SHA-256", record.sha256),
        ]
        note = "Lists are loaded at the command line: manage.py load_address_ranges KIND FILE."
        return [Facts("list", "List", facts, note=note), _in_use(legal_day(at)), timeline_section(record)]


def _in_use(day) -> Table:
    old = set(old_lists(day).values_list("pk", flat=True))
    rows = [
        [
            each.kind, Link(each.source, each), each.as_of, days_old(max(0, (day - each.as_of).days)),
            Badge("old", "warning") if each.pk in old else Badge("fresh", "good"),
        ]
        for each in current_snapshots()
    ]  # fmt: skip
    missing = sorted(set(LIST_KINDS + DATABASE_KINDS) - {each[0] for each in rows})
    notes = [f"No list of these kinds is loaded: {', '.join(missing)}."] if missing else []
    if old:
        notes.append("What an old list says counts less. Load a newer version: addresses are then judged anew by it.")
    head = ["Kind", "Source", "Data as of", "Age", "State"]
    return Table("in-use", "Lists in use", head, rows, empty="No list is in use.", note=" ".join(notes))

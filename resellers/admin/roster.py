"""Rosters as the reseller desk sees them: files with what came of them, and customers with who they may be elsewhere.

What is found on several rosters is for the provider's own people: no reseller learns of another.
"""

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import masked
from resellers.flows import roster_keys
from resellers.models import RosterEntry, RosterUpload
from resellers.rules.roster import UploadState

MOST_LINES = 100
MOST_VERSIONS = 50
TONES = {
    UploadState.RECEIVED: "info", UploadState.READ: "warning", UploadState.ACCEPTING: "info",
    UploadState.STOPPED: "danger", UploadState.ACCEPTED: "good", UploadState.REFUSED: "danger",
    UploadState.DISCARDED: "",
}  # fmt: skip
SHARED = {"name_key": "Name", "email_key": "E-mail", "registration_key": "Registration number"}


class FaultsFilter(QuerysetFilter):
    title = "bad rows"
    parameter_name = "rows"
    options = {"bad": ("with bad rows", lambda rows, user, today: rows.filter(bad_count__gt=0))}


@admin.register(RosterUpload)
class RosterUploadAdmin(RecordAdmin):
    list_display = [
        "reference", "company", "file_name", "extent", "state", "read_count", "bad_count", "received_at", "received_by",
    ]  # fmt: skip
    list_filter = [FaultsFilter, "state", "extent"]
    list_select_related = ["reseller__account__party"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    search_help_text = "Reference of the file or of the reseller, or the reseller's name."
    ordering = ["-received_at"]

    @admin.display(description="reseller")
    def company(self, upload):
        return upload.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party")

    def page_title(self, upload):
        return f"Roster of {upload.reseller.account.party.legal_name}"

    def badges(self, upload):
        badges = [Badge(upload.get_state_display(), TONES[UploadState(upload.state)])]
        return badges + ([Badge(f"{upload.bad_count:,} bad rows", "warning")] if upload.bad_count else [])

    def sections(self, upload, *, user, at):
        return [_counts(upload), _faults(upload), _shared(upload), timeline_section(upload)]

    def aside(self, upload, *, user, at):
        facts = [
            ("Reseller", Link(upload.reseller.reference, upload.reseller)),
            ("File", upload.file_name),
            ("Format", upload.get_format_display()),
            ("Bytes", upload.size),
            ("SHA-256", upload.sha256),
            ("Extent", upload.get_extent_display()),
            ("Received", upload.received_at),
            ("From", upload.received_by),
            ("Read", upload.read_at),
            ("Accepted by", upload.agreed_by),
            ("Accepted", upload.agreed_at),
            ("Ended", upload.ended_at),
            ("Why it was refused or stopped", upload.problem),
        ]
        return [Facts("file", "The file", facts)]


def _counts(upload: RosterUpload) -> Facts:
    entries = f"{reverse('admin:resellers_rosterentry_changelist')}?upload__id__exact={upload.pk}"
    rows = [
        ("Rows gone through", upload.done_count),
        ("Rows read", upload.read_count),
        ("Bad", upload.bad_count),
        ("Bad rows are left out", upload.keeps_good_rows),
        ("New", upload.new_count),
        ("Stated anew", upload.changed_count),
        ("As before", upload.same_count),
        ("No longer on the roster", upload.gone_count),
    ]
    return Facts("counts", "What came of its rows", rows, url=entries, url_label="Show the customers it stated")


def _faults(upload: RosterUpload) -> Table:
    rows = [[fault.line, fault.reason] for fault in upload.faults.order_by("line")[:MOST_LINES]]
    note = f"The first {MOST_LINES} are shown." if len(rows) == MOST_LINES else ""
    return Table("faults", "Bad rows", ["Line", "Why"], rows, empty="No row was found bad.", note=note)


def _shared(upload: RosterUpload) -> Table:
    """How many rows may be customers that are known from elsewhere."""
    found = roster_keys.summary_of(upload)
    rows = [[SHARED[key], counts["own"], counts["elsewhere"]] for key, counts in found.items()]
    head = ["The same", "On this reseller's roster under another number", "On other resellers' rosters"]
    return Table(
        "shared", "Who may be known already", head, rows,
        note="Counted up to 1,000. For us only: no reseller learns of another.",
    )  # fmt: skip


class InForceFilter(QuerysetFilter):
    title = "in force"
    parameter_name = "force"
    options = {
        "now": ("now", lambda rows, user, today: rows.in_force()),
        "ended": ("no longer", lambda rows, user, today: rows.filter(ended_at__isnull=False)),
        "never": ("not yet or never", lambda rows, user, today: rows.filter(from_at__isnull=True)),
    }


class SharedFilter(QuerysetFilter):
    title = "known elsewhere"
    parameter_name = "shared"
    options = {
        "others": ("on another reseller's roster", lambda rows, user, today: roster_keys.with_others(rows)),
        "own": ("under another number of the same", lambda rows, user, today: roster_keys.with_own(rows)),
    }


class CountryFilter(admin.SimpleListFilter):
    title = "country"
    parameter_name = "country"

    def lookups(self, request, model_admin):
        return list(RosterEntry._meta.get_field("country").countries)

    def queryset(self, request, queryset):
        known = dict(self.lookup_choices)
        return queryset.filter(country=self.value()) if self.value() in known else queryset


@admin.register(RosterEntry)
class RosterEntryAdmin(RecordAdmin):
    list_display = [
        "reference", "company", "number", "name", "country", "verified_on", "from_at", "ended_at",
    ]  # fmt: skip
    list_filter = [InForceFilter, SharedFilter, "kind", CountryFilter]
    list_select_related = ["reseller__account__party"]
    search_fields = ["number"]  # see get_search_results
    search_help_text = "Reference of the customer or the reseller, the reseller's number, or how the name begins."
    ordering = ["reseller", "name", "pk"]
    logs_views = True  # it names people

    @admin.display(description="reseller")
    def company(self, entry):
        return entry.reseller.account.party.legal_name

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("reseller__account__party", "upload", "account")

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(number=term) | Q(reference=term.upper()) | Q(name__istartswith=term) | Q(reseller__reference=term)
        return queryset.filter(found), False

    def page_title(self, entry):
        return entry.name

    def badges(self, entry):
        if entry.from_at is None:
            return [Badge("not in force", "")]
        if entry.ended_at is None:
            return [Badge("in force", "good")]
        return [Badge(entry.get_ended_why_display(), "")]

    def sections(self, entry, *, user, at):
        return [_stated(entry, user), _versions(entry), *_duplicates(entry), timeline_section(entry)]

    def aside(self, entry, *, user, at):
        facts = [
            ("Reseller", Link(entry.reseller.reference, entry.reseller)),
            ("Its number for the customer", entry.number),
            ("File", Link(entry.upload.reference, entry.upload)),
            ("Line", entry.line),
            ("In force from", entry.from_at),
            ("Until", entry.ended_at),
        ]
        return [Facts("entry", "The statement", facts)]


def _stated(entry: RosterEntry, user) -> Facts:
    def sealed(column: str):
        value = getattr(entry, column)
        if not value:
            return None
        return value.reveal() if may_see(user, "resellers.rosterentry", column) else masked(column)

    rows = [
        ("Kind", entry.get_kind_display()),
        ("Country", entry.country.name),
        ("E-mail", sealed("email")),
        ("Birth date", sealed("birth_date")),
        ("Registration number", sealed("registration_number")),
        ("Product", entry.product),
        ("Customer since", entry.customer_since),
        ("Verified on", entry.verified_on),
        ("How", entry.get_method_display()),
        ("Sublets from", entry.parent_number),
        ("Customers between it and the reseller", entry.depth),
        ("Our account", Link(entry.account.reference, entry.account) if entry.account else None),
    ]
    return Facts("stated", "What the reseller states", rows)


def _versions(entry: RosterEntry) -> Table:
    """All that was stated of the same number, the newest first."""
    rows = RosterEntry.objects.filter(reseller=entry.reseller_id, number=entry.number, from_at__isnull=False)
    shown = [
        [Link(each.reference, each), each.name, each.country.code, each.from_at, each.ended_at,
         each.get_ended_why_display()]
        for each in rows.order_by("-from_at", "pk")[:MOST_VERSIONS]
    ]  # fmt: skip
    head = ["Statement", "Name", "Country", "From", "Until", "Why it ended"]
    return Table("versions", "What was stated of this number", head, shown, empty="Nothing is in force yet.")


def _duplicates(entry: RosterEntry) -> list[Table]:
    """Who may be the same customer, by name, e-mail or registration number."""
    found = roster_keys.duplicates_of(entry)

    def shares(other: RosterEntry) -> str:
        return ", ".join(
            title.lower() for key, title in SHARED.items() if getattr(entry, key) and getattr(other, key) == getattr(
                entry, key)
        )  # fmt: skip

    head = ["Statement", "Reseller", "Name", "The same", "In force from", "Until"]
    tables = []
    for id_, title, others in (
        ("elsewhere", "On other resellers' rosters", found.elsewhere),
        ("own", "Under other numbers of the same reseller", found.own),
    ):
        rows = [
            [
                Link(each.reference, each),
                Link(f"{each.reseller.reference}, {each.reseller.account.party.legal_name}", each.reseller),
                each.name, shares(each), each.from_at, each.ended_at,
            ]
            for each in others
        ]  # fmt: skip
        tables.append(Table(id_, title, head, rows, empty="Nobody shares name, e-mail or registration number."))
    return tables

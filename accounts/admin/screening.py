"""Watch lists as loaded, and hits for two people to judge (requirements R35, R37)."""

from datetime import date

from django.contrib import admin
from django.db import models

from accounts.admin.evidence_forms import JudgementForm
from accounts.flows import screening
from accounts.models import Party, ScreeningHit, WatchlistEntry, WatchlistSnapshot
from accounts.models.screening import HitStatus
from accounts.rules.hit_order import evidence_in_words
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import masked

MOST_SHOWN = 20

TONES = {
    HitStatus.OPEN: "warning",
    HitStatus.CONFIRM_PROPOSED: "warning",
    HitStatus.DISMISS_PROPOSED: "warning",
    HitStatus.CONFIRMED: "danger",
    HitStatus.DISMISSED: "good",
}


def score_in_words(hit: ScreeningHit) -> str:
    """The score (0 to 1) with its band, because a number alone tells nobody how much it is."""
    return f"{hit.score:.2f}, {'strong' if hit.is_strong else 'possible'}"


class ListFilter(QuerysetFilter):
    title = "version"
    parameter_name = "version"
    options = {
        "current": ("current", lambda rows, user, today: rows.filter(is_current=True)),
        "older": ("older", lambda rows, user, today: rows.filter(is_current=False)),
    }


@admin.register(WatchlistSnapshot)
class WatchlistSnapshotAdmin(RecordAdmin):
    list_display = ["reference", "list_name", "loaded_at", "loaded_by", "entry_count", "alias_count", "is_current"]
    list_filter = [ListFilter]
    search_fields = ["reference", "list_name"]
    ordering = ["-loaded_at"]

    def badges(self, record):
        return [Badge("current", "good") if record.is_current else Badge("replaced by a later version")]

    def sections(self, record, *, user, at):
        facts = [
            ("List", record.list_name),
            ("Loaded", record.loaded_at),
            ("By", record.loaded_by),
            ("Entries", record.entry_count),
            ("Aliases", record.alias_count),
            ("SHA-256 of the files", record.sha256),
        ]
        note = "Lists are loaded at the command line: manage.py load_watchlist KIND FOLDER."
        hits = record.hits.select_related("party").order_by("-screening__at", "reference")[:MOST_SHOWN]
        rows = [[Link(hit.reference, hit), hit.party, hit.entry_name, score_in_words(hit)] for hit in hits]
        head = ["Hit", "Party", "Entry", "Score"]
        return [
            Facts("list", "List", facts, note=note),
            Table("hits", "Newest hits", head, rows, empty="Nobody resembled an entry of this version."),
            timeline_section(record),
        ]


class HitFilter(QuerysetFilter):
    title = "judgement"
    parameter_name = "judgement"
    options = {
        "open": ("to be judged", lambda rows, user, today: rows.to_propose()),
        "unjudged": ("not judged by two yet", lambda rows, user, today: rows.unjudged()),
        "second": ("awaiting a second person", lambda rows, user, today: rows.awaiting_second(user)),
        "confirmed": ("confirmed", lambda rows, user, today: rows.confirmed()),
        "dismissed": ("dismissed", lambda rows, user, today: rows.filter(status=HitStatus.DISMISSED)),
    }


def judgement_facts(hit) -> list[tuple[str, object]]:
    """Who said what of a hit, as rows of facts."""
    return [
        ("Proposed by", hit.proposed_by),
        ("Because", hit.proposed_reason),
        ("Judged by", hit.judged_by),
        ("Judged", hit.judged_at),
        ("Carried from", hit.carried_from),
    ]


class JudgedByTwo(RecordAdmin):
    """The buttons by which two people judge a hit; `judging` has the flows propose_judgement and second_judgement.

    The second signature is a button of each kind of hit, because each has its own consequence to warn of.
    """

    judging = None

    def badges(self, hit):
        state = Badge(hit.get_status_display(), TONES.get(hit.status, ""))
        return [state, Badge(f"score {score_in_words(hit)}", "danger" if hit.is_strong else "warning")]

    def reasons_of(self, hit) -> list[list[str]]:
        """Why the two sides are alike, strongest first, and its place among equal scores; rows of a table."""
        reasons = [[sentence] for sentence in hit.reasons]
        if hit.evidence:
            reasons.append([f"Its place among equal scores: {evidence_in_words(hit.evidence)}"])
        return reasons

    @flow_action("Propose match", form=JudgementForm)
    def propose_match(self, hit, *, by, at, reason):
        self.judging.propose_judgement(hit, is_match=True, reason=reason, by=by, at=at)
        return f"{hit.reference} waits for a second person to confirm the match."

    @flow_action("Propose no match", form=JudgementForm)
    def propose_no_match(self, hit, *, by, at, reason):
        self.judging.propose_judgement(hit, is_match=False, reason=reason, by=by, at=at)
        return f"{hit.reference} waits for a second person to dismiss it."

    def what_is_signed(self, hit, name):
        return f"{hit.get_status_display()}, by {hit.proposed_by}: {hit.proposed_reason}"

    def agreed(self, hit, *, by, at, shown):
        """What the second signature does and says."""
        judged = self.judging.second_judgement(hit, agrees=True, shown=shown, by=by, at=at)
        return f"{hit.reference} is {judged.get_status_display()}."

    @flow_action("Return")
    def return_hit(self, hit, *, by, at):
        self.judging.second_judgement(hit, agrees=False, by=by, at=at)
        return f"{hit.reference} is open again."


@admin.register(ScreeningHit)
class ScreeningHitAdmin(JudgedByTwo):
    judging = screening
    list_display = ["reference", "party", "entry_name", "scored", "among_equals", "status", "snapshot"]
    list_filter = [HitFilter]
    list_select_related = ["party", "snapshot"]
    search_fields = ["reference", "entry_name", "party__legal_name", "party__reference"]
    ordering = list(ScreeningHit.ORDER)
    logs_views = True

    @admin.display(description="score", ordering="score")
    def scored(self, hit):
        return score_in_words(hit)

    @admin.display(description="among equal scores")
    def among_equals(self, hit):
        return evidence_in_words(hit.evidence)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("party", "snapshot", "screening")

    def page_title(self, record):
        return f"{record.party} and “{record.entry_name}”"

    def sections(self, record, *, user, at):
        entry = WatchlistEntry.objects.filter(snapshot=record.snapshot, uid=record.entry_uid).first()
        ours, theirs = _of_party(record.party, user), of_entry(entry)
        rows = [[name, ours.get(name, ""), theirs.get(name, "")] for name in {**ours, **theirs}]
        reasons = self.reasons_of(record)
        earlier = ScreeningHit.objects.filter(party=record.party, entry_uid=record.entry_uid).exclude(pk=record.pk)
        other = [
            [Link(hit.reference, hit), hit.snapshot, score_in_words(hit), hit.get_status_display(), hit.judged_by]
            for hit in earlier.select_related("snapshot").order_by("-screening__at")[:MOST_SHOWN]
        ]
        return [
            Table("compared", "Side by side", ["", "Customer", "List entry"], rows),
            Table("reasons", "Why the score is what it is", ["Reason"], reasons),
            Table(
                "earlier", "Other comparisons with this entry", ["Hit", "List", "Score", "State", "Judged by"], other,
                empty="There are none.",
            ),
            timeline_section(record),
        ]  # fmt: skip

    def aside(self, record, *, user, at):
        facts = [
            ("Party", Link(record.party.reference, record.party)),
            ("List", Link(record.snapshot, record.snapshot)),
            ("Entry", record.entry_uid),
            ("Programmes", ", ".join(record.programmes)),
            ("Screened", record.screening.at),
            *judgement_facts(record),
        ]
        return [Facts("state", "Judgement", facts)]

    @flow_action(
        "Agree", primary=True, signs=screening.digest_of,
        warning="This is the second signature. A confirmed match raises a red flag on every account it touches.",
    )  # fmt: skip
    def agree(self, hit, *, by, at, shown):
        return self.agreed(hit, shown=shown, by=by, at=at)


def _of_party(party: Party, user) -> dict[str, object]:
    """What a judge needs of the customer. Numbers, wallets, e-mails stay masked: the reasons say whether they agree."""
    countries = [party.citizenship.name, party.formation_country.name]
    countries += [address.country.name for address in party.addresses.only("country", "party").order_by("kind", "pk")]
    born = ""
    if party.birth_date:
        may_compare = policy_table.may_see(user, "accounts.screeninghit", "birth_date")
        born = date.fromisoformat(party.birth_date.reveal()) if may_compare else masked("birth date")
    counted = party.documents.count() + bool(party.national_id) + bool(party.registration_number)
    return {
        "Name": party.legal_name,
        "Further names": "; ".join(party.names.order_by("name").values_list("name", flat=True)),
        "Kind": party.get_kind_display(),
        "Born": born,
        "Countries": "; ".join(dict.fromkeys(name for name in countries if name)),
        "Addresses": _on_file(party.addresses.all()),
        "Numbers": f"{counted} on file" if counted else "",
        "Wallets": _on_file(party.payment_methods.filter(kind="wallet")),
        "E-mail": _on_file(party.contact_points.filter(kind="email")),
    }


def _on_file(rows: models.QuerySet) -> str:
    count = rows.count()
    return f"{count} on file" if count else ""


def of_entry(entry: WatchlistEntry | None) -> dict[str, object]:
    """The entry as its publisher spells it; public data."""
    if entry is None:
        return {}
    found = entry.details
    addresses = ["; ".join(part for part in address if part) for address in found.get("addresses", [])]
    numbers = [" ".join(part for part in number if part) for number in found.get("identifiers", [])]
    return {
        "Name": entry.name,
        "Further names": "; ".join(f"{name} ({kind})" for name, kind in entry.aliases),
        "Kind": entry.kind,
        "Born": "; ".join(found.get("birth_dates", [])),
        "Countries": "; ".join(found.get("nationalities", [])),
        "Addresses": " | ".join(addresses),
        "Numbers": "; ".join(numbers),
        "Wallets": "; ".join(" ".join(wallet) for wallet in found.get("wallets", [])),
        "E-mail": "; ".join(found.get("emails", [])),
        "Remarks": entry.remarks,
    }

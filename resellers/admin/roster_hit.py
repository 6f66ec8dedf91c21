"""Hits on customers that resellers state, for two people to judge (requirements R35, R37, R64)."""

from datetime import date

from django.contrib import admin
from django.db.models import Count, Max, Q, Sum

from accounts.admin.screening import JudgedByTwo, judgement_facts, of_entry, score_in_words
from accounts.models import WatchlistEntry
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section
from kyc_portal.staff.templatetags.marks import masked
from resellers.flows import roster_hits
from resellers.models import Reseller, RosterEntry, RosterHit, RosterScreening

MOST_SHOWN = 20


class JudgementFilter(QuerysetFilter):
    title = "judgement"
    parameter_name = "judgement"
    options = {
        "open": ("to be judged", lambda rows, user, today: rows.to_propose()),
        "unjudged": ("not judged by two yet", lambda rows, user, today: rows.unjudged()),
        "second": ("awaiting a second person", lambda rows, user, today: rows.awaiting_second(user)),
        "confirmed": ("confirmed", lambda rows, user, today: rows.confirmed()),
        "holding": ("all that hold now", lambda rows, user, today: rows.of_customers()),
    }


@admin.register(RosterHit)
class RosterHitAdmin(JudgedByTwo):
    judging = roster_hits
    list_display = ["reference", "customer", "company", "entry_name", "scored", "status", "snapshot"]
    list_filter = [JudgementFilter]
    list_select_related = ["entry", "snapshot", "reseller__account__party"]
    search_fields = ["reference", "entry_name", "entry__name", "entry__reference", "reseller__reference"]
    ordering = list(RosterHit.ORDER)
    logs_views = True

    @admin.display(description="customer")
    def customer(self, hit):
        return hit.entry.name

    @admin.display(description="reseller")
    def company(self, hit):
        return hit.reseller.account.party.legal_name

    @admin.display(description="score", ordering="score")
    def scored(self, hit):
        return score_in_words(hit)

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("entry__account", "entry__reseller__account", "snapshot", "reseller__account__party")

    def page_title(self, hit):
        return f"{hit.entry.name} and “{hit.entry_name}”"

    def sections(self, hit, *, user, at):
        listed = WatchlistEntry.objects.filter(snapshot=hit.snapshot, uid=hit.entry_uid).first()
        ours, theirs = _of_customer(hit.entry, user), of_entry(listed)
        rows = [[name, ours.get(name, ""), theirs.get(name, "")] for name in {**ours, **theirs}]
        reasons = self.reasons_of(hit)
        earlier = RosterHit.objects.filter(reseller=hit.reseller, number=hit.number).exclude(pk=hit.pk)
        other = [
            [
                Link(each.reference, each),
                each.entry_name,
                each.snapshot,
                score_in_words(each),
                each.get_status_display(),
            ]
            for each in earlier.select_related("snapshot").order_by("-found_at", "pk")[:MOST_SHOWN]
        ]
        return [
            Table("compared", "Side by side", ["", "Customer of the reseller", "List entry"], rows),
            Table("reasons", "Why the score is what it is", ["Reason"], reasons),
            Table(
                "earlier", "Other hits on this customer", ["Hit", "Entry", "List", "Score", "State"], other,
                empty="There are none.",
            ),
            timeline_section(hit),
        ]  # fmt: skip

    def aside(self, hit, *, user, at):
        account = hit.entry.account
        facts = [
            ("Reseller", Link(hit.reseller.reference, hit.reseller)),
            ("Customer", hit.entry.reference),
            ("Number at the reseller", hit.number),
            ("On the roster", "no longer" if hit.entry.ended_at else "yes"),
            ("Account with us", Link(account.reference, account) if account else None),
            ("List", Link(hit.snapshot, hit.snapshot)),
            ("Entry", hit.entry_uid),
            ("Programmes", ", ".join(hit.programmes)),
            ("Found", hit.found_at),
            *judgement_facts(hit),
        ]
        return [Facts("state", "Judgement", facts)]

    @flow_action(
        "Agree", primary=True, signs=roster_hits.digest_of,
        warning="This is the second signature. After a confirmed match no account of this customer can be opened.",
    )  # fmt: skip
    def agree(self, hit, *, by, at, shown):
        return self.agreed(hit, shown=shown, by=by, at=at)


def _of_customer(entry: RosterEntry, user) -> dict[str, object]:
    """What a judge needs of the customer. Number and e-mail stay masked: the reasons say whether they agree."""
    born = ""
    if entry.birth_date:
        may_compare = policy_table.may_see(user, "resellers.rosterhit", "birth_date")
        born = date.fromisoformat(entry.birth_date.reveal()) if may_compare else masked("birth date")
    return {
        "Name": entry.name,
        "Further names": "",
        "Kind": entry.get_kind_display(),
        "Born": born,
        "Countries": entry.country.name,
        "Numbers": "on file" if entry.registration_number else "",
        "E-mail": "on file" if entry.email else "",
    }


def screenings_section(reseller: Reseller) -> Table:
    """How far our own screening of a reseller's customers is, list by list; one query."""
    found = (
        RosterScreening.objects.filter(upload__reseller=reseller)
        .values("list_name")
        .annotate(
            files=Count("pk"), waiting=Count("pk", filter=Q(finished_at__isnull=True)), customers=Sum("done_count"),
            last=Max("finished_at"),
        )
        .order_by("list_name")
    )  # fmt: skip
    rows = [
        [
            row["list_name"], Badge("under way", "info") if row["waiting"] else Badge("done", "good"),
            f"{row['files'] - row['waiting']:,} of {row['files']:,}", row["customers"], row["last"],
        ]
        for row in found
    ]  # fmt: skip
    return Table(
        "roster-screenings", "Our own screening of its customers",
        ["List", "State", "Roster files done", "Customers compared", "Last"], rows,
        empty="Nothing was compared yet: no roster is in force, or no list is loaded.",
        note="Runs by itself when a roster comes in force and when a list changes. The reseller learns nothing of it.",
    )  # fmt: skip

"""Ties to whom we shut out: on the pages of customers and cases, and each on a page of its own, where it is judged."""

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from accounts.admin.forms import lines_field
from accounts.flows import seen_before as flows
from accounts.flows.shut_out import outcome_of
from accounts.models import Party, SeenBefore
from accounts.models.seen_before import Judgement
from accounts.rules.links import in_words
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_SHOWN = 20
DUE = "What came last was not compared yet; it is within minutes."
TONES = {Judgement.SAME: "danger", Judgement.NOT_SAME: "good", Judgement.CANNOT_TELL: "warning"}
NO_NAMES = "No names or numbers of people: everybody who sees the customer reads this."


def graph_of(party: Party) -> str:
    """The address of the graph of a customer's ties."""
    try:
        return reverse("accounts:links", args=[party.pk])
    except NoReverseMatch:
        return ""


def section(*parties: Party) -> Table:
    """Whom these customers may have been before, and as whom they may have come again; one query.

    Of several each row names whose it is; a tie between two of them stands once.
    """
    keys = {party.pk for party in parties}
    ties = SeenBefore.objects.filter(Q(party__in=keys) | Q(earlier__in=keys)).select_related("party", "earlier")
    ties = ties.order_by("over_at", "-score", "reference")[:MOST_SHOWN]
    rows = [(_row if tie.party_id in keys else _again)(tie) for tie in ties]
    head = ["Customer", "Tie", "Other customer", "How strong, and why", "Judged"]
    if len(keys) == 1:
        head, rows = head[1:], [row[1:] for row in rows]
    empty = "Nothing ties them to anybody who was closed for cause, restricted or refused."
    note = "Shared values say that two may be one, not that they are; rare ones say more (own policy)."
    if any(party.look_back_due for party in parties):  # then nobody can say that there is nothing
        empty = DUE
        note = f"{DUE} {note}" if rows else note
    url = graph_of(parties[0]) if len(keys) == 1 else ""
    return Table(
        "seen-before", "Seen before", head, rows, empty=empty, note=note, url=url,
        url_label="Show as a graph" if url else "",
    )  # fmt: skip


def _row(tie: SeenBefore) -> list:
    return [Link(tie.party.reference, tie.party), Link(tie.reference, tie), _earlier(tie), _strength(tie), judged(tie)]


def _earlier(tie: SeenBefore):
    return Link(tie.earlier_reference, tie.earlier) if tie.earlier else f"{tie.earlier_reference} (file purged)"


def _again(tie: SeenBefore) -> list:
    other = Link(f"{tie.party.reference}, came later", tie.party)
    return [Link(tie.earlier.reference, tie.earlier), Link(tie.reference, tie), other, _strength(tie), judged(tie)]


def _strength(tie: SeenBefore) -> str:
    return f"{tie.score:.0%}. {tie.sentence}"


def judged(tie: SeenBefore) -> Badge:
    """Where a tie stands, as a badge."""
    if tie.over_at is not None:
        return Badge("over", "")
    if not tie.judgement:
        return Badge("to judge", "warning")
    return Badge(tie.get_judgement_display(), TONES[Judgement(tie.judgement)])


class JudgementFilter(QuerysetFilter):
    title = "judgement"
    parameter_name = "judgement"
    options = {
        "open": ("to judge", lambda rows, user, today: rows.to_judge()),
        "same": ("the same", lambda rows, user, today: rows.filter(judgement=Judgement.SAME)),
        "other": ("not the same", lambda rows, user, today: rows.filter(judgement=Judgement.NOT_SAME)),
        "cannot_tell": ("cannot be told", lambda rows, user, today: rows.filter(judgement=Judgement.CANNOT_TELL)),
        "over": ("over", lambda rows, user, today: rows.filter(over_at__isnull=False)),
    }


class JudgeForm(forms.Form):
    """Whether the two are one customer, and why."""

    judgement = forms.ChoiceField(label="The two are", choices=Judgement.choices, widget=forms.RadioSelect)
    why = lines_field("Reason", flows.LONGEST_WHY, required=True, help_text=NO_NAMES)

    def clean_why(self):
        return " ".join(self.cleaned_data["why"].split())


@admin.register(SeenBefore)
class SeenBeforeAdmin(RecordAdmin):
    list_display = [
        "reference",
        "party",
        "earlier_reference",
        "outcome",
        "strength",
        "judgement",
        "found_at",
        "over_at",
    ]
    list_filter = [JudgementFilter]
    list_select_related = ["party"]
    search_fields = ["reference", "party__reference", "earlier_reference"]
    ordering = ["-found_at"]

    @admin.display(description="what became of the earlier", ordering="why")
    def outcome(self, tie):
        return outcome_of(tie.why)

    @admin.display(description="strength", ordering="score")
    def strength(self, tie):
        return f"{tie.score:.0%}"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("party", "earlier")

    def badges(self, record):
        return [judged(record)]

    def sections(self, record, *, user, at):
        facts = [
            ("Customer", Link(f"{record.party.legal_name} ({record.party.reference})", record.party)),
            ("Earlier customer", _earlier(record)),
            ("What became of it", outcome_of(record.why)),
            ("Strength", f"{record.score:.0%}"),
            ("Why", record.sentence),
            ("Holds up", ", ".join(flows.held_up_by(record, at=at))),
            ("Found", record.found_at),
            ("Judged", record.get_judgement_display()),
            ("By", record.judged_by),
            ("On", record.judged_at),
            ("Reason", record.judged_why),
            ("Over since", record.over_at),
        ]
        shared = [[in_words(each["kind"], 2), each["holders"]] for each in record.shared]
        graph = graph_of(record.party)
        return [
            Facts("tie", "Tie", facts, url=graph, url_label="Show as a graph" if graph else ""),
            Table("shared", "What they share", ["Value", "Customers who have it"], shared, empty="Nothing any more."),
            timeline_section(record),
        ]

    @flow_action(
        "Judge", form=JudgeForm, primary=True, when=lambda tie: tie.over_at is None,
        warning="Look at both files first. Shared values are no proof: people share flats, offices and banks. The same "
        "evidence is not raised again.",
    )  # fmt: skip
    def judge(self, tie, *, by, at, judgement, why):
        judged_tie = flows.judge(tie, judgement=judgement, why=why, by=by, at=at)
        return f"{judged_tie.reference}: {judged_tie.get_judgement_display()}."

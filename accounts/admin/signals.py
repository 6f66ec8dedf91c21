"""Red flags, and the catalogue of what raises them (regulation 3.12; requirements R82, R83)."""

from itertools import groupby

from django.contrib import admin
from django.db import models
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.models import RiskSignal, ScreeningHit
from accounts.rules.detectors import BY_CODE, DETECTORS
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

CATALOGUE = "admin:accounts_risksignal_catalogue"


class AnswerFilter(QuerysetFilter):
    title = "answer"
    parameter_name = "answer"
    options = {
        "open": ("open", lambda rows, user, today: rows.open()),
        "answered": ("answered", lambda rows, user, today: rows.filter(answered_at__isnull=False)),
    }


@admin.register(RiskSignal)
class RiskSignalAdmin(RecordAdmin):
    list_display = ["reference", "title", "account", "weight", "known_at", "answered_at", "answer"]
    list_filter = [AnswerFilter]
    list_select_related = ["account"]
    search_fields = ["reference", "account__reference", "code"]
    ordering = ["-known_at"]

    @admin.display(description="red flag", ordering="code")
    def title(self, signal):
        return title_of(signal.code)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account")

    def extra_urls(self):
        view = self.admin_site.admin_view(self.catalogue_view)
        return [path("catalogue/", view, name="accounts_risksignal_catalogue")]

    def badges(self, record):
        return [Badge("open", "warning") if record.answered_at is None else Badge(f"answered: {record.answer}", "good")]

    def sections(self, record, *, user, at):
        detector = BY_CODE.get(record.code)
        facts = [
            ("Account", Link(record.account, record.account)),
            ("Red flag", title_of(record.code)),
            ("Weight", f"{record.weight} of 100"),
            ("Known since", record.known_at),
            ("Answered", record.answered_at),
            ("Answer", record.answer),
        ]
        meaning = [("What it means", _plain(detector.explanation))] if detector else []
        return [
            Facts("flag", "Red flag", facts + meaning, url=reverse(CATALOGUE), url_label="All red flags"),
            Table("evidence", "Evidence", ["What", "Which"], _evidence(record), empty="None is kept."),
            timeline_section(record),
        ]

    def catalogue_view(self, request):
        """Every red flag there is: what it means, what to do, how often it was raised."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Catalogue of red flags",
            "has_view_permission": True,
            "page_head": {"reference": "Catalogue", "title": "What raises a red flag"},
            "sections": catalogue(),
        }
        return TemplateResponse(request, "admin/change_form.html", context)


def title_of(code: str) -> str:
    """The flag's title; a flag that left the catalogue shows its code."""
    return BY_CODE[code].title if code in BY_CODE else code


def catalogue() -> list[Table]:
    """One table for each family of red flags, with how often each was raised and how many are open; three queries."""
    counted = (
        RiskSignal.objects.order_by()
        .values_list("code")
        .annotate(raised=models.Count("pk"), open=models.Count("pk", filter=models.Q(answered_at__isnull=True)))
    )
    counts = {code: (raised, still_open) for code, raised, still_open in counted}
    weights = regime_on(legal_day(timezone.now())).figures
    head = ["Red flag", "Weight", "Why so much", "What it means and what to do", "Raised", "Open"]
    tables = []
    for family, detectors in groupby(sorted(DETECTORS, key=lambda each: each.family), key=lambda each: each.family):
        rows = [
            [
                each.title, *_weight(weights.get(f"weight_{each.code}")),
                _plain(each.explanation), *counts.get(each.code, (0, 0)),
            ]
            for each in detectors
        ]  # fmt: skip
        tables.append(Table(family.replace(" ", "-"), family.capitalize(), head, rows))
    return tables


def _weight(figure) -> tuple[object, str]:
    """The weight and its reason; a profile of somebody's own may have none."""
    return (int(figure.value), figure.reason) if figure else (None, "The regime profile has no such figure. Add it.")


def _plain(docstring: str) -> str:
    return " ".join(docstring.split())


def _evidence(signal: RiskSignal) -> list[list[object]]:
    """The evidence as rows; references of hits lead to their pages."""
    named = signal.evidence.get("hits", [])
    hits = {hit.reference: hit for hit in ScreeningHit.objects.filter(reference__in=named)} if named else {}
    rows = [["hit", Link(name, hits[name]) if name in hits else name] for name in named]
    for name, value in signal.evidence.items():
        if name != "hits":
            rows.append([name.replace("_", " "), _in_words(value)])
    return rows


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_in_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value)
    return str(value)

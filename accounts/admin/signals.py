"""Red flags, and the catalogue of what raises them (regulation 3.12; requirements R82, R83)."""

from django.contrib import admin
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.admin.detector_pages import catalogue, detector_sections, page_of, title_of
from accounts.models import RiskSignal, ScreeningHit
from accounts.rules.detectors import BY_CODE
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section


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
        view = self.admin_site.admin_view
        return [
            path("catalogue/", view(self.catalogue_view), name="accounts_risksignal_catalogue"),
            path("catalogue/<slug:code>/", view(self.detector_view), name="accounts_risksignal_detector"),
        ]

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
            ("Found", record.get_found_display()),
        ]
        meaning = [("What it means", detector.meaning), ("What may be innocent", detector.innocent)] if detector else []
        return [
            Facts("flag", "Red flag", facts + meaning, url=page_of(record.code), url_label="About this red flag"),
            Table("evidence", "Evidence", ["What", "Which"], _evidence(record), empty="None is kept."),
            timeline_section(record),
        ]

    def catalogue_view(self, request):
        """Every red flag there is: what it means, what to do, how often it was raised and found right."""
        head = {"reference": "Catalogue", "title": "What raises a red flag"}
        return self._own_page(request, head, catalogue(on=legal_day(timezone.now())))

    def detector_view(self, request, code):
        """One detector: what it means, its figures, how often it fires, how often it was right."""
        if code not in BY_CODE:
            raise Http404
        head = {"reference": "Red flag", "title": title_of(code)}
        return self._own_page(request, head, detector_sections(BY_CODE[code], on=legal_day(timezone.now())))

    def _own_page(self, request, head: dict, sections: list):
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": head["title"],
            "has_view_permission": True, "page_head": head, "sections": self.for_viewer(request, sections),
        }  # fmt: skip
        return TemplateResponse(request, "admin/change_form.html", context)


def _evidence(signal: RiskSignal) -> list[list[object]]:
    """The evidence as rows; references of hits and keys of access records lead to their pages."""
    named = signal.evidence.get("hits", [])
    hits = {hit.reference: hit for hit in ScreeningHit.objects.filter(reference__in=named)} if named else {}
    rows = [["hit", Link(name, hits[name]) if name in hits else name] for name in named]
    for name, value in signal.evidence.items():
        if name == "records" and isinstance(value, dict):
            rows += [
                [f"{which} access", Link("access record", reverse("admin:accounts_accessrecord_change", args=[key]))]
                for which, key in value.items()
            ]
        elif name != "hits":
            rows.append([name.replace("_", " "), _in_words(value)])
    return rows


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_in_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value)
    return str(value)

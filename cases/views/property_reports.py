"""A report on blocked property or a rejected transaction: as a page to print, as JSON, as CSV."""

from django.contrib import admin
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.flows import property_reports
from cases.formats.property_report import as_csv, as_json
from cases.models import PropertyReport
from kyc_portal.staff import downloads
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.stepup import require_recent_login

TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "page": "text/html"}


@require_recent_login
def file(request, key, kind):
    """The report in one of the forms; 404 for any other, and while nothing is drafted."""
    downloads.refuse_other_sites(request)
    report = PropertyReport.objects.select_related("account", "citation").filter(pk=key).first()
    if kind not in TYPES or report is None or report.drafted_at is None:
        raise Http404
    fields = property_reports.take_file(report, kind=kind, by=request.user.as_actor, at=timezone.now())
    if kind == "page":
        context = {
            **admin.site.each_context(request), "title": f"{report.get_kind_display().capitalize()}: report",
            "report": report, "fields": fields, "opts": PropertyReport._meta, "back": url_of(report),
            "digest": report.approved_sha256,
        }  # fmt: skip
        return TemplateResponse(request, "cases/property_report.html", context)
    body = as_json(fields) if kind == "json" else b"".join(as_csv(fields))
    return downloads.guarded(HttpResponse(body, content_type=TYPES[kind]), name=f"{report.reference}.{kind}")

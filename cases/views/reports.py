"""Download an abuse report as it was sent. It may be hostile: it leaves as bytes that no browser opens."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from cases.flows import abuse_reports
from cases.models import AbuseReport
from kyc_portal.refusal import Refusal
from kyc_portal.staff import downloads
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.stepup import require_recent_login


@require_recent_login
def original(request, key):
    """The bytes as an attachment, whatever they say they are; 404 when they are not in the store."""
    downloads.refuse_other_sites(request)
    report = get_object_or_404(rows_for(request.user, AbuseReport.objects.select_related("case")), pk=key)
    try:
        data = abuse_reports.take_original(report, by=request.user.as_actor, at=timezone.now())
    except Refusal as refusal:
        raise Http404(str(refusal)) from None
    answer = HttpResponse(data, content_type="application/octet-stream")
    return downloads.guarded(answer, name=f"{report.reference}.json")

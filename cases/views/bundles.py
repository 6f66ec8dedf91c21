"""Download a built bundle: right, existence, audit, then a zip made while it is sent."""

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone

from cases.flows import bundles
from cases.models import Bundle
from kyc_portal.staff import downloads
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.stepup import require_recent_login


@require_recent_login
def download(request, reference):
    """The bundle as an attachment; 404 while there is nothing built, or what is there is not what was built."""
    downloads.refuse_other_sites(request)
    if not bundles.REFERENCE.fullmatch(reference):
        raise Http404
    bundle = rows_for(request.user, Bundle.objects.select_related("case")).filter(reference=reference).first()
    if bundle is None:
        raise Http404
    try:
        folder = bundles.note_download(bundle, by=request.user.as_actor, at=timezone.now())
    except bundles.NotBuilt as refusal:
        raise Http404(str(refusal)) from None
    answer = StreamingHttpResponse(downloads.zipped(folder), content_type="application/zip")
    return downloads.guarded(answer, name=f"{bundle.reference}.zip")

"""Download a built bundle: right, existence, audit, then a zip made while it is sent."""

from django.contrib import admin
from django.http import Http404, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.flows import bundle_preview, bundles, standing
from cases.models import Bundle
from cases.rules.disclosure import Ground, Recipient
from kyc_portal.staff import downloads
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.stepup import require_recent_login


@require_recent_login
def preview(request, reference):
    """The bundle as its recipient will see it, before anybody approves it; each look is recorded."""
    downloads.refuse_other_sites(request)
    if not bundles.REFERENCE.fullmatch(reference):
        raise Http404
    bundle = Bundle.objects.select_related("case").filter(reference=reference).first()
    if bundle is None:
        raise Http404
    shown = bundle_preview.look(bundle, by=request.user.as_actor, at=timezone.now())
    context = {
        **admin.site.each_context(request), "title": f"Preview of {bundle.reference}", "bundle": bundle, "shown": shown,
        "opts": Bundle._meta, "back": url_of(bundle), "recipient": Recipient(bundle.recipient).label,
        "ground": Ground(bundle.ground).label,
    }  # fmt: skip
    return TemplateResponse(request, "cases/bundle_preview.html", context)


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
    except (bundles.NotBuilt, standing.StandsStill) as refusal:
        raise Http404(str(refusal)) from None
    answer = StreamingHttpResponse(downloads.zipped(folder), content_type="application/zip")
    return downloads.guarded(answer, name=f"{bundle.reference}.zip")

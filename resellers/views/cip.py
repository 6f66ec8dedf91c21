"""The reseller manager's page of its CIP: where it stands, what was found missing, and the next version (R55)."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.typed import is_sound
from resellers.flows import cip, cip_review, file
from resellers.models import Reseller, ResellerCip
from resellers.rules.cip import BY_CODE, WAITING, CipStatus, requirements_of

MOST_SHOWN = 20

# What an outsider may read: who judges, and what is proposed, is between us.
STATE_WORDS = {
    CipStatus.SUBMITTED: ("handed in, waits for our review", "info"),
    CipStatus.UNDER_REVIEW: ("being reviewed by us", "info"),
    CipStatus.APPROVAL_PROPOSED: ("being reviewed by us", "info"),
    CipStatus.REJECTION_PROPOSED: ("being reviewed by us", "info"),
    CipStatus.RETURNED: ("returned with gaps", "warning"),
    CipStatus.APPROVED: ("approved", "good"),
    CipStatus.REJECTED: ("not accepted", "danger"),
    CipStatus.REPLACED: ("replaced by a later version", ""),
}


class CipForm(forms.Form):
    """The next version, pasted as it stands."""

    title = forms.CharField(max_length=200, label="Title")
    text = forms.CharField(
        max_length=cip.LONGEST, strip=False, label="Text", widget=forms.Textarea(attrs={"rows": 18}),
        help_text="The whole text; what you hand in is kept as it is and cannot be changed later.",
    )  # fmt: skip


def reseller_or_404(request, reference: str) -> Reseller:
    """One of this person's own resellers; of another one they do not even learn that it exists."""
    rows = Reseller.objects.visible_to(request.user).select_related("account__party")
    found = rows.filter(reference=reference).first()
    if found is None:
        raise Http404
    return found


def page(request, reference):
    """Show the versions of one reseller's CIP and take in the next one. Staff have their own screens."""
    if request.user.is_staff:
        return redirect("admin:index")
    reseller, at = reseller_or_404(request, reference), timezone.now()
    form = CipForm(request.POST) if request.method == "POST" else CipForm()
    if form.is_bound and is_sound(form):
        try:
            handed_in = cip.submit_cip(reseller, by=request.user.as_actor, at=at, **form.cleaned_data)
            messages.success(request, f"{handed_in.reference} is handed in. We will review it.")
            return HttpResponseRedirect(reverse("resellers:cip", args=[reseller.reference]))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    versions = list(reseller.cips.order_by("-number")[:MOST_SHOWN])
    waits = not form.is_bound and any(version.status in WAITING for version in versions[:1])
    context = {
        "title": "Your CIP", "reseller": reseller.reference, "form": form, "waits": waits,
        "rows": [_row(version) for version in versions], "gaps": _gaps(versions[0]) if versions else [],
        "asked": requirements_of("own"), "may_sell": file.standing_of(reseller, on=legal_day(at)).may_sell,
        "crumbs": [{"label": "Your CIP"}],
    }  # fmt: skip
    return render(request, "resellers/cip.html", context)


def _row(version: ResellerCip) -> dict:
    words, tone = STATE_WORDS[CipStatus(version.status)]
    why = version.reason if version.status == CipStatus.REJECTED else ""
    return {"version": version, "words": words, "tone": tone, "why": why}


def _gaps(version: ResellerCip) -> list[dict]:
    """What was found missing in a version that came back; nothing while it is being reviewed."""
    if version.status != CipStatus.RETURNED:
        return []
    found = cip_review.latest(version)
    return [
        {"title": BY_CODE[each.code].title, "words": found[each.code].words}
        for each in requirements_of(version.source)
        if each.code in found and found[each.code].verdict == "gap"
    ]

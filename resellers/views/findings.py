"""What is held against a reseller, as its manager reads it: what to do, until when, and the plan they hand in (R59)."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sections import Clock
from kyc_portal.staff.typed import is_sound
from resellers.flows import findings
from resellers.models import Finding
from resellers.rules.findings import STANDING, FindingState

MOST_SHOWN = 50

# Who proposed, and what it was known from, is between us.
STATE_WORDS = {
    FindingState.OPEN: ("to be cured: tell us how", "danger"),
    FindingState.PLANNED: ("your plan is with us", "warning"),
    FindingState.CURE_PROPOSED: ("being looked at by us", "info"),
    FindingState.CURED: ("cured", "good"),
    FindingState.WITHDRAWN: ("withdrawn by us", ""),
    FindingState.ENDED: ("over with the relationship", ""),
}


class PlanForm(forms.Form):
    """How and by when it will be cured."""

    plan = forms.CharField(
        max_length=findings.LONGEST, label="What you will do, and by when", widget=forms.Textarea(attrs={"rows": 8})
    )


def own(request):
    """The findings against this person's resellers, those to be cured first."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = (
        Finding.objects.visible_to(request.user)
        .select_related("reseller", "citation")
        .order_by("due_on", "pk")[:MOST_SHOWN]
    )
    today = legal_day(timezone.now())
    shown = sorted((_row(row, today) for row in rows), key=lambda row: not row["stands"])
    context = {"title": "Findings", "rows": shown, "crumbs": [{"label": "Findings"}]}
    return render(request, "resellers/findings.html", context)


def one(request, reference):
    """What is asked in one finding, and the form of the plan."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Finding.objects.visible_to(request.user).select_related("reseller__account", "citation")
    finding = rows.filter(reference=reference).first()
    if finding is None:
        raise Http404
    takes_plan = finding.state in (FindingState.OPEN, FindingState.PLANNED)
    form = PlanForm(request.POST) if request.method == "POST" else PlanForm()
    if form.is_bound and is_sound(form):
        try:
            findings.plan_cure(finding, by=request.user.as_actor, at=timezone.now(), **form.cleaned_data)
            messages.success(request, "Your plan is handed in. The last day stays as it is.")
            return HttpResponseRedirect(reverse("resellers:finding", args=[finding.reference]))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {
        "title": finding.reference, "reseller": finding.reseller.reference,
        "row": _row(finding, legal_day(timezone.now())), "form": form,
        "takes_plan": takes_plan, "plan": finding.plan.reveal() if finding.plan else "",
        "crumbs": [{"label": "Findings", "url": reverse("resellers:findings")}, {"label": finding.reference}],
    }  # fmt: skip
    return render(request, "resellers/finding.html", context)


def _row(finding: Finding, today) -> dict:
    words, tone = STATE_WORDS[FindingState(finding.state)]
    stands = finding.state in STANDING
    clock = Clock(finding.due_on, finding.citation.standing).seen_on(today) if stands else None
    return {"finding": finding, "words": words, "tone": tone, "clock": clock, "stands": stands}

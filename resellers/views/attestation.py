"""The pages on which a reseller's manager signs the yearly attestation (R63)."""

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_countries import countries

from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import statement_on
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sections import Clock
from kyc_portal.staff.templatetags.marks import Badge
from resellers.flows import attestation as flows
from resellers.models import Attestation, Reseller
from resellers.rules.attestation import GAPS
from resellers.views.bound import binding_of, signed_too_late

MOST_SHOWN = 50


def own(request):
    """The attestations of this person's resellers, those to be signed first."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Attestation.objects.visible_to(request.user).select_related("reseller", "citation")
    rows = rows.order_by("-to_on", "pk")[:MOST_SHOWN]
    today = legal_day(timezone.now())
    shown = sorted((_row(row, today) for row in rows), key=lambda row: row["row"].signed_at is not None)
    context = {"title": "Yearly attestation", "rows": shown, "crumbs": [{"label": "Yearly attestation"}]}
    return render(request, "resellers/attestations.html", context)


def _row(row: Attestation, today) -> dict:
    if row.signed_at is not None:
        return {"row": row, "badge": Badge("signed", "good"), "clock": None}
    tone = "danger" if row.due_on < today else "warning"
    clock = Clock(row.due_on, row.citation.standing).seen_on(today)
    return {"row": row, "badge": Badge("to be signed", tone), "clock": clock}


def one(request, reference):
    """What is attested, with the figures as of the signature or of now, and the form that signs it."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Attestation.objects.filter(reference=reference).select_related("reseller", "citation", "statement")
    row = rows.visible_to(request.user).first()
    if row is None:
        if answer := signed_too_late(request, Reseller.objects.filter(attestations__in=rows)):
            return answer
        raise Http404
    at, problem = timezone.now(), ""
    if request.method == "POST":
        try:
            flows.sign_attestation(
                row, statement_number=request.POST.get("statement", ""), binding=binding_of(request.user, row.reseller),
                by=request.user.as_actor, at=at,
            )  # fmt: skip
        except Refusal as refusal:
            problem = str(refusal)
            row = rows.get()
        else:
            messages.success(request, f"{row.reference} is signed, with the figures of this moment.")
            return HttpResponseRedirect(reverse("resellers:attestation", args=[row.reference]))
    return render(request, "resellers/attestation.html", _context(row, at, problem))


def _context(row: Attestation, at, problem: str) -> dict:
    counts, gaps = (row.counts, row.gaps) if row.signed_at else flows.counted(row.reseller, at)
    by_country = [(countries.name(code) or code, told) for code, told in counts["countries"].items()]
    return {
        "title": row.reference, "reseller": row.reseller.reference, "shown": _row(row, legal_day(at)), "row": row,
        "statement": row.statement or statement_on(StatementKind.ATTESTATION, legal_day(at)), "problem": problem,
        "counts": counts, "by_country": sorted(by_country, key=lambda each: str(each[0])),
        "gaps": [(count, GAPS.get(code, code)) for code, count in gaps.items()],
        "crumbs": [
            {"label": "Yearly attestation", "url": reverse("resellers:attestations")}, {"label": row.reference},
        ],
    }  # fmt: skip

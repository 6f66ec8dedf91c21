"""The reseller manager's pages of samples: whose files are asked for, until when, what is missing, what came of it.

How customers are chosen, and who looks at the files, is between us; what was found in a file is told once the sample is
concluded (R64).
"""

from django import forms
from django.contrib import messages
from django.db import models
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sections import Clock
from kyc_portal.staff.typed import is_sound
from resellers.flows import sampling
from resellers.models import Sample, SampledFile
from resellers.rules.sampling import FailReason, Result, SampleState
from resellers.views.accounts import page_number
from resellers.views.bound import binding_of

MOST_SHOWN = 50
PER_PAGE = 100


class FileForm(forms.Form):
    """The file by which the customer was verified."""

    file = forms.FileField(
        label="File", max_length=255,
        help_text="One PDF, PNG or JPEG, not protected by a password, that shows how you verified this customer.",
    )  # fmt: skip


def own(request):
    """The samples of this person's resellers, the newest first."""
    if request.user.is_staff:
        return redirect("admin:index")
    given = models.Count("files", filter=~models.Q(files__file_sha256=""))
    rows = Sample.objects.visible_to(request.user).select_related("reseller", "citation")
    keys = [row.pk for row in rows.order_by("-drawn_at", "pk")[:MOST_SHOWN]]
    counted = Sample.objects.filter(pk__in=keys).annotate(given=given).select_related("reseller", "citation")
    today = legal_day(timezone.now())
    shown = [_row(sample, today) for sample in counted.order_by("-drawn_at", "pk")]
    context = {"title": "Samples", "rows": shown, "crumbs": [{"label": "Samples"}]}
    return render(request, "resellers/samples.html", context)


def one(request, reference):
    """The customers of one sample, those whose file is missing first."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Sample.objects.visible_to(request.user).select_related("reseller", "citation")
    sample = rows.filter(reference=reference).first()
    if sample is None:
        raise Http404
    page = page_number(request.GET.get("page", ""))
    first, is_missing = (page - 1) * PER_PAGE, models.Case(models.When(file_sha256="", then=0), default=1)
    files = sample.files.select_related("entry").order_by(is_missing, "entry__number", "pk")
    found = list(files[first : first + PER_PAGE + 1])
    sample.given = sample.files.exclude(file_sha256="").count()
    context = {
        "title": f"Sample {sample.reference}", "reseller": sample.reseller.reference,
        "row": _row(sample, legal_day(timezone.now())), "missing": sample.size - sample.given,
        "files": [_file_row(each, sample) for each in found[:PER_PAGE]], "page": page, "earlier": page - 1,
        "later": page + 1 if len(found) > PER_PAGE else 0,
        "crumbs": [{"label": "Samples", "url": reverse("resellers:samples")}, {"label": sample.reference}],
    }  # fmt: skip
    return render(request, "resellers/sample.html", context)


def hand_in(request, reference):
    """Take in the file of one customer of a sample; until it is looked at, another one may take its place."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = SampledFile.objects.visible_to(request.user).select_related("sample__reseller__account__party", "entry")
    sampled = rows.filter(reference=reference).first()
    if sampled is None:
        raise Http404
    sample = sampled.sample
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_bound and is_sound(form):
        binding = binding_of(request.user, sample.reseller)
        if binding is None:
            raise Http404
        upload = form.cleaned_data["file"]
        try:
            sampling.hand_in(
                sampled, file=upload.file, file_name=upload.name, binding=binding, by=request.user.as_actor,
                at=timezone.now(),
            )  # fmt: skip
            messages.success(request, f"The file of customer {sampled.entry.number} is handed in.")
            return HttpResponseRedirect(reverse("resellers:sample", args=[sample.reference]))
        except Refusal as refusal:
            form.add_error("file", str(refusal))
    context = {
        "title": f"File of customer {sampled.entry.number}", "reseller": sample.reseller.reference, "form": form,
        "row": _file_row(sampled, sample), "due": _row(sample, legal_day(timezone.now()))["clock"],
        "file_name": sampled.file_name.reveal() if sampled.file_name else "",
        "crumbs": [
            {"label": "Samples", "url": reverse("resellers:samples")},
            {"label": sample.reference, "url": reverse("resellers:sample", args=[sample.reference])},
            {"label": sampled.reference},
        ],
    }  # fmt: skip
    return render(request, "resellers/sampled.html", context)


def _row(sample: Sample, today) -> dict:
    """A sample in words an outsider may read."""
    is_running = sample.state == SampleState.ASKED
    clock = Clock(sample.due_on, sample.citation.standing).seen_on(today) if is_running else None
    words, tone = ("files asked for", "warning") if is_running else ("looked at by us", "")
    return {"sample": sample, "clock": clock, "words": words, "tone": tone, "is_running": is_running}


def _file_row(sampled: SampledFile, sample: Sample) -> dict:
    """One file: missing, handed in, being looked at; what was found only once the sample is concluded."""
    takes_file = sample.state == SampleState.ASKED and not sampled.result
    why = ""
    if sample.state == SampleState.CONCLUDED:
        words, tone = ("in order", "good") if sampled.result == Result.PASS else ("not in order", "danger")
        why = "; ".join(FailReason(code).label for code in sampled.reasons)
    elif sampled.result:
        words, tone = "looked at by us", "info"
    else:
        words, tone = ("handed in", "good") if sampled.file_sha256 else ("missing", "warning")
    return {"file": sampled, "words": words, "tone": tone, "why": why, "takes_file": takes_file}

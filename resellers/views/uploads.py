"""The files of customers a reseller sends: how far each is, which rows are bad, accepting or discarding it (R64)."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.typed import is_sound
from resellers.flows import roster_files, roster_taking
from resellers.formats import roster as table
from resellers.models import Reseller, RosterUpload
from resellers.rules.roster import Extent, UploadState
from resellers.rules.roster_rows import COLUMNS
from resellers.views.bound import binding_of

MOST_SHOWN = 50
FAULTS_PER_PAGE = 100
TEMPLATES = {
    "csv": (table.template_csv, "text/csv; charset=utf-8"),
    "xlsx": (table.template_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
TONES = {
    UploadState.RECEIVED: "info", UploadState.READ: "warning", UploadState.ACCEPTING: "info",
    UploadState.STOPPED: "warning", UploadState.ACCEPTED: "good", UploadState.REFUSED: "danger",
    UploadState.DISCARDED: "",
}  # fmt: skip
AT_WORK = (UploadState.RECEIVED, UploadState.ACCEPTING)
TO_DECIDE = (UploadState.READ, UploadState.STOPPED)


class UploadForm(forms.Form):
    """One file, whose roster it is, and what it means that a customer is not in it."""

    reseller = forms.ChoiceField(label="Reseller")
    file = forms.FileField(
        label="File", help_text="A CSV table, or an Excel workbook with one sheet. Use the template for its columns."
    )
    extent = forms.ChoiceField(label="What the file is", choices=Extent.choices(), widget=forms.RadioSelect)

    def __init__(self, *args, own: list[Reseller], **kwargs):
        super().__init__(*args, **kwargs)
        self.own = {reseller.reference: reseller for reseller in own}
        if len(own) == 1:
            del self.fields["reseller"]
        else:
            self.fields["reseller"].choices = [(reference, reference) for reference in self.own]

    @property
    def chosen(self) -> Reseller:
        """The reseller whose file it is."""
        return self.own[self.cleaned_data["reseller"]] if "reseller" in self.fields else next(iter(self.own.values()))


def uploads(request):
    """The newest files, and the form that sends the next one."""
    if request.user.is_staff:
        return redirect("admin:index")
    own = list(Reseller.objects.visible_to(request.user).select_related("account").order_by("reference"))
    form = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else (None, None)), own=own)
    if form.is_bound and own and is_sound(form) and (sent := _received(request, form)):
        return HttpResponseRedirect(reverse("resellers:upload", args=[sent.reference]))
    rows = RosterUpload.objects.filter(reseller__in=own).select_related("reseller").order_by("-received_at", "pk")
    context = {
        "title": "Files of customers", "form": form, "own": own,
        "columns": [(name, meaning) for name, meaning, _ in COLUMNS],
        "rows": [{"upload": row, "tone": TONES[UploadState(row.state)]} for row in rows[:MOST_SHOWN]],
        "reseller": own[0].reference if len(own) == 1 else "", "crumbs": [{"label": "Files of customers"}],
    }  # fmt: skip
    return render(request, "resellers/uploads.html", context)


def _received(request, form: UploadForm) -> RosterUpload | None:
    """Hand the file to the flow; what it refuses is said at the form."""
    file, reseller = form.cleaned_data["file"], form.chosen
    try:
        upload = roster_files.receive(
            reseller, file=file.file, file_name=file.name, extent=form.cleaned_data["extent"],
            binding=binding_of(request.user, reseller), by=request.user.as_actor, at=timezone.now(),
        )  # fmt: skip
    except Refusal as refusal:
        form.add_error("file", str(refusal))
        return None
    if upload.is_repeat:
        messages.info(request, f"You sent this very file before, as {upload.reference}. This is how it stands.")
    else:
        messages.success(request, f"{upload.reference} has come in. It is read in full before anything is taken in.")
    return upload


def _own_or_404(request, reference: str) -> RosterUpload:
    """One of this person's own resellers' files; of another one they do not even learn that it exists."""
    rows = RosterUpload.objects.visible_to(request.user).select_related("reseller__account")
    found = rows.filter(reference=reference).first()
    if found is None:
        raise Http404
    return found


def one(request, reference):
    """One file: how far it is, its bad rows, and what can be done with it."""
    if request.user.is_staff:
        return redirect("admin:index")
    upload = _own_or_404(request, reference)
    if request.method == "POST":
        _decide(request, upload)
        return HttpResponseRedirect(reverse("resellers:upload", args=[upload.reference]))
    after = request.GET.get("after", "")
    faults = upload.faults.order_by("line")
    if after.isascii() and after.isdigit() and len(after) < 9:
        faults = faults.filter(line__gt=int(after))
    shown = list(faults[: FAULTS_PER_PAGE + 1])
    state = UploadState(upload.state)
    context = {
        "title": upload.reference, "upload": upload, "tone": TONES[state], "at_work": state in AT_WORK,
        "to_decide": state in TO_DECIDE, "good_count": upload.read_count - upload.bad_count, "after": after,
        "faults": shown[:FAULTS_PER_PAGE],
        "following": shown[FAULTS_PER_PAGE - 1].line if len(shown) > FAULTS_PER_PAGE else 0,
        "reseller": upload.reseller.reference,
        "is_overtaken": state in TO_DECIDE and roster_taking.is_overtaken(upload),
        "many_leave": state in TO_DECIDE and roster_taking.many_leave(upload, legal_day(timezone.now())),
        "crumbs": [
            {"label": "Files of customers", "url": reverse("resellers:uploads")}, {"label": upload.reference},
        ],
    }  # fmt: skip
    return render(request, "resellers/upload.html", context)


def _decide(request, upload: RosterUpload) -> None:
    """Accept or discard, as the button said; a refusal stands at the top of the page."""
    made = {"by": request.user.as_actor, "at": timezone.now()}
    try:
        if request.POST.get("act") == "discard":
            roster_files.discard(upload, **made)
            messages.success(request, f"{upload.reference} is discarded. Nothing of it was taken in.")
        elif request.POST.get("act") in ("accept", "accept-good"):
            binding = binding_of(request.user, upload.reseller)
            keeps = request.POST["act"] == "accept-good"
            typed = request.POST.get("lets_go", "").strip().replace(",", "")
            lets_go = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
            roster_taking.agree(upload, keeps_good_rows=keeps, lets_go=lets_go, binding=binding, **made)
            messages.success(request, f"{upload.reference} is being taken in. You may leave this page.")
        else:
            messages.error(request, "Nothing was chosen. Use one of the buttons.")
    except Refusal as refusal:
        messages.error(request, str(refusal))


def bad_rows(request, reference):
    """Every bad row of a file as a CSV table: line and reason, nothing that stood in it."""
    if request.user.is_staff:
        return redirect("admin:index")
    upload = _own_or_404(request, reference)
    answer = StreamingHttpResponse(roster_files.faulty_rows_csv(upload), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{upload.reference}-bad-rows.csv"'
    return answer


def template(request, kind):
    """The empty table to fill in."""
    if kind not in TEMPLATES:
        raise Http404
    make, content_type = TEMPLATES[kind]
    answer = HttpResponse(make(), content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="customers.{kind}"'
    return answer

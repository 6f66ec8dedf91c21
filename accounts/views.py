"""Pages of accounts outside the admin's own: originals, viewing copies, unmasking, customers from a file."""

from urllib.parse import quote

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin.forms import CustomerFileForm, RevealForm
from accounts.flows import customer_files, document_copies
from accounts.flows import reveal as unmasking
from accounts.flows.customer_files import RowsRefused
from accounts.formats.customers import COLUMNS, TABLE
from accounts.models import IdentityDocument, Party
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sections import Table, url_of
from kyc_portal.staff.typed import is_sound

MOST_ROWS_ON_THE_PAGE = 5_000  # larger files are taken in at the command line, where nobody waits for a page


def _guarded(response: HttpResponse) -> HttpResponse:
    """What a document may do in a browser: nothing (ASVS 3.2.1, 3.5.8)."""
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response


def _refuse_other_sites(request) -> None:
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise PermissionDenied


def _document_or_404(key) -> IdentityDocument:
    return get_object_or_404(IdentityDocument.objects.select_related("party").exclude(file_sha256=""), pk=key)


def original(request, key):
    """The file as it was uploaded, as an attachment."""
    _refuse_other_sites(request)
    document = _document_or_404(key)
    try:
        data = document_copies.take_original(document, by=request.user.as_actor, at=timezone.now())
    except Refusal as refusal:
        raise Http404(str(refusal)) from None
    response = HttpResponse(data, content_type=document.file_type)
    response["Content-Disposition"] = disposition(document.file_name.reveal() if document.file_name else "document")
    return _guarded(response)


def disposition(name: str) -> str:
    """The header of an attachment: a plain name for old readers, the full one encoded (RFC 6266, RFC 8187)."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def copy(request, key, number):
    """One page of a document as a picture drawn anew."""
    _refuse_other_sites(request)
    document = _document_or_404(key)
    try:
        picture = document_copies.page(document, number)
    except Refusal as refusal:
        raise Http404(str(refusal)) from None
    if picture is None:
        raise Http404
    document_copies.note_view(document, by=request.user.as_actor, at=timezone.now())
    return _guarded(HttpResponse(picture, content_type="image/png"))


def reveal(request, model, key, field):
    """Ask why a sealed value is wanted; show it in the answer, which no browser keeps."""
    record = _sealed_record_or_404(model, key, field)
    words, clear = unmasking.words_for(record, field), None
    form = RevealForm(request.POST) if request.method == "POST" else RevealForm()
    if form.is_bound and is_sound(form):
        clear = unmasking.reveal(
            record, field, why=form.cleaned_data["why"], by=request.user.as_actor, at=timezone.now()
        )
    party = record if isinstance(record, Party) else record.party
    context = {
        **admin.site.each_context(request),
        "title": f"Show the {words}",
        "form": form,
        "words": words,
        "clear": clear,
        "party": party,
        "action_label": "Show it",
        "back_url": url_of(party),
    }
    response = TemplateResponse(request, "admin/accounts/reveal.html", context)
    response["Cache-Control"] = "no-store, private"
    return response


def _sealed_record_or_404(model, key, field):
    kind = unmasking.MODELS.get(model)
    if kind is None or field not in unmasking.REVEALABLE[kind]:
        raise Http404
    return get_object_or_404(kind, pk=key)


def import_customers(request):
    """Take in customers from a CSV file; every row that cannot be used is listed with its line."""
    form = CustomerFileForm(request.POST, request.FILES) if request.method == "POST" else CustomerFileForm()
    outcome = None
    if form.is_bound and is_sound(form):
        outcome = _take_in(request, form)
    bad_rows = outcome.bad_rows if outcome else []
    context = {
        **admin.site.each_context(request),
        "title": "Take in customers from a file",
        "form": form,
        "outcome": outcome,
        "is_stored": outcome is not None and not form.errors and not form.cleaned_data.get("dry_run"),
        "bad_rows": Table("bad-rows", "Rows that cannot be taken in", ["Line", "Reason"], _rows(bad_rows)),
        "columns": Table("columns", "Columns", ["Column", "", "Holds"], _columns()),
        "accounts_url": reverse("admin:accounts_account_changelist"),
    }
    return TemplateResponse(request, "admin/accounts/import_customers.html", context)


def _take_in(request, form):
    """Call the flow; what it refuses is said at the form, with the rows that are to blame."""
    wanted = form.cleaned_data
    try:
        return customer_files.take_in_file(
            wanted["file"].file, most_rows=min(settings.IMPORT_MAX_ROWS, MOST_ROWS_ON_THE_PAGE),
            encoding=wanted["encoding"] or None, keep_good_rows=wanted["keep_good_rows"], dry_run=wanted["dry_run"],
            by=request.user.as_actor, at=timezone.now(),
        )  # fmt: skip
    except RowsRefused as refusal:
        form.add_error(None, str(refusal))
        return refusal.outcome
    except Refusal as refusal:
        form.add_error("file", str(refusal))
        return None


def _rows(bad_rows) -> list[list]:
    return [[f"{row.line}", row.reason] for row in bad_rows]


def _columns() -> list[list]:
    return [[name, "required" if name in TABLE.required else "optional", meaning] for name, meaning in COLUMNS]

"""Pages of accounts outside the admin's own: originals, viewing copies, unmasking, files of customers, data."""

import tempfile
from contextlib import ExitStack

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin import ownership_sections
from accounts.admin.forms import CustomerFileForm, OwnersDayForm, OwnershipExportForm, OwnershipFileForm, RevealForm
from accounts.flows import customer_files, document_copies, ownership, ownership_export, ownership_files, person_export
from accounts.flows import reveal as unmasking
from accounts.flows.customer_files import RowsRefused
from accounts.flows.ownership_files import StatementsRefused
from accounts.formats.customers import COLUMNS, TABLE
from accounts.models import IdentityDocument, Party, PrivacyRequest
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal, Remedy
from kyc_portal.staff import downloads
from kyc_portal.staff.sections import Table, for_viewer, url_of
from kyc_portal.staff.stepup import require_recent_login
from kyc_portal.staff.typed import is_sound

MOST_ROWS_ON_THE_PAGE = 5_000  # larger files are taken in at the command line, where nobody waits for a page
WORDS = dict.fromkeys(
    (Remedy.NAME_ENCODING, Remedy.NAME_UTF_16, Remedy.OTHER_ENCODING),
    "Save the file as UTF-8, or name its encoding in the field below, such as cp1252 for Windows.",
)


def _document_or_404(key) -> IdentityDocument:
    return get_object_or_404(IdentityDocument.objects.select_related("party").exclude(file_sha256=""), pk=key)


@require_recent_login
def original(request, key):
    """The file as it was uploaded, as an attachment."""
    downloads.refuse_other_sites(request)
    document = _document_or_404(key)
    try:
        data = document_copies.take_original(document, by=request.user.as_actor, at=timezone.now())
    except Refusal as refusal:
        raise Http404(str(refusal)) from None
    name = document.file_name.reveal() if document.file_name else "document"
    return downloads.guarded(HttpResponse(data, content_type=document.file_type), name=name)


def copy(request, key, number):
    """One page of a document as a picture drawn anew."""
    downloads.refuse_other_sites(request)
    document = _document_or_404(key)
    try:
        picture = document_copies.page(document, number)
    except Refusal as refusal:
        raise Http404(str(refusal)) from None
    if picture is None:
        raise Http404
    document_copies.note_view(document, by=request.user.as_actor, at=timezone.now())
    return downloads.guarded(HttpResponse(picture, content_type="image/png"))


@require_recent_login
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


@require_recent_login
def copy_of_person(request, key):
    """Ask once, then hand out the copy of a person's data; it is made anew each time and stored nowhere."""
    downloads.refuse_other_sites(request)
    asked = get_object_or_404(PrivacyRequest, pk=key)
    form = forms.Form(request.POST) if request.method == "POST" else forms.Form()
    if form.is_bound and is_sound(form):
        try:
            with ExitStack() as undo:
                made = undo.enter_context(tempfile.TemporaryFile())  # it has no name on the disk
                person_export.export_data(asked, made, by=request.user.as_actor, at=timezone.now())
                undo.pop_all()  # from now on the response closes it
            return downloads.guarded(FileResponse(made, content_type="application/zip"), name=f"{asked.reference}.zip")
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    warning = "The file holds all data of the person in clear. Hand it over in the way you agreed, keep no copy."
    return _confirmation(request, asked, form, "Take the copy for the person", "Take the copy", warning)


def _confirmation(request, record, form, title: str, label: str, warning: str) -> TemplateResponse:
    """The page that asks once before something about a record is handed out."""
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": record._meta,
        "form": form,
        "objects": [{"name": str(record), "url": url_of(record)}],
        "action_label": label,
        "action_url": request.path,
        "back_url": url_of(record),
        "warning": warning,
    }
    return TemplateResponse(request, "admin/actions/confirm.html", context)


def owners_on_a_day(request, key):
    """The tree of owners, who counted and what blocked persons held as of a day; today when none is given."""
    party, at = get_object_or_404(Party, pk=key), timezone.now()
    audit.record_view(party, by=request.user.as_actor, at=at)
    asked = "on" in request.GET
    form = OwnersDayForm(request.GET) if asked else OwnersDayForm(initial={"on": legal_day(at)})
    sections = []
    if not asked or is_sound(form):
        try:
            above = ownership.owners_on(party, form.cleaned_data["on"] if asked else None, at=at)
            sections = ownership_sections.as_of(above, request.user)
        except Refusal as refusal:
            form.add_error("on", str(refusal))
    context = {
        **admin.site.each_context(request),
        "title": "Owners as of a day",
        "form": form,
        "party": party,
        "back_url": url_of(party),
        "sections": [shown for each in sections if (shown := for_viewer(each, request.user))],
    }
    return TemplateResponse(request, "admin/accounts/owners_on_a_day.html", context)


@require_recent_login
def export_ownership(request, key):
    """Ask for the form, then hand out who owns a party; it is made anew each time and stored nowhere."""
    downloads.refuse_other_sites(request)
    party = get_object_or_404(Party, pk=key)
    form = OwnershipExportForm(request.POST) if request.method == "POST" else OwnershipExportForm()
    if form.is_bound and is_sound(form):
        chosen = form.cleaned_data["form"]
        try:
            content = ownership_export.hand_out(party, form=chosen, by=request.user.as_actor, at=timezone.now())
            made = HttpResponse(content, content_type="application/json" if chosen == "json" else "application/jsonl")
            return downloads.guarded(made, name=f"{party.reference}-owners.{chosen}")
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    warning = "The file names everybody above the party with their shares. Sealed values stay out."
    return _confirmation(request, party, form, "Hand out the owners as a file", "Hand out", warning)


def import_ownership(request, key):
    """Take in the owners of a party from a file; every statement that cannot be used is listed with its field."""
    party = get_object_or_404(Party, pk=key)
    form = OwnershipFileForm(request.POST, request.FILES) if request.method == "POST" else OwnershipFileForm()
    outcome, bad = None, []
    if form.is_bound and is_sound(form):
        try:
            outcome = ownership_files.take_in(
                form.cleaned_data["file"].file, about=party, by=request.user.as_actor, at=timezone.now(),
                most=min(settings.IMPORT_MAX_ROWS, MOST_ROWS_ON_THE_PAGE),
            )  # fmt: skip
        except StatementsRefused as refusal:
            form.add_error(None, str(refusal))
            bad = refusal.outcome.bad
        except Refusal as refusal:
            form.add_error("file", str(refusal))
    head = ["Statement", "Field", "Reason"]
    context = {
        **admin.site.each_context(request),
        "title": f"Take in the owners of {party} from a file",
        "form": form,
        "told": ownership_files.told(outcome) if outcome else "",
        "refused": Table("refused", "Statements that cannot be taken in", head, _statements(bad)),
        "noted": Table("noted", "What was left out", head, _statements(outcome.notes if outcome else [])),
        "back_url": url_of(party),
    }
    return TemplateResponse(request, "admin/accounts/import_ownership.html", context)


def _statements(rows) -> list[list]:
    return [[f"{row.number}", row.field or "as a whole", row.reason] for row in rows]


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
        form.add_error("file", refusal.told(WORDS))
        return None


def _rows(bad_rows) -> list[list]:
    return [[f"{row.line}", row.reason] for row in bad_rows]


def _columns() -> list[list]:
    return [[name, "required" if name in TABLE.required else "optional", meaning] for name, meaning in COLUMNS]

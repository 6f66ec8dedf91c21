"""The workspace of a verification: the document beside what was stated, what disagrees, the buttons (R27-R34)."""

from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin.check_sections import in_short
from accounts.admin.identity import document_marks, title_of
from accounts.admin.zone_sections import is_proposed, may_be_read
from accounts.flows import comparing, document_copies
from accounts.flows import reveal as unmasking
from accounts.models import IdentityDocument, Verification
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table, stepup
from kyc_portal.staff.sections import Badge
from kyc_portal.staff.templatetags.marks import masked

PAGE = "admin:accounts_verification_workspace"
KEYS = {
    "record-method": "m", "ask-verifier": "o", "find-discrepancy": "d", "settle-discrepancy": "s", "conclude": "c",
    "escalate": "e", "decide-outcome": "w", "run-checks": "k",
}  # fmt: skip
AGREES = {True: Badge("agrees", "good"), False: Badge("differs", "danger"), None: ""}


def page(admin, request, record: Verification):
    """The page; a POST shows in clear what is masked, once, with an event for each value and a recent log-in."""
    if request.method == "POST" and (answer := stepup.ask(request)):
        return answer
    documents = list(record.party.documents.order_by("-added_at", "pk"))
    chosen = _chosen(documents, request.GET.get("document", ""))
    at = timezone.now()
    audit.record_view(record, by=request.user.as_actor, at=at)
    context = admin._page(request, record, at)
    sealed = _sealed(record, chosen)
    is_clear = request.method == "POST" and _unmask(sealed, request.user)
    context |= {
        "title": f"Workspace of {record.reference}",
        "sections": admin.for_viewer(request, _sections(record, context["sections"])),
        "documents": [_tab(each, chosen) for each in documents],
        "viewer": _viewer(chosen) if chosen else None,
        "pairs": _pairs(record, chosen, is_clear),
        "is_clear": is_clear,
        "may_unmask": _may_unmask(request.user, sealed),
        "keyed": [_keyed(link) for link in (context["primary_action"], *context["more_actions"]) if link],
        "record_url": reverse("admin:accounts_verification_change", args=[record.pk]),
        "primary_action": None,
        "more_actions": [],
    }
    response = TemplateResponse(request, "admin/accounts/workspace.html", context)
    response["Cache-Control"] = "no-store, private"
    return response


def _sections(record: Verification, of_page: list) -> list:
    """Those of the verification's page; its facts are in the head, and its checks are put in short."""
    return [in_short(record) if each.id == "checks" else each for each in of_page[1:]]


def _chosen(documents: list[IdentityDocument], key: str) -> IdentityDocument | None:
    """The document asked for, else the newest one that has a file, else the newest."""
    asked = [each for each in documents if str(each.pk) == key]
    with_file = [each for each in documents if each.file_sha256]
    return next(iter([*asked, *with_file, *documents]), None)


def _tab(document: IdentityDocument, chosen: IdentityDocument | None) -> dict:
    return {
        "title": f"{title_of(document)}, {document.country.name or 'no country'}",
        "reference": document.reference, "url": f"?document={document.pk}", "is_chosen": document == chosen,
    }  # fmt: skip


def _viewer(document: IdentityDocument) -> dict:
    pages, note = 0, ""
    try:
        pages = document_copies.page_count(document)
    except Refusal as refusal:
        note = str(refusal)
    return {
        "title": title_of(document), "marks": document_marks(document, legal_day(timezone.now())), "note": note,
        "pages": [reverse("accounts:copy", args=[document.pk, number]) for number in range(1, pages + 1)],
        "warnings": document.file_warnings, "zone": _zone_door(document),
    }  # fmt: skip


def _zone_door(document: IdentityDocument) -> dict | None:
    """Where the zone is read off the picture, or confirmed once it has been."""
    for name, label, fits in (
        ("confirm-zone", "Confirm the zone that was read", is_proposed),
        ("read-zone", "Read the zone off the picture", may_be_read),
    ):
        if fits(document):
            return {"url": reverse("admin:accounts_identitydocument_do", args=[document.pk, name]), "label": label}
    return None


def _sealed(record: Verification, document: IdentityDocument | None) -> list[tuple]:
    """(row, field) of what is compared and stays dots until it is asked for."""
    return [(record.party, "birth_date"), (document, "number"), (document, "mrz")] if document else []


def _may_unmask(user, sealed: list[tuple]) -> bool:
    return bool(sealed) and all(policy_table.may_see(user, row._meta.label_lower, field) for row, field in sealed)


def _unmask(sealed: list[tuple], user) -> bool:
    """Record that each masked value is shown, and why; says whether they may be."""
    if not _may_unmask(user, sealed):
        return False
    for row, field in sealed:
        if getattr(row, field):
            unmasking.reveal(row, field, why="verification", by=user.as_actor, at=timezone.now())
    return True


def _pairs(record: Verification, document: IdentityDocument | None, is_clear: bool) -> list[list]:
    """Rows of label, stated, in the zone, mark; what is sealed stays dots, and so does all that comes out of a zone."""
    if document is None:
        return []
    found = comparing.side_by_side(document, record.party, on=legal_day(timezone.now()))
    return [
        [
            pair.label,
            pair.stated if is_clear or not pair.is_sealed or not pair.stated else masked(pair.label),
            pair.found if is_clear or not pair.found else masked(f"{pair.label} in the zone"),
            AGREES[pair.agrees],
        ]
        for pair in found
    ]


def _keyed(link: dict) -> dict:
    """A button with the key that presses it."""
    return {**link, "key": KEYS.get(link["url"].rstrip("/").rpartition("/")[2], "")}

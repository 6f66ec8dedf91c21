"""The zone read off a document's picture: how far the reading is, what to compare, and the form that confirms it."""

from django import forms
from django.utils import timezone

from accounts.flows import reveal as unmasking
from accounts.flows import zone_reading
from accounts.formats import zone_ocr
from accounts.models import IdentityDocument, ZoneReading
from accounts.models.zone_reading import ReadingState
from accounts.rules.documents import document_kind
from kyc_portal.staff import policy_table
from kyc_portal.staff.sections import Facts, Html, Link

LABEL = "Pages looked at"


class ZoneForm(forms.Form):
    """The zone as it is printed, filled in as far as it could be read."""

    mrz = forms.CharField(
        label="Machine-readable zone", max_length=200, widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text="Compare each character with the picture and correct it.",
    )  # fmt: skip


def may_be_read(document: IdentityDocument) -> bool:
    """Whether the document has a picture and should have a zone, and none is on file or under way."""
    is_open = document.zone_readings.open().exists
    return bool(document.file_sha256 and document_kind(document.kind).has_mrz and not document.mrz and not is_open())


def is_proposed(document: IdentityDocument) -> bool:
    """Whether something that was read waits to be confirmed."""
    return zone_reading.proposed(document) is not None


def as_read(document: IdentityDocument) -> dict:
    """What the form is filled in with; `shown_to` notes who is shown it."""
    reading = zone_reading.proposed(document)
    return {"mrz": reading.proposal.reveal()} if reading and reading.proposal else {}


def shown_to(document: IdentityDocument, user) -> list[Facts]:
    """Beside that form: where to compare. That the text is shown stands in the trail."""
    reading = zone_reading.proposed(document)
    if reading is None or not policy_table.may_see(user, "accounts.zonereading", "proposal"):
        return []
    unmasking.reveal(reading, "proposal", why="verification", by=user.as_actor, at=timezone.now())
    return [_compare(document, reading)]


def _compare(document: IdentityDocument, reading: ZoneReading) -> Facts:
    doubts = reading.doubts or ["All check digits fit. Names and countries have none: compare them all the same."]
    rows = [(f"Compare ({number})", doubt) for number, doubt in enumerate(doubts, start=1)]
    return Facts("compare", "Compare with the picture", [("Picture", Link(document.reference, document)), *rows])


def zone(document: IdentityDocument) -> list[Facts | Html]:
    """How the newest reading stands, and without the program what to do; nothing where no reading makes sense."""
    reading = document.zone_readings.order_by("-asked_at", "pk").first()
    if reading is None:
        missing = may_be_read(document) and not zone_ocr.program()
        told = "Type it from the picture: no program that reads pictures is installed here."
        return [Facts("zone", "Zone off the picture", [("State", told)])] if missing else []
    if reading.state == ReadingState.ASKED:
        told = {"label": LABEL, "done": reading.pages_done, "total": reading.pages or 1}
        note = "Load this page again to see how far it is."
        return [Html("zone", "Zone off the picture", "admin/parts/progress.html", told, note=note)]
    rows = [
        ("State", reading.get_state_display()), ("Why", reading.told), ("Read by", reading.source),
        ("Read", reading.read_at), ("Asked by", reading.asked_by), ("Settled by", reading.settled_by),
    ]  # fmt: skip
    return [Facts("zone", "Zone off the picture", rows)]

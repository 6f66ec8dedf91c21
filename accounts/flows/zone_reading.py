"""Have a machine-readable zone read off a document's picture, and confirm or set aside what was read (R32, E9).

The reading may take half a minute, so a worker does it. Nothing of it is a fact before somebody has confirmed it.
"""

from datetime import datetime

from accounts.flows import checking, document_copies, identification, links, parties, texts
from accounts.formats import zone_ocr
from accounts.models import IdentityDocument, ZoneReading
from accounts.models.zone_reading import ReadingState
from accounts.rules.documents import document_kind
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

READ_ZONE = "accounts.read_zone"
MOST_PAGES = 3
NOTHING_FOUND = "No machine-readable zone was found in the picture. Type it as it is printed, or ask for a better scan."


class NothingToRead(Refusal):
    """There is no picture, no zone on such a document, or the zone is on file already."""


class AlreadyAsked(Refusal):
    """A reading of this document is under way, or waits to be confirmed."""


class NotProposed(Refusal):
    """Nothing of this document waits to be confirmed."""


@flow
def ask(document: IdentityDocument, *, by: Actor, at: datetime) -> ZoneReading:
    """Have the zone read off the document's picture. Raises NotInstalled, NothingToRead, AlreadyAsked."""
    zone_ocr.require_program()
    parties.locked(document.party)
    document = IdentityDocument.objects.select_for_update(of=("self",)).select_related("party").get(pk=document.pk)
    _require_picture(document)
    if document.zone_readings.open().exists():
        raise AlreadyAsked(f"The zone of {document.reference} is being read, or waits for you to confirm it.")
    reading = ZoneReading.objects.create(
        document=document, file_sha256=document.file_sha256, asked_at=at, asked_by=by.label
    )
    queue.ask(READ_ZONE, key=str(reading.pk), due_at=at, at=at)
    _record(Verb.ZONE_ASKED, document, by, at)
    return reading


def _require_picture(document: IdentityDocument) -> None:
    kind = document_kind(document.kind)
    if not kind.has_mrz:
        raise NothingToRead(f"A {kind.title.lower()} has no machine-readable zone.")
    if document.mrz:
        raise NothingToRead(f"The zone of {document.reference} is on file already.")
    if not document.file_sha256:
        raise NothingToRead(f"No file was uploaded with {document.reference}. Type the zone as it is printed.")


def read(key: str, *, by: Actor, at: datetime) -> None:
    """The job: read page by page until a zone is found. After a crash it begins anew; done twice it is done once.

    A file that cannot be drawn or read ends the reading with its sentence; it is not tried again.
    """
    reading = ZoneReading.objects.select_related("document__party").filter(pk=key, state=ReadingState.ASKED).first()
    if reading is None:  # destroyed, or read meanwhile
        return
    try:
        found = _look_through(reading, by, at)
        source = zone_ocr.version()
    except Refusal as refusal:
        _end(reading, None, str(refusal), "", by=by, at=at)
        return
    _end(reading, found, "" if found else NOTHING_FOUND, source, by=by, at=at)


def _look_through(reading: ZoneReading, by: Actor, at: datetime) -> zone_ocr.FoundZone | None:
    pages = min(document_copies.page_count(reading.document), MOST_PAGES)
    for number in range(1, pages + 1):
        _tell_progress(reading, number - 1, pages, by=by, at=at)
        picture = document_copies.page(reading.document, number)
        if picture and (found := zone_ocr.read_zone(picture, today=legal_day(at))):
            return found
    return None


@flow
def _tell_progress(reading: ZoneReading, done: int, pages: int, *, by: Actor, at: datetime) -> None:
    ZoneReading.objects.filter(pk=reading.pk).update(pages=pages, pages_done=done)
    _record(Verb.ZONE_PAGE, reading.document, by, at, number=done + 1)  # no row changes without an event


@flow
def _end(
    reading: ZoneReading, found: zone_ocr.FoundZone | None, told: str, source: str, *, by: Actor, at: datetime
) -> None:
    parties.locked(reading.document.party)
    reading = ZoneReading.objects.select_for_update(of=("self",)).select_related("document__party").get(pk=reading.pk)
    if reading.state != ReadingState.ASKED:
        return
    reading.state = ReadingState.PROPOSED if found else ReadingState.NOTHING
    if found:
        reading.proposal, reading.doubts = found.text, _doubts(found)
    reading.told, reading.source, reading.read_at, reading.pages_done = told[:300], source[:200], at, reading.pages
    reading.save(update_fields=["state", "proposal", "doubts", "told", "source", "read_at", "pages_done"])
    _record(Verb.ZONE_READ, reading.document, by, at, outcome=reading.state)


def _doubts(found: zone_ocr.FoundZone) -> list[str]:
    failed = [f"The check digit of the {name.replace('_', ' ')} does not fit." for name in found.reading.failed]
    return [*failed, *found.reading.faults, *(each.sentence for each in found.misreadings)]


@flow
def confirm(document: IdentityDocument, *, mrz: str, by: Actor, at: datetime) -> IdentityDocument:
    """Keep the zone as somebody has compared it with the picture; number, country and expiry follow where none is.

    Raises NotProposed, UnreadableMrz and BadField.
    """
    party = parties.locked(document.party)
    document = IdentityDocument.objects.select_for_update(of=("self",)).select_related("party").get(pk=document.pk)
    reading = _proposed(document)
    zone = texts.required("Machine-readable zone", texts.code("Machine-readable zone", mrz, 200, one_line=False))
    identification.take_zone(document, zone, today=legal_day(at))
    document.save(update_fields=["mrz", "mrz_failed", "number", "country", "expires_on"])
    _settle(reading, ReadingState.CONFIRMED, by, at)
    number = document.number.reveal() if document.number else ""
    parties.touch(party, at=at)
    links.remember(party, links.values_of_document(number, str(document.country)), at=at)
    _record(Verb.ZONE_CONFIRMED, document, by, at, failed=document.mrz_failed)
    checking.look_again(party, by=by, at=at)
    return document


@flow
def set_aside(document: IdentityDocument, *, by: Actor, at: datetime) -> None:
    """What was read is not what is printed: forget it. Raises NotProposed."""
    parties.locked(document.party)
    reading = _proposed(document)
    _settle(reading, ReadingState.SET_ASIDE, by, at)
    _record(Verb.ZONE_SET_ASIDE, document, by, at)


def proposed(document: IdentityDocument) -> ZoneReading | None:
    """The reading that waits to be confirmed."""
    return document.zone_readings.filter(state=ReadingState.PROPOSED).select_related("document__party").first()


def _proposed(document: IdentityDocument) -> ZoneReading:
    reading = proposed(document)
    if reading is None:
        raise NotProposed(f"Nothing that was read off {document.reference} waits to be confirmed.")
    return reading


def _settle(reading: ZoneReading, state: ReadingState, by: Actor, at: datetime) -> None:
    """The sealed text goes: what was confirmed stands with the document, and what was not is no fact."""
    reading.state, reading.proposal, reading.settled_at, reading.settled_by = state, "", at, by.label
    reading.save(update_fields=["state", "proposal", "settled_at", "settled_by"])


def _record(verb: Verb, document: IdentityDocument, by: Actor, at: datetime, **facts) -> None:
    audit.record(
        verb, document.party, by=by, at=at, within=parties.account_of(document.party), document=document.reference,
        **facts,
    )  # fmt: skip

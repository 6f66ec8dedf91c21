"""Viewing copies of documents: plain pictures, drawn once, kept sealed beside the original (trust.md B7, B14)."""

import re
from datetime import datetime

from accounts.flows import document_files, parties
from accounts.formats.upload import viewing_copies
from accounts.models import IdentityDocument
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal
from kyc_portal.records.models import IdentityView
from kyc_portal.records.refs import Actor, RecordRef

PAGE = re.compile(r"\.page-(\d+)-of-(\d+)\.sealed\Z")


def page_count(document: IdentityDocument) -> int:
    """How many pages can be looked at; 0 without a file. Raises UploadRefused when the document cannot be drawn."""
    if not document.file_sha256:
        return 0
    drawn = _drawn(document)
    return len(drawn) if drawn else len(_draw(document))


def page(document: IdentityDocument, number: int) -> bytes | None:
    """One page as PNG, counted from 1; None when there is no such page."""
    if not document.file_sha256:
        return None
    path = (_drawn(document) or {}).get(number)
    if path is None:
        return _draw(document).get(number) if not _drawn(document) else None
    return unseal(key_of_subject(document.party_id), path.read_bytes(), _place_of(document, number))


def _place_of(document: IdentityDocument, number: int) -> str:
    return f"accounts.identitydocument.copy:{document.party_id}:{document.file_sha256}:{number}"


def _drawn(document: IdentityDocument) -> dict:
    """The pages that lie in the store, by number; empty unless all of them do."""
    original = document_files.path_of(document.party_id, document.file_sha256)
    found = {}
    for path in original.parent.glob(f"{document.file_sha256}.page-*.sealed"):
        number, total = map(int, PAGE.search(path.name).groups())
        found[number] = (path, total)
    complete = bool(found) and len(found) == next(iter(found.values()))[1]
    return {number: path for number, (path, _) in found.items()} if complete else {}


def _draw(document: IdentityDocument) -> dict[int, bytes]:
    data = document_files.read(document.party_id, document.file_sha256)
    pictures = dict(enumerate(viewing_copies(data, document.file_type), start=1))
    original = document_files.path_of(document.party_id, document.file_sha256)
    key = ensure_key(document.party_id)
    for number, picture in pictures.items():
        path = original.with_name(f"{document.file_sha256}.page-{number}-of-{len(pictures)}.sealed")
        document_files.write_whole(path, seal(key, picture, _place_of(document, number)))
    return pictures


def note_view(document: IdentityDocument, *, by: Actor, at: datetime) -> None:
    """Count a look at a document; the first one of a person and day stands in the history of its party (R53)."""
    ref = RecordRef.of(document)
    looks = IdentityView.objects.filter(actor_key=by.key, about_label=ref.label, about_key=ref.key, day=at.date())
    is_first = not looks.exists()
    audit.record_view(document, by=by, at=at)
    if is_first:
        within = parties.account_of(document.party)
        audit.record(Verb.DOCUMENT_VIEWED, document.party, by=by, at=at, within=within, document=document.reference)


def take_original(document: IdentityDocument, *, by: Actor, at: datetime) -> bytes:
    """The original's bytes, with an event that says who took them. Raises FileMissing."""
    data = document_files.read(document.party_id, document.file_sha256)
    audit.record(
        Verb.DOCUMENT_DOWNLOADED, document.party, by=by, at=at, within=parties.account_of(document.party),
        document=document.reference, sha256=document.file_sha256,
    )  # fmt: skip
    return data

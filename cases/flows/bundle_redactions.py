"""Take something out of a collected bundle by hand (R52, R114): place, code, reason; the original stays."""

from datetime import datetime
from typing import BinaryIO

from django.conf import settings

from accounts.flows import document_files
from accounts.flows.texts import Texts, required
from accounts.formats.upload import inspect_upload
from accounts.models import IdentityDocument, Party
from cases.flows import bundle_reasons, bundle_shown
from cases.models import Bundle, BundleRedaction
from cases.rules.redaction import Exemption
from cases.rules.stages import BundleState
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class NoSuchPlace(Refusal):
    """The bundle has no field, document or item of this name."""


class NotNow(Refusal):
    """The bundle is past the point where something can be taken out."""


class NoCopyHere(Refusal):
    """A redacted copy stands in for a document only."""


@flow
def redact(
    bundle: Bundle, *, place: str, code: str, reason: str, copy: BinaryIO | None = None, by: Actor, at: datetime
) -> BundleRedaction:
    """Take out one field ("facts/customers, row 1, product"), document ("documents/DOC-….pdf") or item ("item …").

    `copy` is the redacted document to go out in the original's place; without it the document is withheld whole.
    Raises NotNow, NoSuchPlace, NoCopyHere, TellsWhatItHides, BadField, and what a bad file raises.
    """
    if code not in list(Exemption):
        raise NoSuchPlace(f"There is no such code. Choose one of: {', '.join(Exemption)}.")
    bundle = _collected(bundle)
    told = Texts()
    place = _known_place(bundle, place.strip())
    reason = required("Reason", told.line("Reason", reason.strip(), 200))
    bundle_reasons.require_tells_nothing(bundle, place, reason)
    made = BundleRedaction(
        bundle=bundle, place=place, code=Exemption(code).value, reason=reason, made_at=at, made_by=by.label,
        made_by_key=person_key(by),
    )  # fmt: skip
    _take_document(made, copy)
    bundle.redactions.standing().filter(place=place).update(undone_at=at, undone_by=by.label)
    made.save()
    audit.record(
        Verb.REDACTED, bundle, by=by, at=at, within=bundle.case, bundle=bundle.reference, code=made.code,
        sha256=made.copy_sha256,
    )  # fmt: skip
    told.record_masked(bundle, by=by, at=at)
    return made


def _known_place(bundle: Bundle, place: str) -> str:
    items = {bundle_shown.place_of_item(item) for item in bundle.items.all()}
    if place not in items and place not in bundle_shown.Shown.of(bundle).places:
        raise NoSuchPlace(
            "The bundle has nothing at this place. Copy it from the preview, for example “facts/customers, row 1, "
            "legal_name”, or “item payment, ” and the thing's name."
        )
    return place


def _take_document(made: BundleRedaction, copy: BinaryIO | None) -> None:
    found = None
    if made.place.startswith("documents/"):
        reference = made.place.removeprefix("documents/").partition(".")[0]
        found = IdentityDocument.objects.get(reference=reference)
        made.original_sha256, made.subject = found.file_sha256, found.party_id
    if copy is None:
        return
    if found is None:
        raise NoCopyHere("A copy was given, but the place is no document. Leave the copy out, or name the document.")
    upload = inspect_upload(copy, getattr(copy, "name", "") or "", settings.DOCUMENT_MAX_BYTES)
    if upload.sha256 == found.file_sha256:
        raise NoCopyHere("This is the original itself. Upload the copy in which the passages are blacked out.")
    Party.objects.select_for_update(of=("self",)).get(pk=found.party_id)
    made.copy_type = upload.media_type
    made.copy_sha256 = document_files.store(found.party_id, copy.read())


@flow
def undo(redaction: BundleRedaction, *, by: Actor, at: datetime) -> Bundle:
    """Let something stand again in a bundle that is not approved."""
    bundle = _collected(redaction.bundle)
    bundle.redactions.standing().filter(pk=redaction.pk).update(undone_at=at, undone_by=by.label)
    audit.record(
        Verb.REDACTION_UNDONE, bundle, by=by, at=at, within=bundle.case, bundle=bundle.reference, code=redaction.code
    )
    return bundle


def _collected(bundle: Bundle) -> Bundle:
    bundle = Bundle.objects.select_for_update(of=("self",)).select_related("case").get(pk=bundle.pk)
    if bundle.state != BundleState.COLLECTED:
        raise NotNow(
            f"{bundle.reference} is {bundle.get_state_display()}. Take its approval back first, then approve it anew."
        )
    return bundle

"""Evidence bundles: collect, approve, build, hand over (requirements R52, R111, R113, R114)."""

import json
import os
import re
import shutil
from datetime import date, datetime
from pathlib import Path

from django.conf import settings

from accounts.flows.texts import Texts
from accounts.formats.bag import BagSummary, write_bag
from accounts.formats.bag_reading import TAMPERED, UNREADABLE, verify_bag
from cases.flows import bundle_items, bundle_preview, bundle_shown, standing
from cases.flows.bundle_files import PayloadOf
from cases.models import Bundle, BundleItem, BundleReceipt, Case
from cases.rules.disclosure import GROUNDS, Ground, Recipient, require_ground
from cases.rules.scope import EVERYTHING
from cases.rules.stages import BUNDLE_LIFECYCLE, BundleState
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.records import audit, bundle_folders, keys, stamps
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.bundle_folders import BeingBuilt, NotBuilt, only_builder, put_in_place
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import note_failure, note_success
from kyc_portal.work.models import Job, JobState

BUILD_WORK = "cases.build_bundle"
REFERENCE = re.compile(r"BDL-[0-9A-Z]{4}-[0-9A-Z]{4}")
READY = (BundleState.BUILT, BundleState.HANDED_OVER, BundleState.RECEIPTED)


class NothingToCollect(Refusal):
    """The case has nothing the ground allows to hand over."""


class NotWhatWasSeen(Refusal):
    """Who approves has not looked at what the bundle is now."""


class BadReceipt(Refusal):
    """The receipt cannot be as it was given."""


class NotStamped(Refusal):
    """The authority that is to stamp bundles gave no stamp."""


class PlaceTaken(Refusal):
    """Something stands already where the bundle is to be written."""


@flow
def collect(case: Case, *, ground: str, recipient: str, named: str = "", by: Actor, at: datetime) -> Bundle:
    """List, item by item, what the ground allows this recipient to have and the request asks for; nothing goes out yet.

    `named` is the request's reference where several give the ground. Raises NotCovered: without a lawful ground, for a
    recipient it does not name, and for a preservation request; NotOnFile when no request of the case in order gives
    that ground; NoLawfulGround for a voluntary one that nobody approved; SeveralRequests, StandsStill.
    """
    require_ground(ground, recipient=recipient, data_classes=())
    request, voluntary = standing.found_for(case, ground, named=named)
    asked = request.asked if request else EVERYTHING
    found = list(bundle_items.find(case, ground=ground, on=legal_day(at), asked=asked))
    if not case.subjects.exists():
        raise NothingToCollect(f"{case.reference} is about no account, so there is nothing to collect.")
    bundle = Bundle.objects.create(
        case=case, ground=Ground(ground).value, recipient=Recipient(recipient).value, request=request,
        voluntary=voluntary, scope=standing.scope_of(request),
        state=BundleState.COLLECTED.value, collected_at=at, collected_by=by.label, collected_by_key=person_key(by),
    )  # fmt: skip
    refs = [(each, RecordRef.of(each.record)) for each in found]
    BundleItem.objects.bulk_create(
        BundleItem(
            bundle=bundle, data_class=each.data_class.value, label=ref.label, key=ref.key, name=ref.name,
            collected_at=at, sha256=each.sha256,
        )
        for each, ref in refs
    )  # fmt: skip
    audit.record(Verb.COLLECTED, bundle, by=by, at=at, within=case, bundle=bundle.reference, items=len(found))
    return bundle


def paper_for(bundle: Bundle) -> str:
    """The paper that must be on file before this bundle is approved, in words."""
    return GROUNDS[Ground(bundle.ground)].paper


@flow
def set_aside(bundle: Bundle, *, by: Actor, at: datetime) -> Bundle:
    """Drop a collection that is not to be approved; collect anew for another one."""
    bundle = _moved(bundle, BundleState.DRAFT)
    bundle.save(update_fields=["state"])
    return _recorded(Verb.SET_ASIDE, bundle, by=by, at=at)


@flow
def approve(bundle: Bundle, *, shown: str, by: Actor, at: datetime) -> Bundle:
    """Approve what another person collected, as its recipient would see it; a worker builds it soon.

    The approval is of these very words: `shown` is the SHA-256 of what lay before this person, and what changes
    afterwards needs a new one. Raises SecondPersonNeeded; NotWhatWasSeen when the bundle is another now, or this person
    never opened the preview of it; NotOnFile when the request it rests on was rejected or has lapsed since it was
    collected; StandsStill while it is challenged.
    """
    standing.require_stands(bundle, in_order=True)
    bundle = _moved(bundle, BundleState.APPROVED)
    require_second_person(bundle.collected_by_key, by, deed=bundle.reference)
    for key in bundle.redactions.standing().exclude(made_by_key="").values_list("made_by_key", flat=True):
        require_second_person(key, by, deed=bundle.reference)
    bundle.approved_at, bundle.approved_by = at, by.label
    bundle.approved_sha256 = _require_seen(bundle, shown, by)
    bundle.save(update_fields=["state", "approved_at", "approved_by", "approved_sha256"])
    return _recorded(Verb.APPROVED, bundle, by=by, at=at, digest=bundle.approved_sha256)


def _require_seen(bundle: Bundle, shown: str, by: Actor) -> str:
    """The digest of the locked bundle, which must be the one this person looked at."""
    digest = bundle_shown.digest_of(bundle)
    if shown != digest:
        raise NotWhatWasSeen(
            f"{bundle.reference} has changed since you opened this page. Look at the preview again, then open this "
            "page anew."
        )
    if not bundle_preview.has_looked(bundle, digest, by=by):
        raise NotWhatWasSeen(
            f"You have not opened the preview of {bundle.reference} as it is now. Look at it, then approve."
        )
    return digest


@flow
def take_back(bundle: Bundle, *, by: Actor, at: datetime) -> Bundle:
    """Take an approval back before the bundle is built, because something is to change; it is approved anew."""
    bundle = _moved(bundle, BundleState.COLLECTED)
    bundle.approved_at, bundle.approved_by, bundle.approved_sha256 = None, "", ""
    bundle.save(update_fields=["state", "approved_at", "approved_by", "approved_sha256"])
    return _recorded(Verb.APPROVAL_ENDED, bundle, by=by, at=at)


def build_approved(*, by: Actor, at: datetime) -> dict[str, int]:
    """Build what is approved, one after the other; what fails is counted and tried again later, five times at most."""
    told = {"done": 0, "failed": 0}
    for bundle in Bundle.objects.to_build().order_by("approved_at", "pk"):
        if _must_wait(bundle, at):
            continue
        try:
            build(bundle, by=by, at=at)
        except BeingBuilt:
            continue
        except Exception as error:  # counted by class, tried again by the next round
            note_failure(BUILD_WORK, str(bundle.pk), error, at)
            told["failed"] += 1
        else:
            note_success(BUILD_WORK, str(bundle.pk))
            told["done"] += 1
    return told


def _must_wait(bundle: Bundle, at: datetime) -> bool:
    failed = Job.objects.filter(kind=BUILD_WORK, key=str(bundle.pk), is_sweep=True).exclude(state=JobState.DONE).first()
    return failed is not None and (failed.state == JobState.DEAD or failed.due_at > at)


def build(bundle: Bundle, *, by: Actor, at: datetime) -> Bundle:
    """Write an approved bundle to BUNDLE_DIR/<reference>/, whole or not at all; on an error its state is FAILED.

    The files are written outside of any transaction; only the last step, putting them in place and saying so, is one.
    What is not any more what was approved goes back to be approved anew, and nothing is built. Raises BeingBuilt while
    another worker is at it, MoveNotAllowed for a bundle that is not approved, and StandsStill while the request it
    rests on is challenged.
    """
    with only_builder(bundle.reference) as folder:
        bundle = Bundle.objects.select_related("case").get(pk=bundle.pk)
        if bundle.state != BundleState.FAILED:
            BUNDLE_LIFECYCLE.require(bundle.state, BundleState.BUILT)
        _require_stands(bundle, by=by, at=at)
        if bundle_shown.digest_of(bundle) != bundle.approved_sha256:
            return take_back(bundle, by=by, at=at)
        try:
            summary = _write(bundle, folder, by=by, at=at)
            return _put_in_place(bundle, folder, summary, by=by, at=at)
        except Exception as error:
            _say_failed(bundle, error, by=by, at=at)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write(bundle: Bundle, folder: Path, *, by: Actor, at: datetime) -> BagSummary:
    key_id, signing_key = keys.signing_key()
    recipient, ground = Recipient(bundle.recipient).label, Ground(bundle.ground).label
    about = {
        "Source-Organization": settings.PROVIDER_NAME,
        "External-Identifier": bundle.reference,
        "External-Description": f"Evidence bundle for: {recipient}. Ground: {ground}.",
        "Internal-Sender-Identifier": bundle.case.reference,
        "Bagging-Date": legal_day(at).isoformat(),
    }
    files = PayloadOf(bundle, by=by, at=at).files()
    stamp = _stamp if settings.BUNDLE_STAMP_URL else None
    return write_bag(folder, files, about, signing_key.sign, key_id, keys.public_key_bytes(), stamp)


def _stamp(tag_manifest: bytes) -> bytes:
    """While an authority is named, no bundle is built without its stamp; the next round asks it again."""
    try:
        return stamps.obtain_over(settings.BUNDLE_STAMP_URL, tag_manifest)
    except stamps.NoStamp as fault:
        raise NotStamped(f"The time-stamp authority gave no stamp: {fault}. Mend that, or set none.") from fault
    except OSError as error:
        raise NotStamped("The time-stamp authority is out of reach. The bundle is tried again.") from error


@flow
def _require_stands(bundle: Bundle, *, by: Actor, at: datetime) -> None:
    standing.require_stands(bundle)


@flow
def _put_in_place(bundle: Bundle, folder: Path, summary: BagSummary, *, by: Actor, at: datetime) -> Bundle:
    standing.require_stands(bundle)  # a challenge may have come while the files were written
    bundle = Bundle.objects.select_for_update(of=("self",)).select_related("case").get(pk=bundle.pk)
    if bundle.state == BundleState.FAILED:
        _move(bundle, BundleState.APPROVED)
    _move(bundle, BundleState.BUILT)
    bundle.built_at, bundle.digest = at, summary.tagmanifest_sha256
    bundle.payload_count, bundle.payload_bytes = summary.payload_count, summary.payload_bytes
    bundle.save(update_fields=["state", "built_at", "digest", "payload_count", "payload_bytes"])
    _recorded(Verb.BUILT, bundle, by=by, at=at, files=summary.payload_count, digest=summary.tagmanifest_sha256)
    put_in_place(folder, bundle.reference)
    return bundle


@flow
def _say_failed(bundle: Bundle, error: Exception, *, by: Actor, at: datetime) -> None:
    bundle = Bundle.objects.select_for_update(of=("self",)).select_related("case").get(pk=bundle.pk)
    if bundle.state == BundleState.APPROVED:
        _move(bundle, BundleState.FAILED)
        bundle.save(update_fields=["state"])
    _recorded(Verb.BUILD_FAILED, bundle, by=by, at=at, error=type(error).__name__)


def folder_of(bundle: Bundle) -> Path:
    """The folder of a built bundle. Raises NotBuilt when it is missing or not the one that was built."""
    if bundle.state not in READY or not REFERENCE.fullmatch(bundle.reference):
        raise NotBuilt(f"{bundle.reference} is not built. Approve it first, then wait for the worker.")
    return bundle_folders.folder_of(bundle.reference, bundle.digest)


def signed_with(bundle: Bundle) -> tuple[str, str] | None:
    """The id and the public key (hexadecimal) by which a built bundle is signed; None when its folder is not there."""
    try:
        told = json.loads((folder_of(bundle) / "signature.json").read_text(encoding="utf-8"))
        return told["key_id"], told["public_key"]
    except (NotBuilt, OSError, ValueError, KeyError):
        return None


def exportable(case: Case) -> Bundle | None:
    """The newest bundle of a case that may leave: built, or approved and still to be built."""
    may_leave = Bundle.objects.ready() | Bundle.objects.to_build()
    return may_leave.filter(case=case).order_by("-approved_at", "-pk").first()


def export(bundle: Bundle, to: Path, *, by: Actor, at: datetime) -> Path:
    """Write a built bundle to `to`/<reference>/, checked there file by file; nothing stands there until it is whole."""
    source, target = folder_of(bundle), Path(to) / bundle.reference
    if os.path.lexists(target):
        raise PlaceTaken(f"{bundle.reference} stands in that folder already. Choose another folder.")
    part = target.with_name(f".{bundle.reference}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        shutil.copytree(source, part, symlinks=True)
        verdict = verify_bag(part, {keys.signing_key()[0]: keys.public_key_bytes()}, witness=bundle.digest)
        if verdict.code in (TAMPERED, UNREADABLE):
            raise NotBuilt(f"{bundle.reference} was not written: {verdict.line} Restore it from a backup.")
        with one_flow(by):  # no event of an export that did not come to be
            standing.require_stands(bundle)
            _recorded(Verb.BUNDLE_EXPORTED, bundle, by=by, at=at, digest=bundle.digest)
            part.rename(target)
    except OSError as error:  # copytree gathers what went wrong in one error that has no text of its own
        why = error.strerror or "not every file could be copied"
        raise PlaceTaken(f"The bundle cannot be written there: {why}. Choose another folder.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


@flow
def hand_over(bundle: Bundle, *, by: Actor, at: datetime) -> Bundle:
    """Say that the recipient was given the bundle. Raises StandsStill while the request it rests on is challenged."""
    standing.require_stands(bundle)
    bundle = _moved(bundle, BundleState.HANDED_OVER)
    bundle.save(update_fields=["state"])
    return _recorded(Verb.HANDED_OVER, bundle, by=by, at=at)


@flow
def acknowledge(bundle: Bundle, *, received_by: str, received_on: date, by: Actor, at: datetime) -> BundleReceipt:
    """Keep the recipient's receipt."""
    bundle = _moved(bundle, BundleState.RECEIPTED)
    if received_on > legal_day(at):
        raise BadReceipt(f"{received_on} has not come. Give the day that stands on the receipt.")
    told = Texts()
    received_by = told.line("Received by", received_by.strip(), 200)
    if not received_by:
        raise BadReceipt("The receipt names nobody. Write who received the bundle.")
    bundle.save(update_fields=["state"])
    receipt = BundleReceipt.objects.create(
        bundle=bundle, received_by=received_by, received_on=received_on, recorded_at=at,
        recorded_by=by.label,
    )  # fmt: skip
    _recorded(Verb.RECEIPTED, bundle, by=by, at=at)
    told.record_masked(bundle, by=by, at=at)
    return receipt


@flow
def note_download(bundle: Bundle, *, by: Actor, at: datetime) -> Path:
    """Record that somebody takes the bundle, and give its folder. Raises NotBuilt, StandsStill."""
    standing.require_stands(bundle)
    folder = folder_of(bundle)
    _recorded(Verb.DOWNLOADED, bundle, by=by, at=at, digest=bundle.digest)
    return folder


def delete_files(reference: str, *, by: Actor, at: datetime) -> None:
    """Remove a purged bundle's folder; only what lies directly in BUNDLE_DIR under a bundle's reference can go."""
    if not REFERENCE.fullmatch(reference):
        raise ValueError("This is no reference of a bundle.")
    bundle_folders.remove(reference)
    ref = RecordRef(Bundle._meta.label_lower, reference, reference)
    audit.record(Verb.BUNDLE_DELETED, ref, by=by, at=at, bundle=reference)


def _move(bundle: Bundle, to: BundleState) -> None:
    BUNDLE_LIFECYCLE.require(bundle.state, to)
    bundle.state = to.value


def _moved(bundle: Bundle, to: BundleState) -> Bundle:
    """The locked row in its new state, not yet saved. Raises MoveNotAllowed."""
    bundle = Bundle.objects.select_for_update(of=("self",)).select_related("case").get(pk=bundle.pk)
    _move(bundle, to)
    return bundle


def _recorded(verb: Verb, bundle: Bundle, *, by: Actor, at: datetime, **facts) -> Bundle:
    audit.record(verb, bundle, by=by, at=at, within=bundle.case, bundle=bundle.reference, **facts)
    return bundle

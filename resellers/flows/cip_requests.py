"""Hand a reseller's CIP to an authority that asks for it: request, signed bundle, handing over (R4, R57).

Of the proposed rule: within ten days of the request (proposed 15 CFR 7.303); the regime's figure counts.
"""

import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from accounts.formats.bag import BagSummary, write_bag
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit, bundle_folders, keys
from kyc_portal.records.acting import flow
from kyc_portal.records.bundle_folders import NotBuilt, only_builder, put_in_place
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from resellers.flows import file
from resellers.flows.cip_copy import CopyOf
from resellers.models import CipRequest, Reseller
from resellers.rules.ending import Channel, RequestState
from resellers.verbs import Verb

PRODUCE, DELETE = "resellers.produce_cip", "resellers.delete_cip_bundle"
HAND_OVER_BY = "copy of the reseller's CIP"
REFERENCE = re.compile(r"CPR-[0-9A-Z]{4}-[0-9A-Z]{4}")
LONGEST_AGO = timedelta(days=366)


class NoCipYet(Refusal):
    """The reseller has handed nothing in, so there is nothing to copy."""


class WrongState(Refusal):
    """The copy is not produced yet, or went out already."""


class CopiesMissing(Exception):
    """Copies were produced whose folders are not there; they must come from a backup."""


@flow
def ask(
    reseller: Reseller, *, requester: str, requester_number: str = "", requested_on: date, by: Actor, at: datetime
) -> CipRequest:
    """Note that an authority asks for its CIP; the clock counts from the day of the request, and a worker makes it.

    Raises BadField, and NoCipYet when nothing had been handed in by then.
    """
    reseller, told, today = file.locked(reseller), Texts(), legal_day(at)
    requester = texts.required("Who asks", told.line("Who asks", requester, 200))
    number = told.line("Their number", requester_number, 100)
    requested_on = texts.past_day("Asked on", requested_on, today)
    if requested_on is None:
        raise BadField("Asked on is empty. Enter the day on which the request came.")
    if requested_on < today - LONGEST_AGO:
        raise BadField(f"Asked on {requested_on} lies more than a year ago. Correct it.")
    request = CipRequest(
        reseller=reseller, requester=requester, requester_number=number, requested_on=requested_on, asked_at=at,
        asked_by=by.label,
    )  # fmt: skip
    if not reseller.cips.filter(submitted_at__lte=moment_of(request)).exists():
        raise NoCipYet(f"{reseller.reference} had handed in no CIP by {requested_on}. Tell the authority so.")
    clock = start_clock(
        HAND_OVER_BY, request, figure="reseller_cip_days", regime=regime_on(today), on=requested_on, by=by, at=at
    )
    request.due_on, request.citation = clock.due_on, clock.citation
    request.save(force_insert=True)
    _tell(Verb.CIP_ASKED, request, by, at, due_on=request.due_on)
    told.record_masked(request, by=by, at=at)
    queue.ask(PRODUCE, request.reference, due_at=at, at=at)
    return request


def moment_of(request: CipRequest) -> datetime:
    """The moment as of which the copy speaks: the end of the day of the request, or when it was noted that day."""
    next_day = request.requested_on + timedelta(days=1)
    return min(request.asked_at, datetime.combine(next_day, time.min, ZoneInfo(settings.LEGAL_TIME_ZONE)))


def produce(reference: str, *, by: Actor, at: datetime) -> CipRequest | None:
    """The job: write the signed bundle to BUNDLE_DIR/<reference>, whole or not at all; once, however often it is asked.

    Raises BeingBuilt while another worker is at it; the queue tries again what failed.
    """
    request = CipRequest.objects.select_related("reseller__account__party", "citation").filter(reference=reference)
    request = request.first()
    if request is None or request.state != RequestState.ASKED:
        return request
    with only_builder(reference) as folder:
        try:
            return _put_in_place(request, folder, _write(request, folder, at=at), by=by, at=at)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write(request: CipRequest, folder: Path, *, at: datetime) -> BagSummary:
    key_id, signing_key = keys.signing_key()
    about = {
        "Source-Organization": settings.PROVIDER_NAME,
        "External-Identifier": request.reference,
        "External-Description": "Copy of the written CIP of a reseller, as of the request.",
        "Internal-Sender-Identifier": request.reseller.reference,
        "Bagging-Date": legal_day(at).isoformat(),
    }
    files = CopyOf(request, as_of=moment_of(request), at=at).files()
    return write_bag(folder, files, about, signing_key.sign, key_id, keys.public_key_bytes())


@flow
def _put_in_place(request: CipRequest, folder: Path, summary: BagSummary, *, by: Actor, at: datetime) -> CipRequest:
    request = _locked(request)
    if request.state != RequestState.ASKED:
        return request
    request.state, request.produced_at, request.sha256 = RequestState.PRODUCED.value, at, summary.tagmanifest_sha256
    request.payload_count, request.payload_bytes = summary.payload_count, summary.payload_bytes
    request.save(update_fields=["state", "produced_at", "sha256", "payload_count", "payload_bytes"])
    _tell(Verb.CIP_PRODUCED, request, by, at, files=summary.payload_count, digest=summary.tagmanifest_sha256)
    put_in_place(folder, request.reference)
    return request


@flow
def produce_again(request: CipRequest, *, by: Actor, at: datetime) -> CipRequest:
    """Have a worker try once more what it gave up. Raises WrongState."""
    request = _locked(request)
    if request.state != RequestState.ASKED:
        raise WrongState(f"{request.reference} is {request.get_state_display()}. Nothing needs to be done.")
    queue.try_again(queue.ask(PRODUCE, request.reference, due_at=at, at=at), at=at)
    return request


def has_given_up(request: CipRequest) -> bool:
    """Whether the worker failed so often that somebody must look."""
    return Job.objects.dead().filter(kind=PRODUCE, key=request.reference).exists()


@flow
def note_sent(request: CipRequest, *, channel: str, by: Actor, at: datetime) -> CipRequest:
    """The authority has it; the clock stops. Raises BadField, WrongState."""
    request = _locked(request)
    if request.state != RequestState.PRODUCED:
        raise WrongState(f"{request.reference} is {request.get_state_display()}, so it cannot be handed over now.")
    request.channel = texts.chosen("Channel", channel, Channel)
    request.state, request.sent_at, request.sent_by = RequestState.SENT.value, at, by.label
    request.save(update_fields=["channel", "state", "sent_at", "sent_by"])
    stop_clock(HAND_OVER_BY, request, by=by, at=at)
    _tell(Verb.CIP_HANDED_OVER, request, by, at)
    return request


@flow
def note_download(request: CipRequest, *, by: Actor, at: datetime) -> Path:
    """Record that somebody takes the bundle, and give its folder. Raises NotBuilt."""
    if request.state == RequestState.ASKED:
        raise NotBuilt(f"{request.reference} is not produced yet. A worker makes it within a minute.")
    folder = bundle_folders.folder_of(request.reference, request.sha256)
    _tell(Verb.CIP_DOWNLOADED, request, by, at, digest=request.sha256)
    return folder


@flow
def delete_files(reference: str, *, by: Actor, at: datetime) -> None:
    """The job after a purge: remove the folder; only what lies in BUNDLE_DIR under a request's reference can go."""
    if not REFERENCE.fullmatch(reference):
        raise ValueError("This is no reference of a request for a CIP.")
    bundle_folders.remove(reference)
    ref = RecordRef(CipRequest._meta.label_lower, reference, reference)
    audit.record(Verb.CIP_DELETED, ref, by=by, at=at, request=reference)


def reconcile() -> dict[str, int]:
    """Delete folders of copies no row names, and fail loudly when a produced one's is missing (trust.md TH25).

    Raises CopiesMissing, after everything was looked at, with up to ten references.
    """
    removed = bundle_folders.remove_unnamed(REFERENCE, lambda name: CipRequest.objects.filter(reference=name).exists())
    missing = list(_missing())
    if missing:
        raise CopiesMissing(f"{len(missing)} copies have no folder: {', '.join(missing[:10])}")
    return {"removed": removed, "missing": 0}


def _missing() -> Iterator[str]:
    produced = CipRequest.objects.produced().order_by("pk").values_list("reference", flat=True)
    return (reference for reference in produced.iterator() if not bundle_folders.is_there(reference))


def _tell(verb: Verb, request: CipRequest, by: Actor, at: datetime, **facts) -> None:
    reseller = request.reseller.reference
    audit.record(verb, request, by=by, at=at, within=request.reseller, reseller=reseller, **facts)


def _locked(request: CipRequest) -> CipRequest:
    rows = CipRequest.objects.select_for_update(of=("self",)).select_related("reseller__account")
    return rows.get(pk=request.pk)

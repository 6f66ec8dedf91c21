"""Ask an outside verifier about a party, and end what it never answers (requirements R28, R29, R33).

Asking writes a row and a job; the job alone speaks to the verifier, outside of any transaction, and may be repeated:
the verifier knows a question again by its reference. What comes back: accounts/flows/external_answers.py.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.flows import texts, verification
from accounts.flows.discrepancies import locked
from accounts.models import ExternalCheck, Party, Verification
from accounts.models.party import AddressKind
from accounts.rules.outside_verifier import (
    LONGEST_REFERENCE,
    AnswerState,
    CheckState,
    HandedOver,
    OutsideVerifier,
    Question,
    VerifierGone,
)
from accounts.rules.verifying import OUTSIDE, Result, VerificationStatus
from accounts.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from kyc_portal.work.failures import sweep

HAND_OVER = "accounts.ask_verifier"  # the kind of job
TAKES_RESULTS = (VerificationStatus.IN_PROGRESS.value, VerificationStatus.ESCALATED.value)
HOME = (AddressKind.RESIDENCE, AddressKind.PRINCIPAL, AddressKind.BUSINESS, AddressKind.LOCAL_OFFICE)


class NoVerifier(Refusal):
    """No outside verifier is set up."""


class AlreadyAsked(Refusal):
    """A check of the same verification is still out."""


class TakesNoResults(Refusal):
    """The verification is over, so nothing is asked for it."""


def configured() -> OutsideVerifier | None:
    """The adapter that KYC_VERIFIER names; None when none is set up."""
    return import_string(settings.VERIFIER)() if settings.VERIFIER else None


def may_ask(record: Verification) -> bool:
    """Whether a question could go out now: a verifier is set up, and none is out; one query."""
    return bool(settings.VERIFIER) and not record.external_checks.open().exists()


@flow
def ask(record: Verification, *, by: Actor, at: datetime) -> ExternalCheck:
    """Ask the outside verifier about the party of a verification that is under way; one question at a time.

    Raises NoVerifier, TakesNoResults and AlreadyAsked.
    """
    verifier = configured()
    if verifier is None:
        raise NoVerifier(
            "No outside verifier is set up. Use another method, or have an administrator set KYC_VERIFIER."
        )
    record = locked(record)
    if record.status not in TAKES_RESULTS:
        label = VerificationStatus(record.status).label
        raise TakesNoResults(f"{record.reference} is {label} and takes nothing more. Escalate it or start another.")
    standing = ExternalCheck.objects.open().filter(verification=record).first()
    if standing is not None:
        raise AlreadyAsked(
            f"{standing.reference} is out since {legal_day(standing.asked_at)}. Wait for its answer; without one it "
            f"ends on {legal_day(standing.due_at)}."
        )
    values = dict(_values_of(record.party))
    check = ExternalCheck(
        verification=record, verifier=verifier.code, verifier_title=verifier.title, asked_about=list(values),
        asked_at=at, asked_by=by.label, due_at=at + regime_on(legal_day(at)).days("external_check_days"),
    )  # fmt: skip
    check.question = json.dumps(values, ensure_ascii=False)
    check.save(force_insert=True)
    tell(Verb.CHECK_ASKED, check, by=by, at=at, fields=list(values))
    queue.ask(HAND_OVER, str(check.pk), due_at=at, at=at)
    return check


def _values_of(party: Party) -> Iterator[tuple[str, str]]:
    """What is on file of the fields that are compared; the newest address and document."""
    address = party.addresses.filter(kind__in=HOME).order_by("-added_at", "pk").first()
    document = party.documents.filter(number__isnull=False).order_by("-added_at", "pk").first()
    found = {
        "legal_name": party.legal_name, "birth_date": party.birth_date, "citizenship": party.citizenship.code,
        "formation_country": party.formation_country.code, "national_id": party.national_id,
        "registration": party.registration_number,
    }  # fmt: skip
    if address:
        lines = address.lines.reveal() if address.lines else ""
        found["address"] = ", ".join(filter(None, (lines.strip(), address.region, address.country.code)))
    if document:
        found |= {"document_kind": document.kind, "number": document.number, "document_country": document.country.code}
    for name, value in found.items():
        if clear := value if isinstance(value, str) else value and value.reveal():
            yield name, clear


def tell(verb: Verb, check: ExternalCheck, *, by: Actor, at: datetime, **facts) -> None:
    """Write an event about a check; its verification and the account are loaded."""
    record = check.verification
    audit.record(
        verb, record, by=by, at=at, within=record.account, check=check.reference, verification=record.reference, **facts
    )


# --- the job ----------------------------------------------------------------------------------------------------------


def hand_over(key: str, *, by: Actor, at: datetime) -> None:
    """The job: give the question to the verifier. Raises whatever went wrong, to be tried again.

    The row says what was in the way. A verification that ended meanwhile is no reason to give anybody's data away.
    """
    check = ExternalCheck.objects.select_related("verification__account").filter(pk=key).first()
    if check is None or check.state != CheckState.ASKED or check.handed_over_at is not None:
        return
    if check.verification.status not in TAKES_RESULTS:
        _give_up(check, by=by, at=at)
        return
    try:
        told = _hand_over(check, at)
    except Exception as error:
        _note_trouble(check, error, by=by, at=at)
        raise
    _note_handed_over(check, told, by=by, at=at)


def _hand_over(check: ExternalCheck, at: datetime) -> HandedOver:
    verifier = configured()
    if verifier is None or verifier.code != check.verifier:
        raise VerifierGone(f"{check.verifier_title} is not set up any more.")
    record = check.verification
    told = verifier.ask(Question(check.reference, record.party.kind, json.loads(check.question.reveal())), at=at)
    texts.code("The verifier's reference", told.reference, LONGEST_REFERENCE)
    if told.send_customer_to and urlsplit(texts.code("Its address", told.send_customer_to, 2000)).scheme != "https":
        raise VerifierGone("The verifier's address for the customer is not https.")
    return told


@flow
def _note_trouble(check: ExternalCheck, error: Exception, *, by: Actor, at: datetime) -> None:
    check = _locked(check)
    why = str(error)[:120] if isinstance(error, Refusal) else f"Could not be handed over ({type(error).__name__})."
    check.trouble = f"{why} It is tried again by itself, and after five times stands among the jobs."
    check.save(update_fields=["trouble"])
    tell(Verb.CHECK_NOT_HANDED_OVER, check, by=by, at=at, error=type(error).__name__)


@flow
def _note_handed_over(check: ExternalCheck, told: HandedOver, *, by: Actor, at: datetime) -> None:
    """The answer may have been faster than this note, so the state is left as it is."""
    check = _locked(check)
    check.handed_over_at, check.their_reference, check.trouble = at, told.reference, ""
    check.send_customer_to = told.send_customer_to
    check.save(update_fields=["handed_over_at", "their_reference", "send_customer_to", "trouble"])
    tell(Verb.CHECK_HANDED_OVER, check, by=by, at=at)


def _locked(check: ExternalCheck) -> ExternalCheck:
    locked(check.verification)
    rows = ExternalCheck.objects.select_for_update(of=("self",)).select_related("verification__account")
    return rows.get(pk=check.pk)


# --- the end ----------------------------------------------------------------------------------------------------------


def end_unanswered(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """End every check whose answer did not come in time; each by itself, may be killed and repeated."""
    due = ExternalCheck.objects.overdue(at).select_related("verification").order_by("due_at", "pk")
    return sweep("accounts.external_check", due, lambda row: _give_up(row, by=by, at=at), at=at)


@flow
def _give_up(check: ExternalCheck, *, by: Actor, at: datetime) -> None:
    check = _locked(check)
    if check.state != CheckState.ASKED or check.answers.filter(state=AnswerState.RECEIVED.value).exists():
        return
    check.state, check.ended_at = CheckState.ENDED.value, at
    check.save(update_fields=["state", "ended_at"])
    tell(Verb.CHECK_UNANSWERED, check, by=by, at=at)
    if check.verification.status in TAKES_RESULTS:
        verification.record_method(
            check.verification, method=OUTSIDE, result=Result.ERROR.value, by_hand=False, by=by, at=at,
            source=f"{check.verifier_title}, no usable answer to {check.reference}",
        )  # fmt: skip

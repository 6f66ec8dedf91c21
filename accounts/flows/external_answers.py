"""Take in what an outside verifier answers: keep it whole at once, read it in a job (requirements R33, R34, R53).

Receiving only proves the signature, stores and acknowledges. An answer that is late or cannot be read is kept as well.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.flows import external_checks, verification
from accounts.flows.discrepancies import locked
from accounts.flows.external_checks import TAKES_RESULTS, tell
from accounts.formats.access_lines import load_json
from accounts.formats.signed_messages import NotSigned, SignedMessage, open_message
from accounts.models import Account, ExternalAnswer, ExternalCheck, MethodResult
from accounts.rules.outside_verifier import AnswerState, CheckState, Reading, UnreadableAnswer, consistent
from accounts.rules.verifying import OUTSIDE
from accounts.verbs import Verb
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

READ = "accounts.read_answer"  # the kind of job
MOST_ANSWERS = 20  # to one question; a verifier that goes on and on must not fill the database
REFERENCE = re.compile(r"[0-9A-Z-]{1,20}")
NOT_TOLD = "differs; the verifier does not say what it found"


class NotAccepted(Exception):
    """No answer to anything we asked. `why` is a code for the trail; whoever sent it is never told."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class OtherBody(Exception):
    """A message with this id was taken in before, and was another one."""


def take_in(body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
    """Keep a signed answer; False when this very message was taken in before, so that nothing changes.

    `headers` by their names in small letters. Raises NotAccepted and OtherBody.
    """
    verifier = external_checks.configured()
    if verifier is None:
        raise NotAccepted("no_verifier")
    try:
        message = open_message(body, headers, settings.VERIFIER_SECRETS)
    except NotSigned:
        raise NotAccepted("signature") from None
    check = ExternalCheck.objects.select_related("verification")
    check = check.filter(reference=_reference_in(message, verifier), verifier=verifier.code).first()
    if check is None:
        raise NotAccepted("reference")
    by = Actor(kind="verifier", key=verifier.code, label=verifier.title)
    return _keep(check, message, by=by, at=at)


def _reference_in(message: SignedMessage, verifier) -> str:
    try:
        document = load_json(message.text)
    except ValueError:
        raise NotAccepted("not_json") from None
    if not isinstance(document, dict):
        raise NotAccepted("not_json")
    try:
        found = verifier.reference_of(document)
    except Exception:  # an adapter is others' code: whatever it makes of foreign input, the door answers alike
        found = None
    if not isinstance(found, str) or not REFERENCE.fullmatch(found):
        raise NotAccepted("no_reference")
    return found


@flow
def _keep(check: ExternalCheck, message: SignedMessage, *, by: Actor, at: datetime) -> bool:
    Account.objects.select_for_update(of=("self",)).filter(pk=check.verification.account_id).first()
    rows = ExternalCheck.objects.select_for_update(of=("self",)).select_related("verification__account")
    check = rows.filter(pk=check.pk).first()
    if check is None:  # purged this very moment
        raise NotAccepted("reference")
    earlier = ExternalAnswer.objects.filter(webhook_id=message.id).first()
    if earlier is not None:
        if (earlier.check_asked_id, earlier.sha256) != (check.pk, message.sha256):
            raise OtherBody
        return False
    if check.answers.count() >= MOST_ANSWERS:
        raise NotAccepted("too_many")
    answer = ExternalAnswer(
        check_asked=check, webhook_id=message.id, signed_at=message.signed_at, received_at=at,
        headers=dict(message.headers), sha256=message.sha256, size=len(message.text.encode()),
    )  # fmt: skip
    answer.body = message.text
    try:
        with transaction.atomic():
            answer.save(force_insert=True)
    except IntegrityError:  # the same id at the same moment for another question
        raise OtherBody from None
    tell(Verb.ANSWER_RECEIVED, check, by=by, at=at, sha256=answer.sha256)
    queue.ask(READ, str(answer.pk), due_at=at, at=at)
    return True


# --- the job ----------------------------------------------------------------------------------------------------------


@flow
def interpret(key: str, *, by: Actor, at: datetime) -> None:
    """The job: read an answer and let it stand as a result, with a discrepancy for each field that differs.

    May be killed and repeated. After the verification's conclusion an answer changes nothing; one that cannot be read
    leaves the question open.
    """
    answer = ExternalAnswer.objects.select_related("check_asked__verification").filter(pk=key).first()
    if answer is None:  # purged meanwhile
        return
    record = locked(answer.check_asked.verification)
    answer = ExternalAnswer.objects.select_for_update(of=("self",)).get(pk=answer.pk)
    if answer.state != AnswerState.RECEIVED:
        return
    check = ExternalCheck.objects.select_for_update(of=("self",)).get(pk=answer.check_asked_id)
    check.verification, answer.check_asked = record, check
    text = answer.body.reveal()  # a key that cannot be had now is no fault of the answer: the job is tried again
    try:
        _let_count(answer, _read(text, check), by, at)
    except Refusal as refusal:
        answer.state, answer.trouble = AnswerState.UNREADABLE.value, str(refusal)[:200]
    answer.save(update_fields=["state", "trouble", "result", "matched", "differing", "method_result"])
    if answer.state != AnswerState.UNREADABLE and check.state != CheckState.ANSWERED:
        check.state, check.ended_at = CheckState.ANSWERED.value, answer.received_at
        check.save(update_fields=["state", "ended_at"])
    tell(Verb.ANSWER_READ, check, by=by, at=at, state=AnswerState(answer.state).label, result=answer.result)


def _read(text: str, check: ExternalCheck) -> Reading:
    """What the answer says. Raises UnreadableAnswer, also for what an adapter stumbles over."""
    verifier, asked = external_checks.configured(), tuple(check.asked_about)
    if verifier is None or verifier.code != check.verifier:
        raise UnreadableAnswer(f"{check.verifier_title} is not set up any more, so nothing reads its answers.")
    try:
        return consistent(verifier.read(load_json(text), asked), asked)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableAnswer(f"The answer is not of the verifier's own form ({type(error).__name__}).") from error


def _let_count(answer: ExternalAnswer, reading: Reading, by: Actor, at: datetime) -> None:
    """Make it a result while the verification takes results. Raises a Refusal; then nothing is written."""
    if answer.check_asked.verification.status in TAKES_RESULTS:
        with transaction.atomic():
            answer.method_result = _use(answer, reading, by, at)
        answer.state = AnswerState.USED.value
    else:
        answer.state = AnswerState.LATE.value
    answer.result, answer.matched = reading.result.value, list(reading.matched)
    answer.differing = list(reading.differing)


def _use(answer: ExternalAnswer, reading: Reading, by: Actor, at: datetime) -> MethodResult:
    check = answer.check_asked
    theirs = reading.their_reference or check.their_reference
    source = ", ".join(filter(None, (check.verifier_title, theirs, check.reference)))
    result = verification.record_method(
        check.verification, method=OUTSIDE, result=reading.result.value, source=source, matched=reading.matched,
        by_hand=False, by=by, at=at,
    )  # fmt: skip
    stated = json.loads(check.question.reveal())
    unsettled = check.verification.discrepancies.filter(settled_at__isnull=True).values_list("field", flat=True)
    for field in sorted(set(reading.differing) - set(unsettled)):
        verification.find_discrepancy(
            check.verification, field=field, stated=stated[field][:300], found=reading.differing[field] or NOT_TOLD,
            by=by, at=at,
        )  # fmt: skip
    return result

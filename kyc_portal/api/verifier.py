"""The door of the outside identity verifier (docs/outside-verifier.md): a signed message in, an acknowledgement out.

No key and no log-in: the signature alone says who sends. Whatever is wrong with it, with the body or with the reference
is answered alike, so that whoever tries learns nothing.
"""

from django.conf import settings
from django.http import HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.flows import external_answers
from accounts.formats.signed_messages import HEADERS
from kyc_portal.api.problems import Problem
from kyc_portal.api.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.staff import throttling

DOOR, CHUNK = "verifier", 1 << 16
THE_DOOR = RecordRef("api.verifier", "door", "the verifier's door")
STRANGER = Actor(kind="stranger", key="stranger", label="an unknown verifier")


@csrf_exempt
def answers(request) -> HttpResponse:
    """Take in one answer: 202 when it is new, 200 when this very message was taken in before."""
    try:
        is_new = _run(request)
    except Problem as problem:
        return problem.as_response()
    return JsonResponse({"is_repeat": not is_new}, status=202 if is_new else 200, headers={"Cache-Control": "no-store"})


def _run(request) -> bool:
    if request.method != "POST":
        raise Problem(405, "This address takes POST only.", Allow="POST")
    if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send application/json without a content encoding.")
    body, at = _body_of(request), timezone.now()
    headers = {name: request.headers.get(name, "") for name in HEADERS}
    try:
        return external_answers.take_in(body, headers, at=at)
    except external_answers.OtherBody:
        raise Problem(409, "Another message with this webhook-id was taken in before.") from None
    except external_answers.NotAccepted as refused:
        if throttling.is_shut(request, DOOR):
            seconds = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
            raise Problem(429, "Too many failed tries. Wait a while.", Retry_After=seconds) from None
        throttling.count_failure(request, DOOR)
        _note_refusal(refused.why, by=STRANGER, at=at)
        raise Problem(400, "The message is not accepted: it is not a signed answer to anything asked.") from None


def _body_of(request) -> bytes:
    """The body, of the announced length and no longer than is allowed; nothing more is read."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not (announced.isascii() and announced.isdigit()):
        raise Problem(411, "Say how long the body is, in the header Content-Length.")
    if int(announced) > settings.VERIFIER_MAX_BYTES:
        raise Problem(413, f"The body is larger than {settings.VERIFIER_MAX_BYTES:,} bytes.")
    body = b""
    try:
        while piece := request.read(CHUNK):  # the stream ends at the announced length
            body += piece
    except UnreadablePostError:
        body = b""
    if len(body) != int(announced):
        raise Problem(400, "The body broke off before its announced end. Send it again.")
    return body


@flow
def _note_refusal(why: str, *, by: Actor, at) -> None:
    """One event for a failed try; nothing of what was sent is kept."""
    audit.record(Verb.ANSWER_REFUSED, THE_DOOR, by=by, at=at, why=why)

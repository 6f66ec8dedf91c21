"""What every endpoint does first: method, key, scope; and how it says no.

Only here and at the verifier's door (verifier.py), which asks for a signature, is a request without CSRF token.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from accounts.formats.text import shown
from kyc_portal.api import keys, sources
from kyc_portal.api.models import ApiKey
from kyc_portal.api.problems import WORDS, Problem
from kyc_portal.records.acting import acting
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sources import source_of


def endpoint(method: str, *, scope: str = ""):
    """Declare `view(request, key, at, **named)`, which gives (status, dict), an endpoint for holders of a key.

    A view whose answer may be kept gives a third, its headers; status 304 sends no body.

    A key comes in the header "Authorization: Bearer …" and from nowhere else: cookies open nothing here.
    """

    def declare(view: Callable) -> Callable:
        @csrf_exempt
        @wraps(view)
        def answer(request, **named) -> HttpResponse:
            try:
                status, body, *own = _run(request, named, view, method, scope)
            except Problem as problem:
                return problem.as_response()
            except Refusal as refusal:
                return Problem(400, refusal.told(WORDS)).as_response()
            headers = own[0] if own else {"Cache-Control": "no-store"}
            if status == HTTPStatus.NOT_MODIFIED:
                return HttpResponse(status=status, headers=headers)
            return JsonResponse(body, status=status, headers=headers)

        return answer

    return declare


def _run(request, named: dict, view: Callable, method: str, scope: str) -> tuple:
    allowed = ["GET", "HEAD"] if method == "GET" else [method]
    if request.method not in allowed:
        raise Problem(405, f"This address takes {' and '.join(allowed)} only.", Allow=", ".join(allowed))
    request.encoding = settings.DEFAULT_CHARSET  # a charset speaks of the body; Django would read the query by it
    at = timezone.now()
    key = _key_of(request, at)
    if scope and scope not in key.scopes:
        raise Problem(403, f"This key does not have the scope {scope}. Ask an administrator for one that has.")
    if key.last_used_on != legal_day(at):
        keys.note_use(key, by=key.as_actor, at=at)
    with acting(key.as_actor):
        return view(request, key, at, **named)


def _key_of(request, at) -> ApiKey:
    """The key of the request. Every failure is answered alike; a source that fails too often is told to wait.

    A good key is never made to wait: others behind the same address must not be able to lock it out.
    """
    no_key = Problem(401, "Send a valid key in the header Authorization: Bearer …", WWW_Authenticate="Bearer")
    if "Authorization" not in request.headers:  # nothing was tried
        raise no_key
    kind, _, text = request.headers["Authorization"].partition(" ")
    source = source_of(request)
    try:
        return keys.recognise(text if kind.lower() == "bearer" else "", source=source, at=at)
    except keys.NotRecognised as refused:
        if sources.failures_of(source) > settings.API_MOST_FAILURES:
            raise Problem(429, "Too many failed tries. Wait a while.", Retry_After=str(sources.WINDOW)) from None
        keys.note_refusal(refused, by=keys.STRANGER, at=at)
        raise no_key from None


def parameters(request, known: Iterable[str]) -> dict[str, str]:
    """The query, each name once; one that is misspelt must not be passed over in silence. Raises Problem."""
    if unknown := sorted(set(request.GET) - set(known)):
        raise Problem(400, f"The parameter {shown(unknown[0])} is not known. Known are {', '.join(sorted(known))}.")
    if doubled := [name for name, values in request.GET.lists() if len(values) > 1]:
        raise Problem(400, f"The parameter {doubled[0]} stands twice.")
    return request.GET.dict()


@csrf_exempt
def nothing_here(request, **named) -> HttpResponse:
    """Any other address below /api/."""
    return Problem(404, "There is nothing at this address.").as_response()


def bad_request(request, exception) -> HttpResponse:
    """What the middleware refuses before any endpoint is reached, in the form of the address it was sent to."""
    if request.path.startswith("/api/"):
        return Problem(400, "The request cannot be read. Mend its address or its headers.").as_response()
    return defaults.bad_request(request, exception)

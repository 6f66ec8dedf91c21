"""What every request meets: who acts, the viewer's zone, no caching, a session that lives, and the policy table."""

import logging
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from kyc_portal.records import acting
from kyc_portal.records.refs import VISITOR
from kyc_portal.staff import breakglass, browsers, factors, policy_table, sessions

log = logging.getLogger(__name__)

ENDED = {
    "idle": "You were logged out because nothing happened for a while. Log in to go on where you were.",
    "longest": "You were logged out because a session ends after some hours. Log in to go on where you were.",
    "clock": "You were logged out because the clock changed. Log in to go on where you were.",
}
ALWAYS_OPEN = {"logout", "health", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
ENROLLING = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn"}


class RequestContextMiddleware:
    """Sets who acts and the viewer's zone; refuses NUL; authenticated pages are never stored, none after a log-out."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL would answer with an error of its own
            raise BadRequest("A query cannot hold a NUL character.")
        request.break_glass = breakglass.held_by(request.user, timezone.now())
        if request.break_glass:
            request.id = breakglass.request_id(request.break_glass)
        was_known = request.user.is_authenticated
        actor = request.user.as_actor if was_known else VISITOR
        with acting.within_request(request.id), acting.acting(actor), timezone.override(_zone_of(request.user)):
            response = self.get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        browsers.forget_after_log_out(
            response, was_known=was_known, is_known=request.user.is_authenticated,
            says_why=bool(getattr(request, "session_over", "")),
        )  # fmt: skip
        return response


class SignInMiddleware:
    """Ends sessions whose time is over, and leads whoever needs a second factor to it before anything else opens."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            now = timezone.now()
            request.session_over = sessions.why_over(request.session, at=now)
            if request.session_over:
                logout(request)
                lost = " What you had just sent was not saved." if request.method == "POST" else ""
                messages.warning(request, ENDED[request.session_over] + lost)
            else:
                sessions.touch(request.session, at=now)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """The way to the second factor while the person needs one and has not used it in this session."""
        name = request.resolver_match.url_name
        if not request.user.is_authenticated or name in ALWAYS_OPEN:
            return None
        if factors.was_used(request) or not factors.is_required(request.user):
            return None
        kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
        if not kinds:
            return None if name in ENROLLING else redirect("mfa_index")
        page = "mfa_reauthenticate" if "totp" in kinds else "mfa_reauthenticate_webauthn"
        return redirect_to_login(request.get_full_path(), reverse(page))


class PolicyMiddleware:
    """Asks the policy table before any view and any look into the database: method first, then log-in, then right.

    So an address without a row is closed to everybody, and what is refused says nothing of the record in the address.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        page = policy_table.page_at(request.resolver_match)
        if page is None:
            raise Http404
        if page.asks_for_key:
            return None
        if request.method not in page.methods:
            return HttpResponseNotAllowed(page.methods)
        if page.opens_to(request.user, request.method):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        log.warning("refused %s of %s to %s", request.method, request.resolver_match.view_name, request.user.pk)
        raise PermissionDenied


def _zone_of(user) -> ZoneInfo:
    try:
        return ZoneInfo(getattr(user, "time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # “America” names a folder
        return ZoneInfo("UTC")

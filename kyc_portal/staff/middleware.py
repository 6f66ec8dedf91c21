"""What every request meets: an id for the trail, the viewer's zone, no caching, the policy table before its view."""

import logging
import uuid
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from kyc_portal.records import acting
from kyc_portal.staff import policy_table

log = logging.getLogger(__name__)


class RequestContextMiddleware:
    """Sets the request id of audit events and the viewer's zone; refuses NUL; authenticated pages are never stored."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL would answer with an error of its own
            raise BadRequest("A query cannot hold a NUL character.")
        request.id = str(uuid.uuid4())
        with acting.within_request(request.id), timezone.override(_zone_of(request.user)):
            response = self.get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        return response


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

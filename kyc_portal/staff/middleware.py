"""What every request brings along: the viewer's zone, and answers that are never cached."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import BadRequest
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from kyc_portal.records import acting
from kyc_portal.records.refs import VISITOR
from kyc_portal.staff import breakglass, browsers


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
        browsers.forget_after_log_out(response, was_known=was_known, is_known=request.user.is_authenticated)
        return response


def _zone_of(user) -> ZoneInfo:
    try:
        return ZoneInfo(getattr(user, "time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # “America” names a folder
        return ZoneInfo("UTC")

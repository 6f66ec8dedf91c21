"""What every request brings along: the viewer's zone, and answers that are never cached."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import BadRequest
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from kyc_portal.staff import browsers


class RequestContextMiddleware:
    """Sets the viewer's zone; refuses NUL; authenticated pages are never stored, and after a log-out none remain."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL would answer with an error of its own
            raise BadRequest("A query cannot hold a NUL character.")
        was_known = request.user.is_authenticated
        with timezone.override(_zone_of(request.user)):
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

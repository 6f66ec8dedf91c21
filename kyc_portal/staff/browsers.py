"""What every answer tells the browser, and what is refused when another site asks (ASVS 3.4, 3.5.8, 14.3.1, 16.5.1)."""

import uuid

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from kyc_portal.records import acting
from kyc_portal.staff import policy_table

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
OF_ANOTHER_SITE = ("cross-site", "same-site")  # same-site: a neighbouring host of the provider's domain


class BrowserMiddleware:
    """Outermost but for Django's own guard, so that refusals and broken pages carry id and headers as well."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = str(uuid.uuid4())  # ours alone: an id a client sends is not believed
        with acting.within_request(request.id):
            response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.status_code >= 400:
            add_never_cache_headers(response)
        return response

    def process_view(self, request, view, args, kwargs):
        """A page of another site may link to us; it may not load, embed or post to anything of ours.

        A body that is larger than the page's row allows is refused here, before anybody reads it.
        """
        page = policy_table.page_at(request.resolver_match)
        if page and page.most_bytes and _length_of(request) > page.most_bytes:
            return render(None, "413.html", {"provider": settings.PROVIDER_NAME}, status=413)
        if request.headers.get("Sec-Fetch-Site") not in OF_ANOTHER_SITE:
            return None
        if request.method not in ("GET", "HEAD") or request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise PermissionDenied("Another site may not ask for this.")
        if request.headers.get("Sec-Fetch-Dest") not in ("document", None):
            raise PermissionDenied("Another site may not embed this.")
        return None


def _length_of(request) -> int:
    """How many bytes the client says it sends; what is no number counts as none, and as many are read."""
    told = request.META.get("CONTENT_LENGTH") or ""
    return int(told) if told.isascii() and told.isdigit() else 0


def forget_after_log_out(response, *, was_known: bool, is_known: bool, says_why: bool) -> None:
    """Tell the browser to drop what it holds of us once somebody has left (ASVS 14.3.1).

    Whoever did not leave by themselves reads why on the next page; that sentence travels in a cookie, which stays, and
    the session's own cookie is deleted all the same. The cache is left out: no page is ever kept there, and browsers
    take seconds to clear it.
    """
    if was_known and not is_known:
        response.headers["Clear-Site-Data"] = '"storage"' if says_why else '"cookies", "storage"'


def server_error(request):
    """The page of a fault of ours, with the id under which it stands in the log, and nothing else of it."""
    context = {"request_id": getattr(request, "id", ""), "provider": settings.PROVIDER_NAME}
    return render(None, "500.html", context, status=500)

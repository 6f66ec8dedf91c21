"""Grave acts ask for a log-in that is at most minutes old (ASVS 7.5.3, TH9).

    @require_recent_login
    def download(request, reference): ...

A flow action says `grave=True`. The proof is bound to the session, which gets a new key with it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from kyc_portal.staff.sessions import CONFIRMED, ONE_MINUTE


def is_recent(request, *, at: datetime) -> bool:
    """Whether the person of this session proved who they are within the last RECENT_LOGIN seconds."""
    age = at.timestamp() - request.session.get(CONFIRMED, 0)
    return -ONE_MINUTE <= age < settings.RECENT_LOGIN


def ask(request) -> HttpResponse | None:
    """The way to the page that asks again, from which the person comes back to this address; None if recent enough."""
    if is_recent(request, at=timezone.now()):
        return None
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")


def require_recent_login(view: Callable) -> Callable:
    """Guard a view; stands below `login_required` and `permission_required`, which judge first."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        return ask(request) or view(request, *args, **kwargs)

    return guarded

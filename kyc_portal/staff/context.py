"""What every template may show: the provider's name, the regime in use, permissions held for a time."""

from django.conf import settings
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from kyc_portal.policy.current import profile_on
from kyc_portal.records.clock import legal_day


def portal(request):
    """Context processor; the regime is read only when a template shows it."""
    return {
        "provider": settings.PROVIDER_NAME,
        "regime": SimpleLazyObject(lambda: profile_on(legal_day(timezone.now()))),
        "break_glass": getattr(request, "break_glass", None),
        "today": legal_day(timezone.now()),
    }

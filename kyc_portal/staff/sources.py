"""Where a request comes from, be it behind proxies of our own (ASVS 4.1.3)."""

import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.core import checks


def source_of(request) -> str:
    """The client's address; "" when there is none. X-Forwarded-For counts only when a configured proxy sent it.

    Of that header only what our own proxies added is believed: the last address that is none of theirs.
    """
    source = _plain(request.META.get("REMOTE_ADDR", ""))
    told = request.headers.get("X-Forwarded-For", "").split(",")
    while told and _is_proxy(source, settings.TRUSTED_PROXIES):
        source = _plain(told.pop().strip())
    return source


def _plain(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _is_proxy(source: str, networks: Iterable[str]) -> bool:
    return bool(source) and any(ipaddress.ip_address(source) in ipaddress.ip_network(each) for each in networks)


def check_proxies(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """System check: each of TRUSTED_PROXIES is a network, and none is the whole world."""
    faults = []
    for text in settings.TRUSTED_PROXIES:
        try:
            is_sound = ipaddress.ip_network(text).prefixlen > 0
        except ValueError:
            is_sound = False
        if not is_sound:
            hint = "Name the networks of your own proxies, such as 10.0.0.0/24, or leave it out."
            faults.append(checks.Error(f"KYC_TRUSTED_PROXIES: “{text[:60]}” cannot be used.", hint=hint, id="api.E001"))
    return faults

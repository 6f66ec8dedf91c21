"""How often a source failed to show a key (ASVS 6.3.1)."""

import hashlib
import ipaddress

from django.core.cache import cache

WINDOW = 15 * 60  # seconds


def failures_of(source: str) -> int:
    """Count one more failed try of this source and say how many there were in the last quarter of an hour.

    Whoever has one IPv6 address has 2^64 of them, so these are counted by network. No address is kept, only a hash.
    """
    if ":" in source:
        source = str(ipaddress.ip_network(f"{source}/64", strict=False))
    name = f"api-failures:{hashlib.sha256(source.encode()).hexdigest()}"
    cache.add(name, 0, timeout=WINDOW)
    try:
        return cache.incr(name)
    except ValueError:  # the window ended between the two lines
        cache.set(name, 1, timeout=WINDOW)
        return 1

"""Addresses on the net: one strict reading, and which ones are not public (trust.md E1-E6, regulation T20, T21)."""

import re
from datetime import date
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# ASCII only: ipaddress itself is strict, but nothing else may even reach it (E6); 45 is the longest written form.
_WRITTEN = re.compile(r"[0-9A-Fa-f:.]{2,45}\Z")

# An address with the port it came from: IPv4 as it is, IPv6 in brackets, which may also stand without a port.
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<v4>[0-9.]{7,15})(?=:))(?::(?P<port>[0-9]{1,5}))?\Z")
_LARGEST_PORT = 65_535

# Our own list: the standard library of Python 3.11 calls 3fff::/20 global. More specific blocks stand first.
SPECIAL_USE_AS_OF = date(2026, 11, 23)  # the day it was last gone through; a line that changes moves it
_SPECIAL_USE = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.2.0/24", "documentation"),
    ("192.0.0.0/24", "reserved"),
    ("192.88.99.0/24", "transition"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b::/96", "transition"),
    ("64:ff9b:1::/48", "private"),
    ("100::/64", "reserved"),
    ("2001::/32", "transition"),
    ("2001:2::/48", "benchmarking"),
    ("2001:10::/28", "reserved"),
    ("2001:20::/28", "reserved"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "transition"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "reserved"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
)
_NETWORKS = tuple((ip_network(network), name) for network, name in _SPECIAL_USE)
_GLOBAL_IPV6 = ip_network("2000::/3")


def parse_address(text: str) -> str | None:
    """Return the canonical form of one IPv4 or IPv6 address, or None when the text is not exactly that.

    An IPv4 address mapped into IPv6 becomes IPv4 (E1). Leading zeros, hex, decimal and short forms, zone names,
    surrounding blanks and digits of other scripts are not addresses (E3, E6): PostgreSQL and Python agree on the rest.
    """
    if not _WRITTEN.match(text):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return str(unmapped(address))


@lru_cache(maxsize=1 << 16)
def parse_source(text: str) -> tuple[str | None, int | None]:
    """Return (address as of parse_address, port) of what a log names as a source; None for what is not there.

    "192.0.2.1:443" and "[2001:db8::1]:443" are an address and a port. Port 0 stands for none. "2001:db8::1:443" is an
    address. A number beyond 65535 makes the whole no address.
    """
    if (address := parse_address(text)) is not None:
        return address, None
    found = _WITH_PORT.match(text)
    port = int(found["port"] or 0) if found else 0
    address = parse_address(found["v6"] or found["v4"]) if found and port <= _LARGEST_PORT else None
    if address is None or (found["v6"] and ":" not in found["v6"]):
        return None, None
    return address, port or None


def special_use(address: str) -> str | None:
    """Name why an address is not public ("private", "documentation", ...), or None for a public one (E4, T20, T21).

    `address` is in the canonical form of `parse_address`; anything else raises ValueError.
    """
    parsed = unmapped(ip_address(address))
    for network, name in _NETWORKS:
        if parsed.version == network.version and parsed in network:
            return name
    if parsed.version == 6 and parsed not in _GLOBAL_IPV6:
        return "reserved"
    return None


def special_ranges() -> list[tuple[int, int, int, str]]:
    """All of `special_use` as (4 or 6, first, last, name), the more specific first; whole numbers, both ends inside."""
    found = [
        (network.version, int(network.network_address), int(network.broadcast_address), name)
        for network, name in _NETWORKS
    ]
    below, above = int(_GLOBAL_IPV6.network_address), int(_GLOBAL_IPV6.broadcast_address)
    return [*found, (6, 0, below - 1, "reserved"), (6, above + 1, 2**128 - 1, "reserved")]


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside ::ffff:0:0/96, or the address itself."""
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped if mapped is not None else address


def parse_network(text: str) -> IPv4Network | IPv6Network | None:
    """Read "203.0.113.0/24" or a single address; None when it is neither, or has bits set beyond its prefix."""
    address, slash, prefix = text.partition("/")
    if not _WRITTEN.match(address) or (slash and not re.fullmatch(r"[0-9]{1,3}", prefix)):
        return None
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network

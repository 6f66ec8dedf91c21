"""Lists of address ranges (hosting, VPN, Tor) and address databases the operator brings (trust.md E4, regulation T22).

A list is a text file: one network or single address per line, # or ; starts a comment. A database is any file in the
MaxMind DB format with the field names of GeoLite2, GeoIP2, or a flat country_code.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, BinaryIO

import maxminddb

from accounts.formats.access_lines import BadLine
from accounts.formats.addresses import parse_network, special_use, unmapped
from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

LONGEST_LINE = 1_000

# What the reader lets through of a damaged file besides its own error, depending on whether it is the one in C.
DAMAGE = (IndexError, KeyError, TypeError, AttributeError, RecursionError)

_ANONYMOUS_KINDS = {
    "is_anonymous_vpn": "vpn",
    "is_hosting_provider": "hosting",
    "is_tor_exit_node": "tor",
    "is_public_proxy": "proxy",
    "is_anonymous_proxy": "proxy",
    "is_residential_proxy": "residential proxy",
    "is_anonymous": "anonymous",
}

Network = IPv4Network | IPv6Network
Range = tuple[int, int]


class MmdbRefused(Refusal):
    """The file is not a readable address database."""


def read_networks(stream: BinaryIO) -> Iterator[tuple[int, Network] | BadLine]:
    """Yield (line, network) for each entry, or a BadLine; comments and blank lines yield nothing."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            yield BadLine(number, f"The line is longer than {LONGEST_LINE:,} bytes.")
            continue
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
        entry = text.partition("#")[0].partition(";")[0].strip(" \t\r\n\x1a")
        if entry:
            yield _read_entry(number, entry)


def _read_entry(number: int, entry: str) -> tuple[int, Network] | BadLine:
    network = parse_network(entry)
    if network is None:
        return BadLine(number, f'"{shown(entry)}" is not a network or an address.{_hint(entry)}')
    if network.prefixlen == 0:
        return BadLine(number, f'"{shown(entry)}" covers every address there is.')
    return number, network


def _hint(entry: str) -> str:
    address, _, prefix = entry.partition("/")
    if parse_network(address) is None or not prefix.isdecimal() or not prefix.isascii():
        return ""
    try:
        return f" Did you mean {ip_network(entry, strict=False)}?"
    except ValueError:
        return ""


def merge_ranges(ranges: Iterable[Range]) -> list[Range]:
    """Sort (first, last) pairs and join those that touch or overlap."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


@dataclass(frozen=True)
class AddressRanges:
    """Sorted, non-overlapping ranges of both families as (first, last) whole numbers; a look-up is one bisection."""

    ipv4: tuple[Range, ...] = ()
    ipv6: tuple[Range, ...] = ()
    _firsts: dict[int, list[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        firsts = {4: [first for first, _ in self.ipv4], 6: [first for first, _ in self.ipv6]}
        object.__setattr__(self, "_firsts", firsts)

    @classmethod
    def from_networks(cls, networks: Iterable[Network]) -> "AddressRanges":
        """Build from networks in any order, overlapping or not."""
        pairs: dict[int, list[Range]] = {4: [], 6: []}
        for network in networks:
            pairs[network.version].append((int(network.network_address), int(network.broadcast_address)))
        return cls(ipv4=tuple(merge_ranges(pairs[4])), ipv6=tuple(merge_ranges(pairs[6])))

    def __len__(self) -> int:
        return len(self.ipv4) + len(self.ipv6)

    def covers(self, address: str) -> bool:
        """Tell whether an address in canonical form lies in one of the ranges."""
        return self.find(address) is not None

    def find(self, address: str) -> Range | None:
        """Return the merged range around an address, or None; ValueError when it is not an address."""
        parsed = unmapped(ip_address(address))
        ranges = self.ipv4 if parsed.version == 4 else self.ipv6
        place = bisect_right(self._firsts[parsed.version], int(parsed)) - 1
        if place >= 0 and int(parsed) <= ranges[place][1]:
            return ranges[place]
        return None


@dataclass(frozen=True)
class NetworkFacts:
    """What a database says about one address; nothing known is "", None and an empty set."""

    country: str = ""
    asn: int | None = None
    network_name: str = ""
    kinds: frozenset[str] = frozenset()


NOTHING_KNOWN = NetworkFacts()


class MmdbFacts:
    """An open address database; close it, or use it in a with statement."""

    def __init__(self, reader: maxminddb.Reader, path: Path):
        self._reader, self._path = reader, path
        metadata = reader.metadata()
        self.database_type: str = metadata.database_type
        self.built_at = datetime.fromtimestamp(metadata.build_epoch, tz=UTC)
        self._ip_version: int = metadata.ip_version

    def __enter__(self) -> "MmdbFacts":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()

    def probe(self) -> None:
        """Ask for an address in every part of the address space; raises MmdbRefused when the tree is damaged."""
        for first in range(1, 224):
            self.lookup(f"{first}.0.0.1")
        for first in range(0x2000, 0x4000, 0x100):
            self.lookup(f"{first:x}::1")

    def lookup(self, address: str) -> NetworkFacts:
        """Return what is known of a canonical address; documentation ranges are never geolocated (T20)."""
        if special_use(address) == "documentation":
            return NOTHING_KNOWN
        return self.facts_of(str(unmapped(ip_address(address))))

    def facts_of(self, address: str) -> NetworkFacts:
        """The same of an address in the form of `parse_address` that is known to be public, without asking again."""
        if ":" in address and self._ip_version == 4:
            return NOTHING_KNOWN
        try:
            record = self._reader.get(address)
        except (maxminddb.InvalidDatabaseError, ValueError, *DAMAGE) as error:
            raise MmdbRefused(f"{shown(self._path.name)} is damaged. Fetch the database again.") from error
        return _facts(record) if isinstance(record, dict) else NOTHING_KNOWN


def read_mmdb(path: Path) -> MmdbFacts:
    """Open a database in the MaxMind DB format; MmdbRefused when it is not one."""
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError, *DAMAGE) as error:
        raise _unreadable(path) from error
    try:
        return MmdbFacts(reader, path)
    except (OSError, ValueError, OverflowError, *DAMAGE) as error:  # such as a day of making beyond any calendar
        reader.close()
        raise _unreadable(path) from error


def _unreadable(path: Path) -> MmdbRefused:
    return MmdbRefused(f"{shown(path.name)} is not a readable address database. Give a file in the .mmdb format.")


def _facts(record: dict[str, Any]) -> NetworkFacts:
    traits = record.get("traits") if isinstance(record.get("traits"), dict) else {}
    flat = {**traits, **record}
    asn = flat.get("autonomous_system_number", flat.get("asn"))
    name = flat.get("autonomous_system_organization") or flat.get("as_organization") or flat.get("isp")
    return NetworkFacts(
        country=_country(record),
        asn=asn if isinstance(asn, int) and not isinstance(asn, bool) else None,
        network_name=name if isinstance(name, str) else "",
        kinds=frozenset(kind for key, kind in _ANONYMOUS_KINDS.items() if flat.get(key) is True),
    )


def _country(record: dict[str, Any]) -> str:
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code", country)
    return code.upper() if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha() else ""

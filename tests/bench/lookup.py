"""How many addresses a second are judged by five lists of ranges together, beside a plain bisection in each of them.

    make bench ARGS="lookup --addresses 10000000"

One core, no database, seconds of the core itself. Ours gives the whole verdict, with findings and confidence; the
rival, the standard library's `ipaddress` with `bisect`, only says which lists name the address, and looks at fewer.
Every address is new to both.
"""

import argparse
import random
import resource
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from accounts.formats.address_lists import AddressRanges
from accounts.rules.range_book import RangeBook
from accounts.rules.verdicts import AddressLimits, AskedList
from kyc_portal.policy.address_figures import ADDRESS_FIGURES

KINDS = ("vpn", "hosting", "tor", "proxy", "relay")
TODAY = date(2026, 3, 2)
CHUNK = 100_000
SHARE = 20  # the rival looks at every twentieth chunk
WANTED = 200_000


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--addresses", type=int, default=1_000_000)
    parser.add_argument("--ranges", type=int, default=50_000)
    options = parser.parse_args(arguments)
    lists = {AskedList(f"RNG-{kind}", kind, "bench", TODAY): each for kind, each in made_lists(options.ranges)}
    begun = time.perf_counter()
    of = RangeBook(lists).verdicts_on(TODAY, limits())
    built = time.perf_counter() - begun
    plain = plain_look(list(lists.values()))
    ours = theirs = 0.0
    looked_at, compared, first_peak = 0, 0, 0
    for number, addresses in enumerate(chunks(options.addresses)):
        ours += timed(of, addresses)
        looked_at += len(addresses)
        if number % SHARE == 0:
            theirs += timed(plain, addresses)
            compared += len(addresses)
            check(of, plain, addresses)
        first_peak = first_peak or peak()
    ranges = sum(len(each) for each in lists.values())
    print(f"  {looked_at:,} addresses against {ranges:,} ranges in {len(lists)} lists")
    print(
        f"  one table          {looked_at / ours:9,.0f} addresses a second (wanted: {WANTED:,}), made in {built:.2f} s"
    )
    print(f"  plain bisection    {compared / theirs:9,.0f} addresses a second ({compared:,} of them)")
    print(f"  one table to plain, by speed: {looked_at / ours / (compared / theirs):.1f}")
    print(f"  memory at most {peak():,.0f} MB, {peak() - first_peak:,.0f} MB more than after the first {CHUNK:,}")


def made_lists(ranges: int) -> Iterator[tuple[str, AddressRanges]]:
    """As many disjoint networks a list, four of five IPv4; the same at every run."""
    drawn, each = random.Random(7), ranges // len(KINDS)
    for kind in KINDS:
        starts4 = drawn.sample(range(0x01000000 >> 11, 0xDF000000 >> 11), each * 4 // 5)
        starts6 = drawn.sample(range(1 << 24), each - len(starts4))
        networks = [ip_network((start << 11, drawn.randint(22, 28))) for start in starts4]
        networks += [ip_network(((0x2A << 120) + (start << 90), drawn.randint(40, 64))) for start in starts6]
        yield kind, AddressRanges.from_networks(networks)


def chunks(addresses: int) -> Iterator[list[str]]:
    drawn, left = random.Random(11), addresses
    while left > 0:
        yield [made_address(drawn) for _ in range(min(CHUNK, left))]
        left -= CHUNK


def made_address(drawn: random.Random) -> str:
    if drawn.random() < 0.8:
        return str(IPv4Address(drawn.getrandbits(32)))
    return str(IPv6Address((0x2A << 120) + drawn.getrandbits(114)))


def plain_look(lists: list[AddressRanges]) -> Callable[[str], list[bool]]:
    """A bisection of address objects in each list, one after the other."""
    of_version = {
        version: [([kind(first) for first, _ in ranges], [kind(last) for _, last in ranges]) for ranges in chosen]
        for version, kind, chosen in (
            (4, IPv4Address, [each.ipv4 for each in lists]),
            (6, IPv6Address, [each.ipv6 for each in lists]),
        )
    }

    def look(text: str) -> list[bool]:
        address, found = ip_address(text), []
        for firsts, lasts in of_version[address.version]:
            place = bisect_right(firsts, address) - 1
            found.append(place >= 0 and address <= lasts[place])
        return found

    return look


def check(of: Callable, plain: Callable, addresses: list[str]) -> None:
    """Both say the same, where the address is public at all."""
    for address in addresses[:2000]:
        verdict = of(address)
        named = ", ".join(sorted(kind for kind, is_in in zip(KINDS, plain(address), strict=True) if is_in))
        if not verdict.special_use and verdict.anonymiser != named:
            raise AssertionError(f"they disagree: {verdict.anonymiser!r} and {named!r}")


def timed(look: Callable, addresses: list[str]) -> float:
    """Seconds of one core: what other processes take meanwhile is not counted."""
    begun = time.process_time()
    for address in addresses:
        look(address)
    return time.process_time() - begun


def limits() -> AddressLimits:
    """The shipped figures."""
    figures = {name: Decimal(value) for name, value, _, _ in ADDRESS_FIGURES}
    begin = "address_counts_"
    counts = {name.removeprefix(begin): value for name, value in figures.items() if name.startswith(begin)}
    return AddressLimits(counts, 90, 30, figures["address_high_from"], figures["address_medium_from"])


def peak() -> float:
    """The most memory this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.address_lists import AddressRanges
from accounts.formats.addresses import special_ranges, special_use
from accounts.formats.range_table import RangeTable

NOTHING = AddressRanges()


def networks(version):
    """Networks of all sizes, close together so that they overlap and touch; a few anywhere."""
    bits, base = (32, int(IPv4Address("8.8.0.0"))) if version == 4 else (128, int(IPv6Address("2a00::")))

    def made(pair):
        first, prefix = pair
        return ip_network((first >> (bits - prefix) << (bits - prefix), prefix))

    near = st.tuples(st.integers(base, base + 300), st.integers(bits - 9, bits))
    anywhere = st.tuples(st.integers(1 << (bits - 1), (1 << bits) - 1), st.integers(1, bits))
    return st.lists(st.one_of(near, near, anywhere).map(made), max_size=12)


def edges(of_lists):
    """The addresses at which something may change, and their neighbours."""
    for network in (network for networks in of_lists for network in networks):
        for number in (int(network.network_address), int(network.broadcast_address)):
            for near in (number - 1, number, number + 1):
                if 0 <= near < 1 << network.max_prefixlen:
                    yield (IPv4Address if network.version == 4 else IPv6Address)(near)


class TestFind:
    @given(st.lists(st.one_of(networks(4), networks(6)), max_size=5))
    def test_at_every_boundary_it_says_what_a_plain_look_says(self, of_lists):
        table = RangeTable([AddressRanges.from_networks(each) for each in of_lists])

        for address in edges(of_lists):
            if address.version == 6 and address.ipv4_mapped:
                continue
            found = table.find(str(address))
            plain = [any(address in network for network in networks) for networks in of_lists]
            assert [bool(found.lists >> bit & 1) for bit in range(len(of_lists))] == plain
            assert (found.special_use or None) == special_use(str(address))

    @given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
    def test_anywhere_the_special_use_is_that_of_our_own_list(self, address):
        if address.version == 6 and address.ipv4_mapped:
            address = address.ipv4_mapped

        assert (RangeTable([]).find(str(address)).special_use or None) == special_use(str(address))

    def test_t20_t21_at_the_ends_of_every_special_block(self):
        table = RangeTable([NOTHING])
        blocks = [(version, each) for version, first, last, _ in special_ranges() for each in (first, last)]

        for version, number in blocks:
            address = (IPv4Address if version == 4 else IPv6Address)(number)
            if version == 4 or not address.ipv4_mapped:
                assert table.find(str(address)).special_use == special_use(str(address)) != ""
        assert table.find("3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff").special_use == "documentation"
        assert table.find("3fff:1000::").special_use == ""

    def test_an_ipv4_address_inside_ipv6_is_looked_up_as_ipv4(self):
        table = RangeTable([AddressRanges.from_networks([ip_network("8.8.8.0/24")])])

        assert table.find("::ffff:8.8.8.8") is table.find("8.8.8.8")
        assert table.find("8.8.8.8").lists == 1

    @pytest.mark.parametrize("text", ["", "8.8.8", "8.8.8.8.8", "010.0.0.1", "x", "1.2.3.4/8", "::g", "fe80::1%eth0"])
    def test_what_is_no_address_raises(self, text):
        with pytest.raises(ValueError, match="not an address"):
            RangeTable([]).find(text)

    def test_cells_that_say_the_same_are_one_and_the_table_stays_small(self):
        lists = [AddressRanges.from_networks(ip_network((0x08000000 + n * 512, 24)) for n in range(1000))] * 3

        table = RangeTable(lists)

        assert table.find("8.0.0.1") is table.find("8.0.2.1")
        assert len(table) < 2 * 1000 + 150

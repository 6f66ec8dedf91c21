"""Addresses: rows E1-E6 of the bad-input catalogue, T20 and T21."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.addresses import parse_address, parse_network, special_use


class TestParseAddress:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::FFFF:0a00:0001", "10.0.0.1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("0000:0000:0000:0000:0000:ffff:192.168.100.228", "192.168.100.228"),
            ("::", "::"),
        ],
    )
    def test_e1_canonical_form(self, text, canonical):
        assert parse_address(text) == canonical

    @pytest.mark.parametrize(
        "text",
        [
            "010.0.0.1", "0x7f.1", "2130706433", "127.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "", " ", " 10.0.0.1",
            "10.0.0.1 ", "10.0.0.1\n", "10.0.0.1/32", "fe80::1%eth0", "[::1]", "1.2.3.4:80", ":::1", "::ffff:010.0.0.1",
            "\u0661\u0662.\u0663.\u0664.\u0665", "\uff11.2.3.4", "AWS Internal", "s3.amazonaws.com", "1.2.3.-4",
            "1::2::3", "12345::", "1.2.3.4\x00",
        ],
    )  # fmt: skip
    def test_e3_e6_these_are_not_addresses(self, text):
        assert parse_address(text) is None

    @given(st.integers(0, 2**32 - 1))
    def test_every_ipv4_address_is_read_in_both_spellings(self, number):
        plain = str(IPv4Address(number))

        assert parse_address(plain) == plain
        assert parse_address(f"::ffff:{plain}") == plain

    @given(st.integers(0, 2**128 - 1))
    def test_canonical_form_is_stable(self, number):
        first = parse_address(str(IPv6Address(number)))

        assert first is not None
        assert parse_address(first) == first

    @given(st.text(max_size=60))
    def test_any_text_is_an_address_or_none(self, text):
        canonical = parse_address(text)

        assert canonical is None or parse_address(canonical) == canonical


class TestSpecialUse:
    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("127.0.0.1", "loopback"),
            ("169.254.169.254", "link-local"),
            ("100.64.0.1", "carrier-grade NAT"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("224.0.0.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("0.0.0.1", "unspecified"),
            ("198.18.0.1", "benchmarking"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("fe80::1", "link-local"),
            ("fd00::1", "private"),
            ("ff02::1", "multicast"),
            ("2002::1", "transition"),
            ("4000::1", "reserved"),
        ],
    )
    def test_e4_not_public(self, address, name):
        assert special_use(address) == name

    @pytest.mark.parametrize(
        "address", ["192.0.2.0", "192.0.2.255", "198.51.100.25", "203.0.113.7", "2001:db8::1", "2001:db8:ffff::1"]
    )
    def test_t20_documentation(self, address):
        assert special_use(address) == "documentation"

    @pytest.mark.parametrize("address", ["3fff::1", "3fff:fff:ffff::1"])
    def test_t21_newer_documentation_block(self, address):
        assert special_use(address) == "documentation"

    @pytest.mark.parametrize(
        "address",
        [
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "192.0.1.1",
            "2600::1",
            "3fff:1000::",
        ],
    )
    def test_public_ones_have_no_special_use(self, address):
        assert special_use(address) is None


class TestParseNetwork:
    @pytest.mark.parametrize(
        ("text", "network"),
        [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.9", "203.0.113.9/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("::ffff:203.0.113.9", "203.0.113.9/32"),
        ],
    )
    def test_networks_and_single_addresses(self, text, network):
        assert parse_network(text) == ip_network(network)

    @pytest.mark.parametrize(
        "text",
        [
            "203.0.113.1/24",
            "203.0.113.0/33",
            "203.0.113.0/",
            "203.0.113.0/255.255.255.0",
            "/24",
            "1/8",
            "x",
            "",
            "a/-1",
        ],
    )
    def test_everything_else_is_none(self, text):
        assert parse_network(text) is None

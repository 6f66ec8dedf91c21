"""Range lists and address databases: T20 and T22."""

import io
import time
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts.formats.access_lines import BadLine
from accounts.formats.address_lists import (
    NOTHING_KNOWN,
    AddressRanges,
    MmdbRefused,
    merge_ranges,
    read_mmdb,
    read_networks,
)

ROOT = Path(__file__).resolve().parents[3]
SPECIMEN = ROOT / "tests" / "specimens" / "ranges.txt"
REAL_LISTS = ROOT.parent / "shared" / "data" / "vpn"
REAL_DATABASES = ROOT.parent / "shared" / "data" / "mmdb"


def read(content: str):
    return list(read_networks(io.BytesIO(content.encode())))


class TestReadNetworks:
    def test_it_reads_the_specimen(self):
        with SPECIMEN.open("rb") as stream:
            found = list(read_networks(stream))

        assert found == [
            (2, ip_network("203.0.113.0/25")),
            (3, ip_network("203.0.113.128/25")),
            (4, ip_network("198.51.100.7/32")),
            (6, ip_network("2001:db8:1::/48")),
            (7, ip_network("2001:db8:2::1/128")),
        ]

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("203.0.113.9/24", "Did you mean 203.0.113.0/24?"),
            ("nonsense", '"nonsense" is not a network'),
            ("203.0.113.0-203.0.113.9", "is not a network"),
            ("203.0.113.0/99", "is not a network"),
            ("010.0.0.0/8", "is not a network"),
            ("0.0.0.0/0", "covers every address"),
            ("::/0", "covers every address"),
            ("203.0.113.0 /24", "is not a network"),
            ("x" * 5_000, "longer than 1,000 bytes"),
            ("\u0661.2.3.4", "is not a network"),
        ],
    )
    def test_one_bad_line_is_named_and_the_others_stay(self, line, says):
        found = read(f"# head\n{line}\n203.0.113.0/24\r\n\x1a")

        assert isinstance(found[0], BadLine)
        assert found[0].line == 2
        assert says in found[0].reason
        assert found[1:] == [(3, ip_network("203.0.113.0/24"))]

    def test_real_lists_are_read_without_a_bad_line_and_fast(self):
        if not REAL_LISTS.is_dir():
            pytest.skip("the real lists are not there")
        began = time.perf_counter()
        networks = []
        for path in sorted(REAL_LISTS.glob("*.txt")):
            with path.open("rb") as stream:
                found = list(read_networks(stream))
            assert not [item for item in found if isinstance(item, BadLine)]
            networks += [network for _, network in found]
        ranges = AddressRanges.from_networks(networks)
        for network in networks:
            assert ranges.covers(str(network[0])) and ranges.covers(str(network[-1]))

        assert 0 < len(ranges) <= len(networks)
        assert time.perf_counter() - began < 20


class TestAddressRanges:
    def test_touching_ranges_become_one(self):
        ranges = AddressRanges.from_networks([ip_network("203.0.113.128/25"), ip_network("203.0.113.0/25")])

        assert ranges.ipv4 == ((int(ip_address("203.0.113.0")), int(ip_address("203.0.113.255"))),)
        assert len(ranges) == 1

    @pytest.mark.parametrize(
        ("address", "inside"),
        [
            ("203.0.113.0", True),
            ("203.0.113.255", True),
            ("203.0.112.255", False),
            ("203.0.114.0", False),
            ("::ffff:203.0.113.7", True),
            ("2001:db8::1", True),
            ("2001:db9::", False),
            ("::cb00:7107", False),
        ],
    )
    def test_covers(self, address, inside):
        ranges = AddressRanges.from_networks([ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")])

        assert ranges.covers(address) is inside

    def test_no_ranges_cover_nothing(self):
        assert not AddressRanges().covers("203.0.113.7")

    def test_text_that_is_no_address_is_a_mistake_of_the_caller(self):
        with pytest.raises(ValueError, match="nonsense"):
            AddressRanges().covers("nonsense")

    @given(
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair))), max_size=12)
    )
    def test_merging_keeps_exactly_the_same_numbers(self, ranges):
        merged = merge_ranges(ranges)

        covered = {number for first, last in ranges for number in range(first, last + 1)}
        assert {number for first, last in merged for number in range(first, last + 1)} == covered
        assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(merged))

    @given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)), max_size=8), st.integers(0, 2**32 - 1))
    def test_covers_agrees_with_the_standard_library(self, pairs, number):
        networks = [ip_network((first, prefix), strict=False) for first, prefix in pairs]
        address = ip_address(number)

        ranges = AddressRanges.from_networks(networks)

        assert ranges.covers(str(address)) == any(address in network for network in networks)
        assert all(ranges.covers(str(network[0])) for network in networks)


@pytest.fixture
def make_database(tmp_path):
    def make(records: dict[str, dict], **options) -> Path:
        writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Own-Test", **options)
        for network, record in records.items():
            writer.insert_network(IPSet([network]), record)
        path = tmp_path / "own.mmdb"
        writer.to_db_file(str(path))
        return path

    return make


class TestMmdb:
    def test_it_reads_the_field_names_in_use(self, make_database):
        path = make_database(
            {
                "1.0.0.0/24": {
                    "country": {"iso_code": "fr"},
                    "traits": {"is_anonymous_vpn": True, "isp": "Example Net"},
                },
                "1.0.1.0/24": {"country_code": "DE"},
                "1.0.2.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example AS"},
                "1.0.3.0/24": {"is_hosting_provider": True, "is_tor_exit_node": True, "is_public_proxy": False},
                "1.0.4.0/24": {"country": "Nowhere", "autonomous_system_number": "x", "is_anonymous_vpn": "yes"},
            }
        )

        with read_mmdb(path) as database:
            facts = [database.lookup(f"1.0.{third}.9") for third in range(6)]

            assert (facts[0].country, facts[0].kinds, facts[0].network_name) == ("FR", {"vpn"}, "Example Net")
            assert facts[1].country == "DE"
            assert (facts[2].asn, facts[2].network_name) == (64500, "Example AS")
            assert facts[3].kinds == {"hosting", "tor"}
            assert facts[4] == facts[5] == NOTHING_KNOWN
            assert database.lookup("::ffff:1.0.1.9").country == "DE"
            assert (datetime.now(UTC) - database.built_at).days == 0
            assert database.database_type == "Own-Test"

    def test_t20_documentation_addresses_are_never_located(self, make_database):
        with read_mmdb(make_database({"203.0.113.0/24": {"country_code": "DE"}})) as database:
            assert database.lookup("203.0.113.7") == NOTHING_KNOWN

    @pytest.mark.parametrize("content", [b"", b"not a database", b"\xab\xcd\xefMaxMind.com" + b"\x00" * 50])
    def test_a_file_that_is_no_database(self, tmp_path, content):
        path = tmp_path / "bad.mmdb"
        path.write_bytes(content)

        with pytest.raises(MmdbRefused, match=r"bad\.mmdb is not a readable address database"):
            read_mmdb(path)

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(MmdbRefused, match="not a readable"):
            read_mmdb(tmp_path / "absent.mmdb")

    @pytest.mark.parametrize(
        ("address", "kinds"),
        [
            ("81.2.69.160", {"vpn", "tor", "proxy", "hosting", "residential proxy", "anonymous"}),
            ("1.2.0.1", {"vpn", "anonymous"}),
            ("71.160.223.9", {"hosting", "anonymous"}),
            ("186.30.236.9", {"proxy", "anonymous"}),
            ("65.0.0.1", {"tor", "anonymous"}),
            ("8.8.8.8", set()),
        ],
    )
    def test_t22_kinds_of_anonymity(self, address, kinds):
        with self.real("GeoIP2-Anonymous-IP-Test") as database:
            assert database.lookup(address).kinds == kinds

    def test_t22_country_and_network(self):
        with self.real("GeoLite2-Country-Test") as country, self.real("GeoLite2-City-Test") as city:
            assert country.lookup("81.2.69.160").country == city.lookup("81.2.69.160").country == "GB"
            assert country.lookup("2001:218::1").country == "JP"
            assert country.built_at.tzinfo is UTC
        with self.real("GeoLite2-ASN-Test") as network:
            assert (network.lookup("1.128.0.1").asn, network.lookup("1.128.0.1").network_name) == (
                1221,
                "Telstra Pty Ltd",
            )

    @staticmethod
    def real(name: str):
        path = REAL_DATABASES / f"{name}.mmdb"
        if not path.exists():
            pytest.skip("the real test databases are not there")
        return read_mmdb(path)

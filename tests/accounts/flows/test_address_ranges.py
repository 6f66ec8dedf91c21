from datetime import date

import pytest
from django.conf import settings

from accounts.flows import address_ranges, editions, range_book, verdicts
from accounts.formats.address_lists import MmdbRefused
from accounts.models import AddressRange, AddressRangeSnapshot
from kyc_portal.records import audit
from kyc_portal.records.models import AuditEvent
from tests.accounts.lists import REAL, real
from tests.conftest import NOON


def load(lead, kind, path, **options):
    return address_ranges.load_ranges(kind, path, by=lead, at=NOON, **options)


def verdict_on(address):
    return verdicts.judge_now(NOON).of(address)


@pytest.fixture
def vpn_file(tmp_path):
    path = tmp_path / "vpn.txt"
    path.write_text("# providers\n1.2.0.0/16\n1.3.0.0/16\n8.8.8.8\n2a00::/32\n")
    return path


class TestLoadRanges:
    def test_it_keeps_merged_ranges(self, lead, vpn_file):
        outcome = load(lead, "vpn", vpn_file)

        rows = list(AddressRange.objects.order_by("version", "first").values_list("version", "first", "last"))
        assert outcome.is_new and outcome.snapshot.range_count == 3
        assert rows[0] == (4, f"{0x01020000:032x}", f"{0x0103FFFF:032x}")
        assert (outcome.snapshot.source, outcome.snapshot.as_of) == ("vpn.txt", NOON.date())

    def test_the_same_file_again_changes_nothing(self, lead, vpn_file):
        first = load(lead, "vpn", vpn_file)
        events = AuditEvent.objects.count()

        second = load(lead, "vpn", vpn_file)

        assert (second.snapshot, second.is_new) == (first.snapshot, False)
        assert (AddressRange.objects.count(), AuditEvent.objects.count()) == (3, events)

    def test_a_new_file_of_the_source_takes_its_place(self, lead, vpn_file):
        old = load(lead, "vpn", vpn_file, source="list maker").snapshot
        vpn_file.write_text("5.5.0.0/16\n")

        new = load(lead, "vpn", vpn_file, source="list maker", as_of=date(2026, 2, 1)).snapshot

        old.refresh_from_db()
        assert (old.is_current, new.is_current, new.as_of) == (False, True, date(2026, 2, 1))
        assert verdict_on("1.2.3.4").anonymiser == ""

    def test_a_file_that_comes_back_is_current_again(self, lead, vpn_file):
        text = vpn_file.read_text()
        old = load(lead, "vpn", vpn_file).snapshot
        vpn_file.write_text("5.5.0.0/16\n")
        load(lead, "vpn", vpn_file)
        vpn_file.write_text(text)

        outcome = load(lead, "vpn", vpn_file)

        assert (outcome.snapshot, outcome.snapshot.is_current, outcome.is_new) == (old, True, False)
        assert AddressRangeSnapshot.objects.filter(is_current=True).count() == 1

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"1.2.3.4\n010.0.0.1\n127.1\n", r"2 lines .*\(line 2, 3\)"),
            (b"1.2.3.4/8\n", "Did you mean"),
            (b"0.0.0.0/0\n", "every address"),
            (b"# nothing\n", "names no network"),
            (b"1.2.3.4\x00\n", "1 lines"),
        ],
    )
    def test_a_bad_line_refuses_the_whole_list(self, lead, tmp_path, content, words):
        path = tmp_path / "bad.txt"
        path.write_bytes(content)

        with pytest.raises(address_ranges.BadRangeFile, match=words):
            load(lead, "tor", path)
        assert not AddressRangeSnapshot.objects.exists()

    def test_it_says_what_is_missing(self, lead, tmp_path, vpn_file):
        with pytest.raises(address_ranges.BadRangeFile, match="cannot be read"):
            load(lead, "vpn", tmp_path / "absent.txt")
        with pytest.raises(address_ranges.UnknownRangeKind, match="vpn, hosting, tor"):
            load(lead, "moon", vpn_file)
        with pytest.raises(address_ranges.BadSource):
            load(lead, "vpn", vpn_file, source="x\x00")
        with pytest.raises(MmdbRefused):
            load(lead, "country", vpn_file)

    def test_a_failure_at_the_end_leaves_nothing(self, lead, vpn_file, monkeypatch):
        def fail(*args, **facts):
            raise RuntimeError("the audit trail cannot be written")

        monkeypatch.setattr(audit, "record", fail)
        with pytest.raises(RuntimeError):
            load(lead, "vpn", vpn_file)

        assert not AddressRange.objects.exists()


class TestVerdict:
    def test_an_address_that_is_not_public_is_called_that_and_nothing_else(self, lead, tmp_path):
        path = tmp_path / "all.txt"
        path.write_text("10.0.0.0/8\n203.0.113.0/24\n3fff::/20\n")
        load(lead, "vpn", path)

        for address, word in (("10.1.2.3", "private"), ("203.0.113.9", "documentation"), ("3fff::1", "documentation")):
            said = verdict_on(address)
            assert (said.special_use, said.confidence) == (word, "none")
            assert (said.country, said.anonymiser, said.network, said.judged_by) == ("", "", "", ())
            assert [each["says"] for each in said.findings] == [word]

    def test_it_names_every_kind_and_the_lists_asked(self, lead, vpn_file, tmp_path):
        tor = tmp_path / "tor.txt"
        tor.write_text("8.8.8.8\n")
        references = {load(lead, "vpn", vpn_file).snapshot.reference, load(lead, "tor", tor).snapshot.reference}

        verdict = verdict_on("8.8.8.8")

        assert verdict.anonymiser == "tor, vpn"
        assert set(verdict.judged_by) == references
        assert verdict_on("2a00::5").anonymiser == "vpn"

    def test_the_lists_are_read_once(self, lead, vpn_file, django_assert_num_queries):
        load(lead, "vpn", vpn_file)
        book = range_book.book_of(list(editions.current_snapshots()))

        with django_assert_num_queries(4):  # the lists, their edition, the regime and its figures
            judge = verdicts.judge_on(NOON)
        with django_assert_num_queries(0):
            said = {judge.of(f"1.2.3.{last}").anonymiser for last in range(200)}

        assert judge.book is book and said == {"vpn"}

    @pytest.mark.parametrize(("kind", "anonymiser"), [("relay", "relay"), ("satellite", ""), ("mobile", "")])
    def test_networks_that_hide_nobody_are_found_and_called_no_anonymiser(self, lead, vpn_file, kind, anonymiser):
        load(lead, kind, vpn_file)

        said = verdict_on("8.8.8.8")

        assert (said.anonymiser, [each["about"] for each in said.findings]) == (anonymiser, [kind])

    @real("mmdb")
    @pytest.mark.parametrize(
        ("address", "anonymiser"),
        [
            ("81.2.69.142", "hosting, proxy, residential proxy, tor, vpn"),
            ("1.2.0.1", "vpn"),
            ("71.160.223.1", "hosting"),
            ("186.30.236.1", "proxy"),
            ("65.0.0.1", "tor"),
        ],
    )
    def test_t22_the_test_database_gives_the_badges_it_should(self, lead, address, anonymiser):
        load(lead, "anonymous", REAL / "mmdb" / "GeoIP2-Anonymous-IP-Test.mmdb")

        assert verdict_on(address).anonymiser == anonymiser

    @real("mmdb")
    def test_databases_are_kept_as_a_private_copy(self, lead, tmp_path):
        original = REAL / "mmdb" / "GeoLite2-Country-Test.mmdb"
        path = tmp_path / "country.mmdb"
        path.write_bytes(original.read_bytes())
        snapshot = load(lead, "country", path).snapshot
        path.unlink()
        load(lead, "asn", REAL / "mmdb" / "GeoLite2-ASN-Test.mmdb")

        verdict = verdict_on("81.2.69.142")

        copies = {file.name for file in (settings.PRIVATE_DIR / "ranges").iterdir()}
        assert f"{snapshot.sha256}.mmdb" in copies and not any(name.endswith(".part") for name in copies)
        assert verdict.country == "GB"
        assert verdict_on("1.128.0.1").network.startswith("AS1221 ")

    @real("vpn")
    def test_the_real_lists_load(self, lead):
        outcome = load(lead, "hosting", REAL / "vpn" / "datacenter-ipv4.txt")

        assert outcome.snapshot.range_count == AddressRange.objects.count() > 10_000

import io
from datetime import UTC, datetime, timedelta

import pytest

from accounts.flows import allocations
from accounts.flows.allocations import AllocationsRefused
from accounts.formats.tables import TableRefused
from accounts.models import AddressAllocation
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.builders import make_account
from tests.conftest import NOON, person

HEADER = "account,addresses,from,to,source\n"
FROM = "2026-01-01T00:00:00Z"


def row(account, addresses="198.51.100.25", begins=FROM, ends="", source="ipam") -> str:
    return f"{getattr(account, 'reference', account)},{addresses},{begins},{ends},{source}\n"


def take_in(*rows: str):
    return allocations.import_allocations(io.BytesIO((HEADER + "".join(rows)).encode()), by=SCHEDULER, at=NOON)


def holders(address="198.51.100.25", at=NOON) -> list:
    return [each.account for each in allocations.holders_of(address, at, window=timedelta(hours=1))]


@pytest.mark.django_db
class TestImport:
    @pytest.mark.parametrize(
        ("addresses", "shown", "inside", "outside"),
        [
            ("198.51.100.25", "198.51.100.25", "198.51.100.25", "198.51.100.26"),
            ("198.51.100.0/30", "198.51.100.0 - 198.51.100.3", "198.51.100.3", "198.51.100.4"),
            ("198.51.100.9-198.51.100.11", "198.51.100.9 - 198.51.100.11", "198.51.100.10", "198.51.100.8"),
            ("2001:db8::/64", "2001:db8:: - 2001:db8::ffff:ffff:ffff:ffff", "2001:db8::7", "2001:db8:0:1::"),
            ("::ffff:198.51.100.25", "198.51.100.25", "198.51.100.25", "::1"),
        ],
    )
    def test_it_takes_one_address_a_network_or_a_range(self, addresses, shown, inside, outside):
        account = make_account()

        take_in(row(account, addresses))

        assert AddressAllocation.objects.get().addresses == shown
        assert (holders(inside), holders(outside)) == ([account], [])

    def test_the_same_file_again_changes_nothing(self):
        rows = [row(make_account()), row(make_account(), "198.51.100.26", ends="2026-02-01T00:00:00Z")]

        first = take_in(*rows)
        events = AuditEvent.objects.count()
        second = take_in(*rows)

        assert (first.new, second.new, second.known) == (2, 0, 2)
        assert AddressAllocation.objects.count() == 2
        assert AuditEvent.objects.count() == events

    def test_an_end_that_becomes_known_is_added_and_makes_room(self):
        one, two = make_account(), make_account()
        take_in(row(one))

        done = take_in(row(one, ends="2026-02-01T00:00:00Z"), row(two, begins="2026-02-01T00:00:00Z"))

        assert (done.new, done.ended) == (1, 1)
        assert (holders(at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC)), holders()) == ([one], [two])

    def test_the_first_file_again_after_its_end_is_known_is_harmless(self):
        one, two = make_account(), make_account()
        take_in(row(one))
        take_in(row(one, ends="2026-02-01T00:00:00Z"), row(two, begins="2026-02-01T00:00:00Z"))

        assert take_in(row(one)).known == 1
        assert holders() == [two]

    def test_two_accounts_at_one_moment_are_refused_with_their_lines(self):
        with pytest.raises(AllocationsRefused, match="at the same moment: lines 2 and 4"):
            take_in(row(make_account()), row(make_account(), "8.8.8.8"), row(make_account(), "198.51.100.0/24"))

        assert not AddressAllocation.objects.exists()

    def test_so_is_one_that_meets_what_is_on_file(self):
        there = make_account()
        take_in(row(there))

        with pytest.raises(AllocationsRefused, match=f"line 2 and an allocation of {there.reference} on file"):
            take_in(row(make_account(), "198.51.100.0/24"))

    def test_all_bad_lines_are_counted_and_nothing_is_stored(self):
        good = make_account()

        with pytest.raises(AllocationsRefused, match=r"2 rows cannot be used \(line 3, 4\). Line 3: no account has"):
            take_in(row(good), row("ACC-0000-0000"), row(good, "300.1.1.1"))

        assert not AddressAllocation.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"addresses": ""}, "names no addresses"),
            ({"addresses": "198.51.100.1/24"}, "names no addresses"),
            ({"addresses": "198.51.100.9-198.51.100.1"}, "names no addresses"),
            ({"addresses": "198.51.100.9-::1"}, "names no addresses"),
            ({"addresses": "0198.51.100.9"}, "names no addresses"),
            ({"begins": ""}, "column from is empty"),
            ({"begins": "2026-01-01"}, "column from: .*is not a moment"),
            ({"begins": "2026-01-01T00:00:00"}, "has no time zone"),
            ({"ends": "soon"}, "column to"),
            ({"ends": FROM}, "ends before it begins"),
            ({"source": ""}, "column source is empty"),
            ({"source": "x" * 81}, "81 characters long"),
            ({"source": "a\u202eb"}, "invisible direction control"),
        ],
    )
    def test_a_bad_value_is_refused_with_its_line(self, changes, fault):
        with pytest.raises(AllocationsRefused, match=rf"1 row cannot be used \(line 2\). Line 2: .*{fault}"):
            take_in(row(make_account(), **changes))

    def test_two_ends_of_one_allocation_are_refused(self):
        account = make_account()

        with pytest.raises(AllocationsRefused, match="line 2 says the same with another end"):
            take_in(row(account), row(account, ends="2026-02-01T00:00:00Z"))
        take_in(row(account, ends="2026-02-01T00:00:00Z"))
        with pytest.raises(AllocationsRefused, match="on file with another end, 2026-02-01T00:00:00Z"):
            take_in(row(account, ends="2026-02-02T00:00:00Z"))

    def test_a_file_that_is_no_such_table_is_refused(self):
        with pytest.raises(TableRefused, match="lacks account"):
            allocations.import_allocations(io.BytesIO(b"a,b\n1,2\n"), by=SCHEDULER, at=NOON)

    def test_the_trail_holds_counts_and_the_files_hash_and_no_address(self):
        take_in(row(make_account()))

        event = AuditEvent.objects.get(verb="accounts.allocations_imported")
        assert (event.facts["new"], len(event.facts["sha256"])) == (1, 64)
        assert "198.51" not in str(event.facts)


@pytest.mark.django_db
class TestCommand:
    def test_it_says_what_became_of_the_rows(self, tmp_path):
        person("ana", "reviewer")
        path = tmp_path / "held.csv"
        path.write_text(HEADER + row(make_account()))

        code, _, printed = run("import_allocations", path, "--by", "ana")

        assert (code, printed.strip()) == (0, "1 allocations read: 1 new, 0 ended, 0 known.")

    def test_refusals_are_one_line(self, tmp_path):
        path = tmp_path / "held.csv"
        path.write_text(HEADER + row("nobody"))

        assert "Line 2" in assert_refused_in_one_line(run("import_allocations", path))
        assert "cannot be read" in assert_refused_in_one_line(run("import_allocations", tmp_path / "none.csv"))

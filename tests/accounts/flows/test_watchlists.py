import pytest

from accounts.flows import watchlists
from accounts.formats.ofac import ListFormatError
from accounts.models import ScreeningHit, WatchlistEntry, WatchlistSnapshot
from kyc_portal.records import audit
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.lists import REAL, SHIP, VOLKOV, WORKS, Entry, real, write_list
from tests.conftest import NOON


def load(folder, lead, **options):
    return watchlists.load_snapshot("ofac-sdn", folder, by=lead, at=NOON, **options)


def many(count):
    return [Entry(1000 + number, f"ENTRY NUMBER {number}") for number in range(count)]


class TestLoadSnapshot:
    def test_it_keeps_entries_with_everything_the_files_say(self, lead, tmp_path):
        outcome = load(write_list(tmp_path, VOLKOV, WORKS, SHIP), lead)

        entry = outcome.snapshot.entries.get(uid="101")
        assert outcome.is_new and outcome.snapshot.is_current
        assert (outcome.snapshot.entry_count, outcome.snapshot.alias_count) == (3, 1)
        assert entry.aliases == [["WOLKOW, Boris", "aka"]]
        assert entry.details["birth_dates"] == ["04 Jul 1970"]
        assert outcome.snapshot.entries.get(uid="102").kind == "entity"

    def test_the_same_files_again_change_nothing(self, lead, tmp_path):
        folder = write_list(tmp_path, VOLKOV, WORKS)
        first = load(folder, lead)
        events = AuditEvent.objects.count()

        second = load(folder, lead)

        assert second.snapshot == first.snapshot and not second.is_new
        assert (WatchlistSnapshot.objects.count(), AuditEvent.objects.count()) == (1, events)

    def test_a_later_version_becomes_current_and_the_old_one_stays(self, lead, tmp_path):
        old = load(write_list(tmp_path / "a", VOLKOV), lead).snapshot

        new = load(write_list(tmp_path / "b", VOLKOV, WORKS), lead).snapshot

        old.refresh_from_db()
        assert (old.is_current, new.is_current) == (False, True)
        assert list(watchlists.current_snapshots()) == [new]
        assert old.entries.count() == 1

    def test_an_old_version_comes_back_only_by_force(self, lead, tmp_path):
        folder = write_list(tmp_path / "a", VOLKOV)
        old = load(folder, lead).snapshot
        load(write_list(tmp_path / "b", VOLKOV, WORKS), lead)

        with pytest.raises(watchlists.OldVersion, match="--force"):
            load(folder, lead)
        outcome = load(folder, lead, force=True)

        assert outcome.snapshot == old and outcome.snapshot.is_current and not outcome.is_new
        assert WatchlistSnapshot.objects.filter(is_current=True).count() == 1

    @pytest.mark.parametrize(("before", "after", "refused"), [(10, 7, True), (10, 8, False), (10, 12, False)])
    def test_it_refuses_a_list_that_shrank_too_much(self, lead, tmp_path, before, after, refused):
        load(write_list(tmp_path / "a", *many(before)), lead)
        folder = write_list(tmp_path / "b", *many(after), *([SHIP] if after == before else []))

        if refused:
            with pytest.raises(watchlists.ListShrank, match="cut off"):
                load(folder, lead)
            assert load(folder, lead, force=True).is_new
        else:
            assert load(folder, lead).is_new

    def test_lists_of_other_names_stand_beside_each_other(self, lead, tmp_path):
        load(write_list(tmp_path / "a", *many(10)), lead)

        load(write_list(tmp_path / "b", VOLKOV), lead, list_name="Our own list")

        assert [each.list_name for each in watchlists.current_snapshots()] == ["OFAC SDN", "Our own list"]

    def test_it_names_the_kinds_it_knows(self, lead, tmp_path):
        with pytest.raises(watchlists.UnknownListKind, match="ofac-sdn"):
            watchlists.load_snapshot("eu", tmp_path, by=lead, at=NOON)

    @pytest.mark.parametrize("name", ["x" * 61, "a\x00b", "two\nlines"])
    def test_it_refuses_a_name_that_cannot_be_kept(self, lead, tmp_path, name):
        with pytest.raises(watchlists.BadListName):
            load(write_list(tmp_path, VOLKOV), lead, list_name=name)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b'101,"VOLKOV', "line 1"),
            (b'101,"A\x00B"' + b',"-0-"' * 10, "NUL"),
            (b"", "no entries"),
            (b"a,b", "line 1"),
        ],
    )
    def test_a_damaged_file_leaves_nothing(self, lead, tmp_path, content, words):
        folder = write_list(tmp_path, VOLKOV)
        (folder / "sdn.csv").write_bytes(content)

        with pytest.raises(ListFormatError, match=words):
            load(folder, lead)
        assert not WatchlistSnapshot.objects.exists()

    def test_a_mark_at_the_start_of_a_file_is_harmless(self, lead, tmp_path):
        folder = write_list(tmp_path, VOLKOV)
        content = (folder / "sdn.csv").read_bytes()
        (folder / "sdn.csv").write_bytes(b"\xef\xbb\xbf" + content)

        assert load(folder, lead).snapshot.entries.get().uid == "101"

    def test_a_file_in_another_encoding_or_with_an_entry_twice_is_refused(self, lead, tmp_path):
        folder = write_list(tmp_path, VOLKOV)
        content = (folder / "sdn.csv").read_bytes()

        for spoilt, words in ((content.decode().encode("utf-16"), "NUL"), (content * 2, "already there")):
            (folder / "sdn.csv").write_bytes(spoilt)
            with pytest.raises(ListFormatError, match=words):
                load(folder, lead)
        assert not WatchlistSnapshot.objects.exists()

    def test_two_at_once_give_one_version(self, transactional_db, in_threads, tmp_path):
        folder = write_list(tmp_path, VOLKOV)

        outcomes = in_threads(*[lambda: load(folder, SCHEDULER)] * 2)

        assert sorted(each.is_new for each in outcomes) == [False, True]
        assert WatchlistSnapshot.objects.get().entries.count() == 1

    def test_a_failure_at_the_very_end_leaves_nothing(self, lead, tmp_path, monkeypatch):
        old = load(write_list(tmp_path / "a", VOLKOV), lead).snapshot

        def fail(*args, **facts):
            raise RuntimeError("the audit trail cannot be written")

        monkeypatch.setattr(audit, "record", fail)
        with pytest.raises(RuntimeError):
            load(write_list(tmp_path / "b", *many(1200)), lead)

        assert list(watchlists.current_snapshots()) == [old]
        assert WatchlistEntry.objects.count() == 1

    @real("ofac")
    def test_it_loads_the_whole_list(self, lead, django_assert_max_num_queries):
        with django_assert_max_num_queries(120):
            snapshot = load(REAL / "ofac", lead).snapshot

        assert (snapshot.entry_count, snapshot.entries.count()) == (8976, 8976)
        assert not ScreeningHit.objects.exists()

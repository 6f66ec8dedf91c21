import gzip
import io
from datetime import timedelta

import pytest

from accounts.flows import access_log, address_ranges, signals
from accounts.formats.access_lines import AccessFileRefused
from accounts.formats.tables import TableRefused
from accounts.models import AccessBatch, AccessRecord, RefusedLine
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.lists import REAL, real
from tests.accounts.logs import cloudtrail, csv_file, event, jsonl
from tests.builders import make_account
from tests.conftest import NOON


def take_in(account, stream, format="jsonl", **options):
    return access_log.import_access_lines(
        account, stream, format=format, file_name="log.txt", by=SCHEDULER, at=NOON, **options
    )


@pytest.fixture
def account(db):
    return make_account()


class TestImport:
    def test_every_line_is_accounted_for(self, account):
        take_in(account, jsonl(event(1), event(2)))

        batch = take_in(account, jsonl(event(2), event(3), event(4, at="soon"), event(3)), keep_good_rows=True)

        assert (batch.read_count, batch.new_count, batch.known_count, batch.refused_count) == (4, 1, 2, 1)
        assert AccessRecord.objects.count() == 3
        [line] = batch.refused_lines.all()
        assert line.line == 3 and line.reason.startswith("at:")

    def test_the_same_file_again_adds_nothing_and_says_so(self, account):
        first = take_in(account, jsonl(event(1), event(2)))
        events = AuditEvent.objects.count()

        second = take_in(account, jsonl(event(1), event(2)))

        assert second == first and second.is_repeat and not first.is_repeat
        assert (AccessRecord.objects.count(), AuditEvent.objects.count()) == (2, events)

    def test_the_same_file_counts_for_each_account_by_itself(self, account):
        take_in(account, jsonl(event(1)))

        assert take_in(make_account(), jsonl(event(1))).new_count == 1

    def test_a_bad_line_refuses_the_whole_file(self, account):
        bad = [event(number, kind="other") for number in range(25)]

        with pytest.raises(access_log.BadLines, match=r"25 lines .*\(2, 3, .* 21 and more\).*--keep-good-rows"):
            take_in(account, jsonl(event(99), *bad))
        assert not AccessBatch.objects.exists() and not AccessRecord.objects.exists()

    def test_a_failure_at_the_end_leaves_nothing(self, account, monkeypatch):
        def fail(*args, **options):
            raise RuntimeError("a detector is broken")

        monkeypatch.setattr(signals, "run_detectors", fail)
        with pytest.raises(RuntimeError):
            take_in(account, jsonl(*(event(number) for number in range(1200))))

        account.refresh_from_db()
        assert not AccessBatch.objects.exists() and not AccessRecord.objects.exists()
        assert account.last_access_at is None

    def test_the_last_access_only_moves_forward(self, account):
        take_in(account, jsonl(event(1, at="2026-02-10T10:00:00+02:00")))
        take_in(account, jsonl(event(2, at="2026-02-09T10:00:00Z")))

        account.refresh_from_db()
        assert account.last_access_at.isoformat() == "2026-02-10T08:00:00+00:00"

    def test_what_an_address_meant_is_kept_as_of_that_day(self, account, tmp_path):
        path = tmp_path / "vpn.txt"
        path.write_text("8.8.8.0/24\n")
        snapshot = address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON).snapshot
        take_in(account, jsonl(event(1), event(2, source="10.0.0.1"), event(3, source="batch service")))
        path.write_text("9.9.9.0/24\n")
        address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON)

        public, private, nowhere = AccessRecord.objects.order_by("event_id")

        assert (public.anonymiser, public.edition.lists) == ("vpn", [snapshot.reference])
        assert (private.special_use, private.anonymiser) == ("private", "")
        assert (nowhere.address, nowhere.raw_source) == (None, "batch service")

    def test_access_through_anonymisers_only_raises_a_flag(self, account, tmp_path):
        path = tmp_path / "vpn.txt"
        path.write_text("8.8.8.0/24\n")
        address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON)

        take_in(account, jsonl(*(event(number) for number in range(5))))

        assert account.signals.get().evidence == {"accesses": 5, "kinds": {"vpn": 5}}

    def test_its_queries_grow_by_the_batch_and_not_by_the_line(self, account, django_assert_max_num_queries):
        take_in(account, jsonl(event(0)))

        with django_assert_max_num_queries(60):
            take_in(account, jsonl(*(event(number) for number in range(1, 1000))))

    def test_a_stream_that_cannot_go_back_is_read_as_well(self, account):
        class OneWay(io.BytesIO):
            def seekable(self):
                return False

            def seek(self, *args):
                raise io.UnsupportedOperation("seek")

        stream = OneWay(jsonl(event(1)).getvalue())

        assert take_in(account, stream).new_count == 1

    def test_two_at_once_give_one_batch(self, transactional_db, in_threads):
        account = make_account()

        batches = in_threads(*[lambda: take_in(account, jsonl(event(1), event(2)))] * 3)

        assert {batch.pk for batch in batches} == {AccessBatch.objects.get().pk}
        assert sorted(batch.is_repeat for batch in batches) == [False, True, True]
        assert AccessRecord.objects.count() == 2

    def test_nothing_personal_stands_in_the_trail(self, account):
        take_in(account, jsonl(event(1, principal="maria.secret")))

        told = " ".join(str(each.facts) for each in AuditEvent.objects.all())
        assert "maria.secret" not in told and "8.8.8.8" not in told


class TestBadInput:
    @pytest.mark.parametrize(
        "change",
        [
            {"action": "a\x00b"},
            {"principal": "\ud800"},
            {"source": "x" * 301},
            {"event_id": "x" * 201},
            {"event_id": "\u200b"},
            {"at": "2026-02-30T10:00:00Z"},
            {"at": "2026-02-01T10:00:00"},
            {"at": "02/03/2024"},
            {"at": (NOON + timedelta(days=2)).isoformat()},
            {"kind": "Access"},
        ],
    )
    def test_a_line_that_cannot_be_kept_is_refused_with_its_reason(self, account, change):
        batch = take_in(account, jsonl(event(1, **change), event(2)), keep_good_rows=True)

        assert (batch.new_count, batch.refused_count) == (1, 1)
        assert RefusedLine.objects.get().line == 1

    def test_odd_forms_of_addresses_are_kept_as_text_only(self, account):
        forms = ["010.0.0.1", "127.1", "0x7f.1", "2130706433", "١.٢.٣.٤"]

        take_in(account, jsonl(*(event(number, source=form) for number, form in enumerate(forms))))

        records = AccessRecord.objects.order_by("event_id")
        assert [(each.address, each.raw_source) for each in records] == [(None, form) for form in forms]

    def test_an_ipv4_address_inside_ipv6_is_kept_as_ipv4(self, account):
        take_in(account, jsonl(event(1, source="::ffff:8.8.4.4")))

        assert AccessRecord.objects.get().address == "8.8.4.4"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_a_table_may_be_utf_8_or_marked_utf_16(self, account, encoding):
        batch = take_in(account, csv_file(event(1), event(2), encoding=encoding), "csv")

        assert batch.new_count == 2

    def test_another_encoding_wants_its_name(self, account):
        content = csv_file(event(1, principal="Zoë"), encoding="cp1252")

        with pytest.raises(TableRefused, match="--encoding"):
            take_in(account, content, "csv")
        assert take_in(account, content, "csv", encoding="cp1252").new_count == 1

    @pytest.mark.parametrize(
        "content",
        [b"", b'{"Records": [{"eventID": "1"', b"[]", b'{"Records": 3}', b"\xff\xfe{", b"\x1f\x8b broken", b"{" * 9999],
    )
    def test_a_file_that_is_no_such_log_is_refused(self, account, content):
        with pytest.raises(AccessFileRefused):
            take_in(account, io.BytesIO(content), "cloudtrail")
        assert not AccessBatch.objects.exists()

    def test_an_event_in_two_files_is_counted_once(self, account):
        record = {"eventID": "a1", "eventTime": "2026-02-01T10:00:00Z", "eventName": "ListBuckets"}
        take_in(account, cloudtrail(record), "cloudtrail")

        batch = take_in(account, cloudtrail(record, {**record, "eventID": "a2"}), "cloudtrail")

        assert (batch.new_count, batch.known_count) == (1, 1)

    def test_a_packed_file_is_read(self, account):
        record = {"eventID": "a1", "eventTime": "2026-02-01T10:00:00Z", "eventName": "ListBuckets"}
        packed = io.BytesIO(gzip.compress(cloudtrail(record).getvalue()))

        assert take_in(account, packed, "cloudtrail").new_count == 1

    def test_it_says_which_formats_and_files_there_are(self, account, tmp_path):
        with pytest.raises(access_log.UnknownFormat, match="cloudtrail, csv, jsonl"):
            take_in(account, jsonl(event(1)), "syslog")
        with pytest.raises(access_log.UnreadableFile, match="absent"):
            take_in(account, tmp_path / "absent.json")


@real("cloudtrail")
def test_t23_nothing_of_the_real_logs_is_lost(account):
    files = sorted((REAL / "cloudtrail").glob("*.json"))
    for file in files:
        access_log.import_access_lines(account, file, format="cloudtrail", file_name=file.name, by=SCHEDULER, at=NOON)
    again = [
        access_log.import_access_lines(account, file, format="cloudtrail", file_name=file.name, by=SCHEDULER, at=NOON)
        for file in files
    ]

    records = AccessRecord.objects.all()
    assert len(files) == 27 and records.count() == 1667
    assert records.filter(special_use="private").count() == 1433
    assert records.public().count() == 12
    assert records.filter(address__isnull=True).exclude(raw_source="").count() == 222
    assert all(batch.is_repeat for batch in again)
    totals = AccessBatch.objects.values_list("read_count", "new_count", "known_count", "refused_count")
    assert all(read == new + known + refused for read, new, known, refused in totals)

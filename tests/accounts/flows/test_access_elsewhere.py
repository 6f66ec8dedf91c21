"""Deliveries given for a wrong account: what refuses them, and what is told of them (R18)."""

import json

import pytest
from django.urls import reverse

from accounts.flows import access_delivery, access_elsewhere, access_log
from accounts.formats.mapped_log import MappedReader, read_mapping
from accounts.models import AccessBatch, AccessRecord, CloudAccount, RefusedLine
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import csv_file, event, jsonl
from tests.bad_input.doors import assert_refused_in_one_line, run
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def deliver(account, *events, **options):
    return access_log.import_access_lines(
        account, jsonl(*events), format="jsonl", file_name="log.txt", by=SCHEDULER, at=NOON, **options
    )


def looked(batch):
    return batch.looked_at_count, batch.elsewhere_count


@pytest.fixture
def ours():
    return make_account()


@pytest.fixture
def other():
    """Known by our reference, by its number, and as `named-8` of one source system."""
    account = make_account()
    with one_flow(SCHEDULER):
        account.external_key = "number-8"
        account.save(update_fields=["external_key"])
        CloudAccount.objects.create(
            account=account, source_system="console", key="named-8", named_at=NOON, named_by="ana"
        )  # fmt: skip
    return account


class TestLinesThatNameAnother:
    @pytest.mark.parametrize("key", ["reference", "reference in small letters", "number-8", "named-8"])
    @pytest.mark.parametrize("keep_good_rows", [True, False])
    def test_they_refuse_the_delivery_and_nothing_stays(self, ours, other, key, keep_good_rows):
        given = {"reference": other.reference, "reference in small letters": other.reference.lower()}.get(key, key)
        events = AuditEvent.objects.count()

        with pytest.raises(access_elsewhere.OthersLines, match="2 lines name another account") as told:
            deliver(
                ours, event(1), event(2, account=given), event(3, account=given), keep_good_rows=keep_good_rows
            )  # fmt: skip

        assert f"line 2: “{given}”" in str(told.value) and "without an account" in str(told.value)
        assert not AccessBatch.objects.exists() and not AccessRecord.objects.exists()
        assert not RefusedLine.objects.exists() and AuditEvent.objects.count() == events

    def test_without_an_account_each_goes_to_whom_it_names(self, ours, other):
        lines = event(1, account=ours.reference), event(2, account="number-8")
        with pytest.raises(access_elsewhere.OthersLines, match="1 line names another"):
            deliver(ours, *lines)

        batch = deliver(None, *lines)

        assert batch.new_count == 2
        assert dict(AccessRecord.objects.values_list("event_id", "account")) == {"e1": ours.pk, "e2": other.pk}

    def test_its_own_keys_and_what_nobody_knows_contradict_nothing(self, ours, other):
        with one_flow(SCHEDULER):
            ours.external_key = "number-1"
            ours.save(update_fields=["external_key"])

        batch = deliver(
            ours, event(1, account=ours.reference), event(2, account="number-1"), event(3, account="stranger"),
            event(4, account="named-8", source_system="another system"), event(5),
        )  # fmt: skip

        assert (batch.new_count, batch.refused_count) == (5, 0)

    def test_what_staff_named_goes_before_a_number(self, ours, other):
        """Whose a line is, is asked in the same order as in a delivery for many."""
        with one_flow(SCHEDULER):
            CloudAccount.objects.create(
                account=ours, source_system="console", key="number-8", named_at=NOON, named_by="ana"
            )  # fmt: skip

        assert deliver(ours, event(1, account="number-8")).new_count == 1

    def test_a_line_that_is_wrong_as_such_is_told_first(self, ours, other):
        with pytest.raises(access_delivery.BadLines, match="Line 2"):
            deliver(ours, event(1, account="number-8"), event(2, at="soon"))

    def test_many_keys_are_named_in_part_and_noted_to_an_end(self, ours, monkeypatch):
        others = [make_account() for _ in range(5)]
        with pytest.raises(access_elsewhere.OthersLines, match=r"5 lines .* and more\)"):
            deliver(ours, *(event(n, account=each.reference) for n, each in enumerate(others)))
        monkeypatch.setattr(access_elsewhere, "MOST_KEYS", 2)

        with pytest.raises(access_elsewhere.OthersLines, match="2 lines name"):
            deliver(ours, *(event(n, account=each.reference) for n, each in enumerate(others)))

    def test_the_command_says_it_in_one_line(self, ours, other, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(jsonl(event(1, account="number-8")).getvalue())

        sentence = assert_refused_in_one_line(run("import_access_log", path, "--account", ours.reference))

        assert sentence.startswith("log: 1 line names another account than") and other.reference not in sentence


class TestEventsOfAnother:
    def test_they_are_counted_whichever_came_first(self, ours, other):
        first = deliver(other, event(1), event(2), event(3))

        second = deliver(ours, event(2), event(3), event(4), event(5))

        assert (looked(first), looked(second)) == ((0, 0), (4, 2))
        told = access_elsewhere.in_words(second)
        assert told.startswith("2 of 4 new events stand under another account already: one of the two accounts was")
        assert access_elsewhere.in_words(first) == ""

    def test_a_delivery_for_many_finds_what_was_chosen_wrongly_before_it(self, ours, other):
        deliver(ours, event(1), event(2))

        batch = deliver(None, event(1, account="number-8"), event(3, account="number-8"))

        assert looked(batch) == (2, 1)

    def test_what_lines_name_themselves_was_chosen_by_nobody(self, ours, other):
        deliver(None, event(1, account=ours.reference))

        assert looked(deliver(None, event(1, account="number-8"))) == (0, 0)

    @pytest.mark.parametrize(
        "change", [{"source_system": "x"}, {"event_id": "x"}, {"at": "2026-02-02T00:00:00Z"}, {"source": "8.8.4.4"}]
    )
    def test_an_event_that_only_looks_like_it_is_another(self, ours, other, change):
        deliver(other, event(1))

        assert looked(deliver(ours, event(1, **change))) == (0, 0)

    def test_what_has_no_address_is_not_looked_up(self, ours, other):
        deliver(other, event(1, source="batch service"), event(2))

        assert looked(deliver(ours, event(1, source="batch service"), event(2), event(3))) == (2, 1)

    def test_of_a_long_delivery_some_are_looked_up_from_all_of_it(self, ours, other, monkeypatch):
        monkeypatch.setattr(access_elsewhere, "LOOKED_AT", 10)
        lines = [event(number) for number in range(100)]
        deliver(other, *lines)

        batch = deliver(ours, *lines)

        assert looked(batch) == (10, 10)
        assert access_elsewhere.in_words(batch).startswith("10 of 10 that were looked up of 100 new events stand under")

    def test_nothing_new_asks_nothing(self, ours, django_assert_num_queries):
        deliver(ours, event(1), event(2))
        batch = deliver(ours, event(1))
        assert (batch.new_count, looked(batch)) == (0, (0, 0))

        with django_assert_num_queries(0):
            access_elsewhere.look(batch)


class TestTold:
    def test_the_command_tells_events_and_bytes(self, ours, other, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(jsonl(event(1, source="nowhere"), event(2)).getvalue())
        run("import_access_log", path, "--account", other.reference)

        code, _, told = run("import_access_log", path, "--account", ours.reference)

        first = AccessBatch.objects.get(account=other)
        assert code == 0
        assert "1 of 1 that were looked up of 2 new events stands under another account already" in told
        assert f"The same bytes were taken in as {first.reference} for {other.reference}." in told

    def test_the_same_bytes_of_many_accounts_are_told_as_such(self, ours, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(jsonl(event(1, account="stranger")).getvalue())
        run("import_access_log", path)

        _, _, told = run("import_access_log", path, "--account", ours.reference)

        assert f"{AccessBatch.objects.get(account=None).reference} for the accounts its lines name" in told

    def test_a_delivery_that_is_nowhere_else_says_nothing_of_it(self, ours, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(jsonl(event(1)).getvalue())

        _, _, told = run("import_access_log", path, "--account", ours.reference)

        assert told.strip().endswith("0 refused.")

    def test_both_pages_and_the_list_show_it(self, ours, other, client, analyst_user):
        first, second = deliver(other, event(1)), deliver(ours, event(1))
        client.force_login(analyst_user)

        pages = [
            client.get(reverse("admin:accounts_accessbatch_change", args=[each.pk])).content.decode()
            for each in (first, second)
        ]
        listed = client.get(reverse("admin:accounts_accessbatch_changelist"), {"lines": "elsewhere"})

        assert second.reference in pages[0] and first.reference in pages[1] and other.reference in pages[1]
        assert "1 of 1 new events stands under another account" in pages[1]
        assert "events of another account too" in pages[1] and "stands under another" not in pages[0]
        assert [each.pk for each in listed.context["cl"].result_list] == [second.pk]

    def test_a_delivery_alone_says_so(self, ours, client, analyst_user):
        batch = deliver(ours, event(1))
        client.force_login(analyst_user)

        page = client.get(reverse("admin:accounts_accessbatch_change", args=[batch.pk])).content.decode()

        assert "No other delivery held the same bytes." in page


class TestReadings:
    """The same bytes read another way."""

    def as_csv(self, account):
        return access_log.import_access_lines(
            account, csv_file(event(1)), format="csv", file_name="log.csv", by=SCHEDULER, at=NOON
        )

    def mapped(self, account, kind="access"):
        """With no account every line names one that nobody knows."""
        names = ("event_id", "at", "action", "principal", "source", "source_system")
        constants = {"kind": kind} if account else {"kind": kind, "account": "C-8"}
        mapping = {"form": "csv", "columns": {name: name for name in names}, "constants": constants}
        reader = MappedReader(read_mapping(json.dumps(mapping).encode(), "m"))
        return access_log.import_access_lines(
            account, csv_file(event(1)), format="mapped", file_name="log.csv", reader=reader, by=SCHEDULER, at=NOON
        )  # fmt: skip

    def test_as_another_format_they_are_a_delivery_of_its_own(self, ours):
        first, second = self.as_csv(ours), self.mapped(ours)

        assert (second.format, second.is_repeat, second.new_count, second.known_count) == ("mapped", False, 0, 1)
        assert f"{first.reference} for {ours} (read as csv)." in access_elsewhere.bytes_in_words(second)
        assert self.as_csv(ours).is_repeat and self.mapped(ours).is_repeat

    def test_the_page_tells_what_read_them(self, ours, client, analyst_user):
        first, second = self.mapped(ours), self.mapped(ours, kind="admin")
        client.force_login(analyst_user)

        page = client.get(reverse("admin:accounts_accessbatch_change", args=[second.pk])).content.decode()

        assert second.mapping_sha256 in page and f"mapped, mapping {first.mapping_sha256[:12]}" in page

    def test_at_once_by_two_mappings_they_are_two_deliveries(self, transactional_db, in_threads):
        """Each of them twice: of those who read the same way one is a repeat."""
        account = make_account()
        for whose in (account, None):
            kinds = ("access", "admin") * 2
            batches = in_threads(*[lambda kind=kind, whose=whose: self.mapped(whose, kind) for kind in kinds])

            assert sorted(batch.is_repeat for batch in batches) == [False, False, True, True]
        assert (AccessBatch.objects.count(), AccessRecord.objects.count()) == (4, 1)

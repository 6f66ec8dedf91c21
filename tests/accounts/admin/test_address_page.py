"""The address on the page of an access: every verdict on it, how far to believe it, who else was seen there (R18)."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.admin.address_sections import address_sections
from accounts.flows import access_log, address_history, address_ranges
from accounts.flows.editions import old_lists
from accounts.models import AccessRecord, AddressRangeSnapshot, AddressVerdict
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from kyc_portal.work import queue
from tests.accounts.logs import event, jsonl
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)


def load(tmp_path, *networks, kind="vpn", source="maker", at=NOON, **options):
    path = tmp_path / f"{kind}.txt"
    path.write_text("\n".join(networks) + "\n")
    return address_ranges.load_ranges(kind, path, source=source, by=SCHEDULER, at=at, **options).snapshot


def take_in(account, *events, at=NOON):
    access_log.import_access_lines(account, jsonl(*events), format="jsonl", file_name="log.jsonl", by=SCHEDULER, at=at)


def section(record, user, name):
    return next((each for each in address_sections(record, user=user, at=LATER) if each.id == name), None)


class TestThePage:
    def test_every_verdict_stands_there_with_lists_days_confidence_and_what_changed(self, client, lead_user, tmp_path):
        load(tmp_path, "8.8.8.0/24")
        load(tmp_path, "9.9.9.0/24", source="other")
        take_in(make_account(), event(1))
        load(tmp_path, "9.9.9.0/24", at=LATER)
        queue.run_due(LATER)
        client.force_login(lead_user)

        record = AccessRecord.objects.get()
        answer = client.get(url_of(record))

        told = answer.content.decode()
        assert "8.8.8.8" not in url_of(record)
        assert "vpn (maker, 2026-03-02, 0 days old); vpn: not named (other, 2026-03-02, 0 days old)" in told
        assert "anonymiser: vpn became nothing" in told and "the first verdict" in told
        assert "none: the address says nothing of a place" in told  # no list names a country
        assert "no decision rests on one alone" in told

    def test_what_was_said_is_as_old_as_on_the_day_of_that_import(self, lead_user, tmp_path):
        load(tmp_path, "8.8.8.0/24")
        take_in(make_account(), event(1))
        take_in(make_account(), event(2), at=NOON + timedelta(days=60))

        first, second = (
            dict(section(record, lead_user, "address").rows) for record in AccessRecord.objects.order_by("event_id")
        )

        assert AddressVerdict.objects.count() == 1
        assert "2026-03-02, 0 days old" in first["Each list said"]
        assert "2026-03-02, 60 days old" in second["Each list said"]
        assert "are old" in second["Why"] and "are old" not in first["Why"]

    def test_an_access_without_an_address_has_no_such_sections(self, lead_user):
        take_in(make_account(), event(1, source="batch service"))

        assert address_sections(AccessRecord.objects.get(), user=lead_user, at=NOON) == []

    def test_its_queries_do_not_grow_with_editions_and_accesses(
        self, lead_user, tmp_path, django_assert_max_num_queries
    ):
        for number in range(12):
            load(tmp_path, f"8.8.{number}.0/24", at=NOON)
            take_in(make_account(), event(number))
        queue.run_due(NOON)

        with django_assert_max_num_queries(23):
            found = address_sections(AccessRecord.objects.first(), user=lead_user, at=NOON)

        assert len(found[2].rows) == 12 and len(found[3].rows) == 12


class TestWhoElse:
    def test_accounts_around_that_moment_the_most_frequent_first(self, lead_user):
        one, two, once = (make_account() for _ in range(3))
        take_in(one, event(1))
        take_in(two, event(2), event(3))
        take_in(once, event(4, at="2025-11-01T00:00:00Z"))

        found = section(AccessRecord.objects.get(event_id="e1"), lead_user, "seen-from")

        assert [(row[0].text, row[2]) for row in found.rows] == [(two.reference, 2), (one.reference, 1)]
        assert "Within 30 days" in found.note

    def test_only_for_who_may_see_accounts(self, lead_user, administrator_user):
        take_in(make_account(), event(1))

        assert section(AccessRecord.objects.get(), administrator_user, "seen-from") is None

    def test_they_are_counted_with_a_bound(self, lead_user, monkeypatch):
        for number in range(23):
            take_in(make_account(), event(number))
        record = AccessRecord.objects.first()

        many = section(record, lead_user, "seen-from")
        monkeypatch.setattr(address_history, "MOST_READ", 5)
        bounded = section(record, lead_user, "seen-from")

        assert len(many.rows) == 20 and "More than 20 accounts" in many.note
        assert len(bounded.rows) == 5 and "Among the newest" in bounded.note


class TestListsInUse:
    def test_an_old_list_is_named_on_its_page_in_the_list_and_on_the_first_page(
        self, client, administrator_user, tmp_path
    ):
        old = load(tmp_path, "8.8.8.0/24", as_of=NOON.date() - timedelta(days=3000))
        load(tmp_path, "8.8.8.0/24", kind="tor", source="maker")
        client.force_login(administrator_user)
        lists = reverse("admin:accounts_addressrangesnapshot_changelist")

        page = client.get(url_of(old)).content.decode()
        listed = client.get(lists, {"version": "old"}).context["cl"].result_list
        first = client.get(reverse("admin:index")).content.decode()

        assert "its data is old" in page and "Lists in use" in page
        assert "No list of these kinds is loaded: anonymous, asn, country, hosting" in page
        assert old in listed
        assert "Address lists that are old" in first

    @pytest.mark.parametrize(
        ("kind", "days", "is_old"),
        [("vpn", 30, False), ("vpn", 31, True), ("satellite", 31, True), ("country", 90, False), ("country", 91, True)],
    )
    def test_places_age_slower_than_exits(self, db, kind, days, is_old):
        AddressRangeSnapshot.objects.create(
            kind=kind, source="x", sha256="0" * 64, as_of=NOON.date() - timedelta(days=days), loaded_at=NOON,
            loaded_by="x", range_count=1,
        )  # fmt: skip

        assert old_lists(NOON.date()).exists() is is_old

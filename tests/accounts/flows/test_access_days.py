"""Daily roll-ups: what pages read, and that they are what the records say, however these came in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import access_days, access_log, address_ranges
from accounts.models import AccessDay, AccessRecord
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import event, jsonl
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

SOURCES = ("8.8.8.8", "9.9.9.9", "10.0.0.1", "2001:4860:4860::8888", "batch service")
COLUMNS = (
    "account", "day", "kind", "public", "country", "network", "anonymiser", "count", "hours", "first_at", "last_at",
)  # fmt: skip


def told():
    return sorted(AccessDay.objects.values_list(*COLUMNS), key=str)


def counted_by_hand():
    """The same, worked out from the records one by one."""
    found = {}
    for record in AccessRecord.objects.all():
        at = record.at.astimezone(UTC)
        public = record.address is not None and not record.special_use
        key = (record.account_id, at.date(), record.kind, public, record.country, "", record.anonymiser)
        count, hours, first, last = found.get(key, (0, 0, at, at))
        found[key] = (count + 1, hours | 1 << at.hour, min(first, at), max(last, at))
    return sorted(((*key, *sums) for key, sums in found.items()), key=str)


def take_in(account, *events, **options):
    return access_log.import_access_lines(
        account, jsonl(*events), format="jsonl", file_name="log", by=SCHEDULER, at=NOON, **options
    )


@pytest.fixture
def lists(tmp_path):
    path = tmp_path / "vpn.txt"
    path.write_text("8.8.8.0/24\n")
    address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON)


class TestMaking:
    @given(data=st.data())
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_split_into_deliveries_in_any_order_gives_the_same(self, lists, data):
        accounts = [make_account(), make_account()]
        moments = st.datetimes(datetime(2026, 1, 30), datetime(2026, 2, 2), timezones=st.just(UTC))
        lines = data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from(accounts), moments, st.sampled_from(SOURCES), st.sampled_from(["access", "admin"])
                ),
                max_size=12,
            )
        )
        events = [
            event(number, account=account.reference, at=at.isoformat(), source=source, kind=kind)
            for number, (account, at, source, kind) in enumerate(lines)
        ]
        pieces = data.draw(st.lists(st.lists(st.sampled_from(events), max_size=6), max_size=4)) if events else []
        with transaction.atomic():
            for piece in [*pieces, data.draw(st.permutations(events))]:
                if piece:
                    take_in(None, *piece)

            assert told() == counted_by_hand()
            assert sum(row[7] for row in told()) == len(events)

            before = told()
            for account in accounts:
                access_days.recount(account, by=SCHEDULER, at=NOON)
            assert told() == before
            transaction.set_rollback(True)

    def test_the_edges_of_a_day_are_those_of_utc(self):
        account = make_account()
        take_in(
            account, event(1, at="2026-02-01T23:59:59.999999Z"), event(2, at="2026-02-02T00:00:00Z"),
            event(3, at="2026-02-02T01:30:00+02:00"),
        )  # fmt: skip

        assert [(row.day.isoformat(), row.count, row.hours) for row in access_days.rows(account)] == [
            ("2026-02-01", 2, 1 << 23), ("2026-02-02", 1, 1),
        ]  # fmt: skip
        assert access_days.rows(account)[0].last_at.microsecond == 999_999

    def test_the_command_makes_them_anew_and_may_be_run_again(self, capsys):
        account, other = make_account(), make_account()
        take_in(account, event(1), event(2, source="10.0.0.1"))
        take_in(other, event(1))
        right = told()
        with one_flow(SCHEDULER):
            AccessDay.objects.filter(account=account, public=False).update(country="XX", count=7)
            AccessDay.objects.filter(account=account, public=True)._raw_delete(AccessDay.objects.db)
        assert told() != right

        call_command("recount_access_days", "--account", account.reference)
        assert told() == right
        call_command("recount_access_days")
        assert told() == right and "2 accounts" in capsys.readouterr().out


class TestReading:
    @pytest.fixture
    def account(self, lists):
        account = make_account()
        take_in(
            account, event(1, at="2026-01-01T10:00:00Z"), event(2), event(3), event(4, source="9.9.9.9"),
            event(5, source="10.0.0.1"), event(6, source="somewhere"),
        )  # fmt: skip
        return account

    def test_each_question_is_one_query(self, account, django_assert_num_queries):
        since = date(2026, 2, 1)
        with django_assert_num_queries(5):
            assert access_days.by_country(account) == [("", 4, 3)]
            assert access_days.by_day(account, since) == [(since, 5, 2)]
            assert access_days.by_place(account, since) == [("", "", 1), ("", "vpn", 2)]
            assert access_days.totals(account) == access_days.Totals(all=6, public=4, anonymised=3)
            assert {row.day for row in access_days.rows(account, since)} == {since}

    def test_an_account_without_any_answers_with_nothing(self):
        account = make_account()

        assert access_days.by_country(account) == access_days.by_day(account) == access_days.rows(account) == []
        assert access_days.totals(account, date(2026, 1, 1) + timedelta(days=1)) == access_days.Totals(0, 0, 0)

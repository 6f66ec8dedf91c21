"""A file that is due but held stays, says why, and goes once the hold is over (R54, T18, T19)."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from accounts.flows import closing
from accounts.models import Account
from kyc_portal.records import holds
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_open_account

LEAP_DAY = datetime(2024, 2, 29, 15, tzinfo=UTC)
OPENED = datetime(2023, 6, 1, 9, tzinfo=UTC)


def purge(day: str, *, execute: bool = False) -> str:
    out = io.StringIO()
    call_command("purge_due", "--as-of", day, *(["--execute"] if execute else []), stdout=out)
    return out.getvalue()


@pytest.fixture
def closed(db) -> Account:
    account = make_open_account(at=OPENED)
    return closing.close_account(account, reason="customer_left", by=SCHEDULER, at=LEAP_DAY)


class TestPurgeUnderHold:
    def test_t18_it_is_kept_through_28_february_2026_and_may_go_on_1_march(self, closed):
        assert "Would go: 0 (" in purge("2026-02-28")

        told = purge("2026-03-01")

        assert f"would go: {closed.reference}" in told
        assert "kept through 2026-02-28" in told
        assert Account.objects.filter(pk=closed.pk).exists()  # a dry run changes nothing

    def test_t19_an_open_account_is_never_purged(self, db):
        account = make_open_account(at=OPENED)
        Account.objects.filter(pk=account.pk).update(last_access_at=OPENED)

        assert account.reference not in purge("2026-11-01")

    def test_a_hold_wins_says_why_and_ends(self, closed, counsel):
        hold = holds.place_hold(
            [closed], reason="preservation", ground="Request 7 of the court", by=counsel, at=LEAP_DAY
        )

        told = purge("2026-03-01", execute=True)

        assert f"kept: {closed.reference}. {hold.reference} holds {closed.reference}: Request 7 of the court." in told
        assert Account.objects.filter(pk=closed.pk).exists()

        holds.release_hold(hold, reason="answered", by=counsel, at=LEAP_DAY)
        assert "Purged: 1." in purge("2026-03-01", execute=True)
        assert not Account.objects.filter(pk=closed.pk).exists()
        assert Tombstone.objects.get(key=str(closed.pk)).holds_looked_at >= 2

    def test_a_hold_on_a_destroyed_file_is_refused_in_words(self, closed, counsel):
        purge("2026-03-01", execute=True)

        with pytest.raises(holds.AlreadyDestroyed, match="already destroyed"):
            holds.place_hold([closed], reason="preservation", ground="late", by=counsel, at=LEAP_DAY)

    def test_a_day_that_has_not_come_is_never_executed(self, closed):
        with pytest.raises(CommandError, match="has not come yet") as refused:
            purge("2999-01-01", execute=True)

        assert refused.value.returncode == 2
        assert Account.objects.filter(pk=closed.pk).exists()

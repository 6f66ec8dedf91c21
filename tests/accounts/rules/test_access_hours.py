"""Hours of the day from the masks of days: in the viewer's zone, over the change of clocks, off the full hour."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.access_hours import days_by_hour, offset_in_words, offset_on
from accounts.rules.rarity import counted, counted_in_full, rarity

UTC, BERLIN, KOLKATA, NEW_YORK = (
    ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York")
)
DAYS = st.dictionaries(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(0, 2**24 - 1), max_size=40)


def where(counts):
    return {hour: days for hour, days in enumerate(counts) if days}


class TestDaysByHour:
    def test_each_day_counts_once_for_each_hour(self):
        assert where(days_by_hour([(date(2026, 1, 1), 0b101), (date(2026, 1, 2), 0b100)], UTC)) == {0: 1, 2: 2}

    def test_the_change_of_clocks_is_kept(self):
        winter, summer = (date(2026, 1, 10), 1 << 7), (date(2026, 7, 10), 1 << 7)

        assert where(days_by_hour([winter, summer], BERLIN)) == {8: 1, 9: 1}

    def test_an_evening_elsewhere_is_another_day(self):
        days = [(date(2026, 1, 1), 1 << 23), (date(2026, 1, 2), 1 << 22)]

        assert where(days_by_hour(days, BERLIN)) == {0: 1, 23: 1}

    def test_off_the_full_hour_the_hour_it_begins_in_counts(self):
        assert where(days_by_hour([(date(2026, 1, 1), 1 << 3)], KOLKATA)) == {8: 1}

    @given(DAYS, st.sampled_from([UTC, BERLIN, KOLKATA, NEW_YORK]))
    def test_nothing_is_lost_but_what_falls_together_when_clocks_go_back(self, days, zone):
        bits = sum(mask.bit_count() for mask in days.values())

        counts = days_by_hour(days.items(), zone)

        assert len(counts) == 24
        assert bits - len({day.year for day in days}) <= sum(counts) <= bits


class TestOffset:
    @pytest.mark.parametrize(
        ("zone", "words"), [(UTC, "UTC"), (BERLIN, "UTC+1"), (KOLKATA, "UTC+5:30"), (NEW_YORK, "UTC-5")]
    )
    def test_it_is_said_in_words(self, zone, words):
        assert offset_in_words(offset_on(date(2026, 1, 10), zone)) == words

    def test_a_part_of_an_hour_behind(self):
        assert offset_in_words(-timedelta(hours=3, minutes=30)) == "UTC-3:30"


@pytest.mark.parametrize(
    ("holders", "words"),
    [
        (1, "nobody else holds it"), (2, "nobody else holds it"), (3, "few hold it"), (16, "several hold it"),
        (17, "many hold it, so it says little"),
    ],
)  # fmt: skip
def test_rarity_is_said_in_words(holders, words):
    assert rarity(holders) == words
    assert counted(holders) == (f"{holders} holders" if holders > 2 else words)
    assert counted_in_full(holders) == (f"{holders} holders ({words})" if holders > 2 else words)

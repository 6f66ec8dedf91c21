"""Days of the law (T17, T18, T30-T32)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyc_portal.calendars import (
    BadBusinessHours,
    BusinessHours,
    add_business_days,
    add_business_hours,
    add_days,
    add_months,
    days_left,
    keep_through,
)

INDEPENDENCE_DAY = frozenset({date(2026, 7, 3)})
days = st.dates(date(1900, 1, 1), date(2200, 1, 1))


class TestAddDays:
    @pytest.mark.parametrize(
        ("length", "due"),
        [
            (0, date(2026, 3, 2)),
            (10, date(2026, 3, 12)),
            (15, date(2026, 3, 17)),
            (30, date(2026, 4, 1)),
            (180, date(2026, 8, 29)),
            (365, date(2027, 3, 2)),
        ],
    )
    def test_t17_it_counts_from_day_zero(self, length, due):
        assert add_days(date(2026, 3, 2), length) == due

    def test_t30_the_last_good_day_of_thirty(self):
        assert add_days(date(2026, 6, 1), 30) == date(2026, 7, 1)

    def test_t31_it_holds_a_preservation_and_its_renewal(self):
        assert add_days(date(2027, 1, 1), 90) == date(2027, 4, 1)
        assert add_days(date(2027, 1, 1), 180) == date(2027, 6, 30)

    def test_d3_no_due_day_overflows(self):
        assert add_days(date.max, 10) == date.max
        assert add_days(date(9999, 12, 30), 1) == date.max

    @given(days, st.integers(0, 5000))
    def test_it_agrees_with_days_left(self, start, length):
        assert days_left(add_days(start, length), start) == length


class TestAddBusinessDays:
    @pytest.mark.parametrize(
        ("start", "length", "due"),
        [
            (date(2026, 7, 3), 0, date(2026, 7, 3)),
            (date(2026, 7, 3), 10, date(2026, 7, 17)),
            (date(2026, 7, 2), 1, date(2026, 7, 6)),
            (date(2026, 7, 4), 1, date(2026, 7, 6)),
            (date(2026, 7, 6), 5, date(2026, 7, 13)),
        ],
    )
    def test_t32_it_passes_over_weekends_and_holidays(self, start, length, due):
        assert add_business_days(start, length, INDEPENDENCE_DAY) == due

    def test_it_refuses_to_count_backwards(self):
        with pytest.raises(ValueError, match="forwards"):
            add_business_days(date(2026, 7, 3), -1, INDEPENDENCE_DAY)

    def test_d3_it_stops_at_the_last_day_there_is(self):
        assert add_business_days(date.max, 10, frozenset()) == date.max

    @given(days, st.integers(1, 60), st.frozensets(days, max_size=5))
    def test_it_ends_on_a_business_day_after_exactly_that_many(self, start, length, holidays):
        due = add_business_days(start, length, holidays)

        passed = [start + timedelta(days=each) for each in range(1, (due - start).days + 1)]
        counted = [day for day in passed if day.weekday() < 5 and day not in holidays]
        assert len(counted) == length
        assert counted[-1] == due


class TestKeepThrough:
    @pytest.mark.parametrize(
        ("start", "years", "last"),
        [
            (date(2024, 2, 29), 2, date(2026, 2, 28)),
            (date(2024, 2, 29), 4, date(2028, 2, 29)),
            (date(2024, 3, 1), 2, date(2026, 3, 1)),
            (date(2024, 12, 31), 10, date(2034, 12, 31)),
            (date(2024, 6, 1), 0, date(2024, 6, 1)),
            (date(9998, 6, 1), 5, date.max),
        ],
    )
    def test_t18_it_names_the_last_day_to_keep(self, start, years, last):
        assert keep_through(start, years=years) == last

    def test_it_refuses_negative_years(self):
        with pytest.raises(ValueError, match="not negative"):
            keep_through(date(2024, 6, 1), years=-1)

    @given(days, st.integers(0, 50))
    def test_it_is_never_earlier_than_whole_years_of_365_days(self, start, years):
        assert (keep_through(start, years=years) - start).days >= 365 * years


class TestAddMonths:
    @pytest.mark.parametrize(
        ("start", "months", "day"),
        [
            (date(2026, 3, 2), 12, date(2027, 3, 2)),
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2024, 2, 29), 12, date(2025, 2, 28)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
            (date(2026, 1, 15), -1, date(2025, 12, 15)),
            (date(2026, 3, 2), -24, date(2024, 3, 2)),
            (date(2026, 3, 2), 0, date(2026, 3, 2)),
            (date(9999, 6, 1), 12, date.max),
            (date(1, 6, 1), -12, date.min),
        ],
    )
    def test_it_is_the_same_day_or_the_last_of_a_shorter_month(self, start, months, day):
        assert add_months(start, months) == day

    @given(days, st.integers(-600, 600))
    def test_it_lands_in_the_month_that_many_away(self, start, months):
        found = add_months(start, months)

        assert (found.year - start.year) * 12 + found.month - start.month == months and found.day <= start.day


class TestDaysLeft:
    @pytest.mark.parametrize(("today", "left"), [(date(2026, 3, 1), 1), (date(2026, 3, 2), 0), (date(2026, 3, 3), -1)])
    def test_it_goes_below_zero_once_past(self, today, left):
        assert days_left(date(2026, 3, 2), today) == left


# --- Business hours ---------------------------------------------------------------------------------------------------

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")]


def office(opens=9, closes=17, holidays=(), zone=NEW_YORK) -> BusinessHours:
    return BusinessHours(opens, closes, frozenset(holidays), zone)


def local(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK)


def minute_by_minute(start: datetime, hours: int, business: BusinessHours) -> datetime:
    """The naive model: walk through the minutes and count those in which somebody is there."""
    moment, left = start.astimezone(UTC), hours * 60
    while left:
        there = moment.astimezone(business.zone)
        is_business = there.weekday() < 5 and there.date() not in business.holidays
        left -= is_business and business.opens <= there.hour < business.closes
        moment += timedelta(minutes=1)
    return moment


class TestBusinessHours:
    def test_a_weekend_does_not_count(self):
        assert add_business_hours(local(27, 16), 2, office()) == local(30, 10)

    def test_a_holiday_does_not_count(self):
        assert add_business_hours(local(2, 16), 2, office(holidays=[date(2026, 3, 3)])) == local(4, 10)

    def test_before_and_after_hours_waits_for_the_opening(self):
        assert add_business_hours(local(2, 6), 1, office()) == local(2, 10)
        assert add_business_hours(local(2, 20), 1, office()) == local(3, 10)
        assert add_business_hours(local(7, 12), 1, office()) == local(9, 10)

    def test_the_last_hour_ends_with_the_close(self):
        assert add_business_hours(local(2, 9), 8, office()) == local(2, 17)

    def test_across_the_change_to_summer_time_business_stays_at_its_local_hour(self):
        due = add_business_hours(local(6, 16), 2, office())  # the clocks change on Sunday 8 March

        assert due == local(9, 10) and due.utcoffset() == timedelta(0)
        assert (due - local(6, 16)).total_seconds() == (3 * 24 - 6 - 1) * 3600

    @pytest.mark.parametrize(("month", "day", "length"), [(3, 9, 24), (3, 29, 23), (10, 25, 25)])
    def test_a_day_of_a_clock_change_is_as_long_as_it_is(self, month, day, length):
        berlin = office(0, 24, zone=ZoneInfo("Europe/Berlin"))
        day = date(2026, month, day)
        begins = datetime.combine(day, time(), berlin.zone).astimezone(UTC)
        ends = berlin._moment(day, 24)

        assert ends - begins == timedelta(hours=length)

    def test_nought_hours_are_over_at_once_and_none_run_backwards(self):
        assert add_business_hours(local(7, 3), 0, office()) == local(7, 3)
        with pytest.raises(ValueError, match="forwards"):
            add_business_hours(local(7, 3), -1, office())

    @pytest.mark.parametrize(("opens", "closes"), [(17, 9), (9, 9), (-1, 5), (9, 25)])
    def test_hours_that_are_none_are_refused_with_the_figures_to_correct(self, opens, closes):
        with pytest.raises(BadBusinessHours, match="business_opens"):
            office(opens, closes)

    def test_it_ends_with_the_calendar(self):
        assert add_business_hours(datetime(9999, 12, 30, tzinfo=UTC), 1000, office(zone=ZoneInfo("UTC"))).year == 9999

    @settings(max_examples=60, deadline=None)
    @given(
        start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
            lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
        ),
        hours=st.integers(1, 30),
        open_at=st.integers(0, 22),
        length=st.integers(1, 24),
        holidays=st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20),
        zone=st.sampled_from(ZONES),
    )
    def test_it_agrees_with_counting_minute_by_minute(self, start, hours, open_at, length, holidays, zone):
        business = office(open_at, min(open_at + length, 24), holidays, zone)

        assert add_business_hours(start, hours, business) == minute_by_minute(start, hours, business)

    @pytest.mark.parametrize("zone", ZONES, ids=str)
    @pytest.mark.parametrize("opens", range(4))
    def test_it_agrees_around_each_change_of_the_clocks(self, zone, opens):
        business = office(opens, 24, zone=zone)
        for month, day in ((3, 6), (3, 27), (4, 3), (10, 2), (10, 23), (10, 30)):
            start = datetime(2026, month, day, 12, tzinfo=UTC)

            assert add_business_hours(start, 40, business) == minute_by_minute(start, 40, business)

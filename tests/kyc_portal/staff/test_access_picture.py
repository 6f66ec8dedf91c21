"""Access over time and by hour: true to the calendar, hatched, with gaps; the description says the same."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyc_portal.staff.access_picture import LANE, SeenDay, access_strip, columns, gaps, gaps_told, hour_columns
from tests.kyc_portal.staff.test_pictures import MONDAY, SVG, parsed, words_of

ONE = timedelta(days=1)
DAYS = st.lists(
    st.builds(
        SeenDay, st.dates(date(2020, 1, 1), date(2026, 1, 1)), *[st.integers(0, 10**6) for _ in range(4)]
    ), min_size=1, max_size=40, unique_by=lambda day: day.day,
)  # fmt: skip


def rects(svg, kind):
    return [rect for rect in parsed(svg).iter(f"{SVG}rect") if rect.get("class") == kind]


class TestStrip:
    def test_it_says_the_anonymised_share_in_percent(self):
        svg = access_strip([(MONDAY, 30, 10), (MONDAY + ONE, 10, 0)])

        assert "25% anonymised (hatched)" in words_of(svg)
        assert "40 accesses" in parsed(svg)[1].text

    def test_it_hatches_only_the_anonymised_part(self):
        svg = access_strip([(MONDAY, 30, 10), (MONDAY + ONE, 10, 0)])

        (hatched,), plain = rects(svg, "pic-hatched"), rects(svg, "pic-column")
        assert len(plain) == 2
        assert float(plain[0].get("height")) == pytest.approx(2 * float(hatched.get("height")), abs=0.02)
        assert hatched.get("fill") == f"url(#{next(parsed(svg).iter(f'{SVG}pattern')).get('id')})"

    def test_it_never_hatches_more_than_there_was(self):
        assert [float(rect.get("height")) for rect in rects(access_strip([(MONDAY, 5, 9)]), "pic-hatched")] == [LANE]

    def test_it_says_so_when_nothing_was_seen(self):
        assert words_of(access_strip([])) == ["No access seen."]

    def test_acts_have_a_lane_of_their_own_only_when_there_are_any(self):
        with_acts = access_strip([(MONDAY, 5, 0, 2, 1), (MONDAY + ONE, 5)])

        assert "administrative acts, most 2 (24 Nov 2025)" in words_of(with_acts)
        assert "2 administrative acts." in parsed(with_acts)[1].text
        assert not [words for words in words_of(access_strip([(MONDAY, 5)])) if "acts" in words]

    def test_a_gap_is_as_wide_as_it_was_long_and_told(self):
        svg = access_strip([(MONDAY, 5), (MONDAY + 9 * ONE, 5)])

        (gap,) = [line for line in parsed(svg).iter(f"{SVG}line") if line.get("class") == "pic-gap"]
        assert (gap.get("x1"), gap.get("x2")) == ("10.000%", "90.000%")
        assert "Longest gap: 8 days from 25 Nov 2025." in words_of(svg)
        assert [float(rect.get("x").rstrip("%")) for rect in rects(svg, "pic-column")] == [0, 90]


class TestColumns:
    @pytest.mark.parametrize(("days", "length", "count"), [(30, 1, 30), (92, 1, 92), (365, 7, 53), (770, 7, 110)])
    def test_more_days_are_drawn_by_the_week(self, days, length, count):
        drawn = columns([SeenDay(MONDAY, 1)], MONDAY, MONDAY + (days - 1) * ONE)

        assert len(drawn) == count and drawn[-1].length == length
        assert drawn[-1].last == MONDAY + (days - 1) * ONE

    def test_many_years_are_drawn_by_the_month(self):
        drawn = columns([SeenDay(date(2020, 2, 29), 7)], date(2020, 1, 15), date(2026, 3, 1))

        assert len(drawn) == 75
        assert (drawn[1].first, drawn[1].length, drawn[1].accesses) == (date(2020, 2, 1), 29, 7)

    @given(DAYS)
    def test_whatever_the_window_every_day_is_in_one_column_and_nothing_is_lost(self, days):
        first, last = min(days).day, max(days).day

        drawn = columns(days, first, last)

        assert sum(column.length for column in drawn) == (last - first).days + 1
        assert all(one.last + ONE == next_one.first for one, next_one in pairwise(drawn))
        assert sum(column.accesses for column in drawn) == sum(day.accesses for day in days)
        assert sum(column.acts for column in drawn) == sum(day.acts for day in days)
        assert all(column.hidden <= column.accesses and column.acts_hidden <= column.acts for column in drawn)

    @given(DAYS)
    def test_a_day_is_in_a_gap_or_something_was_seen_on_it(self, days):
        first, last = min(days).day, max(days).day
        silent = {start + n * ONE for start, length in gaps(days, first, last) for n in range(length)}

        seen = {day.day for day in days if day.accesses or day.acts}

        assert silent | seen == {first + n * ONE for n in range((last - first).days + 1)}
        assert not silent & seen
        assert set(gaps_told(days, first, last)) <= set(gaps(days, first, last))


class TestHours:
    def test_both_clocks_stand_below(self):
        svg = hour_columns([0] * 8 + [12] + [0] * 15, utc=23, minute=30)

        assert {"most on 12 days (08:30)", "00:30", "23 UTC", "06:30", "05 UTC"} <= set(words_of(svg))
        assert "12 days in the hour from 08:30" in parsed(svg)[1].text

    def test_it_says_so_when_nothing_was_seen(self):
        assert words_of(hour_columns([0] * 24)) == ["No access seen."]

"""Days and moments: rows D2, D3, D6 and D8 of the bad-input catalogue."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.moments import BadMoment, read_day, read_moment


class TestReadDay:
    @pytest.mark.parametrize(
        ("text", "day"), [("2024-02-29", date(2024, 2, 29)), ("9999-12-31", date.max), ("0001-01-01", date.min)]
    )
    def test_iso_days(self, text, day):
        assert read_day(text) == day

    @pytest.mark.parametrize("text", ["2023-02-29", "2023-04-31", "2023-13-01", "0000-01-01"])
    def test_d2_days_that_do_not_exist(self, text):
        with pytest.raises(BadMoment, match="not a day of the calendar"):
            read_day(text)

    @pytest.mark.parametrize(
        "text",
        ["02/03/2024", "20240302", "2024-W09-6", "2024-3-2", "", "2024-03-02T00:00", "2024-03-02\n", "\u0662024-03-02"],
    )
    def test_d6_iso_only(self, text):
        with pytest.raises(BadMoment, match="YYYY-MM-DD"):
            read_day(text)


class TestReadMoment:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-03-02T14:05:00Z", datetime(2026, 3, 2, 14, 5, tzinfo=UTC)),
            ("2026-03-02t14:05:00z", datetime(2026, 3, 2, 14, 5, tzinfo=UTC)),
            ("2026-03-02 14:05Z", datetime(2026, 3, 2, 14, 5, tzinfo=UTC)),
            ("2026-03-02T02:30:00+14:00", datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
            ("2026-03-02T02:30:00-12:00", datetime(2026, 3, 2, 14, 30, tzinfo=UTC)),
            ("2026-03-02T14:05:00+00:19:32", datetime(2026, 3, 2, 13, 45, 28, tzinfo=UTC)),
            ("2026-03-02T14:05:00.5Z", datetime(2026, 3, 2, 14, 5, 0, 500_000, tzinfo=UTC)),
            ("2026-03-02T14:05:00.123456789Z", datetime(2026, 3, 2, 14, 5, 0, 123_456, tzinfo=UTC)),
        ],
    )
    def test_d8_stored_in_utc(self, text, moment):
        read = read_moment(text)

        assert read == moment
        assert read.tzinfo is UTC

    def test_d8_no_zone_is_refused(self):
        with pytest.raises(BadMoment, match="no time zone"):
            read_moment("2026-03-29T02:30:00")

    @pytest.mark.parametrize(
        "text",
        ["2026-02-29T00:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02T24:00:00Z", "2026-03-02T23:59:60Z",
         "2026-03-02T00:00:00+15:00", "2026-03-02T00:00:00-24:00", "0001-01-01T00:00:00+01:00",
         "9999-12-31T23:59:59-01:00"],
    )  # fmt: skip
    def test_moments_that_do_not_exist(self, text):
        with pytest.raises(BadMoment, match="not a moment of the calendar"):
            read_moment(text)

    @pytest.mark.parametrize(
        "text",
        ["", "1767225600", "02/03/2024 10:00Z", "2026-03-02", "2026-03-02T1405Z", "now", "2026-03-02T14:05:00 CET"],
    )
    def test_other_forms_are_refused(self, text):
        with pytest.raises(BadMoment, match="is not a moment"):
            read_moment(text)

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_what_python_writes_is_read_back(self, moment):
        assert read_moment(moment.isoformat()) == moment

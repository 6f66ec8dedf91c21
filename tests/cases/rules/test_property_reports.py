from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.rules.property_reports import NotComplete, due_day, in_usd, require_authority

INDEPENDENCE = date(2026, 7, 3)  # a Friday on which the holiday was observed
HOLIDAYS = frozenset({INDEPENDENCE})


class TestDueDay:
    def test_t32_a_deal_rejected_on_fri_3_jul_2026_is_reported_by_fri_17_jul_if_that_friday_is_day_0(self):
        assert due_day(INDEPENDENCE, 10, HOLIDAYS, event_counts=False) == date(2026, 7, 17)

    @pytest.mark.parametrize(
        ("holidays", "event_counts", "due"),
        [
            (HOLIDAYS, True, date(2026, 7, 17)),  # the holiday itself is no business day
            (frozenset(), True, date(2026, 7, 16)),
            (frozenset(), False, date(2026, 7, 17)),
            (frozenset({date(2026, 7, 6)}), False, date(2026, 7, 20)),
        ],
    )
    def test_t32_calendar_and_day_0_rule_are_configurable(self, holidays, event_counts, due):
        assert due_day(INDEPENDENCE, 10, holidays, event_counts=event_counts) == due

    @given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 30))
    def test_counting_the_day_of_the_event_is_never_later_and_at_most_one_business_day_sooner(self, day, days):
        first, zero = (due_day(day, days, HOLIDAYS, event_counts=counts) for counts in (True, False))

        assert zero - timedelta(days=4) <= first <= zero


class TestAuthority:
    @pytest.mark.parametrize(
        "text",
        ["31 CFR part 578", "31 C.F.R. 510", "Executive Order 13694", "E.O. 13757", "50 U.S.C. 1705", "EO 14024"],
    )
    def test_a_programme_is_named_by_its_number(self, text):
        assert require_authority(f" {text} ") == text

    @pytest.mark.parametrize(
        "text", ["", "SDN", "sdn list", "OFAC SDN", "Specially Designated National", "CYBER2", "31 CFR", "SDN 12345"]
    )
    def test_r110_sdn_alone_will_not_do(self, text):
        with pytest.raises(NotComplete, match="“SDN”"):
            require_authority(text)


class TestValue:
    @pytest.mark.parametrize(
        ("text", "amount"), [("0", "0.00"), ("1,250.5", "1250.50"), ("1250", "1250.00"), (" 12.34 ", "12.34")]
    )
    def test_it_is_exact(self, text, amount):
        assert in_usd(text) == Decimal(amount)

    @pytest.mark.parametrize(
        "text",
        ["", "-1", "1.005", "NaN", "Infinity", "1e40", "ten", "0x10", "١٢a", "12,50", "1.250,00", "1e9", "1,25,000"],
    )
    def test_anything_else_is_refused(self, text):
        with pytest.raises(NotComplete, match="two decimals"):
            in_usd(text)

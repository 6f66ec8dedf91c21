"""Ways that nobody can have made (R46), and how near two countries come to each other."""

from datetime import timedelta

import pytest
from django_countries import countries
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.country_places import least_km, places
from accounts.rules.journeys import hours_needed, jumps, span_to_read
from tests.accounts.accesses import LIMITS, MIDNIGHT, row, visit

SOMEWHERE = st.sampled_from(["DE", "PL", "FR", "US", "BR", "JP", "NZ", "FJ", "WS", "RU", "ZZ", ""])
ANY_VISIT = st.builds(
    visit,
    st.integers(0, 3 * 24 * 60),
    SOMEWHERE,
    st.sampled_from(["ana", "ben", ""]),
    key=st.integers(1, 10**6),
    anonymiser=st.sampled_from(["", "", "vpn"]),
    public=st.sampled_from([True, True, False]),
)
HIDDEN = st.builds(
    visit,
    st.integers(0, 3 * 24 * 60),
    SOMEWHERE,
    st.sampled_from(["ana", "ben", ""]),
    key=st.integers(1, 10**6),
    anonymiser=st.sampled_from(["vpn", "hosting", "relay", "satellite", "tor, vpn"]),
)


class TestLeastKm:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("DE", "PL"), ("DE", "FR"), ("US", "CA"), ("US", "MX"), ("PT", "ES"), ("FI", "EE"), ("CN", "KP"),
            ("BR", "GF"), ("RU", "US"), ("IE", "GB"), ("SG", "MY"), ("CL", "AR"), ("IN", "LK"), ("FR", "GB"),
        ],
    )  # fmt: skip
    def test_neighbours_are_no_way_apart(self, one, other):
        assert least_km(one, other) == 0

    @pytest.mark.parametrize(
        ("one", "other", "near", "far"),
        [  # two towns of the two countries that lie close to each other as such go: never more than their distance
            ("DE", "US", 4000, 5300),
            ("DE", "BR", 6000, 7400),
            ("JP", "US", 2500, 5600),
            ("FR", "RE", 8000, 9000),
            ("NZ", "CL", 5500, 9000),
            ("GB", "US", 3300, 4600),
        ],
    )
    def test_far_ones_are_never_farther_than_their_nearest_towns(self, one, other, near, far):
        assert near < least_km(one, other) < far

    def test_the_date_line_is_no_edge(self):
        assert least_km("FJ", "WS") < 1200  # Suva and Apia lie on either side of it
        assert least_km("TV", "KI") < 500

    def test_it_is_the_same_both_ways_and_nothing_at_home(self):
        for one in places():
            assert least_km(one, one) == 0
        assert least_km("AU", "PT") == least_km("PT", "AU")

    @pytest.mark.parametrize("unknown", ["", "ZZ", "de", "XX", "A1", "EU"])
    def test_of_an_unknown_place_nothing_is_claimed(self, unknown):
        assert least_km("DE", unknown) == 0 == least_km(unknown, "DE")

    def test_every_country_with_people_is_listed(self):
        uninhabited = {"BV", "HM"}

        assert {code for code, _ in countries} - set(places()) <= uninhabited

    def test_circles_are_places_on_earth(self):
        for circles in places().values():
            for latitude, longitude, km in circles:
                assert -90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 < km <= 800


class TestJumps:
    @pytest.mark.parametrize(
        ("visits", "found"),
        [
            ([], []),
            ([visit(0, "DE")], []),
            ([visit(0, "DE"), visit(5, "DE")], []),
            ([visit(0, "DE"), visit(5, "BR")], ["BR-DE"]),
            ([visit(5, "BR"), visit(0, "DE")], ["BR-DE"]),  # out of order
            ([visit(0, "DE"), visit(0, "BR", key=9)], ["BR-DE"]),  # at the same moment
            ([visit(0, "DE"), visit(1, "PL")], []),  # neighbours
            ([visit(0, "DE"), visit(1, "ES")], []),  # within the tolerance
            ([visit(0, "US"), visit(1, "CA")], []),
            ([visit(0, "FJ"), visit(1, "WS")], []),  # over the date line
            ([visit(0, "DE"), visit(11 * 60, "BR")], []),  # a flight
            ([visit(0, "DE"), visit(5 * 60, "BR")], ["BR-DE"]),
            ([visit(0, "DE"), visit(5, "BR", "ben")], []),  # somebody else
            ([visit(0, "DE", ""), visit(5, "BR", "")], ["BR-DE"]),  # nobody is named
            ([visit(0, "DE"), visit(5, "BR", anonymiser="vpn")], []),
            ([visit(0, "DE"), visit(5, "BR", anonymiser="hosting")], []),
            ([visit(0, "DE"), visit(5, "BR", anonymiser="satellite")], []),
            ([visit(0, "DE"), visit(5, "BR", public=False)], []),
            ([visit(0, "DE"), visit(5, "")], []),  # nobody knows where
            ([visit(0, "DE"), visit(5, "ZZ")], []),
            ([visit(0, "DE"), visit(1, "BR", anonymiser="vpn"), visit(2, "JP")], ["DE-JP"]),
            ([visit(0, "BR"), visit(60, "DE", anonymiser="tor"), visit(120, "BR")], []),
        ],
    )
    def test_t20_each_case(self, visits, found):
        assert [jump.places for jump in jumps(visits, LIMITS)] == found

    def test_it_says_how_far_and_how_fast(self):
        [jump] = jumps([visit(0, "DE", key=1), visit(30, "BR", key=2)], LIMITS)

        assert (jump.earlier.key, jump.later.key, jump.minutes, jump.km) == (1, 2, 30, least_km("DE", "BR"))

    def test_a_stop_between_does_not_hide_the_way(self):
        visits = [visit(0, "DE"), visit(10, "RU"), visit(20, "JP")]

        assert "DE-JP" in [jump.places for jump in jumps(visits, LIMITS)]

    def test_a_clock_that_is_wrong_by_minutes_raises_nothing(self):
        way = timedelta(hours=hours_needed("DE", "BR", LIMITS))
        just = int(way.total_seconds() // 60) - LIMITS.clock_minutes

        assert not jumps([visit(0, "DE"), visit(just + 1, "BR")], LIMITS)
        assert jumps([visit(0, "DE"), visit(just - 1, "BR")], LIMITS)

    @given(st.lists(ANY_VISIT, max_size=15), st.lists(HIDDEN, max_size=8))
    def test_anonymised_accesses_never_raise_it(self, visits, hidden):
        assert jumps([*visits, *hidden], LIMITS) == jumps(visits, LIMITS)

    @given(st.lists(ANY_VISIT, max_size=15, unique_by=lambda each: each.key), st.randoms(use_true_random=False))
    def test_the_order_of_rows_does_not_matter(self, visits, random):
        mixed = list(visits)
        random.shuffle(mixed)

        assert jumps(mixed, LIMITS) == jumps(visits, LIMITS)

    @given(st.lists(ANY_VISIT, max_size=15))
    def test_what_is_read_holds_every_jump(self, visits):
        """The days of access alone say from when until when the single accesses must be read."""
        found, span = jumps(visits, LIMITS), span_to_read(_days_of(visits), LIMITS)

        for jump in found:
            assert span is not None and span[0] <= jump.later.at <= span[1]
        if span is not None:
            within = [each for each in visits if span[0] <= each.at <= span[1]]
            assert {jump.places for jump in jumps(within, LIMITS)} == {jump.places for jump in found}


class TestSpanToRead:
    def test_most_accounts_are_not_read_at_all(self):
        assert span_to_read([], LIMITS) is None
        assert span_to_read([row()], LIMITS) is None
        assert span_to_read([row(), row(0, "PL"), row(5, "BR")], LIMITS) is None

    def test_a_day_in_two_far_countries_is_read(self):
        assert span_to_read([row(), row(0, "BR")], LIMITS) == (row().first_at, row().last_at)

    def test_what_hides_is_not_read_for(self):
        assert span_to_read([row(), row(0, "BR", anonymiser="vpn"), row(0, "JP", public=False)], LIMITS) is None


def _days_of(visits):
    return [
        row(
            (MIDNIGHT.date() - each.at.date()).days, each.country, anonymiser=each.anonymiser, public=each.public,
            first_at=each.at, last_at=each.at, count=1,
        )
        for each in visits
    ]  # fmt: skip

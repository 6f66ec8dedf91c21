"""What is usual of an account, from its days of access (R18, R46)."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.profile import percent_of, profile_of, quiet_spells, window
from tests.accounts.accesses import DAY, LIMITS, row, rows

ANY_ROW = st.builds(
    row,
    st.integers(0, 400),
    st.sampled_from(["DE", "FR", "US", ""]),
    kind=st.sampled_from(["access", "admin"]),
    public=st.booleans(),
    network=st.sampled_from(["AS1 One", "AS2 Two", ""]),
    anonymiser=st.sampled_from(["", "vpn", "hosting, tor"]),
    count=st.integers(0, 10_000),
    hours=st.integers(0, 2**24 - 1),
)


class TestProfile:
    def test_nothing_seen_is_too_little_to_say(self):
        found = profile_of([], LIMITS)

        assert (found.days, found.records, found.is_enough) == (0, 0, False)
        assert found.anonymised_percent is None and found.countries == found.hours == found.quiet == ()

    def test_one_record_says_nothing_of_what_is_usual(self):
        found = profile_of([row(count=1)], LIMITS)

        assert (found.days, found.records, found.is_enough, found.countries) == (1, 1, False, ())

    def test_many_accesses_on_few_days_are_too_little(self):
        assert not profile_of(rows(4, count=1000), LIMITS).is_enough
        assert profile_of(rows(5), LIMITS).is_enough

    def test_it_says_the_usual_places_with_their_shares(self):
        found = profile_of([*rows(16), *rows(4, "FR"), *rows(1, "BR", count=1)], LIMITS)

        assert found.countries == (("DE", Decimal("79.0")), ("FR", Decimal("19.8")))
        assert found.networks == (("AS1 DE", Decimal("79.0")), ("AS1 FR", Decimal("19.8")))
        assert found.hours == (9, 10)

    def test_t22_what_hides_is_counted_and_placed_nowhere(self):
        found = profile_of([*rows(5), *rows(5, "NL", anonymiser="vpn"), *rows(5, "", public=False)], LIMITS)

        assert (found.records, found.public, found.anonymised, found.located) == (60, 40, 20, 20)
        assert found.anonymised_percent == Decimal("50.0")
        assert [name for name, _ in found.countries] == ["DE"]

    def test_an_hour_counts_once_a_day_however_many_places_there_were(self):
        often = [row(ago, place, hours=1) for ago in range(2) for place in ("DE", "FR", "NL")]
        found = profile_of([*often, *rows(30, hours=1 << 23)], LIMITS)

        assert found.hours == (23,)  # two days of thirty are not usual

    def test_quiet_spells_count_whole_days(self):
        days = [DAY - timedelta(days=90), DAY - timedelta(days=29), DAY]

        [spell] = quiet_spells(days, 60)

        assert (spell.days, spell.woke_on) == (60, DAY - timedelta(days=29))
        assert quiet_spells(days, 61) == () and quiet_spells(days[:1], 60) == ()

    def test_days_in_a_row_are_no_spell_even_where_the_figure_is_nought(self):
        assert quiet_spells([DAY, DAY + timedelta(days=1)], 0) == ()

    def test_the_window_ends_a_day_late_for_clocks_that_run_fast(self):
        assert window(DAY, 180) == (DAY - timedelta(days=179), DAY + timedelta(days=1))

    @given(st.lists(ANY_ROW, max_size=30), st.randoms(use_true_random=False))
    def test_the_order_of_rows_does_not_matter(self, found, random):
        mixed = list(found)
        random.shuffle(mixed)

        assert profile_of(mixed, LIMITS) == profile_of(found, LIMITS)

    @given(st.lists(ANY_ROW, max_size=30))
    def test_parts_are_never_more_than_the_whole(self, found):
        told = profile_of(found, LIMITS)

        assert told.anonymised + told.located <= told.public <= told.records
        assert all(LIMITS.usual_percent <= share <= 100 for _, share in (*told.countries, *told.networks))

    def test_a_share_has_one_decimal(self):
        assert percent_of(1, 3) == Decimal("33.3")

"""Accesses summed up by country and day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from cases.rules.access_summary import summarise

ACCESSES = st.lists(
    st.tuples(
        st.dates(date(2026, 1, 1), date(2026, 1, 9)),
        st.sampled_from(["", "US", "FR"]),
        st.booleans(),
        st.booleans(),
        st.integers(1, 9),
    )
)


@given(ACCESSES)
def test_nothing_is_lost_and_nothing_is_counted_twice(accesses):
    found = summarise(accesses)

    assert sum(count for _, count, _ in found.days) == found.total == sum(each[4] for each in accesses)
    assert sum(count for _, count, _ in found.countries) == found.public == sum(each[4] for each in accesses if each[3])
    assert all(hidden <= count for _, count, hidden in (*found.days, *found.countries))
    assert list(found.days) == sorted(found.days)
    assert [count for _, count, _ in found.countries] == sorted(
        (count for _, count, _ in found.countries), reverse=True
    )


def test_a_place_that_is_not_known_says_so():
    assert summarise([(date(2026, 1, 1), "", False, True, 1)]).countries == (("unknown", 1, 0),)

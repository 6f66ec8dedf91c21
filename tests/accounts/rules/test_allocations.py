from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.allocations import Span, conflicts


def day(number: int) -> datetime:
    return datetime(2026, 1, 1 + number, tzinfo=UTC)


def span(first, last, begins=0, ends=None, holder="A", place=1, version=4) -> Span:
    return Span(version, first, last, day(begins), None if ends is None else day(ends), holder, place)


@pytest.mark.parametrize(
    ("one", "two", "meets"),
    [
        (span(1, 5), span(5, 9), True),
        (span(1, 5), span(6, 9), False),
        (span(1, 5, 0, 3), span(1, 5, 3), False),  # the end is no longer part
        (span(1, 5, 0, 4), span(1, 5, 3), True),
        (span(1, 5), span(1, 5, version=6), False),
    ],
)
def test_spans_meet_where_one_address_is_held_twice_at_one_moment(one, two, meets):
    assert one.meets(two) == two.meets(one) == meets


def test_one_holder_may_state_the_same_twice_and_rows_on_file_are_not_judged_again():
    assert list(conflicts([span(1, 5), span(2, 3, place=2)])) == []
    assert list(conflicts([span(1, 5, place=0), span(2, 3, holder="B", place=0)])) == []


spans = st.builds(
    lambda first, size, begins, length, holder, version: span(
        first, first + size, begins, None if length == 0 else begins + length, holder, version=version
    ),
    st.integers(0, 20), st.integers(0, 6), st.integers(0, 9), st.integers(0, 9), st.sampled_from("AB"),
    st.sampled_from([4, 6]),
)  # fmt: skip


@given(st.lists(spans, max_size=12))
def test_the_sweep_finds_exactly_the_pairs_that_meet(several):
    several = [Span(**{**each.__dict__, "place": number}) for number, each in enumerate(several, start=1)]
    found = {frozenset((one.place, two.place)) for one, two in conflicts(several)}

    expected = {
        frozenset((one.place, two.place))
        for one in several
        for two in several
        if one.place < two.place and one.holder != two.holder and one.meets(two)
    }

    assert found == expected

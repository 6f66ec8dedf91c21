"""Counts by country as dots on a world of lines."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kyc_portal.staff.world_picture import places, world


def test_a_place_is_about_where_it_is():
    assert abs(places()["FR"][0] - 2.3) < 1 and abs(places()["FR"][1] - 48.9) < 1
    assert places()["US"][0] < -60 and places()["BR"][1] < 0


def test_each_place_has_a_dot_and_the_same_in_words():
    drawn = world([("US", 90, 0), ("FR", 10, 9), ("unknown", 5, 0)], "Accesses")

    assert drawn.count("<circle") == 2 and "US 90, FR 10" in drawn
    assert drawn.count("pic-dot-hidden") == 1 and "10, 9 anonymised" in drawn


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(0, 10**9), st.integers(0, 10**9))))
def test_whatever_it_is_given_it_draws_safely_within_its_frame(rows):
    drawn = world(rows)

    assert "<script" not in drawn
    assert all(0 <= float(x) <= 100 for x in re.findall(r'cx="([\d.]+)%"', drawn))

"""The map of tiles: every country once, no two on one place, shades by count, hatched where most was anonymised."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from django_countries import countries
from hypothesis import given
from hypothesis import strategies as st

from kyc_portal.staff.tile_map import PITCH, places, step_of, tile_map

WIDEST = 308  # pixels that a phone of 390 leaves


def test_every_country_has_one_place_and_no_two_share_one():
    codes = [code for part in places().values() for code in part]

    assert sorted(codes) == sorted(code for code, _ in countries)
    for part in places().values():
        assert len(set(part.values())) == len(part)
        assert (max(column for column, _ in part.values()) + 1) * PITCH <= WIDEST


@pytest.mark.parametrize(
    ("west", "east"), [("US", "BM"), ("PT", "RU"), ("TR", "JP"), ("SN", "SO"), ("AU", "PN"), ("IE", "GB")]
)
def test_what_lies_further_east_stands_further_right(west, east):
    (part,) = [tiles for tiles in places().values() if west in tiles]

    assert part[west][0] < part[east][0]


@pytest.mark.parametrize(("count", "step"), [(0, 0), (1, 1), (9, 1), (10, 2), (999, 3), (9_999, 4), (10**9, 5)])
def test_shades_go_by_tens(count, step):
    assert step_of(count) == step


def test_a_tile_says_its_count_leads_to_its_row_and_is_hatched_where_most_was_anonymised():
    drawn = tile_map([("US", 90, 0), ("FR", 10, 6), ("DE", 10, 5), ("", 5, 0), ("XX", 3, 3)], "Accesses", "row-")

    assert 'href="#row-US" aria-label="United States of America: 90 accesses, 0 anonymised"' in drawn
    assert drawn.count('class="tile-hatched"') == 1 and drawn.count("<a ") == 3
    assert re.search(r'href="#row-FR"[^>]*>(?:(?!</a>).)*tile-hatched', drawn)
    assert "Europe: 2 countries, 20 accesses." in drawn and "Africa: no access." in drawn
    assert "10,000 and more" in drawn and "mostly anonymised" in drawn


def test_a_code_under_measures_looks_like_any_other():
    drawn = tile_map([("IR", 50, 0), ("CA", 50, 0)])

    kinds = re.findall(r'<a class="([^"]+)"', drawn)
    assert len(kinds) == 2 and len(set(kinds)) == 1


@given(st.lists(st.tuples(st.text(max_size=5) | st.sampled_from(["US", "DE"]), *[st.integers(-5, 10**9)] * 2)))
def test_whatever_it_is_given_it_draws_well_formed_and_safely(rows):
    drawn = tile_map(rows, '<script>"')

    ElementTree.fromstring(drawn)  # noqa: S314 (our own picture)
    assert "<script" not in drawn


def test_one_access_is_one():
    drawn = str(tile_map([("JP", 1, 0), ("FR", 2, 0)]))

    assert "Asia: 1 country, 1 access." in drawn and "Japan: 1 access, 0 anonymised" in drawn
    assert "1 accesses" not in drawn and "2 accesses" in drawn

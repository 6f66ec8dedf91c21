"""The layout of the link graph: deterministic, nobody on anybody's place, no line through a node, every tie once."""

import random

from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.graph_layout import Line, lay_out

KEYS = st.integers(0, 30)
TIES = st.lists(st.builds(Line, KEYS, KEYS, st.sampled_from([0.1, 0.3, 0.5, 0.85, 0.97])), max_size=120)
NODES = st.lists(KEYS, max_size=31)


def keys_of(layout):
    return [place.key for place in layout.places]


class TestLayOut:
    def test_the_start_comes_first_then_branches_with_the_strongest_first(self):
        ties = [Line("start", "weak", 0.2), Line("start", "strong", 0.9), Line("strong", "far", 0.5)]

        layout = lay_out("start", ["weak", "strong", "far"], ties)

        assert keys_of(layout) == ["start", "strong", "far", "weak"]
        assert [place.column for place in layout.places] == [0, 1, 2, 1]
        assert [place.branch for place in layout.places] == [None, 1, 2, 0]

    def test_those_tied_to_each_other_stand_side_by_side(self):
        ties = [Line("s", name, 0.5) for name in "abcd"] + [Line("a", "d", 0.4)]

        layout = lay_out("s", "abcd", ties)

        assert keys_of(layout) == ["s", "a", "d", "b", "c"]
        assert [(each.tie, each.upper, each.lower, each.lane) for each in layout.crossings] == [(4, 1, 2, 0)]

    def test_what_nothing_ties_to_the_start_stands_below_in_the_first_column(self):
        layout = lay_out("s", ["a", "x", "y"], [Line("s", "a", 0.5), Line("x", "y", 0.5)])

        assert keys_of(layout) == ["s", "a", "x", "y"]
        assert [(place.column, place.parent) for place in layout.places] == [(0, None), (1, 0), (0, None), (1, 2)]

    def test_of_more_than_fit_the_nearest_and_strongest_are_drawn(self):
        ties = [Line("s", n, n / 100) for n in range(60)]

        layout = lay_out("s", range(60), ties, most=40)

        assert keys_of(layout)[1:] == list(range(59, 19, -1))
        assert sorted(layout.left_out) == list(range(20)) and len(layout.ties_left_out) == 20

    def test_a_crowd_in_which_all_know_all_fills_the_lanes_and_says_what_is_left(self):
        ties = [Line(a, b, 0.5) for a in range(20) for b in range(a)]

        layout = lay_out(0, range(20), ties)

        assert layout.lanes == 8 and len(layout.places) == 20
        assert len(layout.crossings) + 19 + len(layout.ties_left_out) == len(ties)

    def test_a_start_alone_is_a_layout(self):
        layout = lay_out("s", [], [Line("s", "s", 1), Line("s", "unknown", 1)])

        assert keys_of(layout) == ["s"] and layout.columns == 1 and layout.lanes == 0
        assert layout.ties_left_out == [0, 1]


class TestWhateverComes:
    @given(KEYS, NODES, TIES)
    def test_no_two_nodes_share_a_place_and_everybody_is_placed_or_left_out(self, start, nodes, ties):
        layout = lay_out(start, nodes, ties, most=12)

        assert [place.row for place in layout.places] == list(range(len(layout.places)))
        assert sorted([*keys_of(layout), *layout.left_out]) == sorted({start, *nodes})
        assert len(layout.places) <= 13 and layout.places[0].key == start

    @given(KEYS, NODES, TIES)
    def test_every_tie_is_drawn_once_or_told_as_left_out(self, start, nodes, ties):
        layout = lay_out(start, nodes, ties, most=12)

        branches = [place.branch for place in layout.places if place.branch is not None]
        crossings = [crossing.tie for crossing in layout.crossings]
        assert sorted([*branches, *crossings, *layout.ties_left_out]) == list(range(len(ties)))
        shown = set(keys_of(layout))
        drawable = [n for n, tie in enumerate(ties) if tie.a != tie.b and {tie.a, tie.b} <= shown]
        if layout.lanes < 8:
            assert sorted([*branches, *crossings]) == drawable

    @given(KEYS, NODES, TIES)
    def test_a_column_is_the_distance_and_a_branch_leads_to_the_column_before(self, start, nodes, ties):
        layout = lay_out(start, nodes, ties)

        rows = {place.key: place for place in layout.places}
        for place in layout.places:
            if place.parent is not None:
                parent = layout.places[place.parent]
                assert parent.row < place.row and parent.column == place.column - 1
                assert {ties[place.branch].a, ties[place.branch].b} == {place.key, parent.key}
        for tie in ties:
            if tie.a in rows and tie.b in rows:
                assert abs(rows[tie.a].column - rows[tie.b].column) <= 1

    @given(KEYS, NODES, TIES)
    def test_no_branch_runs_through_a_node_and_no_two_ties_meet_in_a_lane(self, start, nodes, ties):
        layout = lay_out(start, nodes, ties)

        for place in layout.places:
            if place.parent is not None:
                column = layout.places[place.parent].column
                between = layout.places[place.parent + 1 : place.row]
                assert all(other.column > column for other in between)
        for one in layout.crossings:
            for other in layout.crossings:
                if one is not other and one.lane == other.lane:
                    assert one.lower < other.upper or other.lower < one.upper

    @given(KEYS, NODES, TIES, st.randoms(use_true_random=False))
    def test_the_same_data_gives_the_same_picture_in_whatever_order_it_comes(
        self, start, nodes, ties, chance: random.Random
    ):
        ties = list({frozenset((tie.a, tie.b)): tie for tie in ties}.values())
        shuffled, mixed = list(nodes), list(ties)
        chance.shuffle(shuffled)
        chance.shuffle(mixed)

        one, other = lay_out(start, nodes, ties), lay_out(start, shuffled, mixed)

        assert [(p.key, p.row, p.column, p.parent) for p in one.places] == [
            (p.key, p.row, p.column, p.parent) for p in other.places
        ]
        assert [(c.upper, c.lower, c.lane) for c in one.crossings] == [
            (c.upper, c.lower, c.lane) for c in other.crossings
        ]

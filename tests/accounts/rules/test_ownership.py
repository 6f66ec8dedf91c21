"""Owners, control and blocked shares (T14-T16, R21, R36)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.ownership import (
    WHOLE,
    Stake,
    TooTangled,
    beneficial_owners,
    blocked_parties,
    blocked_share,
    faults,
    tree,
)

QUARTER = Decimal(25)


def stake(owner, owned, percent, control=False):
    return Stake(owner, owned, Decimal(percent), control)


def owners(stakes, people="ann bob", threshold=QUARTER):
    found = beneficial_owners("C", stakes, frozenset(people.split()), threshold)
    return {each.owner: (each.percent, each.control) for each in found}


PARTIES = ["C", "D", "E", "F", "ann", "bob"]
graphs = st.lists(
    st.builds(
        Stake,
        st.sampled_from(PARTIES),
        st.sampled_from(PARTIES[:4]),
        st.decimals(0, 100, places=2),
        st.booleans(),
    ),
    max_size=14,
)


class TestBeneficialOwners:
    @pytest.mark.parametrize(
        ("percent", "threshold", "named"),
        [("25.00", "25", True), ("24.99", "25", False), ("25.00", "25.01", False), ("10", "10", True)],
    )
    def test_t14_the_threshold_is_inclusive(self, percent, threshold, named):
        assert ("ann" in owners([stake("ann", "C", percent)], threshold=Decimal(threshold))) is named

    @pytest.mark.parametrize(("upper", "lower", "share"), [("60", "45", "27"), ("50", "50", "25"), ("50", "49", None)])
    def test_t15_shares_multiply_along_a_chain(self, upper, lower, share):
        found = owners([stake("ann", "D", upper), stake("D", "C", lower)])

        assert found == ({"ann": (Decimal(share), False)} if share else {})

    def test_shares_add_up_over_chains(self):
        stakes = [stake("ann", "D", 50), stake("D", "C", 30), stake("ann", "E", 40), stake("E", "C", 20)]

        (owner,) = beneficial_owners("C", [*stakes, stake("ann", "C", 5)], frozenset({"ann"}), QUARTER)

        assert owner.percent == Decimal(28)
        assert [(path.parties, path.percent) for path in owner.paths] == [
            (("ann", "D", "C"), Decimal(15)),
            (("ann", "E", "C"), Decimal(8)),
            (("ann", "C"), Decimal(5)),
        ]

    def test_stakes_entered_in_parts_are_one_holding(self):
        assert owners([stake("ann", "C", 15), stake("ann", "C", 10, True)]) == {"ann": (QUARTER, True)}

    def test_an_entity_is_never_a_beneficial_owner(self):
        assert owners([stake("D", "C", 100)]) == {}

    @pytest.mark.parametrize(
        ("stakes", "named"),
        [
            ([stake("ann", "C", 0, True)], True),
            ([stake("ann", "D", 0, True), stake("D", "C", 5, True)], True),
            ([stake("ann", "D", 0, True), stake("D", "C", 30)], True),
            ([stake("ann", "D", 0, True), stake("D", "C", 20), stake("ann", "C", 5)], True),
            ([stake("ann", "D", 0, True), stake("D", "C", 20)], False),
            ([stake("ann", "D", 10), stake("D", "C", 30)], False),
            ([stake("ann", "D", 10), stake("D", "C", 30, True)], False),
        ],
    )
    def test_substantial_control_counts_with_any_share(self, stakes, named):
        assert (owners(stakes).get("ann", (0, False))[1]) is named

    def test_a_circle_of_owners_ends_and_counts_each_chain_once(self):
        stakes = [stake("ann", "D", 60), stake("D", "C", 50), stake("C", "D", 40), stake("C", "C", 10)]

        assert owners(stakes) == {"ann": (Decimal(30), False)}

    def test_the_largest_owner_comes_first(self):
        assert list(owners([stake("bob", "C", 30), stake("ann", "C", 40)])) == ["ann", "bob"]

    @pytest.mark.parametrize(
        "stakes",
        [
            [stake(f"p{one}", f"p{other}", 5) for one in range(14) for other in range(14)] + [stake("p0", "C", 5)],
            [stake(f"p{place + 1}", f"p{place}", 100) for place in range(2000)] + [stake("p0", "C", 100)],
        ],
        ids=["dense", "long"],
    )
    def test_a_structure_nobody_could_read_is_refused(self, stakes):
        with pytest.raises(TooTangled, match="structure chart"):
            beneficial_owners("C", stakes, frozenset({"ann"}), QUARTER)
        with pytest.raises(TooTangled):
            tree("C", stakes)

    @given(graphs)
    def test_no_graph_hangs_and_every_path_visits_a_party_once(self, stakes):
        found = beneficial_owners("C", stakes, frozenset({"ann", "bob"}), Decimal(0))

        for owner in found:
            assert owner.percent == sum(path.percent for path in owner.paths)
            for path in owner.paths:
                assert (path.parties[0], path.parties[-1]) == (owner.owner, "C")
                assert len(set(path.parties)) == len(path.parties)

    @given(graphs, st.decimals(0, 100, places=2))
    def test_another_stake_never_lowers_a_share(self, stakes, percent):
        people = frozenset({"ann"})
        before = beneficial_owners("C", stakes, people, Decimal(0))

        after = beneficial_owners("C", [*stakes, Stake("ann", "C", percent)], people, Decimal(0))

        assert after[0].percent >= (before[0].percent if before else 0)


class TestBlockedShare:
    @pytest.mark.parametrize(
        ("stakes", "share"),
        [
            ([stake("ann", "C", 25), stake("bob", "C", 25)], 50),
            ([stake("ann", "C", 25), stake("bob", "C", "24.99")], "49.99"),
            ([stake("ann", "D", 50), stake("D", "C", 60)], 60),
            ([stake("ann", "D", 49), stake("D", "C", 100)], 0),
            ([stake("ann", "D", 25), stake("bob", "D", 25), stake("D", "C", 40), stake("ann", "C", 10)], 50),
            ([stake("ann", "D", 50), stake("D", "E", 50), stake("E", "C", 50)], 50),
            ([stake("D", "C", 90), stake("C", "D", 90)], 0),
            ([stake("ann", "C", 90), stake("bob", "C", 90)], 100),
            ([], 0),
        ],
    )
    def test_t16_blocked_holders_are_added_up_and_cascade(self, stakes, share):
        assert blocked_share("C", stakes, frozenset({"ann", "bob"})) == Decimal(share)

    def test_a_listed_party_is_blocked_whole(self):
        assert blocked_share("C", [], frozenset({"C"})) == WHOLE

    def test_it_names_who_is_blocked_on_the_way(self):
        stakes = [stake("ann", "D", 50), stake("D", "E", 50), stake("E", "C", 49)]

        assert blocked_parties(stakes, frozenset({"ann"})) == {"ann", "D", "E"}

    def test_t16_the_percentage_is_handed_in(self):
        stakes = [stake("ann", "D", 50), stake("D", "C", 60)]

        assert blocked_share("C", stakes, frozenset({"ann"}), blocking_percent=Decimal(51)) == 0

    @given(graphs)
    def test_it_stays_within_the_whole_and_grows_with_the_list(self, stakes):
        fewer = blocked_share("C", stakes, frozenset({"ann"}))
        more = blocked_share("C", stakes, frozenset({"ann", "bob"}))

        assert 0 <= fewer <= more <= WHOLE


class TestTree:
    def test_it_draws_shares_of_each_box_and_of_the_subject(self):
        root = tree("C", [stake("D", "C", 50), stake("ann", "D", 60, True), stake("bob", "C", 20)])

        first, second = root.owners
        assert (root.party, root.percent, first.party, second.party) == ("C", WHOLE, "D", "bob")
        assert (first.owners[0].party, first.owners[0].percent, first.owners[0].reaching) == ("ann", 60, 30)
        assert first.owners[0].control is True

    def test_it_stops_where_a_party_comes_round_again(self):
        root = tree("C", [stake("D", "C", 50), stake("C", "D", 40)])

        (again,) = root.owners[0].owners
        assert (again.party, again.repeated, again.owners) == ("C", True, ())

    @given(graphs)
    def test_every_graph_can_be_drawn(self, stakes):
        assert tree("C", stakes).party == "C"


class TestFaults:
    @pytest.mark.parametrize(
        ("stakes", "words"),
        [
            ([stake("ann", "C", 60), stake("bob", "C", 41)], "The owners of C add up to 101 %"),
            ([stake("ann", "D", 60), stake("bob", "D", 41), stake("D", "C", 5)], "The owners of D add up"),
            ([stake("ann", "C", -5)], "enter 0 to 100"),
            ([stake("ann", "C", 101)], "enter 0 to 100"),
            ([stake("C", "C", 5)], "own owner"),
            ([stake("D", "C", 5), stake("C", "D", 5)], "in a circle: C, D."),
        ],
    )
    def test_it_says_what_cannot_be_right(self, stakes, words):
        assert any(words in sentence for sentence in faults("C", stakes))

    @pytest.mark.parametrize(
        "stakes",
        [
            [],
            [stake("ann", "C", 60), stake("bob", "C", 40)],
            [stake("ann", "C", 0, True)],
            [stake("ann", "X", 150)],
        ],
    )
    def test_a_sound_structure_has_none_and_others_do_not_matter(self, stakes):
        assert faults("C", stakes) == ()

    def test_a_negative_share_takes_nothing_from_anybody(self):
        assert owners([stake("ann", "C", 30), stake("ann", "C", -10)]) == {"ann": (Decimal(30), False)}

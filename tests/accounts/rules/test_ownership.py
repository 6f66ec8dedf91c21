"""Owners, control and blocked shares (T14-T16, R21, R36)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.blocked_owners import blocked_holding, blocked_parties, blocked_reasons, blocked_share
from accounts.rules.ownership import (
    WHOLE,
    Stake,
    TooTangled,
    as_percent,
    beneficial_owners,
    held_on,
    owners_by_party,
    whole_shares,
)
from accounts.rules.ownership_reasons import circles, faults, most_beside, owner_reasons
from accounts.rules.ownership_tree import MOST_BOXES, Repeat, tree

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


@st.composite
def sums(draw, whole):
    """Graphs in which the owners of each party hold `whole` percent together, or at most that when it is below 100."""
    stakes = []
    for owned in PARTIES[:4]:
        owners = draw(st.lists(st.sampled_from([each for each in PARTIES if each != owned]), unique=True, max_size=4))
        owners = owners or ["ann"]
        if whole == 100 and not {"ann", "bob"} & set(owners):
            owners.append("ann")  # so that somebody stands outside every circle
        parts = [draw(st.integers(1, 20)) for _ in owners]
        cents = [whole * 100 * one // sum(parts) for one in parts]
        cents[0] += whole * 100 - sum(cents)
        stakes += [Stake(owner, owned, Decimal(cent) / 100) for owner, cent in zip(owners, cents, strict=True)]
    return stakes


sound, fully_owned = sums(99), sums(100)


def part(graph, owner, owned):
    held = graph.get(owned, {}).get(owner)
    return Fraction(held.percent) / 100 if held else Fraction(0)


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

    def test_what_flows_round_a_circle_is_counted(self):
        stakes = [stake("ann", "D", 60), stake("D", "C", 50), stake("C", "D", 40), stake("bob", "C", 50)]

        assert owners(stakes) == {"bob": (Decimal("62.5"), False), "ann": (Decimal("37.5"), False)}

    def test_a_circle_that_holds_all_of_itself_is_cut(self):
        stakes = [stake("C", "D", 100), stake("D", "C", 100), stake("ann", "C", 30)]

        assert owners(stakes) == {"ann": (Decimal(30), False)}
        assert "it was cut at" in " ".join(faults("C", stakes))

    def test_a_threshold_is_met_exactly_and_never_by_rounding(self):
        third = [stake("ann", "D", "33.3333"), stake("D", "C", 75)]

        assert owners(third) == {}
        assert as_percent(Fraction(24_999_999_9, 10**9)) == Decimal("24.999999")

    def test_the_largest_owner_comes_first(self):
        assert list(owners([stake("bob", "C", 30), stake("ann", "C", 40)])) == ["ann", "bob"]

    @pytest.mark.parametrize(
        "stakes",
        [
            [stake(f"p{one}", f"p{other}", 5) for one in range(14) for other in range(14)] + [stake("p0", "C", 50)],
            [stake(f"p{place + 1}", f"p{place}", 100) for place in range(2000)] + [stake("p0", "C", 100)],
        ],
        ids=["dense", "long"],
    )
    def test_large_structures_are_followed_to_the_end(self, stakes):
        top = "p0" if len(stakes) < 1000 else "p2000"

        (owner,) = beneficial_owners("C", stakes, frozenset({top}), QUARTER)

        assert owner.percent >= 50
        assert tree("C", stakes).boxes <= MOST_BOXES

    def test_circles_nobody_could_read_are_refused(self):
        stakes = [stake(f"p{one}", f"p{other}", 1) for one in range(60) for other in range(60) if one != other]

        with pytest.raises(TooTangled, match="structure chart"):
            beneficial_owners("C", [*stakes, stake("p0", "C", 5)], frozenset({"ann"}), QUARTER)

    @given(graphs)
    def test_no_graph_hangs_and_every_path_visits_a_party_once(self, stakes):
        found = beneficial_owners("C", stakes, frozenset({"ann", "bob"}), Decimal(0))

        for owner in found:
            assert owner.percent >= sum(path.percent for path in owner.paths[:1])
            for path in owner.paths:
                assert (path.parties[0], path.parties[-1]) == (owner.owner, "C")
                assert len(set(path.parties)) == len(path.parties)

    @given(sound)
    def test_whole_shares_solve_their_equation(self, stakes):
        graph = owners_by_party(stakes)
        shares = whole_shares("C", graph)
        back = sum((part(graph, "C", owned) * share for owned, share in shares.of.items()), Fraction(0))
        of = {**shares.of, "C": 1 + back}  # the subject's own entry of the inverse

        assert not shares.cut
        for owner, share in shares.of.items():
            assert share == sum((part(graph, owner, owned) * below for owned, below in of.items()), Fraction(0))

    @given(sound)
    def test_people_never_hold_more_than_all_together(self, stakes):
        found = beneficial_owners("C", stakes, frozenset({"ann", "bob"}), Decimal(0))

        assert sum(owner.share for owner in found) <= 1

    @given(fully_owned)
    def test_people_hold_all_of_what_is_fully_owned(self, stakes):
        found = beneficial_owners("C", stakes, frozenset({"ann", "bob"}), Decimal(0))

        assert sum(owner.share for owner in found) == 1

    @given(graphs, st.decimals(0, 100, places=2))
    def test_another_stake_never_lowers_a_share(self, stakes, percent):
        people = frozenset({"ann"})
        before = beneficial_owners("C", stakes, people, Decimal(0))

        after = beneficial_owners("C", [*stakes, Stake("ann", "C", percent)], people, Decimal(0))

        assert after[0].percent >= (before[0].percent if before else 0)

    @given(graphs, st.permutations(PARTIES))
    def test_neither_order_nor_names_matter(self, stakes, others):
        renamed = dict(zip(PARTIES, others, strict=True))
        turned = [Stake(renamed[one.owner], renamed[one.owned], one.percent, one.control) for one in stakes[::-1]]
        graph, other = owners_by_party(stakes), owners_by_party(turned)
        here, there = whole_shares("C", graph), whole_shares(renamed["C"], other)

        assert bool(here.cut) == bool(there.cut)
        if not here.cut:
            assert {renamed[party]: share for party, share in here.of.items()} == there.of


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

    def test_it_tells_in_sentences_what_the_answer_rests_on(self):
        stakes = [stake("ann", "D", 50), stake("D", "C", 40), stake("bob", "C", 10), stake("ann", "E", 49)]
        found = blocked_holding("C", [*stakes, stake("E", "C", 20)], frozenset({"ann", "bob"}))

        assert blocked_reasons(found, str.upper) == (
            "ANN is listed.",
            "BOB is listed.",
            "D is blocked through its owners, ANN with 50 %: 50 %, at or above 50 %. It counts in full for what it "
            "owns.",
            "Of E blocked persons hold 49 %, below 50 %. It passes nothing on.",
            "Of C blocked parties hold 50 %, D with 40 % and BOB with 10 %. It is blocked although no list names it.",
        )

    @pytest.mark.parametrize(
        ("stakes", "words"),
        [
            ([stake("ann", "C", 49)], "Of C blocked parties hold 49 %, ann with 49 %. That is not enough to block it."),
            ([stake("ann", "D", 20), stake("D", "C", 99)], "Of C blocked parties hold 0 %. That is not enough"),
        ],
    )
    def test_what_is_not_enough_is_said(self, stakes, words):
        assert words in blocked_reasons(blocked_holding("C", stakes, frozenset({"ann"})), str)[-1]

    def test_nothing_is_said_when_blocked_persons_hold_nothing(self):
        assert blocked_reasons(blocked_holding("C", [stake("bob", "C", 9)], frozenset({"ann"})), str) == ()

    @given(graphs)
    def test_every_blocked_party_is_carried_by_those_before_it(self, stakes):
        found = blocked_holding("C", stakes, frozenset({"ann", "bob"}))

        told = set()
        for holder in found.holders:
            assert holder.listed or sum(share for _, share in holder.by) >= found.bound
            told.add(holder.party)
        assert {party for party, _ in found.direct} <= told


class TestReasons:
    def told(self, stakes, owner="ann"):
        (found,) = beneficial_owners("C", stakes, frozenset({owner}), QUARTER)
        return owner_reasons(found, "C", stakes, QUARTER, str.upper)

    def test_t15_each_chain_and_the_sum(self):
        assert self.told([stake("ann", "D", 60), stake("D", "C", 45), stake("ann", "C", 3)]) == (
            "Holds D with 60 %, which holds C with 45 %: 27 %.",
            "Holds C with 3 %.",
            "In all 30 %, at or above 25 %: the ownership prong is met.",
        )

    def test_what_circles_return(self):
        stakes = [stake("ann", "D", 60), stake("D", "C", 50), stake("C", "D", 40)]

        assert self.told(stakes)[1] == "Further chains and what circles of cross-holdings return: 7.5 %."

    @pytest.mark.parametrize(
        ("stakes", "last"),
        [
            ([stake("ann", "C", 5, True)], "Exercises substantial control over C: the control prong is met."),
            (
                [stake("ann", "D", 0, True), stake("D", "C", 5, True)],
                "Exercises substantial control over C through D: the control prong is met.",
            ),
            (
                [stake("ann", "D", 0, True), stake("D", "C", 30)],
                "Controls D, and with them holds 25 % or more of C: the control prong is met.",
            ),
        ],
    )
    def test_how_control_is_exercised(self, stakes, last):
        assert self.told(stakes)[-1] == last

    def test_a_share_below_the_threshold_is_told_too(self):
        assert "In all 5 %, below 25 %: the ownership prong is not met." in self.told([stake("ann", "C", 5, True)])

    @given(graphs)
    def test_every_owner_has_reasons(self, stakes):
        for owner in beneficial_owners("C", stakes, frozenset({"ann", "bob"}), QUARTER):
            assert owner_reasons(owner, "C", stakes, QUARTER, str)[-1].endswith("is met.")


class TestDays:
    def test_the_graph_as_of_a_day(self):
        first, last = date(2026, 3, 1), date(2026, 3, 31)
        held = Stake("ann", "C", Decimal(30), from_on=first, to_on=last)

        days = [date(2026, 2, 28), first, last, date(2026, 4, 1)]
        assert [bool(held_on([held], day)) for day in days] == [False, True, True, False]

    def test_the_most_that_is_held_on_one_day(self):
        march, april, today = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
        ann = Stake("ann", "C", Decimal(60), from_on=march, to_on=date(2026, 3, 31))
        bob = Stake("bob", "C", Decimal(80), from_on=april)
        cy = Stake("cy", "C", Decimal(10), from_on=march)

        assert most_beside(cy, [ann, bob], today) == (Decimal(90), april)
        assert most_beside(ann, [bob, cy], today) == (Decimal(70), march)

    def test_of_an_unknown_beginning_nothing_is_made_up(self):
        over, still = Stake("ann", "C", Decimal(60), to_on=date(2026, 3, 31)), Stake("bob", "C", Decimal(60))

        assert most_beside(still, [over], date(2026, 5, 1)) == (Decimal(60), date(2026, 5, 1))
        assert most_beside(over, [still], date(2026, 5, 1)) == (Decimal(60), date(2026, 3, 31))


class TestTree:
    def test_it_draws_shares_of_each_box_and_of_the_subject(self):
        root = tree("C", [stake("D", "C", 50), stake("ann", "D", 60, True), stake("bob", "C", 20)]).root

        first, second = root.owners
        assert (root.party, root.percent, first.party, second.party) == ("C", WHOLE, "D", "bob")
        assert (first.owners[0].party, first.owners[0].percent, first.owners[0].reaching) == ("ann", 60, 30)
        assert first.owners[0].control is True

    def test_it_stops_where_a_party_comes_round_again(self):
        root = tree("C", [stake("D", "C", 50), stake("C", "D", 40)]).root

        (again,) = root.owners[0].owners
        assert (again.party, again.repeat, again.owners) == ("C", Repeat.CIRCLE, [])

    def test_owners_of_a_party_that_holds_twice_are_drawn_once(self):
        stakes = [stake("D", "C", 50), stake("E", "C", 40), stake("F", "D", 10), stake("F", "E", 20)]

        first, second = tree("C", [*stakes, stake("ann", "F", 100)]).root.owners
        assert [box.party for box in first.owners[0].owners] == ["ann"]
        assert (second.owners[0].repeat, second.owners[0].owners) == (Repeat.AGAIN, [])

    def test_a_large_drawing_is_cut_and_says_where(self):
        drawn = tree("C", [stake(f"p{number}", "C", 1) for number in range(90)], most=40)

        assert (drawn.boxes, drawn.cut_at, drawn.root.left_out, len(drawn.root.owners)) == (40, 1, 50, 40)

    @given(graphs)
    def test_every_graph_can_be_drawn(self, stakes):
        drawn = tree("C", stakes)

        assert (drawn.root.party, drawn.cut_at) == ("C", 0)


class TestFaults:
    @pytest.mark.parametrize(
        ("stakes", "words"),
        [
            ([stake("ann", "C", 60), stake("bob", "C", 41)], "The owners of C add up to 101 %"),
            ([stake("ann", "D", 60), stake("bob", "D", 41), stake("D", "C", 5)], "The owners of D add up"),
            ([stake("ann", "C", -5)], "enter 0 to 100"),
            ([stake("ann", "C", 101)], "enter 0 to 100"),
            ([stake("C", "C", 5)], "own owner"),
            ([stake("ann", "C", 80), stake("bob", "C", 60)], "The owners of C add up to 140 %, more than 100."),
            ([stake("D", "C", 100), stake("C", "D", 100)], "it was cut at"),
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
            [stake("D", "C", 5), stake("C", "D", 5)],
        ],
    )
    def test_a_sound_structure_has_none_and_others_do_not_matter(self, stakes):
        assert faults("C", stakes) == ()

    def test_a_negative_share_takes_nothing_from_anybody(self):
        assert owners([stake("ann", "C", 30), stake("ann", "C", -10)]) == {"ann": (Decimal(30), False)}

    def test_a_circle_is_named_and_no_fault(self):
        stakes = [stake("D", "C", 5), stake("E", "D", 5), stake("D", "E", 5), stake("ann", "E", 5)]

        assert circles("C", stakes) == (
            "These parties own each other in a circle: D, E. The shares count what flows round.",
        )
        assert circles("C", stakes[:2]) == ()

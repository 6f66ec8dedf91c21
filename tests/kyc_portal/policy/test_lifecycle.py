"""Tables of moves."""

import pytest

from kyc_portal.policy.lifecycle import Lifecycle, MoveNotAllowed

DOOR = Lifecycle(
    {"ajar": ["open", "shut"], "open": ["shut"], "shut": ["ajar", "open", "walled_up"], "walled_up": []},
    {"ajar": "ajar", "open": "wide open", "shut": "shut", "walled_up": "walled up"},
)


class TestConstruction:
    @pytest.mark.parametrize(
        ("moves", "names", "words"),
        [
            ({}, None, "at least one"),
            ({"a": ["b"]}, None, "does not list"),
            ({"a": ["a"]}, None, "itself"),
            ({"a": ["b", "b"], "b": []}, None, "twice"),
            ({"a": []}, {"a": "A", "b": "B"}, "do not agree"),
            ({"a": ["b"], "b": []}, {"a": "A"}, "do not agree"),
        ],
    )
    def test_it_refuses_a_table_with_a_hole(self, moves, names, words):
        with pytest.raises(ValueError, match=words):
            Lifecycle(moves, names)

    def test_it_names_states_by_their_codes_when_told_nothing_else(self):
        with pytest.raises(MoveNotAllowed, match="“data requested”"):
            Lifecycle({"data_requested": [], "open": []}).require("open", "data_requested")


class TestMoves:
    @pytest.mark.parametrize(
        ("old", "new", "allowed"),
        [("ajar", "open", True), ("open", "ajar", False), ("shut", "shut", False), ("walled_up", "open", False)],
    )
    def test_it_knows_what_is_allowed(self, old, new, allowed):
        assert DOOR.allows(old, new) is allowed

    def test_it_lists_states_and_what_follows(self):
        assert DOOR.states == ("ajar", "open", "shut", "walled_up")
        assert DOOR.after("shut") == ("ajar", "open", "walled_up")
        assert DOOR.after("walled_up") == ()

    def test_it_lets_an_allowed_move_pass(self):
        assert DOOR.require("ajar", "shut") is None

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("open", "walled_up", "What is “wide open” cannot become “walled up”. From here it can become “shut”."),
            (
                "shut",
                "shut",
                "What is “shut” cannot become “shut”. From here it can become “ajar”, “wide open” or “walled up”.",
            ),
            ("walled_up", "open", "What is “walled up” cannot become “wide open”. This is its last state."),
        ],
    )
    def test_it_refuses_in_words_and_says_what_is_possible(self, old, new, sentence):
        with pytest.raises(MoveNotAllowed) as refused:
            DOOR.require(old, new)

        assert str(refused.value) == sentence

    @pytest.mark.parametrize(("old", "new"), [("gone", "open"), ("open", "gone")])
    def test_an_unknown_state_is_a_bug_not_a_refusal(self, old, new):
        with pytest.raises(ValueError, match="no state"):
            DOOR.require(old, new)


class TestDiagram:
    def test_it_draws_every_state_and_move(self):
        assert DOOR.diagram().splitlines() == [
            "stateDiagram-v2",
            "    ajar : ajar",
            "    open : wide open",
            "    shut : shut",
            "    walled_up : walled up",
            "    [*] --> ajar",
            "    ajar --> open",
            "    ajar --> shut",
            "    open --> shut",
            "    shut --> ajar",
            "    shut --> open",
            "    shut --> walled_up",
            "    walled_up --> [*]",
        ]

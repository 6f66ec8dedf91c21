"""The README draws the states as the code has them."""

from pathlib import Path

import pytest

from resellers.rules import cip, ending, findings, roster

README = Path(__file__).parents[2] / "resellers" / "README.md"


@pytest.mark.parametrize("moves", [cip.MOVES, findings.MOVES, roster.MOVES, ending.MOVES])
def test_it_draws_the_states_as_they_are(moves):
    assert moves.diagram() in README.read_text(encoding="utf-8")

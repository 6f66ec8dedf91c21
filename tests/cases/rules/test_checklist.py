"""Which points a case of each kind has, and what waits for them."""

import pytest

from cases.models.case import CaseKind
from cases.rules.checklist import ITEMS, items_for, left_over
from cases.rules.outcomes import OutcomeCode


@pytest.mark.parametrize("kind", list(CaseKind))
def test_each_kind_has_points(kind):
    assert items_for(kind)


def test_every_point_is_of_a_kind_that_there_is():
    assert {kind for item in ITEMS.values() for kind in item.kinds} <= {kind.value for kind in CaseKind}


@pytest.mark.parametrize("outcome", list(OutcomeCode))
def test_all_but_watching_waits_for_the_whole_list(outcome):
    every = [item.code for item in items_for("red_flag")]

    assert left_over("red_flag", outcome, every) == []
    waiting = [item.code for item in left_over("red_flag", outcome, every[:1])]
    assert waiting == ([] if outcome == OutcomeCode.WATCH else every[1:])

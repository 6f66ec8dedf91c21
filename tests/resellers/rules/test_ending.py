"""What is said of an account without doing anything, and the states of a day gone by (R57, R62)."""

from datetime import timedelta

import pytest

from accounts.rules.onboarding import AccountStatus
from resellers.rules.cip_copy import Version, finding_state, states_of
from resellers.rules.ending import Fault, Outcome, Result, foregone
from tests.conftest import NOON

S = AccountStatus
DAY = timedelta(days=1)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("status", S)
def test_what_is_not_theirs_is_left_alone(outcome, status):
    assert foregone(outcome, status, is_theirs=False) == Result.NOT_THEIRS


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("status", [S.CLOSED, S.REFUSED])
def test_what_has_ended_needs_nothing(outcome, status):
    assert foregone(outcome, status, is_theirs=True) == Result.OVER


@pytest.mark.parametrize(
    ("outcome", "status", "wanted"),
    [
        (Outcome.CLOSE, S.ACTIVE, None),
        (Outcome.CLOSE, S.PROSPECT, None),
        (Outcome.CLOSE, S.BLOCKED, Fault.BLOCKED),
        (Outcome.SUSPEND, S.ACTIVE, None),
        (Outcome.SUSPEND, S.BLOCKED, Result.STOPPED),
        (Outcome.SUSPEND, S.VERIFYING, Result.NOT_IN_USE),
        (Outcome.DIRECT, S.BLOCKED, None),
        (Outcome.DIRECT, S.PROSPECT, None),
        (Outcome.MIGRATE, S.BLOCKED, None),
        (Outcome.MIGRATE, S.DATA_REQUESTED, None),
    ],
)
def test_the_others(outcome, status, wanted):
    assert foregone(outcome, status, is_theirs=True) == wanted


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        (NOON, {1: "approved", 2: "handed in, not decided", 3: "handed in, not decided"}),
        (NOON + DAY, {1: "approved", 2: "returned with gaps", 3: "handed in, not decided"}),
        (NOON + 2 * DAY, {1: "replaced by a later version", 2: "returned with gaps", 3: "approved"}),
        (NOON - DAY, {1: "handed in, not decided", 2: "handed in, not decided", 3: "handed in, not decided"}),
    ],
)
def test_the_state_of_each_version_at_a_moment(moment, wanted):
    later = [Version(2, "returned", NOON + DAY), Version(3, "approved", NOON + 2 * DAY)]
    versions = [Version(1, "replaced", NOON), *later]

    assert states_of(versions, moment) == wanted


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [(NOON, "open"), (NOON + DAY, "cure planned"), (NOON + 2 * DAY, "cured"), (NOON + 3 * DAY, "cured")],
)
def test_the_state_of_a_finding_at_a_moment(moment, wanted):
    assert finding_state("cured", planned_at=NOON + DAY, ended_at=NOON + 2 * DAY, moment=moment) == wanted

"""The day, and a prospect who was asked for what is missing."""

import pytest
import time_machine

from accounts.flows import intake
from tests.builders import make_account
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def the_day():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(analyst):
    """A prospect who was asked for what is missing."""
    return intake.request_data(make_account(), by=analyst, at=NOON)

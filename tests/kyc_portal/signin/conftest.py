"""Log-in in the tests: counts of wrong codes start at nothing, and everybody needs a second factor where it says so."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def second_factor_for_all(settings):
    settings.MFA_ROLES = ["all"]

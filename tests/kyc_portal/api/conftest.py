import pytest
from django.core.cache import cache

from kyc_portal.records.refs import Actor


@pytest.fixture
def administrator(administrator_user) -> Actor:
    return administrator_user.as_actor


@pytest.fixture(autouse=True)
def nobody_has_failed_yet():
    cache.clear()

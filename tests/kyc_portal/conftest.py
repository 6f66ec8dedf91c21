"""What the tests of settings share."""

from types import SimpleNamespace

import pytest
from django.conf import global_settings

from kyc_portal.records import stamps
from kyc_portal.settings import base
from kyc_portal.staff import exposure, safety
from tests.kyc_portal.test_safety import SAFE


@pytest.fixture
def check(monkeypatch):
    """The faults of the safe settings with some changed; Django's own settings stay as they are."""

    def judge(**changes):
        changed = SimpleNamespace(**{**vars(global_settings), **vars(base), **SAFE, **changes})
        monkeypatch.setattr(safety, "settings", changed)
        monkeypatch.setattr(exposure, "settings", changed)
        monkeypatch.setattr(stamps, "settings", changed)
        return safety.check_settings(None, databases=["default"])  # the role is judged in tests/kyc_portal/records

    return judge

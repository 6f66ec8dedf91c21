"""Keys of other systems, made by the flow."""

import itertools

from django.contrib.auth import get_user_model

from kyc_portal.api import keys
from kyc_portal.api.models import ApiKey
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON, person

_numbers = itertools.count(1)


def make_key(owner=None, *, at=NOON, **changes) -> ApiKey:
    """A key of a reviewer's that hands in access logs."""
    owner = owner or get_user_model().objects.filter(username="owen").first() or person("owen", "reviewer")
    given = {"name": f"log shipper {next(_numbers)}", "scopes": ["access_logs.write"], "networks": [], "days": 30}
    return keys.create_key(owner=owner, by=SCHEDULER, at=at, **{**given, **changes})

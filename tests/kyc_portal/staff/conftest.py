"""Logging in as somebody of a role."""

import pytest

from tests.conftest import person


@pytest.fixture
def as_role(client):
    """Log in as somebody of this role."""

    def log_in(role):
        client.force_login(person(f"some {role}".replace(" ", "."), role))
        return client

    return log_in

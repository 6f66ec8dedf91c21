"""One world for all questions of this folder; each test is a savepoint in it, so that the next finds the same world."""

import pytest
from django.test import override_settings

from tests.conftest import one_world
from tests.matrix.worlds import make_matrix

# Everybody logs in once for all questions, which take minutes on a busy machine.
NEVER_TOO_OLD = dict.fromkeys(("RECENT_LOGIN", "ACCOUNT_REAUTHENTICATION_TIMEOUT", "SESSION_IDLE"), 12 * 3600)


@pytest.fixture(scope="package")
def matrix(django_db_setup, django_db_blocker, tmp_path_factory):
    """The world, in a transaction that is rolled back after the last of them."""
    folder = tmp_path_factory.mktemp("matrix")
    places = override_settings(PRIVATE_DIR=folder / "private", BUNDLE_DIR=folder / "bundles", **NEVER_TOO_OLD)
    with places, one_world(django_db_blocker):
        yield make_matrix(folder)

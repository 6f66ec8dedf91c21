"""One world for all questions of this folder; each test is a savepoint in it, so that the next finds the same world."""

import pytest
from django.db import transaction
from django.test import override_settings

from tests.matrix.worlds import make_matrix

# Everybody logs in once for all questions, which take minutes on a busy machine.
NEVER_TOO_OLD = dict.fromkeys(("RECENT_LOGIN", "ACCOUNT_REAUTHENTICATION_TIMEOUT", "SESSION_IDLE"), 12 * 3600)


@pytest.fixture(scope="package")
def matrix(django_db_setup, django_db_blocker, tmp_path_factory):
    """The world, in a transaction that is rolled back after the last of them."""
    folder = tmp_path_factory.mktemp("matrix")
    whole = transaction.atomic()
    whole._from_testcase = True
    with (
        django_db_blocker.unblock(),
        override_settings(PRIVATE_DIR=folder / "private", BUNDLE_DIR=folder / "bundles", **NEVER_TOO_OLD),
        whole,
    ):
        yield make_matrix(folder)
        transaction.set_rollback(True)

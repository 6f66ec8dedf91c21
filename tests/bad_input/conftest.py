"""Files of the tests of bad input go to a folder of each test's own."""

import pytest

from tests.kyc_portal.staff.worlds import digest_of_all_rows


@pytest.fixture(autouse=True)
def own_folders(tmp_path, settings):
    settings.PRIVATE_DIR = tmp_path / "private"
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def unchanged(db):
    """Call it at the end: not one row differs from when it was asked for."""
    before = digest_of_all_rows()

    def compare() -> None:
        assert digest_of_all_rows() == before

    return compare

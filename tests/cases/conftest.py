import io

import pytest
from django.core.management import call_command


@pytest.fixture
def roles_there(db):
    """The flush after a transactional test takes the roles away; put them back."""
    call_command("sync_roles", verbosity=0, stdout=io.StringIO())

"""The settings of processes that are killed: those of the tests, with files, witness and keys shared by all of them."""

from kyc_portal.settings.base import MASTER_KEYS as MASTER_KEYS_GIVEN
from kyc_portal.settings.base import PRIVATE_DIR as PRIVATE_DIR_GIVEN
from kyc_portal.settings.base import WITNESSES as WITNESSES_GIVEN
from kyc_portal.settings.tests import *  # noqa: F403

MASTER_KEYS, PRIVATE_DIR, WITNESSES = MASTER_KEYS_GIVEN, PRIVATE_DIR_GIVEN, WITNESSES_GIVEN

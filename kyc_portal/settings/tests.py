"""Tests: a fast hasher, eager Celery, files in a folder of their own, fixed keys; the database is a file (WAL)."""

import base64
import os
import tempfile
from pathlib import Path

from kyc_portal.settings.base import *  # noqa: F403
from kyc_portal.settings.base import DATABASES, STORAGES

SECRET_KEY = "only-for-tests-" + "x" * 50
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True

LOCAL_DIR = Path(tempfile.mkdtemp(prefix="kyc-tests-"))
PRIVATE_DIR = LOCAL_DIR / "documents"
BUNDLE_DIR = LOCAL_DIR / "bundles"
BROKER_DIR = LOCAL_DIR / "broker"
DESTRUCTION_LEDGER = LOCAL_DIR / "destructions.jsonl"
STORAGES = {**STORAGES, "default": {**STORAGES["default"], "OPTIONS": {"location": str(PRIVATE_DIR)}}}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    DATABASES["default"]["TEST"] = {"NAME": str(LOCAL_DIR / f"test-{worker}.sqlite3")}
# Tables come straight from the models, in a tenth of the time; the demo's journey and the drill run the migrations.
DATABASES["default"].setdefault("TEST", {})["MIGRATE"] = False


def _key(letter: str) -> str:
    return "test-1:" + base64.b64encode(letter.encode() * 32).decode()


MASTER_KEYS = [_key("m")]
FINGERPRINT_KEY = _key("f")
SIGNING_KEY = _key("s")
AUDIT_KEY = _key("a")
VERIFIER = "kyc_portal.demo.stand_in.StandIn"
VERIFIER_SECRETS = ["whsec_" + base64.b64encode(b"v" * 32).decode()]
MFA_ROLES = ["none"]  # tests of the second factor switch it on
WITNESSES = []  # a test that wants some names its own
STAMP_CA = ""
BUNDLE_STAMP_URL = ""
PDF_FONTS = []  # what comes with the library, so that the same letters are lacking everywhere
STAMPS_FROM_PLAIN_LOOPBACK = True
WEBHOOKS_TO_PLAIN_LOOPBACK = True
